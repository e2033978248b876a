from datetime import datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from candidates.models import User
from icg_cert import rehearsal
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from tests.factories import at, make_cohort, make_cycle

pytestmark = pytest.mark.django_db

NAMES = [
    (None, "Back to today"),
    (at(2026, 11, 1), "Cohort 2026: registration opens"),
    (at(2027, 1, 31, 9), "Cohort 2026: last day to register"),
    (at(2027, 2, 1, 0, 1), "Cohort 2026: registration has closed"),
    (at(2027, 5, 1), "Entries 2027: the window opens"),
    (at(2027, 6, 15, 23), "Entries 2027: the last hour"),
    (at(2027, 6, 16, 0, 31), "Entries 2027: after closing"),
    (at(2027, 10, 31, 9), "Entries 2027: release day"),
]


@pytest.fixture
def year() -> None:
    make_cohort(2026)
    make_cycle(2027)


def _is_now(moment: datetime) -> bool:
    return abs(clock.now() - moment) < timedelta(minutes=1)


@pytest.mark.usefixtures("year")
def test_jumps_name_every_moment_of_every_year_in_order() -> None:
    assert [(jump.to, jump.label) for jump in rehearsal.jumps()] == NAMES


def test_jumps_without_cohorts_lead_back_to_today_alone() -> None:
    assert rehearsal.jumps() == [rehearsal.Jump("today", "Back to today")]


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("jump", range(1, len(NAMES)))
def test_rehearsal_clock_goes_where_it_is_told(client: Client, jump: int) -> None:
    value = rehearsal.jumps()[jump].value
    response = client.post("/rehearsal-clock/", {"to": value, "next": "/policies/"})
    assert (response.status_code, response["Location"]) == (302, "/policies/")
    assert _is_now(NAMES[jump][0])


@pytest.mark.usefixtures("year")
def test_rehearsal_clock_goes_back_to_today(client: Client) -> None:
    today = clock.now()
    client.post("/rehearsal-clock/", {"to": "release-day-2027"})
    assert not _is_now(today)
    client.post("/rehearsal-clock/", {"to": "today"})
    assert _is_now(today)
    assert clock.offset() == timedelta(0)


@pytest.mark.usefixtures("year")
def test_rehearsal_clock_does_what_fell_due_on_the_way(
    client: Client, candidate: User, mailoutbox: list[object]
) -> None:
    Message.objects.create(
        key="later", event="later", to=candidate.email, subject="Later", body_text="Later.", body_html="Later.",
        queued_at=at(2027, 10, 1), next_try_at=at(2027, 10, 1),
    )  # fmt: skip
    client.post("/rehearsal-clock/", {"to": "registration-opens-2026"})
    assert Message.objects.get(key="later").state == Message.State.QUEUED
    client.post("/rehearsal-clock/", {"to": "release-day-2027"})
    assert Message.objects.get(key="later").state == Message.State.SENT


def test_rehearsal_clock_knows_no_other_moments(client: Client) -> None:
    response = client.post("/rehearsal-clock/", {"to": "doomsday"})
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "The clock knows no such moment. Choose one from the list."
    ]
    assert clock.offset() == timedelta(0)


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_rehearsal_clock_leads_nowhere_else(client: Client, path: str) -> None:
    assert client.post("/rehearsal-clock/", {"to": "today", "next": path})["Location"] == "/"


@pytest.mark.parametrize("method", ["get", "post"])
def test_rehearsal_clock_does_not_exist_outside_the_demo(client: Client, settings: object, method: str) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    assert getattr(client, method)("/rehearsal-clock/", {"to": "today"}).status_code == 404


def test_bar_shows_outside_the_demo_nowhere(client: Client, settings: object) -> None:
    assert b"Rehearsal clock" in client.get("/").content
    settings.DEMO = False  # type: ignore[attr-defined]
    assert b"Rehearsal clock" not in client.get("/").content
