"""The upload protocol over HTTP, on the portal's own disk and in a bucket: same questions, same answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from socket import socket
from typing import Any

import pytest
import requests
from botocore.compat import get_current_datetime
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import checks, storage, tasks, uploads
from portfolios.models import Entry, Requirement, Upload
from tests.object_store import ObjectStore
from tests.portfolios import files
from tests.threads import run_all_at_once, run_at_once

PART = 5 * 1024 * 1024  # no S3 server takes less, but for the last
BODY = Random(7).randbytes(2 * PART) + b"the last part"
CUTS = [BODY[:PART], BODY[PART : 2 * PART], BODY[2 * PART :]]
DIGESTS = [storage.digest(cut) for cut in CUTS]
TREE = storage.tree(DIGESTS)
PRINT = "f" * 64

Answer = tuple[int, dict[str, Any]]


@pytest.fixture(params=["local", "s3"], autouse=True)
def kept_in(request: pytest.FixtureRequest, settings: Any, noon: datetime) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
    settings.UPLOAD_PART_BYTES = PART
    clock.jump_to(noon)
    return str(request.param)


class Browser:
    """What the upload script does, one step at a time: each answer as (status, JSON)."""

    def __init__(self, entry: Entry, requirement: Requirement) -> None:
        self.client = Client()
        self.client.force_login(entry.registration.user)
        self.slot = f"{entry.pk}-{requirement.pk}"
        self.id = ""

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        answer = self.client.post(f"/uploads/{path}", body, content_type="application/json")
        return answer.status_code, answer.json()

    def create(self) -> Answer:
        file = {"filename": "My film.mp4", "size": len(BODY), "type": "video/mp4", "fingerprint": PRINT}
        status, answer = self.post("", {"slot": self.slot, **file})
        self.id = answer.get("id", self.id)
        return status, answer

    def sign(self, number: int, sha256: str | None = None) -> Answer:
        sha256 = DIGESTS[number - 1] if sha256 is None else sha256
        return self.post(f"{self.id}/sign", {"parts": [{"n": number, "sha256": sha256}]})

    def signed(self, number: int) -> dict[str, Any]:
        status, answer = self.sign(number)
        assert (status, list(answer["parts"][0])) == (200, ["n", "url", "headers", "expires"])
        part: dict[str, Any] = answer["parts"][0]
        return part

    def put(self, part: dict[str, Any], body: bytes) -> int:
        if part["url"].startswith("/"):
            return Client().put(part["url"], body, content_type="application/octet-stream").status_code
        return requests.put(part["url"], data=body, headers=part["headers"], timeout=30).status_code

    def send(self, *numbers: int) -> list[int]:
        return [self.put(self.signed(number), CUTS[number - 1]) for number in numbers]

    def relay(self, number: int, body: bytes, sha256: str = "") -> Answer:
        answer = self.client.post(
            f"/uploads/{self.id}/relay/{number}",
            body,
            content_type="application/octet-stream",
            headers={"X-Part-SHA256": sha256},
        )
        return answer.status_code, answer.json()

    def complete(self, tree: str = TREE) -> Answer:
        return self.post(f"{self.id}/complete", {"tree": tree})


@pytest.fixture
def browser(entry: Entry, video: Requirement) -> Browser:
    return Browser(entry, video)


@contextmanager
def an_hour_ago(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is signed inside was signed an hour and a second ago, by the portal's clock and by that of the S3 server."""
    then = timedelta(seconds=3601)
    with monkeypatch.context() as patch:
        now = get_current_datetime()
        patch.setattr("botocore.auth.get_current_datetime", lambda *args: now - then)
        clock.jump_to(clock.now() - then)
        yield
    clock.jump_to(clock.now() + then)


def forged(url: str) -> str:
    """Its signature ends otherwise: of a token, or of an address of the S3 server."""
    return url[:-1] + ("a" if url[-1] != "a" else "b")


def kept() -> bytes:
    with storage.default().open(Upload.objects.get().storage_key) as file:
        return file.read()


@pytest.mark.media_case(12, 13)
def test_whole_protocol(browser: Browser) -> None:
    status, opened = browser.create()
    assert (status, opened["part_size"], opened["parts"], opened["received"]) == (201, PART, 3, [])
    assert browser.send(3, 1) == [200, 200]
    status, resumed = browser.create()
    assert (status, resumed["received"]) == (
        200,
        [{"n": n, "size": len(CUTS[n - 1]), "sha256": DIGESTS[n - 1]} for n in (1, 3)],
    )
    status, early = browser.complete()
    assert (status, early["code"], early["missing"]) == (409, "parts-missing", [2])
    assert browser.send(2) == [200]
    for _ in range(2):
        status, answer = browser.complete()
        assert (status, answer["state"]) == (200, "stored")
    assert kept() == BODY
    assert Upload.objects.get().tree_sha256 == TREE


@pytest.mark.media_case(7, 8)
@pytest.mark.parametrize("change", [lambda b: b"!" + b[1:], lambda b: b[:-1], lambda b: b + b"!", lambda b: b""])
def test_part_with_the_wrong_bytes(browser: Browser, kept_in: str, change: Callable[[bytes], bytes]) -> None:
    browser.create()
    body = change(CUTS[0])
    refused = 403 if kept_in == "s3" and len(body) != PART else 400  # there the length is part of the signature
    assert browser.put(browser.signed(1), body) == refused
    assert browser.complete()[1]["missing"] == [1, 2, 3]


@pytest.mark.media_case(9)
def test_part_at_a_forged_or_swapped_address(browser: Browser) -> None:
    browser.create()
    first, second = browser.signed(1), browser.signed(2)
    assert browser.put({**first, "url": forged(first["url"])}, CUTS[0]) == 403
    swapped = {**first, "url": first["url"].replace("partNumber=1", "partNumber=2")}
    if swapped != first:
        assert browser.put(swapped, CUTS[0]) == 403
        assert browser.put({**first, "headers": second["headers"]}, CUTS[1]) == 403
    assert browser.complete()[1]["missing"] == [1, 2, 3]


@pytest.mark.media_case(10)
def test_part_whose_permission_ran_out_is_signed_again(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.create()
    with an_hour_ago(monkeypatch):
        old = browser.signed(1)
    assert browser.put(old, CUTS[0]) == 403
    assert browser.send(1) == [200]


@pytest.mark.media_case(11)
def test_body_of_one_part_sent_as_another(browser: Browser) -> None:
    browser.create()
    assert browser.put(browser.signed(2), CUTS[0]) == 400
    assert browser.complete()[1]["missing"] == [1, 2, 3]


@pytest.mark.media_case(14)
@pytest.mark.parametrize("end", ["complete", "remove"])
def test_nothing_is_signed_or_taken_after_the_end(browser: Browser, end: str) -> None:
    browser.create()
    old = browser.signed(1)
    browser.send(1, 2, 3)
    if end == "complete":
        assert browser.complete()[0] == 200
    else:
        assert [browser.client.delete(f"/uploads/{browser.id}/").status_code for _ in range(2)] == [204, 204]
    assert browser.put(old, CUTS[0]) == 404
    assert (browser.sign(1)[0], browser.relay(1, CUTS[0])[0]) == (409, 404)


@pytest.mark.media_case(14)
def test_removed_upload_leaves_nothing_in_the_store(browser: Browser) -> None:
    browser.create()
    browser.send(1)
    browser.client.delete(f"/uploads/{browser.id}/")
    assert list(storage.default().unfinished("uploads/", before=datetime.max.replace(tzinfo=UTC))) == []
    assert browser.complete()[0] == 409
    assert browser.create()[0] == 201


@pytest.mark.media_case(15)
def test_complete_with_another_tree(browser: Browser) -> None:
    browser.create()
    browser.send(1, 2, 3)
    assert browser.complete("bm8=-3")[1]["code"] == "wrong-tree"
    assert (Upload.objects.get().state, browser.complete()[0]) == ("open", 200)


@pytest.mark.media_case(15)
def test_complete_when_a_part_was_signed_anew_for_other_bytes(browser: Browser, kept_in: str) -> None:
    """Another tab, another file that looks the same: the bucket holds what was sent, the rows what was signed."""
    browser.create()
    browser.send(1, 2, 3)
    browser.sign(1, DIGESTS[1])
    if kept_in == "s3":
        assert browser.complete("")[1]["code"] == "wrong-tree"
        browser.sign(1)
    assert browser.complete()[0] == 200
    assert (kept() == BODY, Upload.objects.get().tree_sha256) == (True, TREE)


@pytest.mark.media_case(16)
def test_upload_of_somebody_else_does_not_exist(browser: Browser, stranger: User) -> None:
    browser.create()
    browser.client.force_login(stranger)
    statuses = [browser.client.get(f"/uploads/{browser.id}/").status_code]
    for path in ("sign", "complete", "relay/1"):
        statuses.append(browser.client.post(f"/uploads/{browser.id}/{path}", {}).status_code)
    assert statuses == [404] * 4


@pytest.mark.media_case(24)
@pytest.mark.django_db(transaction=True)
def test_same_part_from_two_tabs_at_once(browser: Browser, entry: Entry, video: Requirement) -> None:
    browser.create()
    browser.send(1, 3)

    def another_tab() -> list[int]:
        tab = Browser(entry, video)
        tab.create()
        return tab.send(2)

    assert run_at_once(another_tab, times=3) == [[200]] * 3
    assert browser.complete()[0] == 200
    assert kept() == BODY


@pytest.mark.media_case(13)
@pytest.mark.django_db(transaction=True)
def test_complete_in_two_tabs_stores_once(browser: Browser, entry: Entry, video: Requirement) -> None:
    browser.create()
    browser.send(1, 2, 3)

    def another_tab() -> int:
        tab = Browser(entry, video)
        tab.id = browser.id
        return tab.complete()[0]

    assert run_at_once(another_tab, times=3) == [200] * 3
    assert Event.objects.filter(verb="upload.complete").count() == 1


# ---- Completed by the portal itself


def test_upload_whose_last_request_was_lost_is_completed_by_the_job(browser: Browser, noon: datetime) -> None:
    browser.create()
    browser.send(3, 1)
    browser.signed(2)
    clock.jump_to(noon + timedelta(hours=1))
    assert (tasks.finish_uploads(), Upload.objects.get().state) == (0, "open")
    browser.send(2)
    assert tasks.finish_uploads() == 0
    clock.jump_to(noon + timedelta(hours=1, minutes=2))
    assert [tasks.finish_uploads() for _ in range(2)] == [1, 0]
    assert (kept() == BODY, Upload.objects.get().tree_sha256) == (True, TREE)
    assert browser.complete()[0] == 200


@pytest.mark.media_case(25)
def test_jobs_that_stood_still_at_closing_give_up_nothing_that_is_here(browser: Browser, entry: Entry) -> None:
    browser.create()
    browser.send(1, 2, 3)
    clock.jump_to(entry.cycle.closes_at + entry.cycle.grace + timedelta(hours=1))
    assert tasks.expire_uploads() == 1
    assert (Upload.objects.get().state, kept() == BODY) == ("stored", True)


@pytest.mark.media_case(13)
@pytest.mark.django_db(transaction=True)
def test_job_and_candidate_complete_at_once_and_store_once(browser: Browser, noon: datetime) -> None:
    browser.create()
    browser.send(1, 2, 3)
    pk, later = Upload.objects.get().pk, noon + timedelta(minutes=2)
    finish = partial(uploads.finish, pk, at=later)
    assert run_all_at_once([finish, finish, lambda: browser.complete()[0] == 200]) == [True] * 3
    assert Event.objects.filter(verb="upload.complete").count() == 1
    assert kept() == BODY


# ---- Whole files, and what follows


def test_film_by_the_plain_form_is_checked_and_shown(
    browser: Browser, entry: Entry, video: Requirement, noon: datetime, kept_in: str
) -> None:
    """Without JavaScript; then the check reads it where it is, and keeps its first picture there."""
    address = reverse("portfolios:file-add", args=[entry.pk, video.pk])
    file = SimpleUploadedFile("My film.mp4", files.film())
    answer = browser.client.post(address, {"file": file, "consent": "true"}, follow=True)
    assert "your file is here" in answer.content.decode()
    upload = Upload.objects.get()
    checks.check(upload.pk, at=noon)
    upload.refresh_from_db()
    assert (upload.state, upload.duration_ms) == ("processing", 6_000)
    for kind, begins in (("video", files.film()[:100]), ("poster", b"\xff\xd8\xff")):
        shown = browser.client.get(f"/media/{upload.pk}/{kind}/")
        assert shown.status_code == (302 if kept_in == "s3" else 200)
        body = requests.get(shown.headers["Location"], timeout=30).content if kept_in == "s3" else shown.getvalue()
        assert body.startswith(begins)


# ---- Parts through the portal


@pytest.mark.media_case(29)
def test_parts_come_through_the_portal_where_the_store_is_blocked(browser: Browser) -> None:
    browser.create()
    for number in (1, 2):
        browser.sign(number)
        told = {"n": number, "size": PART, "sha256": DIGESTS[number - 1]}
        for _ in range(2):
            assert browser.relay(number, CUTS[number - 1], DIGESTS[number - 1]) == (200, told)
    assert browser.relay(3, CUTS[2]) == (200, {"n": 3, "size": 13, "sha256": DIGESTS[2]})  # who cannot hash
    assert browser.complete()[0] == 200
    assert (kept() == BODY, Upload.objects.get().tree_sha256) == (True, TREE)


@pytest.mark.media_case(7, 8, 11, 29)
@pytest.mark.parametrize(
    ("number", "body", "sha256", "status", "code"),
    [
        (1, CUTS[0], DIGESTS[1], 400, "damaged-part"),
        (1, CUTS[0][:-1], "", 400, "damaged-part"),
        (1, CUTS[0] + b"!", "", 400, "damaged-part"),
        (1, b"", "", 400, "damaged-part"),
        (2, CUTS[0], DIGESTS[1], 400, "damaged-part"),
        (0, CUTS[0], "", 422, "bad-part"),
        (4, CUTS[0], "", 422, "bad-part"),
        (1, CUTS[0], "c2hvcnQ=", 422, "bad-part"),
        (1, CUTS[0], "nonsense", 422, "bad-part"),
    ],
)
def test_relay_refuses_what_the_store_would(
    browser: Browser, number: int, body: bytes, sha256: str, status: int, code: str
) -> None:
    browser.create()
    answer = browser.relay(number, body, sha256)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert browser.complete()[1]["missing"] == [1, 2, 3]


@pytest.mark.media_case(19, 27, 29)
def test_relay_needs_the_csrf_token_and_a_session(browser: Browser) -> None:
    browser.create()
    client = Client(enforce_csrf_checks=True)
    client.force_login(Upload.objects.get().owner)
    path, kind = f"/uploads/{browser.id}/relay/1", "application/octet-stream"
    assert client.post(path, CUTS[0], content_type=kind).status_code == 403
    assert (Client().post(path, CUTS[0], content_type=kind).status_code, browser.client.get(path).status_code) == (
        401,
        405,
    )


# ---- What only a bucket has


@pytest.fixture
def bucket(kept_in: str, s3: ObjectStore) -> ObjectStore:
    return s3


only_there = pytest.mark.parametrize("kept_in", ["s3"], indirect=True)


@only_there
@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_bucket(browser: Browser, bucket: ObjectStore) -> None:
    asked: list[tuple[str, bool]] = []
    events = storage.default().client.meta.events  # type: ignore[attr-defined]

    def note(model: Any, **more: Any) -> None:
        asked.append((model.name, connection.in_atomic_block))

    events.register("before-call.s3", note)
    browser.create()
    browser.send(1, 2)
    browser.relay(3, CUTS[2])
    browser.create()
    browser.complete()
    browser.client.delete(f"/uploads/{browser.id}/")
    browser.create()
    browser.client.delete(f"/uploads/{browser.id}/")
    events.unregister("before-call.s3", note)
    assert {name for name, _ in asked} == {
        "CreateMultipartUpload",
        "UploadPart",
        "ListParts",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "DeleteObject",
    }
    assert [name for name, in_transaction in asked if in_transaction] == []


@only_there
def test_sign_without_a_digest_is_refused_where_the_store_needs_it(browser: Browser) -> None:
    """A browser on a plain-http address cannot hash: it is told, and may still send through the portal."""
    browser.create()
    status, answer = browser.sign(1, "")
    assert (status, answer["code"]) == (422, "no-digest")
    assert browser.relay(1, CUTS[0])[0] == 200


@only_there
def test_without_checksums_the_length_is_signed_and_the_check_finds_the_rest(
    browser: Browser, settings: Any, noon: datetime
) -> None:
    settings.PART_CHECKSUM = "none"
    browser.create()
    part = browser.signed(1)
    assert part["headers"] == {}
    assert (browser.put(part, CUTS[0][:-1]), browser.put(part, CUTS[0])) == (403, 200)
    assert browser.create()[1]["received"] == [{"n": 1, "size": PART, "sha256": DIGESTS[0]}]
    assert browser.put(browser.signed(2), b"!" + CUTS[1][1:]) == 200  # nobody could know
    browser.send(3)
    assert (browser.sign(3, "")[0], browser.complete()[0]) == (422, 200)
    upload = Upload.objects.get()
    assert not storage.default().is_intact(upload.storage_key, fingerprint=upload.tree_sha256, part_size=PART)
    checks.check(upload.pk, at=noon)
    assert Upload.objects.get().reason_code == "damaged-here"


@only_there
def test_upload_that_the_bucket_swept_away_is_begun_anew(browser: Browser, bucket: ObjectStore) -> None:
    browser.create()
    old = browser.id
    bucket.empty()
    assert (browser.create()[0], browser.id != old) == (201, True)
    assert Upload.objects.get(pk=old).state == "expired"


@only_there
def test_portal_that_died_between_the_bucket_and_its_row_completes_again(browser: Browser) -> None:
    browser.create()
    browser.send(1, 2, 3)
    upload = Upload.objects.get()
    storage.default().complete(uploads.transfer_of(upload), uploads.received(upload))
    assert browser.create()[0] == 200
    assert (browser.complete()[0], Upload.objects.get().tree_sha256) == (200, TREE)


@only_there
def test_store_that_is_away_is_said_and_loses_nothing(browser: Browser, settings: Any) -> None:
    browser.create()
    browser.send(1, 2, 3)
    address = settings.S3_ENDPOINT_URL
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.S3_ENDPOINT_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for status, answer in (browser.complete(), browser.relay(1, CUTS[0]), browser.create()):
            assert (status, answer["code"]) == (503, "store-away")
    settings.S3_ENDPOINT_URL = address
    assert browser.complete()[0] == 200


@only_there
@pytest.mark.media_case(38)
def test_address_to_watch_from_ends_and_a_new_one_goes_on(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.create()
    browser.send(1, 2, 3)
    browser.complete()
    with an_hour_ago(monkeypatch):
        old = browser.client.get(f"/media/{browser.id}/video/").headers["Location"]
    assert requests.get(old, timeout=30).status_code == 403
    new = browser.client.get(f"/media/{browser.id}/video/").headers["Location"]
    answer = requests.get(new, headers={"Range": f"bytes={PART}-{PART + 9}"}, timeout=30)
    assert (answer.status_code, answer.content) == (206, CUTS[1][:10])
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (
        "video/mp4",
        f'inline; filename="conversation-{browser.id[:8]}.mp4"',
    )
    assert [requests.get(bad, timeout=30).status_code for bad in (forged(new), new.split("?")[0])] == [403, 403]
