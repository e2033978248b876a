"""Which readings the rules ask for: each rule alone, at its edges, and all of them against a plain restatement."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import coverage
from scoring.coverage import ANY, Covered, Wanted
from scoring.scores import Rules

RULES = Rules(
    version=1,
    threshold=Fraction(11, 4),
    floor=Fraction(7, 4),
    adjudication_gap=Fraction(5, 4),
    double_band=Fraction(1, 4),
    double_percent=0,
    double_first_entries=3,
    retake="best",
)
HIGH = Fraction(4)
THOUSANDTH = Fraction(1, 1000)


def entry(number: int = 1, first: Fraction | None = HIGH, *others: Fraction, **facts: bool) -> Covered:
    """Factor `number` with its readings in their order; read once at 4.00, no retake, by nobody new."""
    roles = zip(("first", "second", "adjudication"), (first, *others), strict=False)
    final = {role: score for role, score in roles if score is not None}
    return Covered(number, f"factor {number}", facts.get("is_retake", False), facts.get("by_novice", False), final)


def asked(one: Covered, rules: Rules = RULES) -> list[tuple[str, tuple[str, ...], bool]]:
    """Of one entry alone: role, rules, whether it is there; without what every candidate needs."""
    return [(want.role, want.rules, want.is_there) for want in coverage.proof([one], rules) if want.name != ANY]


def test_every_entry_has_a_first_reading() -> None:
    assert asked(entry(1, None)) == [("first", ("coverage",), False)]
    assert asked(entry()) == [("first", ("coverage",), True)]


def test_every_retake_is_read_twice() -> None:
    assert asked(entry(is_retake=True))[1:] == [("second", ("retake",), False)]
    assert asked(entry(1, HIGH, HIGH, is_retake=True))[1:] == [("second", ("retake",), True)]


def test_first_entries_of_a_scorer_are_read_twice() -> None:
    assert asked(entry(by_novice=True))[1:] == [("second", ("first entries",), False)]


@pytest.mark.parametrize(("percent", "drawn"), [(0, False), (100, True)])
def test_the_random_share_is_read_twice(percent: int, drawn: bool) -> None:
    found = asked(entry(), replace(RULES, double_percent=percent))[1:]
    assert found == ([("second", ("random share",), False)] if drawn else [])


@pytest.mark.parametrize(
    ("score", "is_asked"),
    [
        (Fraction("1.5") - THOUSANDTH, False),
        (Fraction("1.5"), True),
        (Fraction("2"), True),
        (Fraction("2") + THOUSANDTH, False),
        (Fraction("2.5") - THOUSANDTH, False),
        (Fraction("2.5"), True),
        (Fraction("3"), True),
        (Fraction("3") + THOUSANDTH, False),
    ],
)
def test_a_score_within_the_band_is_read_twice(score: Fraction, is_asked: bool) -> None:
    assert asked(entry(1, score))[1:] == ([("second", ("band",), False)] if is_asked else [])


@pytest.mark.parametrize(
    ("second", "is_asked"),
    [(HIGH - Fraction(5, 4), False), (HIGH - Fraction(5, 4) - Fraction(1, 12), True)],  # the next gap of three criteria
)
def test_a_gap_is_decided_by_a_lead_above_the_rule_and_averaged_at_it(second: Fraction, is_asked: bool) -> None:
    found = asked(entry(1, HIGH, second))[1:]
    assert found == ([("adjudication", ("gap",), False)] if is_asked else [])
    if is_asked:
        assert asked(entry(1, HIGH, second, HIGH))[1:] == [("adjudication", ("gap",), True)]


def test_one_entry_of_each_candidate_is_read_twice() -> None:
    once, twice = entry(1), entry(2, HIGH, HIGH)
    assert coverage.proof([once], RULES)[-1] == Wanted(ANY, "second", ("one per candidate",), False)
    assert coverage.proof([once, twice], RULES)[-1] == Wanted(ANY, "second", ("one per candidate",), True)
    assert coverage.proof([], RULES) == ()


def test_words_name_every_rule_that_asks() -> None:
    [_, second, one] = coverage.proof([entry(3, Fraction(3), is_retake=True, by_novice=True)], RULES)
    assert second.words == (
        "factor 3 is a retake and is among the first entries of its scorer and lies near the floor or the threshold "
        "and has no second reading"
    )
    assert one.words == "no entry of this candidate has two readings"


readings = st.fixed_dictionaries(
    {}, optional={role: st.integers(3, 17) for role in ("first", "second", "adjudication")}
)
facts = st.tuples(st.booleans(), st.booleans(), readings)


@given(st.lists(facts, max_size=7), st.sampled_from([0, 15, 100]))
def test_proof_is_the_rules_said_plainly(entries: list[tuple[bool, bool, Mapping[str, int]]], percent: int) -> None:
    """The same by a second author: what is missing, as pairs of entry and role."""
    rules = replace(RULES, double_percent=percent)
    given_entries = [
        Covered(n, f"factor {n}", retake, novice, {role: Fraction(quarters, 4) for role, quarters in final.items()})
        for n, (retake, novice, final) in enumerate(entries)
    ]
    missing = {(one.name, one.role) for one in coverage.proof(given_entries, rules) if not one.is_there}
    expected = set()
    for n, (retake, novice, final) in enumerate(entries):
        first, second = final.get("first"), final.get("second")
        if first is None:
            expected.add((f"factor {n}", "first"))
        near = first is not None and (6 <= first <= 8 or 10 <= first <= 12)
        if second is None and (retake or novice or near or coverage.in_random_share(n, rules)):
            expected.add((f"factor {n}", "second"))
        if first is not None and second is not None and abs(first - second) > 5 and "adjudication" not in final:
            expected.add((f"factor {n}", "adjudication"))
    if entries and not any({"first", "second"} <= final.keys() for _, _, final in entries):
        expected.add((ANY, "second"))
    assert missing == expected
