"""A file on its way into an entry: begun, sent in parts, completed; removed."""

from portfolios.uploads.files import confirm_silence, fingerprint_of, remove, take_in
from portfolios.uploads.finishing import finish, finish_or_expire, sent_whole
from portfolios.uploads.orphans import abort_orphans
from portfolios.uploads.rows import locked_entry, received, transfer_of
from portfolios.uploads.transfers import (
    Announced,
    PartsMissing,
    abort,
    begin,
    complete,
    expire,
    kept_until,
    overdue,
    permitted,
    receive,
    relay,
    sign,
)

__all__ = [
    "Announced",
    "PartsMissing",
    "abort",
    "abort_orphans",
    "begin",
    "complete",
    "confirm_silence",
    "expire",
    "fingerprint_of",
    "finish",
    "finish_or_expire",
    "kept_until",
    "locked_entry",
    "overdue",
    "permitted",
    "receive",
    "received",
    "relay",
    "remove",
    "sent_whole",
    "sign",
    "take_in",
    "transfer_of",
]
