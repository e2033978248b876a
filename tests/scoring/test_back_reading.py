"""Leads read along: what is proposed, what may be opened, what the scorer is told, and that it changes no score."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.models import User
from icg_cert import next_steps
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from scoring import assignment, back_reading, board, calibration
from scoring.models import Assignment, BackReading, Rating, Recusal, Sheet
from tests.factories import (
    at,
    make_benchmark,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_standard,
    make_upload,
)
from tests.portfolios.handing_in import prepare
from tests.threads import run_at_once

WHEN = at(2027, 7, 1, 9)
VALUES = ("3.00", "3.00", "3.00")


@pytest.fixture(autouse=True)
def today(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_policy()
    clock.jump_to(WHEN)
    monkeypatch.setattr(next_steps, "ASKED", [])


@pytest.fixture
def sheet(scorer: User) -> Sheet:
    return make_reading(make_locked(), scorer, *VALUES)


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value.code


def open_(sheet: Sheet, lead: User) -> BackReading:
    return back_reading.open_sheet(sheet.pk, by=lead, at=WHEN)


def send(one: BackReading, lead: User, view: str = "near", note: str = "Well seen.") -> BackReading:
    return back_reading.send(one.pk, view=view, note=note, by=lead, at=WHEN)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(person: User, url: str) -> str:
    response = signed_in(person).get(url)
    assert response.status_code == 200
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


# ---- What is proposed


def test_proposed_are_final_live_sheets_of_the_least_read_along_first(
    scorer: User, other_scorer: User, lead: User
) -> None:
    often, seldom = (
        [make_reading(make_locked(), scorer, *VALUES) for _ in range(3)],
        make_reading(make_locked(), other_scorer, *VALUES),
    )
    open_(often[0], lead)
    make_reading(make_locked(), other_scorer)
    make_reading(make_locked(make_registration(status="withdrawn")), other_scorer, *VALUES)
    make_reading(make_locked(), lead, *VALUES)
    decided = make_locked()
    make_reading(decided, scorer, *VALUES)
    make_reading(decided, make_scorer("", "lead scorer"), *VALUES, role="adjudication")
    found = back_reading.proposed(lead, WHEN)
    assert found[0] == seldom
    assert set(found[1:]) == set(often[1:])
    assert back_reading.proposed(lead, make_cycle().releases_at) == []


def test_proposed_are_never_benchmarks(scorer: User, lead: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    trial = calibration.begin(make_factor(), by=scorer, at=WHEN)
    Sheet.objects.filter(pk=trial.pk).update(status="final", finalised_at=WHEN)
    assert back_reading.proposed(lead, WHEN) == []
    with pytest.raises(Sheet.DoesNotExist):
        open_(trial, lead)


# ---- Opening


def test_open_is_once_and_on_record(sheet: Sheet, lead: User) -> None:
    assert open_(sheet, lead) == open_(sheet, lead)
    assert Event.objects.filter(verb="back_reading.open").count() == 1


@pytest.mark.django_db(transaction=True)
def test_open_at_once_is_one(sheet: Sheet, lead: User) -> None:
    assert len(set(run_at_once(lambda: open_(sheet, lead).pk, times=3))) == 1


def test_open_is_refused_to_who_has_a_part_or_knows_them(sheet: Sheet, other_scorer: User, lead: User) -> None:
    entry = sheet.entry
    neighbour = make_scorer("", "lead scorer", district="Lakeside School District")
    assert refused(lambda: open_(sheet, neighbour)) == "tied"
    stepped_back = make_scorer("", "lead scorer")
    Recusal.objects.create(scorer=stepped_back, registration=entry.registration, declared_at=WHEN)
    assert refused(lambda: open_(sheet, stepped_back)) == "tied"
    both = make_scorer("", "lead scorer")
    second = make_reading(entry, both, "4.25", "4.25", "4.25", role="second")
    assert refused(lambda: open_(sheet, both)) == "has-part"
    assert refused(lambda: open_(second, both)) == "has-part"
    assert open_(sheet, lead).lead == lead  # exactly 1.25 apart is averaged
    Rating.objects.filter(sheet=sheet).update(value="2.75")
    assert refused(lambda: open_(sheet, make_scorer("", "lead scorer"))) == "has-part"


def test_who_read_along_is_not_asked_to_decide(sheet: Sheet, other_scorer: User, lead: User) -> None:
    open_(sheet, lead)
    make_reading(sheet.entry, other_scorer, "1.00", "1.00", "1.00", role="second")
    assert assignment.follow_up(sheet.entry.pk, by=None, at=WHEN) is None
    other = make_scorer("", "lead scorer")
    assignment.follow_up(sheet.entry.pk, by=None, at=WHEN)
    assert Assignment.objects.get(role="adjudication").scorer == other


# ---- The note


def test_send_tells_the_scorer_once_and_changes_no_value(sheet: Sheet, lead: User, scorer: User) -> None:
    before = list(Rating.objects.values()), Sheet.objects.values().get()
    one = open_(sheet, lead)
    assert [send(one, lead).sent_at, send(one, lead).sent_at] == [WHEN, WHEN]
    assert refused(lambda: send(one, lead, note="Another.")) == "sent"
    assert (list(Rating.objects.values()), Sheet.objects.values().get()) == before
    mail = Message.objects.get()
    assert (mail.event, mail.to) == ("read_along", scorer.email)
    assert sheet.entry.registration.user.name not in mail.body_text
    for url in (f"/scoring/sheets/{sheet.pk}/", "/scoring/"):
        assert "Lee Lund" in text_of(scorer, url)
    assert "Well seen." in text_of(scorer, f"/scoring/sheets/{sheet.pk}/")


def test_send_without_a_note_is_fine_where_they_agree(sheet: Sheet, lead: User) -> None:
    one = open_(sheet, lead)
    assert refused(lambda: send(one, lead, "near", "  ")) == "no-note"
    assert send(one, lead, "same", "").sent_at == WHEN


def test_send_by_another_lead_finds_nothing(sheet: Sheet, lead: User) -> None:
    one = open_(sheet, lead)
    with pytest.raises(BackReading.DoesNotExist):
        send(one, make_scorer("", "lead scorer"))


# ---- The pages


def test_reading_along_from_the_list_to_the_note(sheet: Sheet, lead: User, scorer: User) -> None:
    upload = make_upload(sheet.entry)
    prepare(upload, WHEN, "clean")
    client = signed_in(lead)
    media = reverse("scoring:sheet-media", args=[sheet.pk, upload.pk])
    assert client.get(media).status_code == 404
    assert "Read along with Sol Sato" in text_of(lead, "/scoring/back-reading/")
    opened = client.post(f"/scoring/back-reading/sheets/{sheet.pk}/")
    page = BeautifulSoup(client.get(opened["Location"]).content, "html.parser")
    assert len(page.select("fieldset.rubric[disabled]")) == 3
    assert sheet.entry.registration.user.name not in page.get_text()
    assert b"".join(client.get(media))  # type: ignore[arg-type]
    assert client.post(opened["Location"], {"view": "near", "note": ""}).status_code == 409
    assert client.post(opened["Location"], {"view": "near", "note": "Look at 2:10."}).status_code == 302
    assert "Look at 2:10." in text_of(lead, opened["Location"])
    [share] = [one for one in board.board(make_cycle(), WHEN).scorers if one.name == "Sol Sato"]
    assert share.read_along == 1


def test_two_leads_reading_along_leave_the_scorers_files_where_they_are(sheet: Sheet, lead: User, scorer: User) -> None:
    upload = make_upload(sheet.entry)
    prepare(upload, WHEN, "clean")
    for one in (lead, make_scorer("", "lead scorer")):
        open_(sheet, one)
    for person in (scorer, lead):
        assert b"".join(signed_in(person).get(reverse("scoring:sheet-media", args=[sheet.pk, upload.pk])))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [1, 3])
def test_back_reading_queries_do_not_grow(
    rows: int, lead: User, scorer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        make_reading(make_locked(), scorer, *VALUES)
        one = open_(make_reading(make_locked(), scorer, *VALUES), lead)
        make_upload(one.sheet.entry)
    client = signed_in(lead)
    client.get("/scoring/back-reading/")
    with django_assert_num_queries(6):
        client.get("/scoring/back-reading/")
    with django_assert_num_queries(11):
        client.get(f"/scoring/back-reading/{one.pk}/")
