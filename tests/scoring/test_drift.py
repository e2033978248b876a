"""When a scorer drifts: every number of the rule on the mark and one beyond, the window, and what pairs can say."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from scoring.drift import Look, Rule, Seeded, Values, look
from scoring.scores import VALUES
from tests.factories import at

RULE = Rule(last=2, fewest=4, off_percent=25, severity=Fraction(1, 2))
WHEN = at(2027, 7, 1)


def seeded(*readings: tuple[str, ...], reference: str = "3.00") -> list[Seeded]:
    """One a day."""
    return [
        Seeded(WHEN + timedelta(days=n), Values(tuple((Decimal(one), Decimal(reference)) for one in values)))
        for n, values in enumerate(readings)
    ]


def test_nothing_says_nothing() -> None:
    assert look(RULE, [], []) == Look(0, 0, None, 0, None, None, "unknown")


@pytest.mark.parametrize(
    ("readings", "state"),
    [
        ([("3.00", "3.00"), ("3.00", "2.25")], "steady"),  # one of four off is 25 in 100
        ([("3.00", "3.00"), ("2.25", "2.25")], "drifts"),
        ([("2.25", "2.25", "2.25")], "unknown"),  # three values of the four that are asked
        ([("3.00",) * 4, ("4.00", "3.00", "3.00", "3.00")], "steady"),
    ],
)
def test_off_rate_on_the_mark_and_beyond(readings: list[tuple[str, ...]], state: str) -> None:
    assert look(RULE, seeded(*readings), []).state == state


@pytest.mark.parametrize(
    ("values", "reference", "severity", "state"),
    [
        (("3.75",) * 4, "3.25", Fraction(1, 2), "steady"),
        (("2.25",) * 4, "2.75", Fraction(-1, 2), "steady"),
        (("3.75", "3.75", "3.75", "4.00"), "3.25", Fraction(9, 16), "drifts"),
        (("2.25", "2.25", "2.25", "2.00"), "2.75", Fraction(-9, 16), "drifts"),
    ],
)
def test_severity_on_the_mark_and_beyond_to_either_side(
    values: tuple[str, ...], reference: str, severity: Fraction, state: str
) -> None:
    found = look(RULE, seeded(values, reference=reference), [])
    assert (found.severity, found.state) == (severity, state)


def test_only_the_last_ones_count() -> None:
    bad, good = ("1.00", "1.00"), ("3.00", "3.00")
    assert look(RULE, seeded(bad, good, good), []).state == "steady"
    assert look(RULE, seeded(bad, bad, good), []).state == "drifts"


def test_since_is_the_last_one_that_was_read_well() -> None:
    good, bad, lean = ("3.00", "3.25"), ("3.00", "1.00"), ("2.25", "2.25")
    assert look(RULE, seeded(good, good, bad, bad), []).since == WHEN + timedelta(days=1)
    assert look(RULE, seeded(good, lean, reference="2.75"), []).since == WHEN + timedelta(days=1)
    assert look(RULE, seeded(good, ("3.75",) * 2, reference="3.00"), []).since == WHEN
    assert look(RULE, seeded(bad, bad), []).since is None


@pytest.mark.parametrize(
    ("shared", "state"),
    [
        ([Fraction(1)] * 9, "steady"),  # chance speaks louder
        ([Fraction(1, 2)] * 10, "steady"),
        ([Fraction(1, 2)] * 9 + [Fraction(3, 4)], "watch"),
        ([Fraction(-1)] * 10, "watch"),
        ([Fraction(-1)] * 10 + [Fraction(0)] * 10, "steady"),
    ],
)
def test_pairs_make_leads_look_and_pause_nobody(shared: list[Fraction], state: str) -> None:
    assert look(RULE, seeded(("3.00",) * 4), shared).state == state


def test_pairs_never_outweigh_the_reference() -> None:
    assert look(RULE, seeded(("1.00",) * 4), [Fraction(0)] * 10).state == "drifts"


def test_look_equals_counting_by_hand() -> None:
    chance = Random(11)
    for _ in range(200):
        read = [
            Seeded(
                WHEN + timedelta(days=n),
                Values(tuple((chance.choice(VALUES), chance.choice(VALUES)) for _ in range(chance.randint(1, 4)))),
            )
            for n in range(chance.randint(0, 5))
        ]
        pairs = [pair for one in read[-2:] for pair in one.values.pairs]
        off = sum(abs(VALUES.index(a) - VALUES.index(b)) > 1 for a, b in pairs)
        mean = sum((Fraction(a) - Fraction(b) for a, b in pairs), Fraction(0)) / len(pairs) if pairs else None
        found = look(RULE, read, [])
        assert (found.values, found.off, found.severity) == (len(pairs), off, mean)
        beyond = mean is not None and (off / len(pairs) > 0.25 or abs(mean) > Fraction(1, 2))
        assert found.state == ("unknown" if len(pairs) < 4 else "drifts" if beyond else "steady")
