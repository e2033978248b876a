"""Files on the portal's own disk.

The file is laid out whole when the transfer begins (a full disk says so before anybody has waited), each part is
written at its place, and completing is a rename: nothing is ever copied together.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from django.core import signing

from portfolios.storage.base import (
    CHUNK,
    BadPart,
    BadToken,
    DiskFull,
    Missing,
    Part,
    SignedPart,
    Transfer,
    digest,
    tree,
)

SALT = "portfolios.storage.local"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class LocalStore:
    """Keeps files under `root`; `part_url` turns a signed token into the address that takes the part."""

    root: Path
    part_url: Callable[[str], str]
    lifetime: timedelta = timedelta(hours=1)

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
        found = digest(body)
        if len(body) != part.size or part.sha256 not in ("", found):
            raise BadPart(f"part {part.number}")
        with _full_disk_is_named(), _descriptor(self._open_path(transfer.key), os.O_WRONLY) as fd:
            _write_all(fd, body, (part.number - 1) * transfer.part_size)
        return replace(part, sha256=found)

    def list(self, transfer: Transfer) -> Sequence[Part] | None:
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
        self._path(transfer.key).unlink(missing_ok=True)

    def put(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _full_disk_is_named(), NamedTemporaryFile(dir=path.parent, suffix=".open", delete=False) as beside:
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
            return tree([digest(part) for part in iter(partial(file.read, part_size), b"")]) == fingerprint

    def path(self, key: str) -> Path | None:
        self.size(key)
        return self._path(key)

    def open(self, key: str) -> BinaryIO:
        with _absence_is_named(key):
            return self._path(key).open("rb")

    def open_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        file = self.open(key)
        file.seek(start)
        return _Piece(file, length)

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
        return path.with_name(path.name + ".open")


@dataclass(slots=True)
class _Piece:
    """Some bytes of an open file, in chunks. Closes the file at its end, and when nobody wanted even the first."""

    file: BinaryIO
    left: int

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self.file.read(min(CHUNK, self.left)) if self.left else b""
        self.left -= len(chunk)
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        self.left = 0
        self.file.close()


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
