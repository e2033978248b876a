"""Celery's queue as files under var/, for a portal without Redis.

Kombu brings such a transport, but it writes a message into the file that a reader may already be taking, so that a
worker now and then reads half of one and dies. Here everything is written beside and renamed: it is whole or not there.
"""

import fcntl
from pathlib import Path
from queue import Empty
from threading import Lock
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

_binding = Lock()


class Channel(filesystem.Channel):
    """Messages are files `<age>_<id>.<queue>.msg` in one folder, oldest first; bindings are tables in another."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        name = f"{monotonic_ns():020}_{uuid4().hex}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str) -> Any:
        for path in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = path.with_suffix(".taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            message = loads(taken.read_text())
            taken.unlink()
            return message
        raise Empty

    def get_table(self, exchange: str) -> list[Any]:
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        # Kombu notes a binding as made before it is; another thread's message would find no queue and be dropped.
        with _binding:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with (self.control_folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = self.get_table(exchange)
            if binding not in rows:
                _write_whole(self._exchange_file(exchange), dumps([binding, *rows]))


class Transport(filesystem.Transport):
    Channel = Channel


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    part.write_text(text)
    part.replace(path)
