"""What a store of candidates' files offers, in frozen dataclasses. Knows no model, no request and no clock.

A file arrives as a transfer: `create`, then parts (each signed just before it is sent, with its length and SHA-256,
so that the store itself refuses wrong bytes), then `complete`. The client never learns which store it talks to.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK = 256 * 1024


class StorageError(Exception):
    """The store will not or cannot. The subclasses say why."""


class DiskFull(StorageError):
    """No room left for this file or part. Nothing of it was kept."""


class BadPart(StorageError):
    """The bytes are not those that were announced: wrong length or wrong digest. Nothing of them was kept."""


class BadToken(StorageError):
    """The permission to send this part is forged or has expired."""


class Missing(StorageError):
    """There is no such file or transfer."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file under way: the key it will stand under, the store's own name of the transfer, and its exact size."""

    key: str
    upload_id: str
    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)

    def length_of(self, number: int) -> int:
        """Bytes of part `number` (from 1). ValueError when there is no such part."""
        if not 1 <= number <= self.part_count:
            raise ValueError(f"no part {number} of {self.part_count}")
        return min(self.part_size, self.size - (number - 1) * self.part_size)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its number from 1, its length, and the base64 of its SHA-256 (44 characters)."""

    number: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where and how to PUT one part, and until when."""

    number: int
    url: str
    headers: dict[str, str]
    expires_at: datetime


class Store(Protocol):
    def create(self, key: str, *, size: int, part_size: int, content_type: str) -> Transfer:
        """Open a transfer. DiskFull where the store can know it beforehand."""

    def sign(self, transfer: Transfer, part: Part, *, at: datetime) -> SignedPart:
        """Permission to send exactly these bytes as this part."""

    def receive(self, transfer: Transfer, part: Part, body: bytes) -> Part:
        """Keep a part that came through the portal; it is returned with the digest found. BadPart, DiskFull."""

    def list(self, transfer: Transfer) -> Sequence[Part] | None:
        """The parts the store holds; None when every part came through the portal, whose rows are then the list."""

    def complete(self, transfer: Transfer, parts: Sequence[Part]) -> None:
        """Make the file of its parts, durably. A repeat is harmless. Missing."""

    def abort(self, transfer: Transfer) -> None:
        """Forget the transfer and its bytes. A repeat is harmless."""

    def put(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        """Keep a file of our own making, over whatever was there, whole or not at all; its bytes. DiskFull."""

    def size(self, key: str) -> int:
        """Bytes of a finished file. Missing."""

    def is_intact(self, key: str, *, fingerprint: str, part_size: int) -> bool:
        """Whether a finished file still is what came in, by the `tree` of its parts. Missing.

        A store that proves bytes itself, at every part and at every reading, answers without reading the file.
        """

    def path(self, key: str) -> Path | None:
        """Where programs of this machine find a finished file; None when it must be fetched for them. Missing."""

    def open(self, key: str) -> BinaryIO:
        """A finished file to read and seek in; the caller closes it. Missing."""

    def open_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """`length` bytes from `start`, in chunks. Missing, before the first chunk."""

    def url(self, key: str, *, content_type: str, filename: str, at: datetime) -> str | None:
        """An address the browser may read the file from for a while; None when the portal must serve it itself."""

    def delete(self, key: str) -> None:
        """Forget a finished file. A repeat is harmless."""


def digest(body: bytes) -> str:
    """base64 of the SHA-256 of some bytes, as S3 writes part checksums."""
    return b64encode(sha256(body).digest()).decode()


def tree(digests: Sequence[str]) -> str:
    """The whole file's fingerprint from its parts' digests in order: the composite form S3 gives, "base64-N"."""
    whole = sha256(b"".join(b64decode(part) for part in digests))
    return f"{b64encode(whole.digest()).decode()}-{len(digests)}"
