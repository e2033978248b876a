"""The page of agreement: its words and charts, what it does not say of few pairs, and the file of pairs."""

from fractions import Fraction
from itertools import cycle as again
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.template import Context, Template
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from candidates.models import User
from icg_cert.lib import clock
from scoring.agreement import Severity, agreement
from scoring.models import Criterion, Rubric
from scoring.templatetags import agreement as tags
from tests.factories import (
    at,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_user,
)

PAGE = "/scoring/agreement/"
LOW, HIGH = ("2.00", "2.25", "1.75"), ("3.00", "3.25", "2.75")


@pytest.fixture(autouse=True)
def scoring_time(db: None) -> None:
    make_policy()
    clock.jump_to(at(2027, 7, 1, 9))


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page_of(person: User, url: str = PAGE, status: int = 200) -> BeautifulSoup:
    response = signed_in(person).get(url)
    assert response.status_code == status
    return BeautifulSoup(response.content, "html.parser")


def texts(page: Any, selector: str) -> list[str]:
    return [" ".join(tag.get_text(" ").split()) for tag in page.select(selector)]


def rows(page: BeautifulSoup, section: str) -> list[list[str]]:
    return [texts(row, "th, td") for row in page.select(f"[role=region][aria-labelledby={section}] tbody tr")]


def twice(one: User, other: User, first: tuple[str, ...], second: tuple[str, ...], factor: int = 1) -> None:
    entry = make_locked(factor=factor)
    make_reading(entry, one, *first)
    make_reading(entry, other, *second, role="second")


def ten_entries(one: User, other: User) -> None:
    """Half of them low for both. Of the others the second reader gives a quarter less in one criterion."""
    for first in [LOW, HIGH] * 5:
        twice(one, other, first, LOW if first == LOW else ("2.75", "3.25", "2.75"))


def test_page_of_ten_entries(scorer: User, other_scorer: User, lead: User) -> None:
    """Five squares of a quarter in 30 pairs, 8.833 expected by chance: kappa is 1 - 0.167 / 8.833."""
    ten_entries(scorer, other_scorer)
    page = page_of(lead)
    assert texts(page, "h1, .lead") == [
        "How well scorers agree: 2027",
        "Two readers gave the same level in 30 of 30 pairs, and lay at most one level apart in 30.",
    ]
    assert texts(page, ".figures > div") == [
        "Same level 100 %",
        "Same value of the twelve 83 %",
        "Kappa: almost perfect 0.981",
        "Alpha, ordinal: reliable 0.972",
    ]
    line = ["30", "", "30 100 %", "30 100 %", "25 83 %", "30 100 %", "0.981 almost perfect", "0.972 reliable", "0.981"]
    assert rows(page, "factors") == [["1. Factor 1", *line]]
    assert rows(page, "scorers") == [
        [f"Sol Sato no. {scorer.pk}", *line],
        [f"Tia Torres no. {other_scorer.pk}", *line],
    ]
    assert [row[:2] for row in rows(page, "criteria")] == [[f"1. Criterion {n}", "10"] for n in (1, 2, 3)]


def test_page_says_who_gives_more(scorer: User, other_scorer: User, lead: User) -> None:
    """Half the entries a twelfth apart: the mean is 1/24, the margin t(9) s / sqrt(10) = 2.262 * 1/24 / 3."""
    ten_entries(scorer, other_scorer)
    assert rows(page_of(lead), "severity") == [
        ["Sol Sato", "10", "+0.042 +0.010 to +0.073", "", "gives more", "0", ""],
        ["Tia Torres", "10", "−0.042 −0.073 to −0.010", "", "gives less", "0", ""],
    ]


def test_page_shows_level_against_level(scorer: User, other_scorer: User, staff: User) -> None:
    twice(scorer, other_scorer, ("1.00", "3.00", "3.00"), ("2.00", "3.00", "4.00"))
    page = page_of(staff)
    table = page.select_one(".heat-map")
    assert table is not None
    assert [texts(row, "th, td") for row in table.select("tbody tr")] == [
        ["Level 1", "0", "1", "0", "0"],
        ["Level 2", "0", "0", "0", "0"],
        ["Level 3", "0", "0", "1", "1"],
        ["Level 4", "0", "0", "0", "0"],
    ]
    assert texts(page, ".heat-same") == ["0", "0", "1", "0"]
    assert texts(page, ".heat-4") == ["1", "1", "1"]


def test_page_draws_no_conclusion_from_few(scorer: User, other_scorer: User, staff: User) -> None:
    for _ in range(3):
        twice(scorer, other_scorer, HIGH, LOW)
    page = page_of(staff)
    assert texts(page, ".figures > div")[2:] == ["Kappa and alpha Too few pairs to say"]
    assert rows(page, "factors") == [
        ["1. Factor 1", "9", "", "0 0 %", "9 100 %", "0 0 %", "0 0 %", "too few pairs to say"]
    ]
    assert [row[1:5] for row in rows(page, "severity")] == [
        ["3", "+1.000 +1.000 to +1.000", "", "too few entries to say"],
        ["3", "−1.000 −1.000 to −1.000", "", "too few entries to say"],
    ]
    assert page.select(".severity-bar") == []


def test_page_has_no_coefficient_where_all_is_the_same(scorer: User, other_scorer: User, staff: User) -> None:
    for _ in range(4):
        twice(scorer, other_scorer, ("3.00",) * 3, ("3.00",) * 3)
    page = page_of(staff)
    assert texts(page, ".figures > div")[2:] == ["Kappa and alpha Every value is the same"]
    assert rows(page, "factors")[0][-1] == "nothing to say: every value is the same"


def test_page_before_anything_is_read_twice(staff: User, lead: User) -> None:
    assert texts(page_of(lead), ".empty h2") == ["No cycle yet"]
    make_cycle()
    assert texts(page_of(staff), ".empty h2") == ["Nothing to compare yet"]


def test_page_of_a_year(staff: User, scorer: User, other_scorer: User) -> None:
    make_cycle(2027), make_cycle(2028)
    twice(scorer, other_scorer, HIGH, LOW)
    assert texts(page_of(staff, f"{PAGE}2028/"), "h1, .empty h2") == [
        "How well scorers agree: 2028", "Nothing to compare yet",
    ]  # fmt: skip
    assert texts(page_of(staff, f"{PAGE}2027/"), "nav[aria-label=Cycles] [aria-current]") == ["2027"]
    page_of(staff, f"{PAGE}1999/", 404)
    page_of(staff, f"{PAGE}1999/pairs.csv", 404)
    page_of(staff, f"{PAGE}{'9' * 30}/", 404)
    page_of(staff, f"{PAGE}{'9' * 30}/pairs.csv", 404)


def test_page_tells_who_is_to_decide_what_is_kept_back(scorer: User, other_scorer: User, lead: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, other_scorer, "4.00", "4.00", "4.00", role="second")
    make_reading(entry, lead, role="adjudication")
    page = page_of(lead)
    assert texts(page, ".notice, .empty h2") == [
        "1 entry waits for your adjudication. What the two readers gave stays out of everything you see here until "
        "you have decided.",
        "Nothing to compare yet",
    ]


def test_page_names_scorers_and_no_candidate(scorer: User, other_scorer: User, lead: User) -> None:
    registration = make_registration(make_user("Quenelle Zwiebel"), code="BCDF2345", district="Umbrella District")
    entry = make_locked(registration)
    make_reading(entry, scorer, *HIGH)
    make_reading(entry, other_scorer, *HIGH, role="second")
    said = page_of(lead).get_text()
    assert ("Sol Sato" in said, "Tia Torres" in said) == (True, True)
    told = signed_in(lead).get(f"{PAGE}2027/pairs.csv").getvalue().decode()  # type: ignore[attr-defined]
    secrets = ("Quenelle", "Zwiebel", "Umbrella", "Lakeside", "person", "BCDF2345")
    assert [word for word in secrets if word in said] == []
    assert [word for word in secrets if word in told] == ["BCDF2345"]


def test_page_explains_its_words_from_the_marks(scorer: User, other_scorer: User, staff: User) -> None:
    twice(scorer, other_scorer, HIGH, LOW)
    said = " ".join(page_of(staff).get_text(" ").split())
    assert "above 0.80 almost perfect, above 0.60 substantial, above 0.40 moderate, above 0.20 fair, above 0.00" in said
    assert "to rely on 0.800 and more, and to draw tentative conclusions only from 0.667 on" in said
    assert "Below 10 pairs, or entries," in said


def test_board_leads_to_the_page(lead: User, scorer: User) -> None:
    make_reading(make_locked(), scorer, *HIGH)
    links = page_of(lead, "/scoring/board/").select(f"a[href='{PAGE}2027/']")
    assert [link.get_text() for link in links] == ["How well scorers agree"]


@pytest.mark.parametrize("count", [1, 3])
def test_page_queries_do_not_grow(count: int, staff: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for n in range(count):
        twice(make_scorer(), make_scorer(), HIGH, LOW, factor=n + 1)
    client = signed_in(staff)
    client.get(PAGE)  # reads what is kept in memory
    with django_assert_num_queries(9):
        client.get(PAGE)
    with django_assert_num_queries(7):
        client.get(f"{PAGE}2027/pairs.csv").getvalue()  # type: ignore[attr-defined]


# ---- The file


def test_file_of_pairs(scorer: User, other_scorer: User, staff: User) -> None:
    twice(scorer, other_scorer, ("3.00", "2.75", "4.25"), ("3.00", "3.00", "3.75"))
    [code] = make_cycle().entries.values_list("registration__code", flat=True)
    response = signed_in(staff).get(f"{PAGE}2027/pairs.csv")
    assert response.streaming
    assert response["Content-Disposition"] == 'attachment; filename="pairs-2027.csv"'
    assert response.getvalue().decode().splitlines() == [  # type: ignore[attr-defined]
        "candidate,factor,criterion,first scorer,second scorer,first,second",
        f"{code},1,Criterion 1,{scorer.pk},{other_scorer.pk},3.00,3.00",
        f"{code},1,Criterion 2,{scorer.pk},{other_scorer.pk},2.75,3.00",
        f"{code},1,Criterion 3,{scorer.pk},{other_scorer.pk},4.25,3.75",
    ]


def test_file_holds_no_formula(scorer: User, other_scorer: User, staff: User) -> None:
    rubric = Rubric.objects.create(factor=make_factor(), version=1, content_hash="0" * 64)
    Criterion.objects.create(rubric=rubric, position=1, name='=cmd|" /C calc"!A0', question="?")
    twice(scorer, other_scorer, ("3.00",), ("3.00",))
    lines = signed_in(staff).get(f"{PAGE}2027/pairs.csv").getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1].split(",")[2] == '"\'=cmd|"" /C calc""!A0"'


def test_file_without_a_policy_says_what_to_do(staff: User) -> None:
    make_cycle()
    make_policy().delete()
    assert "There is no scoring policy yet" in page_of(staff, f"{PAGE}2027/pairs.csv", 409).get_text()


# ---- Words and charts


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 0, ""), (0, 7, "0 %"), (7, 7, "100 %"), (1, 200, "1 %"), (1, 201, "0 %"), (2, 3, "67 %")],
)
def test_percent_of_rounds_halves_up(part: int, whole: int, words: str) -> None:
    assert tags.percent_of(part, whole) == words


@pytest.mark.parametrize(
    ("points", "words"),
    [(None, ""), ("0", "0.000"), ("1/8", "+0.125"), ("-1/4", "−0.250"), ("-1/3000", "0.000"), ("-1/2000", "−0.001")],
)
def test_signed_has_a_sign_unless_it_prints_as_zero(points: str | None, words: str) -> None:
    assert tags.signed(None if points is None else Fraction(points)) == words


def drawn(tag: str, **context: Any) -> list[tuple[str, str, str]]:
    html = Template("{% load agreement %}" + tag).render(Context(context))
    shapes = BeautifulSoup(html, "html.parser").select("rect:not(.chart-track), line:not(.chart-mark-floor)")
    return [(str(one.name), str(one.get("x") or one["x1"]), str(one.get("width") or one["x2"])) for one in shapes]


def test_levels_bar_is_as_long_as_its_parts() -> None:
    """Three of the same level, two one apart, one further: halves, thirds and a sixth."""
    found = agreement({(12, 12): 3, (12, 16): 2, (12, 4): 1})
    assert drawn("{% levels_bar one %}", one=found) == [
        ("rect", "0.00%", "50.00%"), ("rect", "50.00%", "33.33%"), ("rect", "83.33%", "16.67%"),
    ]  # fmt: skip
    assert drawn("{% levels_bar one %}", one=agreement({})) == []
    assert drawn("{% levels_bar one %}", one=agreement({(12, 4): 1})) == [("rect", "0.00%", "100.00%")]


@pytest.mark.parametrize(
    ("mean", "margin", "bar", "line"),
    [
        ("1/4", "1/8", ("50.00%", "25.00%"), ("62.50%", "87.50%")),
        ("-1/4", "1/8", ("25.00%", "25.00%"), ("12.50%", "37.50%")),
        ("0", "1/2", ("50.00%", "0.00%"), ("0.00%", "100.00%")),
        ("1/4", "9", ("50.00%", "25.00%"), ("0.00%", "100.00%")),
    ],
)
def test_severity_bar_begins_at_zero(mean: str, margin: str, bar: tuple[str, str], line: tuple[str, str]) -> None:
    one = Severity(10, Fraction(mean), Fraction(margin))
    low, high = line
    assert drawn("{% severity_bar one limit %}", one=one, limit=Fraction(1, 2)) == [
        ("rect", *bar), ("line", low, high), ("line", low, low), ("line", high, high),
    ]  # fmt: skip


@pytest.mark.parametrize("entries", [0, 1, 9])
def test_severity_bar_of_few_is_not_drawn(entries: int) -> None:
    mean, margin = (Fraction(1), Fraction(0)) if entries > 1 else (None, None)
    assert drawn("{% severity_bar one 1 %}", one=Severity(entries, mean, margin)) == []


@pytest.mark.parametrize(
    ("furthest", "limit"), [("0", "1/2"), ("1/2", "1/2"), ("501/1000", "1"), ("2", "2"), ("3", "7/2"), ("9", "7/2")]
)
def test_reach_holds_every_bar(furthest: str, limit: str) -> None:
    signs = again((1, -1))
    scorers = [type("One", (), {"beside_readers": Severity(10, next(signs) * Fraction(furthest), Fraction(0))})()] * 2
    few = type("Few", (), {"beside_readers": Severity(9, Fraction(3), Fraction(0))})()
    assert tags.reach([*scorers, few]) == Fraction(limit)
    assert tags.reach([]) == Fraction(1, 2)


def test_heat_map_shades_by_the_fullest_cell() -> None:
    met = {(1, 1): 8, (2, 2): 1, (3, 3): 2, (4, 4): 3, (1, 2): 4, (2, 1): 5}
    shades = [[(cell.count, cell.shade) for cell in cells] for _, cells in tags.heat_map(met)["rows"]]
    assert sum(count for row in shades for count, _ in row) == sum(met.values())
    assert shades == [
        [(8, 4), (4, 2), (0, 0), (0, 0)],
        [(5, 3), (1, 1), (0, 0), (0, 0)],
        [(0, 0), (0, 0), (2, 1), (0, 0)],
        [(0, 0), (0, 0), (0, 0), (3, 2)],
    ]
