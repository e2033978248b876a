"""Where candidates' files are kept. `default()` is the one store of this installation."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from portfolios.storage.base import (
    BadPart,
    BadToken,
    DiskFull,
    Missing,
    Part,
    SignedPart,
    StorageError,
    Store,
    Transfer,
    digest,
    tree,
)
from portfolios.storage.local import LocalStore

__all__ = [
    "BadPart",
    "BadToken",
    "DiskFull",
    "LocalStore",
    "Missing",
    "Part",
    "SignedPart",
    "StorageError",
    "Store",
    "Transfer",
    "default",
    "digest",
    "tree",
]


def default() -> LocalStore:
    return LocalStore(
        root=Path(settings.MEDIA_ROOT), part_url=_part_url, lifetime=timedelta(seconds=settings.UPLOAD_TOKEN_SECONDS)
    )


def _part_url(token: str) -> str:
    return reverse("portfolios:upload-part", args=[token])
