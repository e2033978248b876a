from datetime import timedelta
from fractions import Fraction

import pytest

from icg_cert.lib.words import clock_words, day_of, left_words, three_decimals, zone_name
from tests.factories import MICROSECOND, at


@pytest.mark.parametrize(
    ("score", "text"),
    [(Fraction(8, 3), "2.667"), (Fraction(3), "3.000"), (Fraction("19.25"), "19.250"), (Fraction(17, 6), "2.833")],
)
def test_three_decimals(score: Fraction, text: str) -> None:
    assert three_decimals(score) == text


def test_day_of_is_the_day_in_the_programmes_zone() -> None:
    opens_at = at(2026, 11, 1)
    assert [day_of(opens_at - MICROSECOND), day_of(opens_at)] == ["31 October 2026", "1 November 2026"]


@pytest.mark.parametrize(("hour", "words"), [(0, "12:05 a.m."), (12, "12:05 p.m."), (23, "11:05 p.m.")])
def test_clock_words(hour: int, words: str) -> None:
    assert clock_words(at(2026, 11, 1, hour, 5)) == words


def test_zone_name() -> None:
    assert [zone_name("America/Chicago"), zone_name("America/Port_of_Spain")] == ["Central Time", "Port of Spain time"]


def test_left_words() -> None:
    left = [timedelta(days=3, hours=4, minutes=5), timedelta(hours=1), timedelta(seconds=59)]
    assert [left_words(one) for one in left] == ["3 days 4 hours left", "1 hour left", "less than a minute left"]
