"""Captions and transcript: who may bring them and until when, what is kept and noted, and the page they come by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from candidates import deadlines
from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.permissions import grant_roles
from portfolios import captions, checks, media, storage
from portfolios.checking import videos
from portfolios.models import Entry, Rendition, Requirement, Upload
from portfolios.upload_rows import ANOTHER, DAMAGED
from tests.factories import MICROSECOND, make_extension, make_upload
from tests.portfolios import films
from tests.portfolios.handing_in import hand_in, hand_in_checked, prepare

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ada>Good morning.\n"
OURS = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGood morning.\n"


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    """Six seconds long."""
    clock.jump_to(noon)
    return hand_in_checked(entry, video, noon)


@pytest.fixture
def ada(entry: Entry) -> User:
    return entry.registration.user


def kept(film: Upload) -> str | None:
    made = film.renditions.filter(kind="captions").first()
    if made is None:
        return None
    with storage.default().open(made.storage_key) as file:
        return file.read().decode()


def noted(film: Upload) -> list[tuple[str, User | None, Any]]:
    words = Event.objects.about(film).filter(verb__in=["upload.caption", "upload.uncaption", "upload.transcribe"])
    return [(event.verb, event.actor, event.after) for event in words.order_by("pk")]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


# ---- Verbs


def test_captions_are_kept_replaced_and_removed(film: Upload, ada: User, noon: datetime) -> None:
    captions.keep(film.pk, body=VTT, by=ada, at=noon)
    assert kept(film) == OURS
    captions.keep(film.pk, body=VTT.replace(b"morning", b"evening"), by=ada, at=noon)
    assert kept(film) == OURS.replace("morning", "evening")
    for _ in range(2):
        captions.remove(film.pk, by=ada, at=noon)
    assert kept(film) is None
    once = ("upload.caption", ada, {"captions": 1})
    assert noted(film) == [once, once, ("upload.uncaption", ada, None)]


def test_captions_that_cannot_be_used_leave_those_that_were_there(film: Upload, ada: User, noon: datetime) -> None:
    captions.keep(film.pk, body=VTT, by=ada, at=noon)
    bad = [b"", b"\xff", VTT.replace(b"00:02.500", b"00:00.500"), VTT + b" " * 1024 * 1024]
    codes = ["not-captions", "not-utf8", "ends-before-it-begins", "too-large"]
    assert [refusal(lambda body=body: captions.keep(film.pk, body=body, by=ada, at=noon)) for body in bad] == codes
    assert (kept(film), len(noted(film))) == (OURS, 1)


def remarked(film: Upload) -> list[str]:
    film.refresh_from_db()
    return [remark["words"] for remark in film.remarks]


IN_CAPTIONS = (
    "These captions name you: “Ada Abara” at 0:01. Scoring is blind: take it out and choose the file again, or leave "
    "it as it is."
)
IN_TRANSCRIPT = (
    "This transcript names you: “ada@example.org” in paragraph 2. Scoring is blind: take it out and save it again, or "
    "leave it as it is."
)
NAMING = VTT.replace(b"Good", b"I am Ada\nAbara. Good")


def test_names_in_captions_and_transcript_are_remarked_and_kept(film: Upload, ada: User, noon: datetime) -> None:
    captions.keep(film.pk, body=VTT, by=ada, at=noon)
    captions.transcribe(film.pk, text="Coach: hello.", by=ada, at=noon)
    assert remarked(film) == []
    captions.keep(film.pk, body=NAMING, by=ada, at=noon)
    assert (remarked(film), "Ada" in str(kept(film))) == ([IN_CAPTIONS], True)
    captions.transcribe(film.pk, text="Hello.\n\nWrite to ada@example.org.", by=ada, at=noon)
    captions.keep(film.pk, body=NAMING, by=ada, at=noon)
    assert remarked(film) == [IN_TRANSCRIPT, IN_CAPTIONS]
    captions.transcribe(film.pk, text="Hello.", by=ada, at=noon)
    assert remarked(film) == [IN_CAPTIONS]
    captions.remove(film.pk, by=ada, at=noon)
    assert remarked(film) == []


def test_check_of_the_film_leaves_the_remarks_on_its_words(
    entry: Entry, video: Requirement, ada: User, noon: datetime
) -> None:
    film = hand_in(entry, video, noon, films.without_sound(), "Film.mp4")
    captions.keep(film.pk, body=NAMING, by=ada, at=noon)
    checks.check(film.pk, at=noon)
    assert remarked(film) == [videos.NO_SOUND, IN_CAPTIONS]


def test_names_are_remarked_at_saving_and_before_submitting(
    film: Upload, entry: Entry, document: Requirement, ada: User, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    status, page = send(ada, film, NAMING, transcript="Hello.\nWrite to ada@example.org.")
    said = [IN_CAPTIONS, IN_TRANSCRIPT]
    assert (status, told(page, "p.notice")) == (200, said)
    assert told(page, ".messages") == ["Done. Captions and transcript are saved."]
    asked = BeautifulSoup(signed_in(ada).get(f"/entries/{entry.pk}/submit/").content, "html.parser")
    assert [words in asked.text for words in said] == [True, True]


@pytest.mark.parametrize(("ends", "is_refused"), [("00:21.000", False), ("00:21.001", True)])
def test_captions_end_with_the_film_and_its_tolerance(
    film: Upload, ada: User, noon: datetime, ends: str, is_refused: bool
) -> None:
    assert film.duration_ms == 6000
    body = VTT.replace(b"00:02.500", ends.encode())
    if is_refused:
        assert refusal(lambda: captions.keep(film.pk, body=body, by=ada, at=noon)) == "behind-the-end"
    else:
        captions.keep(film.pk, body=body, by=ada, at=noon)


def test_captions_of_a_film_of_unknown_length_may_end_anywhere(film: Upload, ada: User, noon: datetime) -> None:
    Upload.objects.filter(pk=film.pk).update(duration_ms=None, state="stored")
    captions.keep(film.pk, body=VTT.replace(b"00:02.500", b"09:00.000"), by=ada, at=noon)


def test_transcript_is_noted_by_its_length_alone(film: Upload, ada: User, noon: datetime) -> None:
    for text in ("Coach: hello.", "Coach: hello.", ""):
        captions.transcribe(film.pk, text=text, by=ada, at=noon)
    film.refresh_from_db()
    assert film.transcript == ""
    assert noted(film) == [
        ("upload.transcribe", ada, {"characters": 13}),
        ("upload.transcribe", ada, {"characters": 0}),
    ]


def every_verb(film: Upload, by: User, at: datetime) -> list[Callable[[], object]]:
    return [
        lambda: captions.keep(film.pk, body=VTT, by=by, at=at),
        lambda: captions.transcribe(film.pk, text="Hello.", by=by, at=at),
        lambda: captions.remove(film.pk, by=by, at=at),
    ]


def test_candidate_may_until_the_grace_is_over(film: Upload, entry: Entry, ada: User) -> None:
    last = deadlines.closes_at(entry.registration, entry.cycle) + entry.cycle.grace
    for verb in every_verb(film, ada, last - MICROSECOND):
        verb()
    assert [refusal(verb) for verb in every_verb(film, ada, last)] == ["window-closed"] * 3
    make_extension(entry.registration, entry.cycle)
    for verb in every_verb(film, ada, last):
        verb()


@pytest.mark.parametrize(
    ("status", "is_refused"), [("draft", False), ("submitted", False), ("locked", True), ("lapsed", True)]
)
def test_candidate_may_until_the_entry_is_locked(
    film: Upload, entry: Entry, ada: User, noon: datetime, status: str, is_refused: bool
) -> None:
    sealed = {"submitted_at": noon, "locked_at": noon, "manifest": {}, "manifest_sha256": "0" * 64}
    Entry.objects.filter(pk=entry.pk).update(status=status, **sealed)
    if is_refused:
        assert [refusal(verb) for verb in every_verb(film, ada, noon)] == ["window-closed"] * 3
    else:
        for verb in every_verb(film, ada, noon):
            verb()


def test_staff_may_at_any_time_and_nobody_else(
    film: Upload, entry: Entry, staff: User, stranger: User, scorer: User, noon: datetime
) -> None:
    for person in (stranger, scorer):
        assert [refusal(verb) for verb in every_verb(film, person, noon)] == ["window-closed"] * 3
    later = noon + timedelta(days=200)
    Entry.objects.filter(pk=entry.pk).update(
        status="locked", submitted_at=noon, locked_at=noon, manifest={}, manifest_sha256="0" * 64
    )
    for verb in every_verb(film, staff, later):
        verb()
    assert [by for _, by, _ in noted(film)] == [staff] * 3


def test_only_films_that_stand_have_captions(
    film: Upload, entry: Entry, document: Requirement, ada: User, noon: datetime
) -> None:
    letter = make_upload(entry, document)
    assert [refusal(verb) for verb in every_verb(letter, ada, noon)] == ["no-film"] * 3
    for state in ("open", "rejected", "removed", "withdrawn"):
        Upload.objects.filter(pk=film.pk).update(state=state)
        assert [refusal(verb) for verb in every_verb(film, ada, noon)] == ["no-film"] * 3


def test_full_disk_is_said(film: Upload, ada: User, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> int:
        raise storage.DiskFull("full")

    monkeypatch.setattr(storage.LocalStore, "put", full)
    assert refusal(lambda: captions.keep(film.pk, body=VTT, by=ada, at=noon)) == "no-space"
    assert (kept(film), noted(film)) == (None, [])


# ---- The page


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(person: User, film: Upload, file: bytes = b"", **fields: str) -> tuple[int, BeautifulSoup]:
    data: dict[str, Any] = {"transcript": "", **fields}
    if file:
        data["file"] = SimpleUploadedFile("words.vtt", file)
    response = signed_in(person).post(reverse("portfolios:upload-captions", args=[film.pk]), data, follow=True)
    return response.status_code, BeautifulSoup(response.content, "html.parser")


def told(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(tag.get_text(" ").split()) for tag in page.select(selector)]


def test_upload_captions_saves_both(film: Upload, ada: User) -> None:
    status, page = send(ada, film, VTT, transcript=" Coach: hello.\r\nTeacher: hello. ")
    film.refresh_from_db()
    assert (status, kept(film), film.transcript) == (200, OURS, "Coach: hello.\nTeacher: hello.")
    assert told(page, ".messages") == ["Done. Captions and transcript are saved."]
    assert told(page, ".summary dd") == [
        "Here. Switch them on and off in the player. Open the file",
        "Here, below the player",
    ]
    status, page = send(ada, film, transcript="Coach: hello.", remove="on")
    assert (status, kept(film), told(page, ".summary dd")[0]) == (200, None, "None")


def test_upload_captions_file_chosen_wins_over_remove(film: Upload, ada: User) -> None:
    send(ada, film, VTT)
    send(ada, film, VTT.replace(b"morning", b"evening"), remove="on")
    assert kept(film) == OURS.replace("morning", "evening")


def test_upload_captions_offers_to_remove_what_is_there_alone(film: Upload, ada: User, noon: datetime) -> None:
    url = reverse("portfolios:upload-captions", args=[film.pk])
    assert b'name="remove"' not in signed_in(ada).get(url).content
    prepare(film, noon, "captions")
    assert b'name="remove"' in signed_in(ada).get(url).content


def test_upload_captions_keeps_what_was_typed_when_the_file_is_bad(film: Upload, ada: User) -> None:
    status, page = send(ada, film, VTT.replace(b"00:02.500", b"00:00.500"), transcript="An hour of typing <b>.")
    assert status == 422
    message = "Caption 1, at 0:01, ends before it begins. Mend it, and choose the file again."
    assert told(page, "#id_file_error .error") == [f"Error: {message}"]
    assert page.select_one("textarea").text.strip() == "An hour of typing <b>."  # type: ignore[union-attr]
    film.refresh_from_db()
    assert (film.transcript, kept(film)) == ("", None)


@pytest.mark.parametrize(
    ("length", "status"), [(captions.LONGEST_TRANSCRIPT, 200), (captions.LONGEST_TRANSCRIPT + 1, 422)]
)
def test_upload_captions_longest_transcript(film: Upload, ada: User, length: int, status: int) -> None:
    found, page = send(ada, film, transcript="x" * length)
    film.refresh_from_db()
    assert (found, len(film.transcript)) == (status, length if status == 200 else 0)
    assert status == 200 or page.select_one("textarea").text.strip() == "x" * length  # type: ignore[union-attr]


def test_upload_captions_says_no_names(film: Upload, ada: User) -> None:
    page = signed_in(ada).get(reverse("portfolios:upload-captions", args=[film.pk])).content.decode()
    assert page.count("Do not write names") == 2


def test_upload_captions_after_closing_leads_to_the_film(film: Upload, entry: Entry, ada: User) -> None:
    clock.jump_to(deadlines.closes_at(entry.registration, entry.cycle) + entry.cycle.grace)
    url = reverse("portfolios:upload-captions", args=[film.pk])
    response = signed_in(ada).get(url, follow=True)
    page = BeautifulSoup(response.content, "html.parser")
    assert response.redirect_chain == [(f"/media/{film.pk}/", 302)]
    assert page.select(f"a[href='{url}']") == []
    status, page = send(ada, film, VTT)
    assert (status, told(page, "#id_file_error .error")) == (422, [f"Error: {captions.TOO_LATE}"])


# ---- The film's page


def watched(person: User, film: Upload) -> BeautifulSoup:
    response = signed_in(person).get(f"/media/{film.pk}/")
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def test_media_watch_before_it_is_prepared(film: Upload, ada: User) -> None:
    Upload.objects.filter(pk=film.pk).update(state="processing", percent=30)
    page = watched(ada, film)
    assert page.select_one("video")["src"] == f"/media/{film.pk}/video/?as=original"  # type: ignore[index]
    said = told(page, "#film-state .notice p")
    assert said[0].startswith("This film is being prepared for viewing: 30 % done. Below is the file as it came")
    assert [tag.has_attr("data-waiting") for tag in page.select("#film-state, #film-itself")] == [True, True]
    assert told(page, "#film-state .breaks") == ["Film.mp4"]


def test_media_watch_once_it_is_prepared(film: Upload, ada: User, staff: User, noon: datetime) -> None:
    prepare(film, noon)
    prepare(film, noon, "captions")
    page = watched(ada, film)
    video = page.select_one("video")
    assert video is not None
    assert (video["src"], video["poster"]) == (f"/media/{film.pk}/video/?as=film", f"/media/{film.pk}/poster/")
    assert page.select_one("track")["src"] == f"/media/{film.pk}/captions/"  # type: ignore[index]
    assert page.select(".notice, [data-waiting], [data-note]") == []
    assert told(watched(staff, film), "#film-state .breaks") == [film.neutral_name]


def test_media_watch_of_one_we_could_not_prepare(film: Upload, ada: User) -> None:
    Upload.objects.filter(pk=film.pk).update(state="failed", processing_tries=3, is_damaged=True)
    page = watched(ada, film)
    assert told(page, ".notice h2") == ["We could not prepare this film"]
    assert told(page, "p.notice") == [f"{DAMAGED} {ANOTHER}"]
    assert page.select("[data-waiting]") == []


def test_entry_page_leads_to_the_film(film: Upload, entry: Entry, ada: User) -> None:
    page = BeautifulSoup(signed_in(ada).get(f"/entries/{entry.pk}/").content, "html.parser")
    links = [tag.get_text(" ", strip=True) for tag in page.select(f"a[href='/media/{film.pk}/']")]
    assert links == ["Film.mp4", "", "Watch it, captions and transcript of Film.mp4"]


# ---- Staff


def test_admin_shows_who_watched(film: Upload, staff: User, other_staff: User, ada: User, noon: datetime) -> None:
    grant_roles()
    page = reverse("admin:portfolios_upload_change", args=[film.pk])
    assert "Nobody yet" in signed_in(staff).get(page).content.decode()
    prepare(film, noon)
    for person, moment in [(staff, noon), (ada, noon), (other_staff, noon + timedelta(hours=1))]:
        clock.jump_to(moment)
        list(signed_in(person).get(f"/media/{film.pk}/video/"))
    shown = BeautifulSoup(signed_in(staff).get(page).content, "html.parser").select_one(".field-watched_by .readonly")
    assert shown is not None
    assert list(shown.stripped_strings) == [
        "10 May 2027, 1:00 p.m.: uma@example.org (film, by portfolio)",
        "10 May 2027, 12:00 p.m.: stef@example.org (film, by portfolio)",
    ]
    assert reverse("portfolios:upload-captions", args=[film.pk]) in signed_in(staff).get(page).content.decode()


def test_captions_of_a_rendition_are_served_as_text(film: Upload, ada: User, noon: datetime) -> None:
    captions.keep(film.pk, body=VTT, by=ada, at=noon)
    response = signed_in(ada).get(f"/media/{film.pk}/captions/")
    assert (response.content.decode(), response["Content-Type"]) == (OURS, "text/vtt; charset=utf-8")
    assert media.ENDINGS[Rendition.objects.get(kind="captions").content_type] == ".vtt"
