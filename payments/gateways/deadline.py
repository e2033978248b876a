"""A limit for a whole answer. The one that `requests` knows begins anew with every byte, so that a drip never ends."""

import time

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

PIECE = 65536
NANOSECONDS = 1_000_000_000


class TooSlow(Exception):
    """The rest of the answer did not come in time, or will not come at all."""


def after(seconds: int) -> int:
    """The instant so many seconds from now, on a clock that nobody moves."""
    return time.monotonic_ns() + int(seconds * NANOSECONDS)


def read(answer: BaseHTTPResponse, until: int) -> bytes:
    """The whole body of a streamed answer; TooSlow when that instant (of `after`) passes first."""
    pieces = []
    try:
        while piece := answer.read1(PIECE, decode_content=True):
            pieces.append(piece)
            if time.monotonic_ns() > until:
                answer.close()
                raise TooSlow
    except HTTPError as error:
        raise TooSlow from error
    return b"".join(pieces)
