from datetime import UTC, date, datetime

import pytest

from candidates import calendar
from candidates.models import Cohort, Cycle, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Window
from tests.factories import MICROSECOND, at, make_cohort, make_cycle, make_programme
from tests.threads import run_at_once

NOW = at(2026, 9, 1, 12)


def test_day_in_takes_the_last_day_for_one_the_month_does_not_have() -> None:
    days = [calendar.day_in(year, "02-29") for year in (2027, 2028)] + [calendar.day_in(2027, "04-31")]
    assert days == [date(2027, 2, 28), date(2028, 2, 29), date(2027, 4, 30)]


def test_open_year_makes_the_cohort_and_its_three_cycles(staff: User) -> None:
    make_programme()
    calendar.open_year(2026, by=staff, at=NOW)
    assert list(
        Cohort.objects.values_list("year", "number", "registration_opens_at", "registration_closes_at", "fee_minor")
    ) == [(2026, 10, at(2026, 11, 1), at(2027, 2, 1), 40000)]
    assert list(Cycle.objects.order_by("year").values_list("year", "opens_at", "closes_at", "releases_at")) == [
        (year, at(year, 5, 1), at(year, 6, 16), at(year, 10, 31, 9)) for year in (2027, 2028, 2029)
    ]


def test_open_year_keeps_the_hours_of_the_wall_over_a_change_of_clocks(staff: User) -> None:
    """Registration opens in summer time and closes in winter time; the release of 31 October is in summer time."""
    make_programme()
    cohort = calendar.open_year(2026, by=staff, at=NOW)
    assert cohort.registration_opens_at.astimezone(UTC) == datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert cohort.registration_closes_at.astimezone(UTC) == datetime(2027, 2, 1, 6, tzinfo=UTC)
    assert Cycle.objects.get(year=2027).releases_at.astimezone(UTC) == datetime(2027, 10, 31, 14, tzinfo=UTC)


def test_open_year_twice_changes_and_records_nothing_more(staff: User) -> None:
    make_programme()
    calendar.open_year(2026, by=staff, at=NOW)
    Cycle.objects.filter(year=2027).update(closes_at=at(2027, 6, 20))
    calendar.open_year(2026, by=staff, at=NOW)
    assert (Cohort.objects.count(), Cycle.objects.count(), Event.objects.count()) == (1, 3, 4)
    assert Cycle.objects.get(year=2027).closes_at == at(2027, 6, 20)


def test_open_year_shares_cycles_with_the_cohorts_before(staff: User) -> None:
    make_programme()
    calendar.open_year(2026, by=staff, at=NOW)
    calendar.open_year(2027, by=staff, at=NOW)
    assert list(Cycle.objects.order_by("year").values_list("year", flat=True)) == [2027, 2028, 2029, 2030]


@pytest.mark.django_db(transaction=True)
def test_open_year_by_two_at_once() -> None:
    make_programme()
    made = run_at_once(lambda: calendar.open_year(2026, by=None, at=NOW).pk, times=2)
    assert len(set(made)) == 1
    assert (Cohort.objects.count(), Cycle.objects.count()) == (1, 3)


@pytest.mark.parametrize(
    ("year", "has_programme", "code"), [(2026, False, "no-programme"), (2016, True, "before-the-first")]
)
def test_open_year_refused(staff: User, year: int, has_programme: bool, code: str) -> None:
    if has_programme:
        make_programme()
    with pytest.raises(Refused) as refused:
        calendar.open_year(year, by=staff, at=NOW)
    assert (refused.value.code, Cohort.objects.count()) == (code, 0)


@pytest.mark.django_db
def test_windows_of_other_calendars() -> None:
    within_a_year = make_programme(registration_first="03-01", registration_last="04-30", release_on="02-29")
    assert calendar.registration_window(within_a_year, 2027) == Window(at(2027, 3, 1), at(2027, 5, 1))
    assert calendar.release_instant(within_a_year, 2027) == at(2028, 2, 29, 9)
    assert calendar.release_instant(within_a_year, 2028) == at(2029, 2, 28, 9)


@pytest.mark.django_db
def test_next_registration_is_a_cohorts_else_the_calendars() -> None:
    assert calendar.next_registration(NOW) is None
    make_programme()
    from_calendar = Window(at(2026, 11, 1), at(2027, 2, 1))
    opens_at = from_calendar.opens_at
    assert calendar.next_registration(opens_at - MICROSECOND) == from_calendar
    assert calendar.next_registration(opens_at) == Window(at(2027, 11, 1), at(2028, 2, 1))
    cohort = make_cohort(2026, registration_opens_at=at(2026, 11, 5))
    assert calendar.next_registration(opens_at) == cohort.window


@pytest.mark.django_db
def test_year_to_open_is_the_one_after_the_newest() -> None:
    assert calendar.year_to_open(NOW) == 2026
    make_cohort(2026)
    make_cycle(2027)
    assert calendar.year_to_open(NOW) == 2027
