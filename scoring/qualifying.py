"""Whether somebody values benchmarks as leads do: value by value, and the rule that qualifies. Pure and exact.

A value is exact where it equals the reference, adjacent where it is the next lower or the next higher of the twelve
(as in scoring/agreement.py, also across levels: 3.25 and 3.75 are neighbours), and off otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.scores import VALUES

EXACT, ADJACENT, OFF = "exact", "adjacent", "off"

Pair = tuple[Decimal, Decimal]  # given, reference


@dataclass(frozen=True, slots=True)
class Rule:
    """How many benchmarks at least, which shares of all values in percent at least, how far one may lie, in points."""

    benchmarks: int
    exact_percent: int
    near_percent: int
    farthest: Fraction


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a calibration came to. `near` counts exact ones too; `lacks` are sentences, none when it is passed."""

    benchmarks: int
    values: int
    exact: int
    near: int
    farthest: Fraction
    lacks: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.lacks

    @property
    def words(self) -> str:
        return (
            f"{self.values} values on {self.benchmarks} benchmarks: {self.exact} exact, {self.near - self.exact} "
            f"adjacent, {self.values - self.near} off; the farthest lies {_points(self.farthest)} away."
        )


def nearness(given: Decimal, reference: Decimal) -> str:
    """How near a value comes to the reference. ValueError for what is none of the twelve."""
    steps = abs(VALUES.index(given) - VALUES.index(reference))
    return (EXACT, ADJACENT)[steps] if steps <= 1 else OFF


def verdict(rule: Rule, benchmarks: Sequence[Sequence[Pair]]) -> Verdict:
    """`benchmarks` are the pairs of each that was read."""
    pairs = [pair for one in benchmarks for pair in one]
    found = [nearness(*pair) for pair in pairs]
    exact = found.count(EXACT)
    near = exact + found.count(ADJACENT)
    far = max((abs(Fraction(given) - Fraction(reference)) for given, reference in pairs), default=Fraction(0))
    lacks = _lacks(rule, len(benchmarks), len(pairs), exact, near, far)
    return Verdict(len(benchmarks), len(pairs), exact, near, far, tuple(lacks))


def _lacks(rule: Rule, benchmarks: int, values: int, exact: int, near: int, far: Fraction) -> list[str]:
    lacks = []
    if benchmarks < rule.benchmarks or not values:
        lacks.append(f"It takes {rule.benchmarks} benchmarks, and {benchmarks} were read.")
    if exact * 100 < rule.exact_percent * values:
        lacks.append(f"{exact} of {values} values are exact; {rule.exact_percent} in 100 are asked.")
    if near * 100 < rule.near_percent * values:
        lacks.append(f"{near} of {values} values are exact or adjacent; {rule.near_percent} in 100 are asked.")
    if far > rule.farthest:
        lacks.append(f"One value lies {_points(far)} from its reference; {_points(rule.farthest)} is the most.")
    return lacks


def _points(distance: Fraction) -> str:
    """Distances of values are quarters, so two decimals are exact."""
    return f"{Decimal(distance.numerator) / Decimal(distance.denominator):.2f} points"
