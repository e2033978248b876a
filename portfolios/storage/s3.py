"""Files in a bucket of any server that speaks S3. Browsers send parts to it and read files from it themselves.

Finished objects go through boto3, too: django-storages' own class reads an object into a temporary file to open it and
signs with the address the portal uses, and both would have to be worked around. It keeps the portal's own papers,
where nobody seeks (`papers.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

from boto3.s3.transfer import TransferConfig
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from portfolios.storage.base import (
    BadPart,
    BadToken,
    DiskFull,
    Missing,
    NoDigest,
    Part,
    Piece,
    SignedPart,
    StorageError,
    Transfer,
    Unavailable,
    tree,
    tree_of,
)
from portfolios.storage.remote_file import RemoteFile

CHECKSUM = "x-amz-checksum-sha256"
ABSENT = {"404", "NoSuchKey", "NoSuchUpload"}
DAMAGED = {"BadDigest", "InvalidDigest", "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "IncompleteBody"}
DAMAGED |= {"XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
KINDS: list[tuple[set[str], type[StorageError]]] = [(ABSENT, Missing), (DAMAGED, BadPart), (FULL, DiskFull)]
INSUFFICIENT_STORAGE = 507
PAGE = 1000  # the most that a list tells at once
ONE_AT_A_TIME = TransferConfig(use_threads=False)


def config(style: str) -> Config:
    """How every client of ours speaks. `style`: "path" or "virtual".

    Checksums only where we give them: other servers than Amazon's do not know the ones boto3 adds by itself.
    """
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": style},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
    )


def client_at(endpoint: str, *, region: str, access_key: str, secret_key: str, style: str) -> Any:
    """A client of the server at `endpoint` (empty: Amazon's), in a session of its own: the shared one is not made for
    threads.
    """
    return Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=access_key or None,  # None lets boto3 find the machine's own role
        aws_secret_access_key=secret_key or None,
        config=config(style),
    )


@dataclass(frozen=True, slots=True)
class S3Store:
    """`client` talks to the server; `signer` only signs, for the address that browsers reach it by.

    `has_checksums` is off for servers that do not know SHA-256 of parts: the length is signed all the same, the digest
    is noted by whoever asks for the signature, and wrong bytes are found by the check, which then reads the whole file.
    """

    bucket: str
    client: Any
    signer: Any
    lifetime: timedelta = timedelta(hours=1)
    has_checksums: bool = True
    is_direct: ClassVar[bool] = True

    def create(self, key: str, *, size: int, part_size: int, content_type: str) -> Transfer:
        algorithm = {"ChecksumAlgorithm": "SHA256"} if self.has_checksums else {}
        with _errors_are_named(key):
            begun = self.client.create_multipart_upload(**self._object(key), ContentType=content_type, **algorithm)
        return Transfer(key, begun["UploadId"], size, part_size)

    def sign(self, transfer: Transfer, part: Part, *, at: datetime) -> SignedPart:
        """See Store. Valid from now by the server's clock, which knows nothing of a rehearsal."""
        if not part.sha256:
            raise NoDigest(f"part {part.number}")
        exactly = {**self._part(transfer, part), "ContentLength": part.size}
        headers = {CHECKSUM: part.sha256} if self.has_checksums else {}
        return SignedPart(part.number, self._presigned("upload_part", exactly), headers, at + self.lifetime)

    def read_token(self, token: str, *, at: datetime) -> tuple[Transfer, Part]:
        raise BadToken("this store gives none")

    def receive(self, transfer: Transfer, part: Part, body: bytes) -> Part:
        proved = part.proved(body)
        with _errors_are_named(transfer.key):
            self.client.upload_part(**self._part(transfer, proved), Body=body)
        return proved

    def list(self, transfer: Transfer) -> Sequence[Part] | None:
        try:
            with _errors_are_named(transfer.key):
                found = [*self._listing("list_parts", "Parts", **self._upload(transfer))]
        except Missing:
            self._refuse_other(transfer)
            return None
        found.sort(key=itemgetter("PartNumber", "LastModified"))  # some list a part that was sent twice two times:
        return [*{part["PartNumber"]: _listed(part) for part in found}.values()]  # the later one counts

    def complete(self, transfer: Transfer, parts: Sequence[Part]) -> None:
        """See Store. Parts without the server's mark are from the rows, of a transfer that is complete already."""
        named = [{"PartNumber": p.number, "ETag": p.mark, **self._checksum(p)} for p in parts]
        if all(part.mark for part in parts):
            with suppress(Missing), _errors_are_named(transfer.key):
                self.client.complete_multipart_upload(**self._upload(transfer), MultipartUpload={"Parts": named})
                return
        self._refuse_other(transfer, tree([part.sha256 for part in parts]))

    def abort(self, transfer: Transfer) -> None:
        with suppress(Missing), _errors_are_named(transfer.key):
            self.client.abort_multipart_upload(**self._upload(transfer))

    def unfinished(self, prefix: str, *, before: datetime) -> Iterator[Transfer]:
        with _errors_are_named(prefix):
            for begun in self._listing("list_multipart_uploads", "Uploads", Bucket=self.bucket, Prefix=prefix):
                if begun["Initiated"] < before:
                    yield Transfer(begun["Key"], begun["UploadId"], 0, 0)

    def put(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        start = file.tell()
        size = file.seek(0, 2) - start
        file.seek(start)
        with _errors_are_named(key):
            extra = {"ContentType": content_type}
            self.client.upload_fileobj(file, **self._object(key), ExtraArgs=extra, Config=ONE_AT_A_TIME)
        return size

    def size(self, key: str) -> int:
        with _errors_are_named(key):
            return int(self.client.head_object(**self._object(key))["ContentLength"])

    def is_intact(self, key: str, *, fingerprint: str, part_size: int) -> bool:
        """See Store. The server made its own of the digests that it found right, where it can."""
        with _errors_are_named(key):
            found = self.client.head_object(**self._object(key), ChecksumMode="ENABLED")
        if self.has_checksums and "ChecksumSHA256" in found:
            return bool(found["ChecksumSHA256"] == fingerprint)
        with self.open(key) as file:
            return tree_of(file, part_size) == fingerprint

    def path(self, key: str) -> Path | None:
        self.size(key)
        return None

    def open(self, key: str) -> BinaryIO:
        def read(start: int, length: int) -> bytes:
            with _errors_are_named(key):
                return self._get(key, start, length).read()

        return cast(BinaryIO, RemoteFile(self.size(key), read))

    def open_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        with _errors_are_named(key):
            return Piece(self._get(key, start, length) if length else BytesIO(), length)

    def url(self, key: str, *, content_type: str, filename: str, at: datetime) -> str | None:
        """See Store. Says nothing of whether there is such a file."""
        answer = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f'inline; filename="{filename}"',
            "ResponseCacheControl": "private, no-store",
        }
        return self._presigned("get_object", {**self._object(key), **answer})

    def delete(self, key: str) -> None:
        with suppress(Missing), _errors_are_named(key):
            self.client.delete_object(**self._object(key))

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": key}

    def _upload(self, transfer: Transfer) -> dict[str, str]:
        return {**self._object(transfer.key), "UploadId": transfer.upload_id}

    def _part(self, transfer: Transfer, part: Part) -> dict[str, Any]:
        return {**self._upload(transfer), "PartNumber": part.number, **self._checksum(part)}

    def _checksum(self, part: Part) -> dict[str, str]:
        return {"ChecksumSHA256": part.sha256} if self.has_checksums else {}

    def _presigned(self, call: str, parameters: dict[str, Any]) -> str:
        seconds = self.lifetime // timedelta(seconds=1)
        return str(self.signer.generate_presigned_url(call, Params=parameters, ExpiresIn=seconds))

    def _listing(self, call: str, what: str, **parameters: str) -> Iterator[dict[str, Any]]:
        for page in self.client.get_paginator(call).paginate(**parameters, PaginationConfig={"PageSize": PAGE}):
            yield from page.get(what, [])

    def _get(self, key: str, start: int, length: int) -> BinaryIO:
        span = f"bytes={start}-{start + length - 1}"
        return cast(BinaryIO, self.client.get_object(**self._object(key), Range=span)["Body"])

    def _refuse_other(self, transfer: Transfer, wanted: str = "") -> None:
        """Missing unless the transfer's file stands whole; BadPart when it is not the one of the tree `wanted`."""
        with _errors_are_named(transfer.key):
            found = self.client.head_object(**self._object(transfer.key), ChecksumMode="ENABLED")
        if found["ContentLength"] != transfer.size:
            raise Missing(transfer.key)
        if wanted and self.has_checksums and found.get("ChecksumSHA256", wanted) != wanted:
            raise BadPart(transfer.key)


def _listed(part: dict[str, Any]) -> Part:
    return Part(part["PartNumber"], part["Size"], part.get("ChecksumSHA256", ""), part["ETag"])


@contextmanager
def _errors_are_named(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _kind(error)(what) from error
    except BotoCoreError as error:
        raise Unavailable(what) from error


def _kind(error: ClientError) -> type[StorageError]:
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == INSUFFICIENT_STORAGE:
        return DiskFull
    return next((kind for codes, kind in KINDS if code in codes), Unavailable)
