"""What `{% load look %}` says. Whole values: these words stand on every page."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.template import Context, Template, TemplateSyntaxError

from icg_cert.lib.money import Money
from icg_cert.templatetags import look


def say(source: str, *, zone: str = "America/Chicago", **values: Any) -> str:
    """What the tag shows to a reader in `zone`, without its elements."""
    values.setdefault("user", SimpleNamespace(time_zone=zone))
    markup = Template("{% load look %}" + source).render(Context(values))
    return " ".join(BeautifulSoup(markup, "html.parser").get_text().split())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        (utc(2027, 6, 16, 4, 59), "America/Chicago", "15 June 2027, 11:59 p.m. Central Time"),
        (utc(2027, 6, 15, 5, 0), "America/Chicago", "15 June 2027, 12:00 a.m. Central Time"),
        (utc(2027, 6, 15, 17, 5), "America/Chicago", "15 June 2027, 12:05 p.m. Central Time"),
        (
            utc(2027, 1, 15, 18, 0),
            "America/Denver",
            "15 January 2027, 12:00 p.m. Central Time (11:00 a.m. Mountain Time)",
        ),
        # The same winter instant and the same summer instant, an hour apart on the programme's clock.
        (utc(2027, 3, 14, 7, 59), "UTC", "14 March 2027, 1:59 a.m. Central Time (7:59 a.m. UTC)"),
        (utc(2027, 3, 14, 8, 0), "UTC", "14 March 2027, 3:00 a.m. Central Time (8:00 a.m. UTC)"),
        # 1:30 a.m. happens twice on 7 November 2027; the reader's zone tells the two apart.
        (utc(2027, 11, 7, 6, 30), "UTC", "7 November 2027, 1:30 a.m. Central Time (6:30 a.m. UTC)"),
        (utc(2027, 11, 7, 7, 30), "UTC", "7 November 2027, 1:30 a.m. Central Time (7:30 a.m. UTC)"),
        # Berlin is six hours ahead in the weeks when only one of the two has changed its clocks.
        (utc(2027, 3, 20, 17, 0), "Europe/Berlin", "20 March 2027, 12:00 p.m. Central Time (6:00 p.m. Berlin time)"),
        (
            utc(2027, 6, 16, 4, 59),
            "Asia/Tokyo",
            "15 June 2027, 11:59 p.m. Central Time (16 June 2027, 1:59 p.m. Tokyo time)",
        ),
        # Winnipeg keeps the programme's time under another name: nothing to add.
        (utc(2027, 6, 16, 4, 59), "America/Winnipeg", "15 June 2027, 11:59 p.m. Central Time"),
        # Phoenix knows no summer time: the same as Denver in winter only.
        (utc(2027, 7, 1, 18, 0), "America/Phoenix", "1 July 2027, 1:00 p.m. Central Time (11:00 a.m. Arizona time)"),
    ],
)
def test_instant_in_both_zones(moment: datetime, zone: str, words: str) -> None:
    assert say("{% instant moment %}", moment=moment, zone=zone) == words
    assert say("{% instant moment plain=True %}", moment=moment, zone=zone) == words


@pytest.mark.parametrize(
    ("closes_at", "zone", "words"),
    [
        (utc(2027, 6, 16, 5), "America/Chicago", "15 June 2027, until midnight Central Time"),
        (
            utc(2027, 6, 16, 5),
            "America/New_York",
            "15 June 2027, until midnight Central Time (16 June 2027, 1:00 a.m. Eastern Time)",
        ),
        (utc(2027, 6, 16, 5), "America/Denver", "15 June 2027, until midnight Central Time (11:00 p.m. Mountain Time)"),
        (utc(2027, 2, 1, 6), "America/Chicago", "31 January 2027, until midnight Central Time"),
        (utc(2027, 6, 20, 22), "America/Chicago", "20 June 2027, until 5:00 p.m. Central Time"),
    ],
)
def test_last_moment_is_the_last_day_one_can_act(closes_at: datetime, zone: str, words: str) -> None:
    assert say("{% last_moment closes_at %}", closes_at=closes_at, zone=zone) == words


@pytest.mark.parametrize(
    ("closes_at", "zone", "words"),
    [
        (utc(2027, 6, 16, 5), "America/Chicago", "the end of 15 June 2027, Central Time"),
        (utc(2027, 6, 16, 5), "America/Denver", "the end of 15 June 2027, Central Time (11:00 p.m. Mountain Time)"),
        (
            utc(2027, 6, 16, 5),
            "Europe/Berlin",
            "the end of 15 June 2027, Central Time (16 June 2027, 7:00 a.m. Berlin time)",
        ),
        (utc(2027, 6, 20, 22), "America/Chicago", "5:00 p.m. on 20 June 2027, Central Time"),
    ],
)
def test_end_of_is_said_within_a_sentence(closes_at: datetime, zone: str, words: str) -> None:
    assert say("{% end_of closes_at %}", closes_at=closes_at, zone=zone) == words


def test_instant_markup_leaves_the_browsers_zone_to_the_script_when_the_reader_never_said_theirs() -> None:
    values = {"moment": utc(2027, 6, 16, 4, 59), "user": SimpleNamespace(time_zone="")}
    assert Template("{% load look %}{% instant moment %}").render(Context(values)) == (
        '<span class="instant" data-shown="2027-06-15"><time datetime="2027-06-15T23:59:00-05:00">'
        '15 June 2027, 11:59 p.m. Central Time</time><span class="instant-reader"></span></span>'
    )


def test_instant_asks_the_request_for_its_reader_before_the_context() -> None:
    request = SimpleNamespace(user=SimpleNamespace(time_zone="Asia/Tokyo"), at=utc(2027, 1, 1))
    words = say("{% instant moment plain=True %}", moment=utc(2027, 6, 15, 17), request=request)
    assert words == "15 June 2027, 12:00 p.m. Central Time (16 June 2027, 2:00 a.m. Tokyo time)"


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (WEEK, ""),
        (WEEK - timedelta(microseconds=1), " · 6 days 23 hours left"),
        (timedelta(days=1), " · 1 day left"),
        (timedelta(hours=23, minutes=59), " · 23 hours 59 minutes left"),
        (timedelta(hours=1), " · 1 hour left"),
        (timedelta(seconds=59), " · less than a minute left"),
        (timedelta(microseconds=1), " · less than a minute left"),
        (timedelta(0), ""),
        (timedelta(seconds=-1), ""),
    ],
)
def test_countdown_is_told_under_a_week_and_never_after(left: timedelta, words: str) -> None:
    closes_at = utc(2027, 6, 16, 5)
    said = say("{% last_moment closes_at countdown=True %}", closes_at=closes_at, at=closes_at - left)
    assert said == f"15 June 2027, until midnight Central Time{words.replace(' ·', '')}"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (utc(2027, 6, 16, 4, 59, 59), "15 June 2027"),
        (utc(2027, 6, 16, 5), "16 June 2027"),
        (date(2027, 10, 31), "31 October 2027"),
    ],
)
def test_day_is_the_programmes(moment: datetime | date, words: str) -> None:
    assert say("{% day moment %}", moment=moment) == words
    assert say("{% day moment plain=True %}", moment=moment) == words


@pytest.mark.parametrize(
    ("opens_at", "closes_at", "words"),
    [
        (utc(2027, 5, 1, 5), utc(2027, 6, 16, 5), "1 May to 15 June 2027"),
        (utc(2026, 11, 1, 5), utc(2027, 2, 1, 6), "1 November 2026 to 31 January 2027"),
        (utc(2027, 5, 1, 5), utc(2027, 5, 9, 5), "1 to 8 May 2027"),
        (utc(2027, 5, 1, 5), utc(2027, 5, 2, 5), "1 May 2027"),
    ],
)
def test_days_include_both_ends(opens_at: datetime, closes_at: datetime, words: str) -> None:
    assert say("{% days opens_at closes_at %}", opens_at=opens_at, closes_at=closes_at) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Fraction(11, 4), "2.750"),
        (Decimal("2.75"), "2.750"),
        (3, "3.000"),
        (Fraction(17, 6), "2.833"),
        (Fraction(8, 3), "2.667"),
        (Fraction(22495, 10000), "2.250"),  # 2.2495: half goes up
        (Fraction(22505, 10000), "2.251"),  # 2.2505: always
        (Fraction(27499999, 10000000), "2.750"),  # shown like the threshold, below it all the same
        (Fraction(-1, 4), "-0.250"),
        (0, "0.000"),
        (None, ""),
    ],
)
def test_score_shows_three_decimals(value: Any, words: str) -> None:
    assert look.score(value) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Money(40000), "$400.00 USD"),
        (Money(1), "$0.01 USD"),
        (Money(-123456789), "-$1,234,567.89 USD"),
        (None, ""),
    ],
)
def test_money_always_names_its_currency(amount: Money | None, words: str) -> None:
    assert look.money(amount) == words


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Fraction(3, 4), "0.00%"),
        (Fraction(7, 4), "28.57%"),
        (Fraction(11, 4), "57.14%"),
        (Fraction(17, 4), "100.00%"),
        (Fraction(0), "0.00%"),
        (Decimal("9"), "100.00%"),
    ],
)
def test_on_scale_runs_from_the_lowest_to_the_highest_value(value: Any, place: str) -> None:
    assert look.on_scale(value) == place


@pytest.mark.parametrize(
    ("value", "tone"),
    [
        (Fraction(11, 4), "chart-fill"),
        (Fraction(11, 4) - Fraction(1, 10**9), "chart-fill chart-fill-low"),
        (Fraction(7, 4), "chart-fill chart-fill-low"),
        (Fraction(7, 4) - Fraction(1, 10**9), "chart-fill chart-fill-bad"),
    ],
)
def test_score_bar_compares_exact_values(value: Fraction, tone: str) -> None:
    markup = Template("{% load look %}{% score_bar value %}").render(Context({"value": value}))
    soup = BeautifulSoup(markup, "html.parser")
    assert [" ".join(rect["class"]) for rect in soup.find_all("rect")] == ["chart-track", tone]
    assert "style=" not in markup


def test_factor_chart_says_in_its_table_what_it_draws() -> None:
    rows = [{"name": "1 The Impact Cycle", "value": Fraction(17, 6)}, {"name": "2 Playbook", "value": None}]
    markup = Template("{% load look %}{% factor_chart rows %}").render(Context({"rows": rows}))
    soup = BeautifulSoup(markup, "html.parser")
    table = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.tbody.find_all("tr")]
    assert table == [["1 The Impact Cycle", "2.833"], ["2 Playbook", "no score yet"]]
    assert [text.get_text() for text in soup.find_all("text")] == [
        "1 The Impact Cycle",
        "2.833",
        "2 Playbook",
        "no score yet",
        "0.75",
        "floor 1.75",
        "threshold 2.75",
        "4.25",
    ]


def test_charts_never_lift_a_score_to_a_mark_it_misses() -> None:
    """Rounded to three decimals it would read 2.750."""
    rows = [{"name": "1 The Impact Cycle", "value": Fraction("2.7499")}]
    source = "{% load look %}{% score_bar rows.0.value %}{% factor_chart rows %}"
    markup = Template(source).render(Context({"rows": rows}))
    soup = BeautifulSoup(markup, "html.parser")
    words = [soup.find(class_=name).get_text() for name in ("score-value", "chart-value")] + [soup.td.get_text()]
    assert words == ["just below 2.750"] * 3
    assert [" ".join(rect["class"]) for rect in soup.find_all("rect")][1::2] == ["chart-fill chart-fill-low"] * 2


def test_state_is_a_word_with_a_shape_and_escapes_it() -> None:
    assert look.state("Ready & well", "good") == '<span class="state state-good">Ready &amp; well</span>'
    with pytest.raises(TemplateSyntaxError):
        look.state("Ready", "green")


@pytest.mark.parametrize("chosen", [Decimal("2.75"), "2.75"])
def test_shades_are_the_three_values_of_a_level(chosen: Any) -> None:
    assert look.shades(3, chosen) == [
        look.Shade("2.75", "minus", True),
        look.Shade("3.00", "plain", False),
        look.Shade("3.25", "plus", False),
    ]


def test_shades_of_all_levels_are_the_twelve_values() -> None:
    assert [shade.value for level in (1, 2, 3, 4) for shade in look.shades(level)] == [
        "0.75", "1.00", "1.25", "1.75", "2.00", "2.25", "2.75", "3.00", "3.25", "3.75", "4.00", "4.25",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (84_213, "84 KB"),
        (25_000_000, "25 MB"),
        (1_240_000_000, "1.2 GB"),
    ],
)
def test_file_size(size: int, words: str) -> None:
    assert look.file_size(size) == words
