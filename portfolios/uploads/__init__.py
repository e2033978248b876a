"""A file on its way into an entry: begun, sent in parts, completed; consented to, removed."""

from portfolios.uploads.files import confirm_consent, confirm_silence, fingerprint_of, remove, take_in
from portfolios.uploads.rows import locked_entry, received, transfer_of
from portfolios.uploads.transfers import (
    Announced,
    PartsMissing,
    abort,
    begin,
    complete,
    expire,
    overdue,
    permitted,
    receive,
    sign,
)

__all__ = [
    "Announced",
    "PartsMissing",
    "abort",
    "begin",
    "complete",
    "confirm_consent",
    "confirm_silence",
    "expire",
    "fingerprint_of",
    "locked_entry",
    "overdue",
    "permitted",
    "receive",
    "received",
    "remove",
    "sign",
    "take_in",
    "transfer_of",
]
