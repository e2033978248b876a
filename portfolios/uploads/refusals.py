"""What a store will not or cannot, said to the person who waits for it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from icg_cert.lib.refusal import Refused
from portfolios import storage

logger = logging.getLogger(__name__)

NOT_OPEN = "This upload is no longer open. Reload the page to see where it stands, and choose the file again."
WORDS: dict[type[storage.StorageError], tuple[str, str]] = {
    storage.BadPart: ("damaged-part", "This part was damaged on its way. It will be sent again."),
    storage.DiskFull: (
        "no-space",
        "The portal has no room for this file at the moment. What you uploaded before is safe, and we have been told. "
        "Try again in an hour.",
    ),
    storage.Missing: ("not-open", NOT_OPEN),
    storage.NoDigest: (
        "no-digest",
        "Your browser cannot prove what it sends on this address. Open the portal by its https address.",
    ),
    storage.BadToken: ("bad-token", "The permission to send this part has expired. It will be asked for again."),
    storage.Unavailable: (
        "store-away",
        "The place where files are kept does not answer at the moment. What has arrived is safe. Try again in a few "
        "minutes.",
    ),
}


@contextmanager
def in_words() -> Iterator[None]:
    """Refused: damaged-part, no-space, not-open, no-digest, bad-token, store-away."""
    try:
        yield
    except storage.StorageError as error:
        if isinstance(error, storage.DiskFull | storage.Unavailable):
            logger.exception("the store of files is in trouble")
        raise Refused(*WORDS[type(error)]) from error
