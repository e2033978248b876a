"""What a store of candidates' files offers, in frozen dataclasses. Knows no model, no request and no clock.

A file arrives as a transfer: `create`, then parts (each signed just before it is sent, with its length and SHA-256,
so that the store itself refuses wrong bytes), then `complete`. The client never learns which store it talks to.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

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


class NoDigest(StorageError):
    """A part that goes to the store itself needs its digest, and none was given."""


class Unavailable(StorageError):
    """The store cannot be reached, or is in trouble. Another try may succeed."""


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
    """One part: its number from 1, its length, and the base64 of its SHA-256 (44 characters; "": not known).

    `mark` is the store's own name of these bytes, where it gave one.
    """

    number: int
    size: int
    sha256: str
    mark: str = field(default="", compare=False)

    def proved(self, body: bytes) -> "Part":
        """This part with the digest found. BadPart when these are not the bytes that were announced."""
        found = digest(body)
        if len(body) != self.size or self.sha256 not in ("", found):
            raise BadPart(f"part {self.number}")
        return replace(self, sha256=found)


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where and how to PUT one part, and until when."""

    number: int
    url: str
    headers: dict[str, str]
    expires_at: datetime


class Store(Protocol):
    """`is_direct`: browsers send parts to the store itself, which lists them, and the portal's rows say only what was
    signed. Otherwise every part comes through the portal, whose rows are the list, and is written under the lock of
    its upload, so that it does not meet `complete` half way.
    """

    is_direct: ClassVar[bool]

    def create(self, key: str, *, size: int, part_size: int, content_type: str) -> Transfer:
        """Open a transfer. DiskFull where the store can know it beforehand."""

    def sign(self, transfer: Transfer, part: Part, *, at: datetime) -> SignedPart:
        """Permission to send exactly these bytes as this part. NoDigest."""

    def read_token(self, token: str, *, at: datetime) -> tuple[Transfer, Part]:
        """What an address of the portal's own, made by `sign`, permits. BadToken: forged, or its time is over."""

    def receive(self, transfer: Transfer, part: Part, body: bytes) -> Part:
        """Keep a part that came through the portal; it is returned with the digest found.

        BadPart, DiskFull, Missing.
        """

    def list(self, transfer: Transfer) -> Sequence[Part] | None:
        """The parts the store holds, without a digest where it keeps none; None when the portal's rows are the list:
        the store has none, or the transfer is complete and only the portal does not know it yet. Missing.
        """

    def complete(self, transfer: Transfer, parts: Sequence[Part]) -> None:
        """Make the file of its parts, as `list` or else the rows name them, durably. A repeat is harmless.

        Missing; BadPart when the store holds other bytes, and then nothing is made.
        """

    def abort(self, transfer: Transfer) -> None:
        """Forget an unfinished transfer and its bytes; a finished file stays. A repeat is harmless."""

    def unfinished(self, prefix: str, *, before: datetime) -> Iterator[Transfer]:
        """Transfers under `prefix` of which nothing was heard since `before`, by the store's own clock. Their sizes
        are not known here: 0.
        """

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


@dataclass(slots=True)
class Piece:
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


def digest(body: bytes) -> str:
    """base64 of the SHA-256 of some bytes, as S3 writes part checksums."""
    return b64encode(sha256(body).digest()).decode()


def tree(digests: Sequence[str]) -> str:
    """The whole file's fingerprint from its parts' digests in order: the composite form S3 gives, "base64-N"."""
    whole = sha256(b"".join(b64decode(part) for part in digests))
    return f"{b64encode(whole.digest()).decode()}-{len(digests)}"


def tree_of(file: BinaryIO, part_size: int) -> str:
    """The same from a whole file, as it was sent in parts of this size."""
    return tree([digest(part) for part in iter(lambda: file.read(part_size), b"")])
