"""How a bucket must be set up for browsers that send parts to it and read files from it. Knows no Django."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from portfolios.storage.base import Unavailable
from portfolios.storage.s3 import CHECKSUM, S3Store

METHODS = ["PUT", "GET", "HEAD"]
HEADERS = [CHECKSUM, "content-type"]
DAYS = 3  # then the bucket itself forgets what nobody finished; our own job comes first
RULE = "forget-unfinished-uploads"


def origin_of(url: str) -> str:
    """What a browser calls the side a page is from: scheme, host and port of its address."""
    return "/".join(url.split("/")[:3])


def prepare(store: S3Store, pages: str) -> None:
    """Let pages at the address `pages`, and no others, send and read, and let nothing unfinished stay for ever.
    Other rules of the bucket stay.

    Unavailable: the server is not there, or does not let us.
    """
    with _refusal_is_named():
        store.client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [_cors(origin_of(pages))]})
    rules = [rule for rule in lifecycle(store) if rule.get("ID") != RULE]
    with _refusal_is_named():
        store.client.put_bucket_lifecycle_configuration(
            Bucket=store.bucket, LifecycleConfiguration={"Rules": [*rules, _forget()]}
        )


def _cors(origin: str) -> dict[str, Any]:
    return {"AllowedOrigins": [origin], "AllowedMethods": METHODS, "AllowedHeaders": HEADERS, "MaxAgeSeconds": 3600}


def _forget() -> dict[str, Any]:
    return {
        "ID": RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": DAYS},
    }


def lifecycle(store: S3Store) -> list[dict[str, Any]]:
    """The bucket's rules of what it forgets by itself. Unavailable."""
    with _refusal_is_named():
        try:
            return list(store.client.get_bucket_lifecycle_configuration(Bucket=store.bucket)["Rules"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
                return []
            raise


@contextmanager
def _refusal_is_named() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(str(error)) from error
