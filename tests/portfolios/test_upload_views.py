"""The upload protocol over HTTP: statuses, JSON, other people's ids, and the way without JavaScript."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import storage
from portfolios.models import Entry, Requirement, Upload
from portfolios.views.uploads import upload_part
from tests.factories import at, make_entry, make_factor, make_registration, make_requirement, make_upload
from tests.portfolios import files, films
from tests.portfolios.handing_in import hand_in, hand_in_checked

BODY = b"0123456789" * 3
PRINT = "f" * 64
CLOSES = at(2027, 6, 16)
GRACE, MINUTE = timedelta(minutes=30), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def in_the_window(settings: Any, noon: datetime) -> None:
    settings.UPLOAD_PART_BYTES = 10
    clock.jump_to(noon)


@pytest.fixture
def ada(entry: Entry) -> Client:
    client = Client()
    client.force_login(entry.registration.user)
    return client


def create(client: Client, entry: Entry, requirement: Requirement, **changes: Any) -> Any:
    file = {"filename": "My commentary.pdf", "size": 30, "type": "application/pdf", "fingerprint": PRINT}
    body = {"slot": f"{entry.pk}-{requirement.pk}", **file, **changes}
    return client.post("/uploads/", body, content_type="application/json")


def sign(client: Client, pk: str, *parts: dict[str, Any]) -> Any:
    return client.post(f"/uploads/{pk}/sign", {"parts": list(parts)}, content_type="application/json")


def complete(client: Client, pk: str, tree: Any = "") -> Any:
    return client.post(f"/uploads/{pk}/complete", {"tree": tree}, content_type="application/json")


def put(url: str, body: bytes) -> Any:
    return Client().put(url, body, content_type="application/octet-stream")


def signed_part(client: Client, pk: str, number: int) -> Any:
    sha = storage.digest(BODY[(number - 1) * 10 : number * 10])
    return sign(client, pk, {"n": number, "sha256": sha}).json()["parts"][0]


def test_whole_protocol(ada: Client, entry: Entry, document: Requirement) -> None:
    opened = create(ada, entry, document)
    assert opened.status_code == 201
    answer = opened.json()
    pk = answer.pop("id")
    assert answer == {
        "state": "open",
        "word": "Upload not finished",
        "kind": "warn",
        "reason": "",
        "facts": "",
        "is_here": False,
        "is_settled": False,
        "part_size": 10,
        "parts": 3,
        "received": [],
    }
    for number in (1, 2):
        part = signed_part(ada, pk, number)
        assert part["expires"].startswith("2027-05-10")
        sent = put(part["url"], BODY[(number - 1) * 10 : number * 10])
        assert (sent.status_code, sent.json()["n"], sent.json()["size"]) == (200, number, 10)
    again = create(ada, entry, document)
    assert (again.status_code, [part["n"] for part in again.json()["received"]]) == (200, [1, 2])
    early = complete(ada, pk)
    assert (early.status_code, early.json()["missing"]) == (409, [3])
    put(signed_part(ada, pk, 3)["url"], BODY[20:])
    tree = storage.tree([storage.digest(BODY[n : n + 10]) for n in (0, 10, 20)])
    assert [complete(ada, pk, tree).status_code for _ in range(2)] == [200, 200]
    assert ada.get(f"/uploads/{pk}/").json()["state"] == "stored"


@pytest.mark.media_case(18)
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"size": 0}, 422, "empty"),
        ({"size": 26 * 1024 * 1024}, 413, "too-large"),
        ({"filename": "film.exe"}, 422, "wrong-type"),
        ({"filename": "film.mp4"}, 422, "wrong-type"),
        ({"filename": ""}, 400, "bad-request"),
        ({"size": -1}, 400, "bad-request"),
        ({"size": "many"}, 400, "bad-request"),
        ({"fingerprint": "short"}, 400, "bad-request"),
        ({"slot": "1"}, 400, "bad-request"),
        ({"slot": "1-2; DROP"}, 400, "bad-request"),
    ],
)
def test_create_with_bad_input(
    ada: Client, entry: Entry, document: Requirement, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = create(ada, entry, document, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"].endswith(".")
    assert not Upload.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"text"', "[1]", "\x00", "[" * 100_000, '{"a":' * 100_000])
def test_create_with_no_json(ada: Client, body: str) -> None:
    assert ada.post("/uploads/", body, content_type="application/json").status_code == 400


def test_create_after_closing(ada: Client, entry: Entry, document: Requirement) -> None:
    clock.jump_to(CLOSES)
    answer = create(ada, entry, document)
    assert (answer.status_code, answer.json()["code"]) == (409, "window-closed")


def test_create_in_a_submitted_entry(ada: Client, entry: Entry, document: Requirement) -> None:
    submitted = make_entry(entry.registration, make_factor(2), status=Entry.Status.SUBMITTED)
    answer = create(ada, submitted, make_requirement(make_factor(2)))
    assert (answer.status_code, answer.json()["code"]) == (409, "slot-locked")


@pytest.mark.media_case(21)
def test_create_on_a_full_disk(
    ada: Client, entry: Entry, document: Requirement, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise storage.DiskFull

    monkeypatch.setattr(storage.LocalStore, "create", full)
    assert create(ada, entry, document).status_code == 507


def test_create_too_many(ada: Client, entry: Entry, document: Requirement) -> None:
    statuses = [create(ada, entry, document, fingerprint=f"{n:064}").status_code for n in range(6)]
    assert statuses == [201] * 5 + [429]


def test_name_with_control_characters_is_shown_without_them(ada: Client, entry: Entry, document: Requirement) -> None:
    create(ada, entry, document, filename="in\u202enocent\x00\r\n.pdf")
    assert Upload.objects.get().filename == "innocent .pdf"


@pytest.mark.media_case(16)
def test_other_peoples_ids_do_not_exist(
    ada: Client, entry: Entry, document: Requirement, stranger: User, staff: User
) -> None:
    pk = create(ada, entry, document).json()["id"]
    for person in (stranger, staff):
        client = Client()
        client.force_login(person)
        answers = [create(client, entry, document), sign(client, pk, {"n": 1, "sha256": ""}), complete(client, pk)]
        answers += [client.get(f"/uploads/{pk}/"), client.delete(f"/uploads/{pk}/")]
        assert [answer.status_code for answer in answers] == [404] * 5
    assert Upload.objects.get().state == "open"


@pytest.mark.media_case(16)
def test_slot_of_another_factor_does_not_exist(ada: Client, entry: Entry) -> None:
    assert create(ada, entry, make_requirement(make_factor(2))).status_code == 404
    assert create(ada, make_entry(make_registration()), make_requirement()).status_code == 404


def test_session_that_ended_is_said_in_json(entry: Entry, document: Requirement) -> None:
    answer = create(Client(), entry, document)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed-out")


@pytest.mark.media_case(27)
def test_without_csrf_token_nothing_happens(entry: Entry, document: Requirement, video: Requirement) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(entry.registration.user)
    assert create(client, entry, document).status_code == 403
    assert not Upload.objects.exists()
    film = make_upload(entry, video)
    urls = [f"/uploads/{film.pk}/{page}" for page in ("complete", "sign", "remove/", "consent/", "withdraw/scoring/")]
    answers = [client.post(url, {"agreed": "on", "releases": "Mine"}).status_code for url in urls]
    assert [*answers, client.delete(f"/uploads/{film.pk}/").status_code] == [403] * 6
    assert client.post(file_url(entry, document), {"file": SimpleUploadedFile("a.pdf", b"%PDF")}).status_code == 403
    film.refresh_from_db()
    assert (film.state, film.consent, Upload.objects.count()) == ("ready", None, 1)


@pytest.mark.media_case(20)
def test_part_for_a_disk_without_room(ada: Client, entry: Entry, document: Requirement, settings: Any) -> None:
    pk = create(ada, entry, document).json()["id"]
    url = signed_part(ada, pk, 1)["url"]
    place = settings.MEDIA_ROOT / f"{Upload.objects.get().storage_key}.open"
    place.rename(place.with_suffix(".aside"))
    place.symlink_to("/dev/full")
    answer = put(url, BODY[:10])
    assert (answer.status_code, answer.json()["code"]) == (507, "no-space")
    place.unlink()
    place.with_suffix(".aside").rename(place)
    assert put(url, BODY[:10]).status_code == 200


@pytest.mark.media_case(25)
@pytest.mark.parametrize(
    ("created", "completed", "statuses"),
    [
        (CLOSES - MINUTE, CLOSES, [201, 200, 200]),
        (CLOSES - MINUTE, CLOSES + GRACE - MINUTE, [201, 200, 200]),
        (CLOSES - MINUTE, CLOSES + GRACE, [201, 409, 409]),
        (CLOSES, CLOSES, [409]),
    ],
)
def test_window_that_closes_on_the_way(
    ada: Client, entry: Entry, document: Requirement, created: datetime, completed: datetime, statuses: list[int]
) -> None:
    """The portal's clock counts, at create and at complete. It runs on: microseconds are the tests' of the verbs."""
    clock.jump_to(created)
    opened = create(ada, entry, document)
    found = [opened.status_code]
    if opened.status_code == 201:
        pk = opened.json()["id"]
        for number in (1, 2, 3):
            put(signed_part(ada, pk, number)["url"], BODY[(number - 1) * 10 : number * 10])
        clock.jump_to(completed)
        found += [sign(ada, pk, {"n": 1, "sha256": ""}).status_code, complete(ada, pk).status_code]
    assert found == statuses
    stored = Upload.objects.filter(state="stored", stored_at__range=(completed, completed + MINUTE))
    assert stored.exists() == (statuses[-1] == 200)


@pytest.mark.parametrize("parts", [[], [{}], [{"n": "1"}], [{"n": 1, "sha256": 5}], [{"n": 1, "sha256": "x"}], "no"])
def test_sign_with_bad_input(ada: Client, entry: Entry, document: Requirement, parts: Any) -> None:
    pk = create(ada, entry, document).json()["id"]
    answer = ada.post(f"/uploads/{pk}/sign", {"parts": parts}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-part")


def test_sign_more_than_a_batch(ada: Client, entry: Entry, document: Requirement) -> None:
    pk = create(ada, entry, document, size=100).json()["id"]
    wanted = [{"n": n, "sha256": ""} for n in range(1, 10)]
    assert sign(ada, pk, *wanted[:8]).status_code == 200
    assert sign(ada, pk, *wanted).status_code == 422


@pytest.mark.parametrize("body", [b"0123", b"0123456789x", b"x" * 100_000, b"9876543210", b""])
def test_part_with_the_wrong_bytes(ada: Client, entry: Entry, document: Requirement, body: bytes) -> None:
    pk = create(ada, entry, document).json()["id"]
    answer = put(signed_part(ada, pk, 1)["url"], body)
    assert (answer.status_code, answer.json()["code"]) == (400, "damaged-part")


@pytest.mark.media_case(19)
def test_error_comes_after_the_body_was_read(ada: Client, entry: Entry, document: Requirement, rf: Any) -> None:
    """Else the connection is reset and the browser reports a broken network instead of the reason."""
    stream = BytesIO(b"x" * 200_000)
    request = rf.put("/uploads/part/forged", b"")
    request._stream, request.at = stream, clock.now()
    assert upload_part(request, token="forged").status_code == 403
    assert stream.read() == b""


def test_part_after_its_permission_expired(ada: Client, entry: Entry, document: Requirement) -> None:
    pk = create(ada, entry, document).json()["id"]
    url = signed_part(ada, pk, 1)["url"]
    clock.jump_to(at(2027, 5, 10, 13, 1))
    assert put(url, BODY[:10]).status_code == 403
    assert put(signed_part(ada, pk, 1)["url"], BODY[:10]).status_code == 200


def test_part_of_an_upload_that_was_removed(ada: Client, entry: Entry, document: Requirement) -> None:
    pk = create(ada, entry, document).json()["id"]
    url = signed_part(ada, pk, 1)["url"]
    assert [ada.delete(f"/uploads/{pk}/").status_code for _ in range(2)] == [204, 204]
    assert put(url, BODY[:10]).status_code == 404
    assert sign(ada, pk, {"n": 1, "sha256": ""}).status_code == 409
    assert complete(ada, pk).status_code == 409


def test_complete_with_another_tree(ada: Client, entry: Entry, document: Requirement) -> None:
    pk = create(ada, entry, document).json()["id"]
    for number in (1, 2, 3):
        put(signed_part(ada, pk, number)["url"], BODY[(number - 1) * 10 : number * 10])
    assert complete(ada, pk, "bm8=-3").json()["code"] == "wrong-tree"
    assert complete(ada, pk, 5).status_code == 400
    assert complete(ada, pk).status_code == 200


# ---- Without JavaScript


def file_url(entry: Entry, requirement: Requirement) -> str:
    return reverse("portfolios:file-add", args=[entry.pk, requirement.pk])


def test_plain_form_takes_a_file(ada: Client, entry: Entry, video: Requirement, settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 1000
    file = SimpleUploadedFile("My film.mp4", files.film())
    answer = ada.post(file_url(entry, video), {"file": file, "consent": "true"}, follow=True)
    assert "your file is here" in answer.content.decode()
    upload = Upload.objects.get()
    assert (upload.state, upload.filename, upload.size) == ("stored", "My film.mp4", len(files.film()))
    assert upload.consented_at is not None


def test_plain_form_leaves_large_videos_to_the_script(
    ada: Client, entry: Entry, video: Requirement, settings: Any
) -> None:
    settings.UPLOAD_DOCUMENT_MAX_BYTES = len(files.film()) - 1
    answer = ada.post(file_url(entry, video), {"file": SimpleUploadedFile("f.mp4", files.film())}, follow=True)
    assert "too large to come in one piece" in answer.content.decode()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (None, "Choose a file first"),
        (SimpleUploadedFile("empty.pdf", b""), "This file is empty"),
        (SimpleUploadedFile("notes.txt", b"text"), "takes a document"),
    ],
)
def test_plain_form_says_what_is_wrong(ada: Client, entry: Entry, document: Requirement, file: Any, words: str) -> None:
    answer = ada.post(file_url(entry, document), {"file": file} if file else {}, follow=True)
    assert words in answer.content.decode()
    assert not Upload.objects.exists()


def test_plain_button_removes(ada: Client, entry: Entry, video: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, video, noon, b"x" * 30, consent=False)
    asked = ada.get(reverse("portfolios:upload-remove", args=[upload.pk]))
    assert "Remove this file?" in asked.content.decode()
    ada.post(reverse("portfolios:upload-remove", args=[upload.pk]))
    upload.refresh_from_db()
    assert upload.state == "removed"


def test_plain_button_says_that_a_film_is_meant_to_have_no_sound(
    ada: Client, entry: Entry, video: Requirement, noon: datetime, settings: Any
) -> None:
    settings.UPLOAD_PART_BYTES = settings.MIB
    upload = hand_in_checked(entry, video, noon, films.without_sound(), "Film.mp4")
    page, address = f"/entries/{entry.pk}/", reverse("portfolios:upload-confirm", args=[upload.pk])
    before = ada.get(page).content.decode()
    assert ("This film has no sound." in before, address in before) == (True, True)
    for _ in range(2):
        answer = ada.post(address, follow=True).content.decode()
        assert "Conversation: your confirmation is noted." in answer
    assert ("This film has no sound." in answer, address in answer) == (True, False)
    upload.refresh_from_db()
    assert upload.remarks_seen_at is not None
    assert Event.objects.filter(verb="upload.confirm_silence").count() == 1


def test_plain_button_is_refused_when_the_time_is_over(
    ada: Client, entry: Entry, video: Requirement, noon: datetime, settings: Any
) -> None:
    settings.UPLOAD_PART_BYTES = settings.MIB
    upload = hand_in_checked(entry, video, noon, films.without_sound(), "Film.mp4")
    clock.jump_to(at(2027, 6, 17))
    answer = ada.post(reverse("portfolios:upload-confirm", args=[upload.pk]), follow=True)
    assert "The time for this cycle is over" in answer.content.decode()
    upload.refresh_from_db()
    assert upload.remarks_seen_at is None


def test_json_answers_name_no_row_of_others(ada: Client, entry: Entry, document: Requirement) -> None:
    answer = create(ada, entry, document)
    assert "filename" not in json.loads(answer.content)
