"""Files on the portal's own disk.

The file is laid out whole when the transfer begins (a full disk says so before anybody has waited), each part is
written at its place, and completing is a rename: nothing is ever copied together.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import BinaryIO, ClassVar

from django.core import signing

from portfolios.storage.base import CHUNK, BadToken, DiskFull, Missing, Part, Piece, SignedPart, Transfer, tree_of

SALT = "portfolios.storage.local"
OPEN = ".open"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class LocalStore:
    """Keeps files under `root`; `part_url` turns a signed token into the address that takes the part."""

    root: Path
    part_url: Callable[[str], str]
    lifetime: timedelta = timedelta(hours=1)
    is_direct: ClassVar[bool] = False

    def create(self, key: str, *, size: int, part_size: int, content_type: str) -> Transfer:
        path = self._open_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _full_disk_is_named(), _descriptor(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY) as fd:
            try:
                os.posix_fallocate(fd, 0, size)
            except OSError:
                path.unlink()
                raise
        return Transfer(key, path.name, size, part_size)

    def sign(self, transfer: Transfer, part: Part, *, at: datetime) -> SignedPart:
        expires_at = at + self.lifetime
        token = signing.dumps(
            [transfer.key, transfer.size, transfer.part_size, part.number, part.sha256, int(expires_at.timestamp())],
            salt=SALT,
        )
        return SignedPart(part.number, self.part_url(token), {}, expires_at)

    def read_token(self, token: str, *, at: datetime) -> tuple[Transfer, Part]:
        """What a token of `sign` permits. BadToken when it is not ours or its time is over."""
        try:
            key, size, part_size, number, sha, expires = signing.loads(token, salt=SALT)
        except signing.BadSignature as error:
            raise BadToken("forged") from error
        if at.timestamp() >= expires:
            raise BadToken("expired")
        transfer = Transfer(key, self._open_path(key).name, size, part_size)
        return transfer, Part(number, transfer.length_of(number), sha)

    def receive(self, transfer: Transfer, part: Part, body: bytes) -> Part:
        """See Store. A part signed without a digest (a browser without one to give) is hashed here instead."""
        proved = part.proved(body)
        with _full_disk_is_named(), _descriptor(self._open_path(transfer.key), os.O_WRONLY) as fd:
            _write_all(fd, body, (part.number - 1) * transfer.part_size)
        return proved

    def list(self, transfer: Transfer) -> Sequence[Part] | None:
        if not self._open_path(transfer.key).exists() and not self._path(transfer.key).exists():
            raise Missing(transfer.key)
        return None

    def complete(self, transfer: Transfer, parts: Sequence[Part]) -> None:
        unfinished, finished = self._open_path(transfer.key), self._path(transfer.key)
        try:
            _make_durable(unfinished)
            unfinished.replace(finished)
        except (Missing, FileNotFoundError) as error:
            if not finished.exists():  # nobody else has completed it at the same moment, or before
                raise Missing(transfer.key) from error
        _make_durable(finished.parent)

    def abort(self, transfer: Transfer) -> None:
        self._open_path(transfer.key).unlink(missing_ok=True)

    def unfinished(self, prefix: str, *, before: datetime) -> Iterator[Transfer]:
        """See Store. What a dead worker left of a `put` is among them."""
        for path in sorted(self._path(prefix).glob(f"*{OPEN}")):
            if _touched(path) < before.timestamp():
                yield Transfer(str(path.relative_to(self.root.resolve()).with_suffix("")), path.name, 0, 0)

    def put(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _full_disk_is_named(), NamedTemporaryFile(dir=path.parent, suffix=OPEN, delete=False) as beside:
            try:
                copyfileobj(file, beside, CHUNK)
                beside.flush()
                os.fsync(beside.fileno())
            except BaseException:
                Path(beside.name).unlink()
                raise
        Path(beside.name).replace(path)
        _make_durable(path.parent)
        return path.stat().st_size

    def size(self, key: str) -> int:
        with _absence_is_named(key):
            return self._path(key).stat().st_size

    def is_intact(self, key: str, *, fingerprint: str, part_size: int) -> bool:
        """Power cuts and failing disks are not excused: the whole file is read."""
        with self.open(key) as file:
            return tree_of(file, part_size) == fingerprint

    def path(self, key: str) -> Path | None:
        self.size(key)
        return self._path(key)

    def open(self, key: str) -> BinaryIO:
        with _absence_is_named(key):
            return self._path(key).open("rb")

    def open_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        file = self.open(key)
        file.seek(start)
        return Piece(file, length)

    def url(self, key: str, *, content_type: str, filename: str, at: datetime) -> str | None:
        return None

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise Missing(key)
        return path

    def _open_path(self, key: str) -> Path:
        path = self._path(key)
        return path.with_name(path.name + OPEN)


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # finished or given up since it was listed
        return inf


def _make_durable(path: Path) -> None:
    with _descriptor(path, os.O_RDONLY) as fd:
        os.fsync(fd)


def _write_all(fd: int, body: bytes, offset: int) -> None:
    """pwrite may write less than asked, without an error, on a disk that is filling up."""
    view = memoryview(body)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


@contextmanager
def _descriptor(path: Path, flags: int) -> Iterator[int]:
    with _absence_is_named(path.name):
        fd = os.open(path, flags | os.O_CLOEXEC, 0o640)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _full_disk_is_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(str(error)) from error
        raise


@contextmanager
def _absence_is_named(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(name) from error
