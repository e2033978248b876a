"""A file that is elsewhere, read and sought in as if it were here. Pure."""

import io
from collections import OrderedDict
from collections.abc import Callable

BLOCK = 1024 * 1024
KEPT = 8


class RemoteFile(io.RawIOBase):
    """Fetches whole blocks and keeps the last few, so that a probe that jumps between head and tail of a film costs a
    few requests; what is longer than a block is fetched in one.

    Readers of formats repair around what they cannot read, and would call the file damaged where the network was: what
    went wrong is said again on closing.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        """`fetch(start, length)` gives exactly these bytes."""
        self._size = size
        self._fetch = fetch
        self._place = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._trouble: Exception | None = None

    def close(self) -> None:
        trouble, self._trouble = self._trouble, None
        super().close()
        if trouble:
            raise trouble

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise ValueError("before the beginning")
        self._place = place
        return place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills the buffer whole unless the file ends."""
        view, wanted = memoryview(buffer), min(len(buffer), max(0, self._size - self._place))
        filled = 0
        while filled < wanted:
            piece = self._here(wanted - filled)
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._place += len(piece)
        return filled

    def readall(self) -> bytes:
        return self.read(max(0, self._size - self._place)) or b""

    def _here(self, wanted: int) -> bytes:
        """At least one byte from this place on, at most `wanted`."""
        number, offset = divmod(self._place, BLOCK)
        if number not in self._blocks and wanted > BLOCK:
            return self._whole(self._place, wanted)
        return self._block(number)[offset : offset + wanted]

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * BLOCK
            self._blocks[number] = self._whole(start, min(BLOCK, self._size - start))
            if len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _whole(self, start: int, length: int) -> bytes:
        try:
            found = self._fetch(start, length)
            if len(found) != length:
                raise OSError(f"{len(found)} of {length} bytes from {start}")
        except Exception as error:
            self._trouble = error
            raise
        return found
