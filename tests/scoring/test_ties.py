"""Who is tied to whom, as people write it."""

import pytest

from scoring import ties
from scoring.ties import Declared, Person, between

PUBLIC = frozenset({"gmail.com"})


def candidate(**facts: object) -> Person:
    defaults = {"key": 1, "name": "Ada Abara", "emails": ("ada@gmail.com", "boss@lakeside.example")}
    return Person(**{**defaults, **facts})  # type: ignore[arg-type]


def scorer(**facts: object) -> Person:
    defaults = {"key": 2, "name": "Sol Sato", "emails": ("sol@harbor.example",)}
    return Person(**{**defaults, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lakeside School District", "  lakeside  school DISTRICT "),
        ("The Lakeside School District", "Lakeside School District"),
        ("St. Mary's & Sons", "St Marys and Sons"),
        ("Cañon City Schools", "Canon City Schools"),
        ("Winston-Salem/Forsyth", "Winston Salem Forsyth"),
    ],
)
def test_workplaces_see_through_spelling(one: str, other: str) -> None:
    assert ties.workplaces(one) == ties.workplaces(other) != frozenset()


def test_workplaces_left_empty_are_no_conflict() -> None:
    assert ties.workplaces("", "  ", ".") == frozenset()
    assert not ties.workplaces("Lakeside") & ties.workplaces("Hillside")


@pytest.mark.parametrize(
    ("of_candidate", "of_scorer", "tie"),
    [
        ({}, {}, None),
        ({}, {"key": 1}, "self"),
        ({}, {"emails": ("Boss@Lakeside.example",)}, "supervisor"),
        ({"district": "Lakeside"}, {"employer": "the LAKESIDE"}, "district"),
        ({"employer": "Lakeside"}, {"district": "Lakeside"}, "employer"),
        ({"school": "Lakeside"}, {"district": "Lakeside"}, "school"),
        ({"district": ""}, {"district": ""}, None),
        ({}, {"emails": ("sol@lakeside.example",)}, "mail domain"),
        ({}, {"emails": ("sol@LAKESIDE.example",)}, "mail domain"),
        ({}, {"emails": ("sol@north.lakeside.example",)}, None),
        ({}, {"emails": ("sol@gmail.com",)}, None),
        ({"declared": (Declared("sol  SATO"),)}, {}, "declared"),
        ({"declared": (Declared("My coach", "Sol@Harbor.example"),)}, {}, "declared"),
        ({"declared": (Declared("Harbor Schools"),)}, {"district": "Harbor Schools"}, "declared"),
        ({"declared": (Declared("Sol"), Declared(""))}, {}, None),
        ({}, {"declared": (Declared("Ada Abara"),)}, "declared"),
        ({"school": "Lakeside Elementary"}, {"declared": (Declared("Lakeside Elementary"),)}, "declared"),
        # A supervisor's address is no name for the candidate.
        ({}, {"declared": (Declared("Somebody", "boss@lakeside.example"),)}, None),
    ],
)
def test_between_finds_the_tie(of_candidate: dict[str, object], of_scorer: dict[str, object], tie: str | None) -> None:
    assert between(candidate(**of_candidate), scorer(**of_scorer), PUBLIC) == tie


def test_in_words_counts_people() -> None:
    assert ties.in_words([(ties.DISTRICT, 2), (ties.READ_BEFORE, 1)]) == (
        "2 work in the candidate's district, 1 knows an earlier attempt"
    )
    assert ties.in_words([]) == ""
