"""The programme's dates for people's own calendars (RFC 5545).

Announced days are all-day events, since they are days in the programme's zone; the release is an instant with its
zone. An event keeps its UID when staff move its date, so that a calendar that subscribed moves it, too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import Alarm, Calendar, Event

from candidates.models import Cohort, Cycle

REMIND_BEFORE = [timedelta(days=30), timedelta(days=7), timedelta(days=1)]


def feed(cohorts: Iterable[Cohort], cycles: Iterable[Cycle], *, at: datetime) -> bytes:
    """Registration windows, submission windows, their last days (with reminders) and releases, oldest first."""
    calendar = Calendar()
    calendar.add("prodid", "-//Instructional Coaching Group//Coach Certification//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "ICG Coach Certification")
    calendar.add("x-wr-timezone", settings.TIME_ZONE)
    for event in [*_of_cohorts(cohorts, at), *_of_cycles(cycles, at)]:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    ical: bytes = calendar.to_ical()
    return ical


def _of_cohorts(cohorts: Iterable[Cohort], at: datetime) -> Iterable[Event]:
    for cohort in cohorts:
        window = f"Registration is open: coach certification {cohort.year}"
        last = f"Last day to register: coach certification {cohort.year}"
        yield _days(f"registration-{cohort.year}", window, cohort.registration_opens_at, cohort.last_day, "/", at)
        yield _last_day(f"registration-last-{cohort.year}", last, cohort.last_day, "/register/", at)


def _of_cycles(cycles: Iterable[Cycle], at: datetime) -> Iterable[Event]:
    for cycle in cycles:
        window = f"Submission window {cycle.year}: coach certification"
        last = f"Last day to submit entries {cycle.year}: coach certification"
        yield _days(f"submission-{cycle.year}", window, cycle.opens_at, cycle.last_day, "/process/submit/", at)
        yield _last_day(f"submission-last-{cycle.year}", last, cycle.last_day, "/entries/", at)
        yield _release(cycle, at)


def _event(uid: str, summary: str, path: str, at: datetime, **fields: Any) -> Event:
    event = Event()
    event.add("uid", f"{uid}@{settings.MAIL_DOMAIN}")
    event.add("dtstamp", at.astimezone(ZoneInfo("UTC")))
    event.add("summary", summary)
    event.add("url", f"{settings.BASE_URL}{path}")
    event.add("transp", "TRANSPARENT")
    for name, value in fields.items():
        event.add(name, value)
    return event


def _days(uid: str, summary: str, opens_at: datetime, last: Any, path: str, at: datetime) -> Event:
    first = opens_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return _event(uid, summary, path, at, dtstart=first, dtend=last + timedelta(days=1))


def _last_day(uid: str, summary: str, last: Any, path: str, at: datetime) -> Event:
    midnight = f"Until midnight, {settings.TIME_ZONE.rpartition('/')[2].replace('_', ' ')} time."
    event = _event(uid, summary, path, at, dtstart=last, dtend=last + timedelta(days=1), description=midnight)
    for before in REMIND_BEFORE:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", summary)
        alarm.add("trigger", -before)
        event.add_component(alarm)
    return event


def _release(cycle: Cycle, at: datetime) -> Event:
    starts = cycle.releases_at.astimezone(ZoneInfo(settings.TIME_ZONE))
    summary = f"Scores {cycle.year} are released: coach certification"
    return _event(
        f"release-{cycle.year}", summary, "/results/", at, dtstart=starts, dtend=starts + timedelta(minutes=30)
    )
