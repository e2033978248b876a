"""What a reader is given of a file, in which order, and how films are numbered."""

from datetime import datetime, timedelta

import pytest

from portfolios import consents, viewing
from portfolios.models import Entry, Requirement, Upload
from portfolios.viewing import Showing
from tests.factories import at, make_entry, make_requirement, make_upload
from tests.portfolios.handing_in import prepare

NOON = at(2027, 5, 10, 12)


@pytest.fixture
def film(db: None) -> Upload:
    return make_upload(requirement=make_requirement(key="talk", kind="video"), extension=".mov")


@pytest.mark.parametrize(
    ("made", "wanted", "given"),
    [
        ([], "", None),
        (["poster", "captions"], "", None),
        (["poster"], "poster", None),
        (["quick"], "", "quick"),
        (["quick"], "film", "quick"),
        (["film", "quick"], "", "film"),
        (["film", "quick"], "quick", "quick"),
        (["film", "clean"], "clean", "film"),
    ],
)
def test_rendition_of_a_film(film: Upload, made: list[str], wanted: str, given: str | None) -> None:
    for kind in made:
        prepare(film, NOON, kind)
    found = viewing.rendition(film, wanted)
    assert (found.kind if found else None) == given


@pytest.mark.parametrize(
    ("made", "given"), [([], None), (["clean"], "clean"), (["clean", "preview"], "preview"), (["film"], None)]
)
@pytest.mark.django_db
def test_rendition_of_a_document(made: list[str], given: str | None) -> None:
    upload = make_upload()
    for kind in made:
        prepare(upload, NOON, kind)
    found = viewing.rendition(upload)
    assert (found.kind if found else None) == given


@pytest.mark.parametrize(
    ("fields", "made", "seen"),
    [
        ({"state": "processing"}, [], (True, False, "original")),
        ({"state": "processing"}, ["quick"], (False, False, "quick")),
        ({"state": "failed", "processing_tries": 2}, [], (True, False, "original")),
        ({"state": "failed", "processing_tries": 3}, [], (False, True, "original")),
        ({"state": "failed", "check_tries": 3}, [], (False, True, "original")),
        ({"state": "failed", "processing_tries": 3}, ["quick"], (False, False, "quick")),
        ({"state": "ready"}, [], (True, False, "original")),
        ({"state": "ready"}, ["film"], (False, False, "film")),
    ],
)
def test_showing_says_what_there_is(
    film: Upload, fields: dict[str, object], made: list[str], seen: tuple[bool, bool, str]
) -> None:
    Upload.objects.filter(pk=film.pk).update(**fields)
    film.refresh_from_db()
    for kind in made:
        prepare(film, NOON, kind)
    showing = Showing(film)
    assert (showing.is_waiting, showing.is_given_up, showing.shown_as) == seen


def hand_in(entry: Entry, requirement: Requirement, minutes: int, state: str = "ready") -> Upload:
    created_at: datetime = NOON + timedelta(minutes=minutes)
    return make_upload(entry, requirement, state=state, created_at=created_at)


@pytest.mark.django_db
def test_films_keep_their_numbers_when_one_is_withdrawn() -> None:
    entry = make_entry(status=Entry.Status.LOCKED)
    letter, talk, walk = (
        make_requirement(entry.factor, key, kind=kind)
        for key, kind in [("letter", "document"), ("talk", "video"), ("walk", "video")]
    )
    walked, talked_later, talked, wrote = (
        hand_in(entry, walk, 0),
        hand_in(entry, talk, 2),
        hand_in(entry, talk, 1),
        hand_in(entry, letter, 3),
    )
    for state in ("removed", "replaced", "rejected", "open", "aborted", "expired"):
        hand_in(entry, talk, 0, state)
    hand_in(make_entry(), talk, 0)
    mine = Upload.objects.filter(entry=entry)
    assert viewing.showings(mine) == [
        Showing(wrote, 0, ""),
        Showing(talked, 1, "Film 1"),
        Showing(talked_later, 2, "Film 2"),
        Showing(walked, 3, "Film 3"),
    ]
    for film in (talked, walked):
        consents.withdraw(film.pk, by=film.owner, at=entry.submitted_at or NOON)
    assert viewing.showings(mine) == [Showing(wrote, 0, ""), Showing(talked_later, 2, "Film 2")]


@pytest.mark.django_db
def test_film_withdrawn_before_another_was_handed_in_for_it_counts_not() -> None:
    """Its scorers would look for a first film that never was."""
    entry = make_entry(status=Entry.Status.LOCKED)
    talk = make_requirement(entry.factor, "talk", kind="video")
    before, film = hand_in(entry, talk, 0), hand_in(entry, talk, 1)
    consents.withdraw(before.pk, by=before.owner, at=entry.created_at)
    assert viewing.showings(Upload.objects.filter(entry=entry)) == [Showing(film, 1, "")]


@pytest.mark.django_db
def test_only_film_needs_no_label() -> None:
    entry = make_entry()
    film = hand_in(entry, make_requirement(entry.factor, "talk", kind="video"), 0)
    assert viewing.showings(Upload.objects.filter(entry=entry)) == [Showing(film, 1, "")]
