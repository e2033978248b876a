"""The rule that qualifies a scorer: what is near, and every number of it on the mark and one beyond."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from scoring.qualifying import Rule, Verdict, nearness, verdict
from scoring.scores import VALUES

RULE = Rule(benchmarks=2, exact_percent=50, near_percent=75, farthest=Fraction(1))


def pairs(*given: str, reference: str = "3.00") -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(one), Decimal(reference)) for one in given]


@pytest.mark.parametrize(
    ("given", "reference", "expected"),
    [
        ("3.00", "3.00", "exact"),
        ("3.25", "3.00", "adjacent"),
        ("2.75", "3.00", "adjacent"),
        ("3.75", "3.25", "adjacent"),  # neighbours, though half a point and a level apart
        ("2.25", "2.75", "adjacent"),
        ("3.75", "3.00", "off"),
        ("2.75", "3.25", "off"),  # of one level, and two steps apart
        ("0.75", "4.25", "off"),
    ],
)
def test_nearness(given: str, reference: str, expected: str) -> None:
    assert nearness(Decimal(given), Decimal(reference)) == expected


def test_nearness_is_the_same_both_ways() -> None:
    assert all(nearness(one, other) == nearness(other, one) for one, other in product(VALUES, repeat=2))


def test_nearness_of_what_is_no_value() -> None:
    with pytest.raises(ValueError, match=r"2\.5"):
        nearness(Decimal("2.50"), Decimal("3.00"))


def test_verdict_on_every_mark_is_passed() -> None:
    found = verdict(RULE, [pairs("3.00", "3.25"), pairs("3.00", "4.00")])
    assert found == Verdict(2, 4, 2, 3, Fraction(1), ())
    assert found.passed
    assert found.words == ("4 values on 2 benchmarks: 2 exact, 1 adjacent, 1 off; the farthest lies 1.00 points away.")


@pytest.mark.parametrize(
    ("first", "second", "lacks"),
    [
        (("3.00", "3.25"), ("2.75", "3.25"), ["1 of 4 values are exact; 50 in 100 are asked."]),
        (("3.00", "3.75"), ("3.00", "2.25"), ["2 of 4 values are exact or adjacent; 75 in 100 are asked."]),
        (
            ("3.00", "3.00"),
            ("3.00", "4.25"),
            ["One value lies 1.25 points from its reference; 1.00 points is the most."],
        ),
    ],
)
def test_verdict_one_beyond_a_mark_is_not(first: tuple[str, ...], second: tuple[str, ...], lacks: list[str]) -> None:
    found = verdict(RULE, [pairs(*first), pairs(*second)])
    assert (found.passed, list(found.lacks)) == (False, lacks)


@pytest.mark.parametrize("read", [[], [pairs("3.00")], [[], []]])
def test_verdict_of_too_little_is_not_passed(read: list[list[tuple[Decimal, Decimal]]]) -> None:
    found = verdict(RULE, read)
    assert found.lacks == (f"It takes 2 benchmarks, and {len(read)} were read.",)


def test_verdict_is_exact_where_a_float_would_not_be() -> None:
    """29 of 100 is 29 percent; 0.29 * 100 is less in floats."""
    rule = Rule(1, 29, 29, Fraction(4))
    assert verdict(rule, [pairs(*["3.00"] * 29, *["1.00"] * 71)]).passed
    assert not verdict(rule, [pairs(*["3.00"] * 28, *["1.00"] * 72)]).passed
