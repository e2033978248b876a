"""A limit for a whole answer. The one that `requests` knows begins anew with every byte, so that a drip never ends."""

import time

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

PIECE = 65536


class TooSlow(Exception):
    """The rest of the answer did not come in time, or will not come at all."""


def read(answer: BaseHTTPResponse, until: float) -> bytes:
    """The whole body of a streamed answer; TooSlow when `until` (of `time.monotonic`) passes first."""
    pieces = []
    try:
        while piece := answer.read1(PIECE, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > until:
                answer.close()
                raise TooSlow
    except HTTPError as error:
        raise TooSlow from error
    return b"".join(pieces)
