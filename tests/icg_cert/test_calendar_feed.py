from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from candidates.models import Cohort, Cycle
from icg_cert import calendar_feed
from tests.factories import at, make_cohort, make_cycle

pytestmark = pytest.mark.django_db

NOW = at(2026, 11, 23)


def _feed(now: datetime = NOW) -> Calendar:
    return Calendar.from_ical(
        calendar_feed.feed(Cohort.objects.order_by("year"), Cycle.objects.order_by("year"), at=now)
    )


def _told(event: Any) -> tuple[Any, ...]:
    return str(event["uid"]), str(event["summary"]), event.decoded("dtstart"), event.decoded("dtend")


def test_feed_holds_each_date_once_under_a_stable_name() -> None:
    make_cohort(2026)
    make_cycle(2027)
    assert [_told(event) for event in _feed().walk("VEVENT")] == [
        (
            "registration-2026@localhost",
            "Registration is open: coach certification 2026",
            date(2026, 11, 1),
            date(2027, 2, 1),
        ),
        (
            "registration-last-2026@localhost",
            "Last day to register: coach certification 2026",
            date(2027, 1, 31),
            date(2027, 2, 1),
        ),
        (
            "submission-2027@localhost",
            "Submission window 2027: coach certification",
            date(2027, 5, 1),
            date(2027, 6, 16),
        ),
        (
            "submission-last-2027@localhost",
            "Last day to submit entries 2027: coach certification",
            date(2027, 6, 15),
            date(2027, 6, 16),
        ),
        (
            "release-2027@localhost",
            "Scores 2027 are released: coach certification",
            at(2027, 10, 31, 9),
            at(2027, 10, 31, 9, 30),
        ),
    ]


def test_feed_reminds_of_last_days_thirty_seven_and_one_day_before() -> None:
    make_cohort(2026)
    reminders = {
        str(event["uid"]): [alarm.decoded("trigger").days for alarm in event.walk("VALARM")]
        for event in _feed().walk("VEVENT")
    }
    assert reminders == {"registration-2026@localhost": [], "registration-last-2026@localhost": [-30, -7, -1]}


def test_feed_names_a_zone_it_also_defines() -> None:
    make_cycle(2027)
    feed = _feed()
    assert str(feed["x-wr-timezone"]) == "America/Chicago"
    assert [str(zone["tzid"]) for zone in feed.walk("VTIMEZONE")] == ["America/Chicago"]


def test_feed_keeps_the_name_of_an_event_that_moved() -> None:
    cycle = make_cycle(2027)
    before = [str(event["uid"]) for event in _feed().walk("VEVENT")]
    Cycle.objects.filter(pk=cycle.pk).update(releases_at=at(2027, 11, 2, 9))
    assert [str(event["uid"]) for event in _feed().walk("VEVENT")] == before


@pytest.mark.parametrize("years", [[], [2026], [2024, 2025, 2026]])
def test_calendar_serves_none_one_and_many(client: Client, years: list[int]) -> None:
    for year in years:
        make_cohort(year)
        make_cycle(year + 1)
    response = client.get("/calendar.ics")
    assert (response.status_code, response["Content-Type"]) == (200, "text/calendar")
    assert len(Calendar.from_ical(response.content).walk("VEVENT")) == 5 * len(years)
