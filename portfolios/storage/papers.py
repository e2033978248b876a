"""The portal's own papers in the bucket: receipts, invoices, letters. Django's way to keep a file."""

from typing import Any

from storages.backends.s3 import S3Storage

from portfolios.storage.s3 import config


class Papers(S3Storage):
    """django-storages' own, speaking as our other clients do."""

    def __init__(self, *, addressing_style: str, **options: Any) -> None:
        super().__init__(client_config=config(addressing_style), **options)
