from datetime import UTC, date, datetime

import pytest

from icg_cert.lib.windows import Phase, Window, last_day, start_of, whole_days
from tests.factories import MICROSECOND, ZONE, at

SUBMISSION = whole_days(date(2027, 5, 1), date(2027, 6, 15), ZONE)


def test_whole_days_include_both_days_in_the_zone() -> None:
    assert Window(at(2027, 5, 1), at(2027, 6, 16)) == SUBMISSION
    assert SUBMISSION.opens_at.astimezone(UTC) == datetime(2027, 5, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "phase"),
    [
        (SUBMISSION.opens_at - MICROSECOND, Phase.BEFORE),
        (SUBMISSION.opens_at, Phase.OPEN),
        (SUBMISSION.closes_at - MICROSECOND, Phase.OPEN),
        (SUBMISSION.closes_at, Phase.AFTER),
        (SUBMISSION.closes_at + MICROSECOND, Phase.AFTER),
    ],
)
def test_window_is_half_open(instant: datetime, phase: Phase) -> None:
    assert SUBMISSION.phase(instant) == phase
    assert SUBMISSION.contains(instant) == (phase == Phase.OPEN)


def test_window_over_the_clock_change_has_the_hours_of_the_wall() -> None:
    spring = whole_days(date(2027, 3, 14), date(2027, 3, 14), ZONE)
    autumn = whole_days(date(2027, 11, 7), date(2027, 11, 7), ZONE)
    hours = [
        (day.closes_at.astimezone(UTC) - day.opens_at.astimezone(UTC)).total_seconds() / 3600
        for day in (spring, autumn)
    ]
    assert hours == [23, 25]


def test_leap_day_is_a_day() -> None:
    assert whole_days(date(2028, 2, 29), date(2028, 2, 29), ZONE) == Window(at(2028, 2, 29), at(2028, 3, 1))


def test_last_day_is_the_announced_one() -> None:
    assert last_day(SUBMISSION.closes_at, ZONE) == date(2027, 6, 15)
    assert last_day(start_of(date(2027, 2, 1), ZONE), ZONE) == date(2027, 1, 31)
