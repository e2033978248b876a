"""Seat codes: made from a seat's nonce and the portal's secret, so that the database holds nothing to take a seat with.

What is stored is the hash of a code, to find its seat. Changing SECRET_KEY makes no code worthless: the hash goes on to
find it, and as long as the old key is among SECRET_KEY_FALLBACKS the code can still be shown.
"""

import re
from base64 import b32encode
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from payments.models import Seat

LENGTH, GROUP = 12, 4  # 60 bits
MISREAD = str.maketrans("018", "OIB")  # base32 has no 0, 1 and 8


def derived(nonce: UUID, secret: str) -> str:
    """ "ABCD-EFGH-JKLM"."""
    mac = salted_hmac("payments.seat_codes", nonce.hex, secret=secret, algorithm="sha256")
    code = b32encode(mac.digest()).decode()[:LENGTH]
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def fingerprint(typed: str) -> str:
    """What a code is found by, however it was typed."""
    return sha256(re.sub(r"[^A-Z0-9]", "", typed.upper()).translate(MISREAD).encode()).hexdigest()


def issue(seat: Seat) -> None:
    """Give a seat its code, made with today's key."""
    seat.code_sha256 = fingerprint(derived(seat.nonce, settings.SECRET_KEY))


def shown(seat: Seat) -> str:
    """The code of a seat; "" where it has none, or the key it was made with is gone."""
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    codes = (derived(seat.nonce, key) for key in keys)
    return next((code for code in codes if fingerprint(code) == seat.code_sha256), "")
