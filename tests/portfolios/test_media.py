"""Serving a real film in pieces: the headers of every case, who may see it, and what is noted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import checks, media, storage
from portfolios.models import Entry, Requirement, Upload
from portfolios.storage import LocalStore
from tests.portfolios import files
from tests.portfolios.handing_in import hand_in, hand_in_checked, prepare

FILM = files.film()
N = len(FILM)
LAST = N - 1


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    clock.jump_to(noon)
    return hand_in_checked(entry, video, noon)


@pytest.fixture
def ada(entry: Entry) -> Client:
    client = Client()
    client.force_login(entry.registration.user)
    return client


def get(client: Client, upload: Upload, kind: str = "video", **headers: str) -> Any:
    return client.get(f"/media/{upload.pk}/{kind}/", headers=headers)


def body(response: Any) -> bytes:
    return response.getvalue()


@pytest.mark.media_case(36)
@pytest.mark.parametrize(
    ("asked", "status", "content_range", "piece"),
    [
        (None, 200, None, FILM),
        ("bytes=0-", 206, f"bytes 0-{LAST}/{N}", FILM),
        ("bytes=0-99", 206, f"bytes 0-99/{N}", FILM[:100]),
        ("bytes=100-199", 206, f"bytes 100-199/{N}", FILM[100:200]),
        (f"bytes={LAST}-", 206, f"bytes {LAST}-{LAST}/{N}", FILM[-1:]),
        ("bytes=-10", 206, f"bytes {N - 10}-{LAST}/{N}", FILM[-10:]),
        ("bytes=0-999999999", 206, f"bytes 0-{LAST}/{N}", FILM),
        ("bytes=0-1,5-6", 200, None, FILM),
        ("items=0-1", 200, None, FILM),
        ("bytes=9-1", 200, None, FILM),
        ("bytes=", 200, None, FILM),
        (f"bytes=-{N + 1}", 206, f"bytes 0-{LAST}/{N}", FILM),
        (f"bytes={N}-", 416, f"bytes */{N}", b""),
        (f"bytes={N + 5}-{N + 9}", 416, f"bytes */{N}", b""),
        ("bytes=-0", 416, f"bytes */{N}", b""),
    ],
)
def test_range_matrix(
    ada: Client, film: Upload, asked: str | None, status: int, content_range: str | None, piece: bytes
) -> None:
    response = get(ada, film, **({"range": asked} if asked else {}))
    assert (response.status_code, response.headers.get("Content-Range")) == (status, content_range)
    assert body(response) == piece
    if status != 416:
        assert response.headers["Content-Length"] == str(len(piece))


@pytest.mark.media_case(36)
def test_piece_is_never_larger_than_two_mebibytes(ada: Client, film: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    assert media.MOST == 2 * 1024 * 1024
    monkeypatch.setattr(media, "MOST", 100)
    response = get(ada, film, range="bytes=50-")
    assert (response.headers["Content-Range"], body(response)) == (f"bytes 50-149/{N}", FILM[50:150])


def test_headers_keep_the_file_private_and_nameless(ada: Client, film: Upload) -> None:
    response = get(ada, film)
    body(response)
    wanted = ["Content-Type", "Content-Disposition", "Accept-Ranges", "ETag", "Cache-Control", "X-Content-Type-Options"]
    assert {name: response.headers[name] for name in wanted} == {
        "Content-Type": "video/mp4",
        "Content-Disposition": f'inline; filename="conversation-{str(film.pk)[:8]}.mp4"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{film.tree_sha256}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.media_case(36)
@pytest.mark.parametrize(("tag", "status"), [("its own", 206), ('"another"', 200), ("W/its own", 200)])
def test_if_range(ada: Client, film: Upload, tag: str, status: int) -> None:
    value = tag.replace("its own", f'"{film.tree_sha256}"')
    response = get(ada, film, range="bytes=0-9", **{"if-range": value})
    body(response)
    assert response.status_code == status


def test_head_sends_no_body(ada: Client, film: Upload) -> None:
    response = ada.head(f"/media/{film.pk}/video/", headers={"range": "bytes=0-9"})
    assert (response.status_code, response.headers["Content-Length"], response.content) == (206, "10", b"")


def test_document_is_shown_when_the_browser_can_and_saved_when_not(
    ada: Client, entry: Entry, document: Requirement, noon: datetime
) -> None:
    shown = [
        get(ada, hand_in(entry, document, noon, *file), "document")
        for file in [(files.pdf(), "My name.pdf"), (files.word(), "My name.docx")]
    ]
    assert [body(response) for response in shown] == [files.pdf(), files.word()]
    dispositions = [response.headers["Content-Disposition"] for response in shown]
    assert [disposition.split(";")[0] for disposition in dispositions] == ["inline", "attachment"]
    assert "name.pdf" not in dispositions[0]


def test_poster_is_a_jpeg(ada: Client, film: Upload) -> None:
    response = get(ada, film, "poster")
    assert (response.headers["Content-Type"], body(response)[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_what_is_gone_is_not_served(ada: Client, entry: Entry, video: Requirement, noon: datetime) -> None:
    unchecked = hand_in(entry, video, noon)
    assert [get(ada, unchecked, kind).status_code for kind in ("document", "poster")] == [404, 404]
    storage.default().delete(unchecked.storage_key)
    assert get(ada, unchecked).status_code == 404
    for state in ("removed", "replaced", "rejected", "open"):
        Upload.objects.update(state=state)
        assert get(ada, unchecked).status_code == 404


def test_rejected_file_is_served_to_nobody(ada: Client, entry: Entry, video: Requirement, noon: datetime) -> None:
    bad = hand_in(entry, video, noon, b"<script>alert(1)</script>")
    checks.check(bad.pk, at=noon)
    assert get(ada, bad).status_code == 404


def test_looks_of_others_are_noted_once_a_look(ada: Client, film: Upload, staff: User) -> None:
    desk = Client()
    desk.force_login(staff)
    for client in (ada, desk):
        for asked in ("bytes=0-99", "bytes=100-199", "bytes=200-"):
            body(get(client, film, range=asked))
    desk.head(f"/media/{film.pk}/video/")
    events = Event.objects.filter(verb="upload.view")
    seen = {"shown_as": "original", "door": "portfolio"}
    assert [(event.actor, event.object_id, event.after) for event in events] == [(staff, str(film.pk), seen)]


def test_look_lasts_an_hour(ada: Client, film: Upload, staff: User, other_staff: User, noon: datetime) -> None:
    """Who jumps about in a film makes the browser begin anew; that is the same look."""
    prepare(film, noon, "film")
    for minutes, person, query in [
        (0, staff, ""),
        (0, staff, ""),
        (0, staff, "?as=original"),
        (1, other_staff, ""),
        (59, staff, ""),
        (61, staff, ""),
        (119, staff, ""),
    ]:
        desk = Client()
        desk.force_login(person)
        clock.jump_to(noon + timedelta(minutes=minutes))
        body(desk.get(f"/media/{film.pk}/video/{query}"))
    looks = Event.objects.filter(verb="upload.view").order_by("pk")
    seen = [((look.at - noon) // timedelta(minutes=1), look.actor, look.after["shown_as"]) for look in looks]
    assert seen == [
        (0, staff, "film"),
        (0, staff, "original"),
        (1, other_staff, "film"),
        (61, staff, "film"),
    ]


def test_rendition_stands_for_the_file_where_there_is_one(ada: Client, film: Upload, noon: datetime) -> None:
    prepare(film, noon, "quick", b"quick")
    prepare(film, noon, "film", b"film at 720p")
    asked = ["", "?as=film", "?as=quick", "?as=original", "?as=captions"]
    given = [body(ada.get(f"/media/{film.pk}/video/{query}")) for query in asked]
    assert given == [b"film at 720p", b"film at 720p", b"quick", FILM, b"film at 720p"]


def test_document_is_given_as_preview_then_clean_then_as_it_came(
    ada: Client, entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = hand_in(entry, document, noon)
    given = [body(get(ada, upload, "document"))]
    for kind in ("clean", "preview"):
        prepare(upload, noon, kind)
        given.append(body(get(ada, upload, "document")))
    assert given == [files.word(), b"clean of it", b"preview of it"]


def test_rendition_that_changed_is_another_for_who_had_begun(ada: Client, film: Upload, noon: datetime) -> None:
    prepare(film, noon, "film", b"0123456789")
    begun = get(ada, film, range="bytes=0-1")
    tag = begun["ETag"]
    assert body(begun) == b"01"
    prepare(film, noon + timedelta(seconds=1), "film", b"abcdefghij")
    response = get(ada, film, range="bytes=2-3", **{"if-range": tag})
    assert (response.status_code, body(response)) == (200, b"abcdefghij")


class Bucket(LocalStore):
    """A store that browsers may read from themselves."""

    def url(self, key: str, *, content_type: str, filename: str, at: datetime) -> str | None:
        return f"https://bucket.example/{key}?as={content_type}&name={filename}&at={at.isoformat()}"


def test_store_with_addresses_is_read_by_the_browser_itself(
    ada: Client, film: Upload, staff: User, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(film, noon, "film")
    prepare(film, noon, "captions", b"WEBVTT")
    local = storage.default()
    monkeypatch.setattr(storage, "default", lambda: Bucket(local.root, local.part_url))
    desk = Client()
    desk.force_login(staff)
    response = get(desk, film, range="bytes=0-")
    stem = f"conversation-{str(film.pk)[:8]}"
    assert (response.status_code, response["Cache-Control"]) == (302, "private, no-store")
    assert response["Location"].startswith(
        f"https://bucket.example/{film.storage_key}-film?as=video/mp4&name={stem}.mp4&at=2027-05-10T"
    )
    assert get(ada, film, "poster")["Location"].startswith(f"https://bucket.example/{film.storage_key}-poster?")
    captions = get(ada, film, "captions")
    assert (captions.status_code, captions.content) == (200, b"WEBVTT")
    assert [event.after["shown_as"] for event in Event.objects.filter(verb="upload.view")] == ["film"]


def test_captions_whose_bytes_are_gone_are_not_served(ada: Client, film: Upload, noon: datetime) -> None:
    assert get(ada, film, "captions").status_code == 404
    made = prepare(film, noon, "captions")
    storage.default().delete(made.storage_key)
    assert get(ada, film, "captions").status_code == 404
