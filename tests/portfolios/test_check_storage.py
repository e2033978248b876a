"""`manage.py check_storage` says the truth of a good store and of bad ones, and leaves nothing behind."""

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from icg_cert.management.commands.prepare import Command as Prepare
from portfolios import storage
from portfolios.storage import LocalStore, Part, Transfer, Unavailable, bucket
from portfolios.storage.probing import probe
from tests.factories import at
from tests.object_store import BUCKET, ObjectStore

NOON = at(2027, 5, 10, 12)


def check_storage(*options: str) -> tuple[str, list[str]]:
    """How it ended, and its lines."""
    said = StringIO()
    try:
        call_command("check_storage", *options, stdout=said)
    except CommandError as error:
        return str(error), said.getvalue().splitlines()
    return "", said.getvalue().splitlines()


def faults(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines[1:] if not line.startswith("  holds  ")]


def test_check_storage_of_the_portals_own_disk(settings: Any) -> None:
    ended, lines = check_storage()
    assert (ended, lines[0]) == ("", f"Files are kept in {settings.MEDIA_ROOT}.")
    assert (len(lines), faults(lines)) == (21, ["Everything the portal needs holds."])
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_check_storage_of_a_bucket(s3: ObjectStore) -> None:
    ended, lines = check_storage("--prepare")
    assert ended == ""
    assert lines[0] == f"Files are kept in the bucket {BUCKET} at {s3.url}; browsers reach it at {s3.url}."
    assert (len(lines), faults(lines)) == (36, ["Everything the portal needs holds."])
    assert (s3.keys(), s3.multiparts()) == ([], [])


def test_check_storage_where_digests_come_later(s3: ObjectStore, settings: Any) -> None:
    settings.PART_CHECKSUM = "none"
    ended, lines = check_storage()
    assert ended == ""
    assert [line.split(".")[0] for line in faults(lines)] == [
        "lacks  A part with altered bytes is refused",
        "lacks  The bytes of one part are refused as another",
        "lacks  The file's own checksum is the fingerprint on the receipt",
        "Everything the portal needs holds",
    ]


def test_check_storage_says_what_a_page_would_run_into(s3: ObjectStore, settings: Any) -> None:
    """A portal that has moved to another address, with https, since the bucket was set up."""
    settings.BASE_URL = "https://certification.example.org"
    s3.client.delete_bucket_lifecycle(Bucket=BUCKET)
    ended, lines = check_storage()
    assert ended == "Things that the portal needs and that lack: 2."
    assert faults(lines) == [
        "LACKS  Browsers reach it by https, as they do the portal. Browsers send nothing from an https page to an http "
        "address: set S3_PUBLIC_URL.",
        "LACKS  Pages of the portal may send parts to it. Every part goes through the portal instead. "
        "`manage.py check_storage --prepare` sets it, where the keys may.",
        "lacks  Pages of the portal are told why a part was refused. They take it for a broken network and try more "
        "often than they need.",
        "lacks  It forgets by itself what nobody finished. The portal does it hourly; this is the second net. "
        "`manage.py check_storage --prepare` sets it, where the keys may.",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"S3_BUCKET": "nowhere"}, "Not Found"), ({"S3_SECRET_KEY": "wrong"}, "Forbidden")],
)
def test_check_storage_without_ground_stops_there(
    s3: ObjectStore, settings: Any, change: dict[str, str], words: str
) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    ended, lines = check_storage()
    assert ended == "Things that the portal needs and that lack: 1."
    (fault,) = faults(lines)
    assert fault.startswith("LACKS  The bucket is there, and the keys open it. Nothing can be kept. (Unavailable: ")
    assert words in fault


class Careless(LocalStore):
    """Keeps whatever comes."""

    def receive(self, transfer: Transfer, part: Part, body: bytes) -> Part:
        length = transfer.length_of(part.number)
        whole = body[:length].ljust(length, b"!")
        return LocalStore.receive(self, transfer, replace(part, sha256="", size=length), whole)


class Forgetful(LocalStore):
    def abort(self, transfer: Transfer) -> None:
        LocalStore.abort(self, transfer)
        self.delete(transfer.key)


def lacking(store: LocalStore) -> list[str]:
    found = probe(store, origin="http://localhost:8000", largest=1, at=NOON)
    return [finding.check.what for finding in found if not finding.holds]


def test_probe_finds_a_store_that_keeps_whatever_comes(tmp_path: Path) -> None:
    store = Careless(tmp_path, lambda token: f"/uploads/part/{token}")
    assert lacking(store) == [
        "A part with altered bytes is refused.",
        "The bytes of one part are refused as another.",
        "A part of another length is refused.",
    ]


def test_probe_finds_a_store_that_forgets_too_much(tmp_path: Path) -> None:
    assert lacking(Forgetful(tmp_path, lambda token: f"/uploads/part/{token}")) == [
        "A transfer is given up, and the file stays.",
        "A piece of a file can be read.",
    ]


def test_probe_finds_a_disk_without_room(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, lambda token: f"/uploads/part/{token}")
    found = probe(store, origin="http://localhost:8000", largest=2**62, at=NOON)
    assert [finding.check.what for finding in found if not finding.holds] == ["There is room for the largest file."]


# ---- Setting a bucket up


def rules(server: ObjectStore) -> list[str]:
    return sorted(rule["ID"] for rule in bucket.lifecycle(server.store))


def test_prepare_sets_the_bucket_up_and_keeps_other_rules(s3: ObjectStore, settings: Any) -> None:
    other = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 9}}
    s3.client.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [other]})
    settings.BASE_URL = "https://certification.example.org/portal"
    for _ in range(2):
        Prepare()._prepare_bucket(storage.default())
    assert rules(s3) == [bucket.RULE, "logs"]
    assert s3.client.get_bucket_cors(Bucket=BUCKET)["CORSRules"] == [
        {
            "AllowedOrigins": ["https://certification.example.org"],
            "AllowedMethods": ["PUT", "GET", "HEAD"],
            "AllowedHeaders": ["x-amz-checksum-sha256", "content-type"],
            "MaxAgeSeconds": 3600,
        }
    ]


def test_prepare_goes_on_where_the_keys_may_not_set_it_up(s3: ObjectStore, settings: Any) -> None:
    settings.S3_SECRET_KEY = "wrong"
    said = StringIO()
    Prepare(stderr=said)._prepare_bucket(storage.default())
    assert said.getvalue().startswith("The bucket was not set up for the portal's pages: ")
    with pytest.raises(Unavailable):
        bucket.prepare(storage.default(), settings.BASE_URL)  # type: ignore[arg-type]


def test_prepare_leaves_a_disk_alone(settings: Any) -> None:
    Prepare()._prepare_bucket(storage.default())
    assert not Path(settings.MEDIA_ROOT).exists()
