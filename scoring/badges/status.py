"""Which badges no longer hold: W3C's Bitstring Status List 1.0, one bit for each certificate, by its key. Pure."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from gzip import compress
from typing import Any

SIZE = 131_072  # bits of a list: the least that the standard allows, so that nobody is known by being few


def number(key: int) -> int:
    """In which list the certificate of this key stands."""
    return key // SIZE


def entry(key: int, list_url: str) -> dict[str, Any]:
    """For the credential: where its bit stands."""
    index = str(key % SIZE)
    return {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": index,
        "statusListCredential": list_url,
    }


def encoded(keys: Iterable[int]) -> str:
    """The list in which these certificates' bits are set: zipped, in base64url without padding, marked by a "u".

    The first bit is the highest of the first byte.
    """
    bits = bytearray(SIZE // 8)
    for key in keys:
        index = key % SIZE
        bits[index // 8] |= 0x80 >> index % 8
    return "u" + urlsafe_b64encode(compress(bytes(bits), mtime=0)).decode().rstrip("=")
