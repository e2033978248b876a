"""What only a bucket has: its server may die, its lists have pages, and its errors have names."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import requests
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile

from portfolios import storage
from portfolios.storage import BadPart, DiskFull, Missing, Part, StorageError, Transfer, Unavailable, s3
from portfolios.storage.papers import Papers
from tests.factories import at
from tests.object_store import ACCESS_KEY, BUCKET, SECRET_KEY, ObjectStore

NOON = at(2027, 5, 10, 12)
PART = 5 * 1024 * 1024
BODY = Random(7).randbytes(2 * PART) + b"the last part"
CUTS = [BODY[:PART], BODY[PART : 2 * PART], BODY[2 * PART :]]
PARTS = [Part(number, len(cut), storage.digest(cut)) for number, cut in enumerate(CUTS, start=1)]


def begun(server: ObjectStore) -> Transfer:
    return server.store.create("uploads/one", size=len(BODY), part_size=PART, content_type="video/mp4")


def put(server: ObjectStore, transfer: Transfer, number: int) -> int:
    signed = server.store.sign(transfer, PARTS[number - 1], at=NOON)
    return requests.put(signed.url, data=CUTS[number - 1], headers=signed.headers, timeout=30).status_code


def with_digests(server: ObjectStore, transfer: Transfer) -> list[Part]:
    held = server.store.list(transfer) or []
    return [Part(part.number, part.size, PARTS[part.number - 1].sha256, part.mark) for part in held]


@pytest.mark.media_case(6)
def test_parts_outlive_the_death_of_their_server(tmp_path: Path) -> None:
    server = ObjectStore(tmp_path / "seaweed")
    try:
        transfer = begun(server)
        assert [put(server, transfer, number) for number in (1, 2)] == [200, 200]
        server.kill()
        with pytest.raises(requests.ConnectionError):
            put(server, transfer, 3)
        server.start()
        assert [part.number for part in server.store.list(transfer) or []] == [1, 2]
        assert put(server, transfer, 3) == 200
        server.store.complete(transfer, with_digests(server, transfer))
        with server.store.open(transfer.key) as file:
            assert file.read() == BODY
    finally:
        server.close()


@pytest.fixture
def server(seaweed: ObjectStore) -> Iterator[ObjectStore]:
    yield seaweed
    seaweed.empty()


def test_lists_of_more_than_a_page_are_whole(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 2)
    transfer = begun(server)
    for number in (1, 2, 3, 2):
        put(server, transfer, number)
    assert [part.number for part in server.store.list(transfer) or []] == [1, 2, 3]
    others = [server.store.create(f"uploads/{n}", size=1, part_size=PART, content_type="").upload_id for n in range(4)]
    found = [one.upload_id for one in server.store.unfinished("uploads/", before=at(2099, 1, 1))]
    assert sorted(found) == sorted([*others, transfer.upload_id])


def test_headers_a_browser_is_told_are_those_that_were_signed(server: ObjectStore) -> None:
    signed = server.store.sign(begun(server), PARTS[0], at=NOON)
    assert signed.headers == {"x-amz-checksum-sha256": PARTS[0].sha256}
    assert "X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-checksum-sha256&" in signed.url
    assert "X-Amz-Expires=3600&" in signed.url


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchUpload", 404, Missing),
        ("404", 404, Missing),
        ("NoSuchBucket", 404, Unavailable),
        ("BadDigest", 400, BadPart),
        ("XMinioStorageFull", 507, DiskFull),
        ("QuotaExceeded", 403, DiskFull),
        ("Unknown", 507, DiskFull),
        ("AccessDenied", 403, Unavailable),
        ("SlowDown", 503, Unavailable),
    ],
)
def test_errors_of_servers_that_are_not_here_have_names(code: str, status: int, kind: type[StorageError]) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "UploadPart")  # type: ignore[typeddict-item]
    with pytest.raises(kind), s3._errors_are_named("uploads/one"):
        raise error


def test_file_that_is_longer_than_a_part_is_put_whole(server: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(BODY * 2)
    with path.open("rb") as file:
        assert server.store.put("films/one", file, content_type="video/mp4") == 2 * len(BODY)
        assert not file.closed
    with server.store.open("films/one") as kept:
        assert kept.read() == BODY * 2
    assert server.multiparts() == []


def test_papers_of_the_portal_are_kept_in_the_same_bucket(server: ObjectStore) -> None:
    options = {"bucket_name": BUCKET, "endpoint_url": server.url, "region_name": "us-east-1", "file_overwrite": False}
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    papers = Papers(addressing_style="path", **options, **keys)
    names = [papers.save("invoices/one.pdf", ContentFile(body)) for body in (b"first", b"second")]
    assert names[0] == "invoices/one.pdf" != names[1]
    with papers.open(names[1]) as file:
        assert (file.read(), server.keys()) == (b"second", sorted(names))
    for name in names:
        papers.delete(name)
    assert not papers.exists(names[0])
