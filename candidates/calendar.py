"""A year's cohort and cycles, made from the programme's calendar.

The programme announces days ("1 November to 31 January"); they become half-open windows in `settings.TIME_ZONE`, so
that a change of the clocks in between moves nothing on the wall.
"""

from calendar import monthrange
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from candidates import announced
from candidates.models import Cohort, Cycle, Programme, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase, Window, whole_days


def day_in(year: int, month_day: str) -> date:
    """The day "MM-DD" of a year. A day its month does not have, as 29 February mostly, is the month's last."""
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))


def registration_window(programme: Programme, year: int) -> Window:
    """When the cohort of `year` registers; past New Year when the calendar's last day comes before its first."""
    return _whole_days(year, programme.registration_first, programme.registration_last)


def submission_window(programme: Programme, year: int) -> Window:
    return _whole_days(year, programme.submission_first, programme.submission_last)


def release_instant(programme: Programme, year: int) -> datetime:
    """When the scores of the cycle of `year` are announced: the next such day after its submission window."""
    closes_at = submission_window(programme, year).closes_at
    hour = time(programme.release_hour, tzinfo=ZoneInfo(settings.TIME_ZONE))
    this_year = datetime.combine(day_in(year, programme.release_on), hour)
    return this_year if this_year > closes_at else datetime.combine(day_in(year + 1, programme.release_on), hour)


def _whole_days(year: int, first: str, last: str) -> Window:
    last_year = year + 1 if last < first else year
    return whole_days(day_in(year, first), day_in(last_year, last), settings.TIME_ZONE)


@transaction.atomic
def open_year(year: int, *, by: User | None, at: datetime) -> Cohort:
    """Make the cohort of `year` and its three cycles where they are missing. What is there stays as it is.

    Refused "no-programme" before the programme is loaded, "before-the-first" for a year before cohort 1.
    """
    programme = Programme.objects.select_for_update().first()
    if programme is None:
        raise Refused("no-programme", "There is no programme yet. Load it with `manage.py load_programme` first.")
    if year < programme.first_cohort_year:
        raise Refused("before-the-first", f"Cohort 1 registered in {programme.first_cohort_year}. Take a later year.")
    cohort = _cohort(programme, year, by=by, at=at)
    for cycle_year in cohort.cycle_years:
        _cycle(programme, cycle_year, by=by, at=at)
    return cohort


def _cohort(programme: Programme, year: int, *, by: User | None, at: datetime) -> Cohort:
    window = registration_window(programme, year)
    cohort, is_new = Cohort.objects.get_or_create(
        year=year,
        defaults={
            "number": year - programme.first_cohort_year + 1,
            "registration_opens_at": window.opens_at,
            "registration_closes_at": window.closes_at,
            "fee_minor": programme.fee_minor,
            "currency": programme.currency,
        },
    )
    if is_new:
        trail.record("calendar.open_year", cohort, by=by, at=at, after=_days(window))
    return cohort


def _cycle(programme: Programme, year: int, *, by: User | None, at: datetime) -> Cycle:
    window = submission_window(programme, year)
    cycle, is_new = Cycle.objects.get_or_create(
        year=year,
        defaults={
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
            "grace_minutes": programme.grace_minutes,
            "releases_at": release_instant(programme, year),
        },
    )
    if is_new:
        trail.record("calendar.open_year", cycle, by=by, at=at, after=_days(window))
    return cycle


def _days(window: Window) -> dict[str, str]:
    return {"opens_at": window.opens_at.isoformat(), "closes_at": window.closes_at.isoformat()}


def year_to_open(at: datetime) -> int:
    """The year staff most likely want next: after the newest cohort, or this one in the programme's zone."""
    newest = Cohort.objects.order_by("-year").values_list("year", flat=True).first()
    return newest + 1 if newest else at.astimezone(ZoneInfo(settings.TIME_ZONE)).year


def next_registration(at: datetime) -> Window | None:
    """The next window that opens after `at`: of a cohort, else where the calendar has one; None without either."""
    cohort = announced.next_cohort(at)
    if cohort:
        return cohort.window
    programme = announced.programme()
    if programme is None:
        return None
    year = at.astimezone(ZoneInfo(settings.TIME_ZONE)).year
    windows = [registration_window(programme, year + ahead) for ahead in (0, 1)]
    return next(window for window in windows if window.phase(at) == Phase.BEFORE)
