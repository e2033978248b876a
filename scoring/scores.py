"""The arithmetic of scoring: from the values of criteria to the decision. Pure and exact, Fractions throughout.

The rules are the programme's (programme.md, Scoring): a sheet is the mean of its criteria, two sheets are averaged
unless they lie more than the adjudication gap apart, and a candidate is certified when the sum of the seven factor
scores reaches seven times the threshold and none lies below the floor. Nothing is rounded before it is compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import mean

# The twelve values a criterion may get: each level minus a quarter, plain, plus a quarter. The only list of them.
VALUES = [Decimal(quarter) / 4 for level in (1, 2, 3, 4) for quarter in (4 * level - 1, 4 * level, 4 * level + 1)]

SINGLE, AVERAGED, ADJUDICATED, NEEDS_ADJUDICATION = "single", "averaged", "adjudicated", "needs_adjudication"


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the scoring policy, as exact numbers; made by `ScoringPolicy.rules()`."""

    version: int
    threshold: Fraction
    floor: Fraction
    adjudication_gap: Fraction
    double_band: Fraction
    double_percent: int
    double_first_entries: int
    retake: str  # "best" or "latest"
    max_share_percent: int = 100  # of one candidate's readings in a cycle, that one scorer may hold
    factors: int = 7

    @property
    def total_needed(self) -> Fraction:
        """What the factor scores must add up to: 19.25 in the first policy."""
        return self.threshold * self.factors


@dataclass(frozen=True, slots=True)
class FactorOutcome:
    """A factor's score and how it came about; `score` is None while `how` is NEEDS_ADJUDICATION."""

    score: Fraction | None
    how: str


@dataclass(frozen=True, slots=True)
class Overall:
    """What a candidate's standing scores come to. `below_floor` holds the numbers of the factors that fall below it."""

    total: Fraction
    mean: Fraction
    is_complete: bool
    reaches_total: bool
    below_floor: tuple[int, ...]

    @property
    def is_certified(self) -> bool:
        return self.is_complete and self.reaches_total and not self.below_floor


def level_of(value: Decimal) -> int:
    """The level, 1 to 4, whose family a value belongs to: 2.75, 3.00 and 3.25 are level 3."""
    if value not in VALUES:
        raise ValueError(f"{value} is not one of the twelve values")
    return VALUES.index(value) // 3 + 1


def sheet_score(values: Sequence[Decimal]) -> Fraction:
    """The exact mean of a sheet's criteria. ValueError for an empty sheet or a value outside the twelve."""
    strays = [value for value in values if value not in VALUES]
    if strays or not values:
        raise ValueError(f"Not among the twelve values: {strays}" if strays else "A sheet without values has no score")
    return mean(Fraction(value) for value in values)


def lies_apart(first: Fraction, second: Fraction, rules: Rules) -> bool:
    """Whether two readings go to a lead scorer: a gap strictly above the rule's. Equal is averaged."""
    return abs(first - second) > rules.adjudication_gap


def is_close_call(score: Fraction, rules: Rules) -> bool:
    """Whether a single reading lies so near the floor or the threshold that another scorer must read it too."""
    return any(abs(score - mark) <= rules.double_band for mark in (rules.floor, rules.threshold))


def factor_score(
    first: Fraction, second: Fraction | None, adjudication: Fraction | None, rules: Rules
) -> FactorOutcome:
    """What the readings of one entry come to. A lead scorer's score stands alone, whatever the two others said."""
    if adjudication is not None:
        return FactorOutcome(adjudication, ADJUDICATED)
    if second is None:
        return FactorOutcome(first, SINGLE)
    if lies_apart(first, second, rules):
        return FactorOutcome(None, NEEDS_ADJUDICATION)
    return FactorOutcome((first + second) / 2, AVERAGED)


def is_banked(score: Fraction, rules: Rules) -> bool:
    """Whether a factor is accomplished for good: it reaches the threshold by itself."""
    return score >= rules.threshold


def standing(attempts: Sequence[Fraction], rules: Rules) -> Fraction:
    """Which of one factor's scores counts, in the order they were earned: the best or the latest, as the rules say."""
    if not attempts:
        raise ValueError("A factor nobody has scored has no standing score")
    return max(attempts) if rules.retake == "best" else attempts[-1]


def overall(scores: Mapping[int, Fraction], rules: Rules) -> Overall:
    """Both rules applied to the standing scores, factor number to score. With factors missing, never certified."""
    total = sum(scores.values(), Fraction(0))
    return Overall(
        total=total,
        mean=total / rules.factors,
        is_complete=len(scores) == rules.factors,
        reaches_total=total >= rules.total_needed,
        below_floor=tuple(number for number in sorted(scores) if scores[number] < rules.floor),
    )
