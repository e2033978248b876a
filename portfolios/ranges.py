"""HTTP byte ranges, RFC 9110 section 14. Pure."""

import re
from dataclasses import dataclass

_MOST_DIGITS = 18
_ONE_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins behind the end of the file: answer 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes from `start`; at least one."""

    start: int
    length: int

    @property
    def last(self) -> int:
        return self.start + self.length - 1


def span(header: str, size: int, *, most: int) -> Span | None:
    """The one range that is asked for, cut to `most` bytes; None when the whole file is to be sent instead.

    Whole: no header, another unit, several ranges, or a range that ends before it begins.
    """
    found = _ONE_RANGE.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    start = _offset(first) if first else max(0, size - _offset(last))
    end = min(_offset(last), size - 1) if first and last else size - 1
    if first and last and _offset(last) < _offset(first):
        return None
    if start >= size or (last == "0" and not first):
        raise Unsatisfiable
    return Span(start, min(end - start + 1, most))


def _offset(digits: str) -> int:
    """The number, or one behind the end of every file; Python would not read thousands of digits."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS
