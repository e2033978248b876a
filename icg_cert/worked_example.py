"""How a score comes about, shown on numbers: what goes in is invented, what comes out the scoring code computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import cycle, islice

from scoring import scores
from scoring.models import Rubric
from scoring.scores import FactorOutcome, Overall, Rules

FIRST = [Decimal(value) for value in ("3.25", "2.75", "3.00")]
SECOND = [Decimal(value) for value in ("3.00", "2.25", "3.00")]
# The other six factors of the example, as their scores would stand.
OTHERS = [Fraction(value) for value in ("3.25", "2.50", "3.75", "3.25", "2.25", "3.25")]
FAR_APART = (Fraction("3.25"), Fraction("1.75"))
LEAD_SAYS = Fraction("2.50")
TOO_LOW = Fraction("1.50")


@dataclass(frozen=True, slots=True)
class Reading:
    """One scorer's sheet: a value per criterion, in the criteria's order, and the exact mean."""

    values: list[Decimal]
    score: Fraction


@dataclass(frozen=True, slots=True)
class Standing:
    """A factor and its score, as the chart takes them."""

    name: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Example:
    """Everything the page shows, in the order in which it is told."""

    rubric: Rubric
    rows: list[tuple[str, Decimal, Decimal]]
    first: Reading
    second: Reading
    gap: Fraction
    factor: FactorOutcome
    far_apart: tuple[Fraction, Fraction]
    far_gap: Fraction
    adjudicated: FactorOutcome
    standing: list[Standing]
    overall: Overall
    spoiled: Overall
    too_low: Fraction
    last_factor: str
    rules: Rules


def families() -> list[tuple[int, list[Decimal]]]:
    """The twelve values by the level they belong to, the highest first: (4, [3.75, 4.00, 4.25]) and so on."""
    by_level = {level: [value for value in scores.VALUES if scores.level_of(value) == level] for level in (4, 3, 2, 1)}
    return list(by_level.items())


def example(rubrics: Sequence[Rubric], rules: Rules) -> Example:
    """The calculation for one candidate; the first rubric's criteria are the ones that get values."""
    criteria = [criterion.name for criterion in rubrics[0].criteria.all()]
    first, second = (_reading(values, len(criteria)) for values in (FIRST, SECOND))
    factor = scores.factor_score(first.score, second.score, None, rules)
    values = [factor.score or Fraction(0), *OTHERS]
    names = [rubric.factor.name for rubric in rubrics][: len(values)]
    return Example(
        rubric=rubrics[0],
        rows=list(zip(criteria, first.values, second.values, strict=True)),
        first=first,
        second=second,
        gap=abs(first.score - second.score),
        factor=factor,
        far_apart=FAR_APART,
        far_gap=abs(FAR_APART[0] - FAR_APART[1]),
        adjudicated=scores.factor_score(*FAR_APART, LEAD_SAYS, rules),
        standing=[Standing(name, value) for name, value in zip(names, values, strict=False)],
        overall=_overall(values, rules),
        spoiled=_overall([*values[:-1], TOO_LOW], rules),
        too_low=TOO_LOW,
        last_factor=names[-1],
        rules=rules,
    )


def _overall(values: list[Fraction], rules: Rules) -> Overall:
    return scores.overall(dict(enumerate(values, start=1)), rules)


def _reading(values: list[Decimal], length: int) -> Reading:
    chosen = list(islice(cycle(values), length))
    return Reading(chosen, scores.sheet_score(chosen))
