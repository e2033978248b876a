from datetime import timedelta
from fractions import Fraction

import pytest

from icg_cert.lib.words import clock_words, day_of, left_words, shown, three_decimals, window_words, zone_name
from tests.factories import MICROSECOND, at


@pytest.mark.parametrize(
    ("score", "text"),
    [(Fraction(8, 3), "2.667"), (Fraction(3), "3.000"), (Fraction("19.25"), "19.250"), (Fraction(17, 6), "2.833")],
)
def test_three_decimals(score: Fraction, text: str) -> None:
    assert three_decimals(score) == text


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Fraction("2.75"), "2.750"),
        (Fraction("2.7495"), "just below 2.750"),
        (Fraction("2.7494"), "2.749"),
        (Fraction("1.7499"), "just below 1.750"),
        (Fraction("2.9999"), "3.000"),
    ],
)
def test_shown_is_never_lifted_to_a_mark(score: Fraction, text: str) -> None:
    assert shown(score, Fraction("1.75"), Fraction("2.75")) == text


def test_window_words_include_both_days() -> None:
    assert window_words(at(2027, 5, 1), at(2027, 6, 16)) == "1 May to 15 June 2027"


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
