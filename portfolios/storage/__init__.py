"""Where candidates' files are kept. `default()` is the one store of this installation."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse

from portfolios.storage.base import (
    BadPart,
    BadToken,
    DiskFull,
    Missing,
    NoDigest,
    Part,
    SignedPart,
    StorageError,
    Store,
    Transfer,
    Unavailable,
    digest,
    tree,
)
from portfolios.storage.local import LocalStore
from portfolios.storage.s3 import S3Store, client_at

__all__ = [
    "BadPart",
    "BadToken",
    "DiskFull",
    "LocalStore",
    "Missing",
    "NoDigest",
    "Part",
    "S3Store",
    "SignedPart",
    "StorageError",
    "Store",
    "Transfer",
    "Unavailable",
    "default",
    "digest",
    "tree",
]


def default() -> Store:
    lifetime = timedelta(seconds=settings.UPLOAD_TOKEN_SECONDS)
    if not settings.S3_BUCKET:
        return LocalStore(root=Path(settings.MEDIA_ROOT), part_url=_part_url, lifetime=lifetime)
    return S3Store(
        bucket=settings.S3_BUCKET,
        client=_client(settings.S3_ENDPOINT_URL),
        signer=_client(settings.S3_PUBLIC_URL),
        lifetime=lifetime,
        has_checksums=settings.PART_CHECKSUM != "none",
    )


def _client(endpoint: str) -> Any:
    keys = (settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY)
    return _kept_client(endpoint, settings.S3_REGION, *keys, settings.S3_ADDRESSING)


@cache
def _kept_client(endpoint: str, region: str, access_key: str, secret_key: str, style: str) -> Any:
    """Made once a process: it takes a tenth of a second, and may be used by all threads."""
    return client_at(endpoint, region=region, access_key=access_key, secret_key=secret_key, style=style)


def _part_url(token: str) -> str:
    return reverse("portfolios:upload-part", args=[token])
