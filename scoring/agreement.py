"""How well readings agree, as exact numbers. Pure. A figure that is not defined is None, never 0 and never 1.

Readings are counted, not listed: a pair or a unit of values, and how many times it was given. Values are whole
numbers, here quarters of a point (3 for 0.75 to 17 for 4.25), so that every sum is exact; neither kappa nor alpha
changes with the unit.

Sources: Cohen, J. (1968), Weighted kappa, Psychological Bulletin 70(4), 213-220. Krippendorff, K. (2011), Computing
Krippendorff's alpha-reliability, University of Pennsylvania. Student (1908), The probable error of a mean.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.scores import VALUES, level_of

Pairs = Mapping[tuple[int, int], int]
Units = Mapping[tuple[int | None, ...], int]
Disagreement = Callable[[int, int], int]

QUARTERS = [int(value * 4) for value in VALUES]
LEVEL = {quarters: level_of(value) for quarters, value in zip(QUARTERS, VALUES, strict=True)}
STEP = {quarters: number for number, quarters in enumerate(QUARTERS)}
LEVELS = (1, 2, 3, 4)

# Below this many, chance speaks louder than the scorers: the page counts, and says no more.
FEWEST = 10

# How far 95 in 100 of Student's t lie from zero, for 1 to 30 degrees of freedom. Beyond, the last is a little wide.
# fmt: off
STUDENT = [Fraction(thousandths, 1000) for thousandths in (
    12706, 4303, 3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228, 2201, 2179, 2160, 2145, 2131,
    2120, 2110, 2101, 2093, 2086, 2080, 2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042,
)]
# fmt: on


@dataclass(frozen=True, slots=True)
class Mark:
    """From where on a coefficient is called by these words; `kind` is how the page shows them."""

    above: Fraction
    words: str
    kind: str


# Conventions, not laws. Landis, J. R. & Koch, G. G. (1977), Biometrics 33(1), 159-174: the words for kappa.
KAPPA_MARKS = (
    Mark(Fraction("0.80"), "almost perfect", "good"),
    Mark(Fraction("0.60"), "substantial", "good"),
    Mark(Fraction("0.40"), "moderate", "warn"),
    Mark(Fraction("0.20"), "fair", "warn"),
    Mark(Fraction("0.00"), "slight", "bad"),
)
BY_CHANCE = Mark(Fraction(-1), "no better than chance", "bad")

# Krippendorff, K. (2004), Content Analysis, 2nd edition, page 241: rely on 0.800 and more, and draw no more than
# tentative conclusions from 0.667 on.
ALPHA_RELIABLE, ALPHA_TENTATIVE = Fraction("0.800"), Fraction("0.667")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What `pairs` pairs of values come to. Neighbouring includes equal.

    A value's neighbours are the next lower and the next higher of the twelve, also across levels: 3.25 and 3.75 are
    neighbours. `difference` is the mean of the second value less the first, in points.
    """

    pairs: int
    same_value: int
    near_value: int
    same_level: int
    near_level: int
    difference: Fraction | None
    kappa: Fraction | None
    ordinal: Fraction | None
    interval: Fraction | None

    @property
    def is_few(self) -> bool:
        return self.pairs < FEWEST


@dataclass(frozen=True, slots=True)
class Severity:
    """How far one scorer lies above (+) or below (-) others on the same `entries`, in points of the scale.

    From `low` to `high`, `margin` on either side, is a range that holds the true mean 95 times in 100, where entries
    differ independently of each other; None with fewer than two.
    """

    entries: int
    mean: Fraction | None
    margin: Fraction | None

    @property
    def is_few(self) -> bool:
        return self.entries < FEWEST

    @property
    def low(self) -> Fraction | None:
        return None if self.mean is None or self.margin is None else self.mean - self.margin

    @property
    def high(self) -> Fraction | None:
        return None if self.mean is None or self.margin is None else self.mean + self.margin

    @property
    def is_clear(self) -> bool:
        """Whether there are enough entries, and zero lies outside the interval."""
        return not self.is_few and self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def agreement(pairs: Pairs) -> Agreement:
    """Every figure of the board, of pairs of values in quarters. ValueError for what is none of the twelve."""
    strays = {value for pair in pairs for value in pair} - LEVEL.keys()
    if strays:
        raise ValueError(f"Not among the twelve values, in quarters: {sorted(strays)}")
    units: Units = dict(pairs.items())
    return Agreement(
        pairs=sum(pairs.values()),
        same_value=_within(pairs, STEP, 0),
        near_value=_within(pairs, STEP, 1),
        same_level=_within(pairs, LEVEL, 0),
        near_level=_within(pairs, LEVEL, 1),
        difference=mean_difference(pairs),
        kappa=weighted_kappa(pairs),
        ordinal=ordinal_alpha(units),
        interval=interval_alpha(units),
    )


def levels(pairs: Pairs) -> Counter[tuple[int, int]]:
    """How many times a first level met a second one."""
    met: Counter[tuple[int, int]] = Counter()
    for (one, other), count in pairs.items():
        met[LEVEL[one], LEVEL[other]] += count
    return met


def _within(pairs: Pairs, place: Mapping[int, int], distance: int) -> int:
    return sum(count for (one, other), count in pairs.items() if abs(place[one] - place[other]) <= distance)


def mean_difference(pairs: Pairs) -> Fraction | None:
    """In points: (1/n) sum (other - one). None without pairs."""
    total = sum(pairs.values())
    quarters = sum(count * (other - one) for (one, other), count in pairs.items())
    return Fraction(quarters, 4 * total) if total else None


def squared(one: int, other: int) -> int:
    """The quadratic weight of a disagreement."""
    return (one - other) ** 2


def weighted_kappa(pairs: Pairs, weight: Disagreement = squared) -> Fraction | None:
    """Cohen's weighted kappa (1968), with weights of disagreement v, quadratic ones unless told otherwise:

        kappa = 1 - sum_ij v_ij n_ij / n  :  sum_ij v_ij n_i. n_.j / n^2

    None where no disagreement is expected by chance: without pairs, or when both gave one and the same value only.
    """
    total = sum(pairs.values())
    ones, others = _margin(pairs, 0), _margin(pairs, 1)
    observed = sum(count * weight(one, other) for (one, other), count in pairs.items())
    expected = sum(ones[one] * others[other] * weight(one, other) for one in ones for other in others)
    return 1 - Fraction(observed * total, expected) if expected else None


def _margin(pairs: Pairs, side: int) -> Counter[int]:
    margin: Counter[int] = Counter()
    for pair, count in pairs.items():
        margin[pair[side]] += count
    return margin


def interval_alpha(units: Units) -> Fraction | None:
    """Krippendorff's alpha (2011) with the interval difference d^2(c, k) = (c - k)^2. None: see `_alpha`."""
    values = _pairable(units)
    return _alpha(units, values, {value: value for value in values})


def ordinal_alpha(units: Units) -> Fraction | None:
    """Krippendorff's alpha (2011) with the ordinal difference

        d^2(c, k) = (sum_{g=c}^{k} n_g - (n_c + n_k) / 2)^2

    which is the squared distance of the two values' middle ranks among all pairable ones; taken twice here, so that
    ranks are whole. None: see `_alpha`.
    """
    values = _pairable(units)
    ranks, below = {}, 0
    for value in sorted(values):
        ranks[value] = 2 * below + values[value]
        below += values[value]
    return _alpha(units, values, ranks)


def _pairable(units: Units) -> Counter[int]:
    """n_c: how many times each value was given in units that at least two have read."""
    values: Counter[int] = Counter()
    for unit, count in units.items():
        given = _given(unit)
        for value in given if len(given) > 1 else ():
            values[value] += count
    return values


def _given(unit: tuple[int | None, ...]) -> list[int]:
    return [value for value in unit if value is not None]


def _alpha(units: Units, values: Counter[int], place: Mapping[int, int]) -> Fraction | None:
    """The general form, for any number of readings of a unit, and with readings missing:

        alpha = 1 - D_o / D_e = 1 - (n - 1) sum_ck o_ck d^2(c, k)  :  sum_ck n_c n_k d^2(c, k)

    where a unit with m values adds 1 / (m - 1) to o_ck for each ordered pair of its values. `place` is where a value
    stands, d the distance of two places. None where all pairable values are the same, or there are none.
    """
    observed = Fraction(0)
    for unit, count in units.items():
        places = [place[value] for value in _given(unit) if value in place]
        if len(places) > 1:
            observed += Fraction(count * sum(squared(c, k) for c in places for k in places), len(places) - 1)
    expected = sum(values[c] * values[k] * squared(place[c], place[k]) for c in values for k in values)
    return 1 - (values.total() - 1) * observed / expected if expected else None


def severity(differences: Mapping[Fraction, int]) -> Severity:
    """Of how many times a scorer's score of an entry lay so many points above the other's.

    Entries are counted, not criteria: what one person gives the criteria of one entry hangs together. The margin is
    t(n - 1) s / sqrt(n), Student's (1908), with s^2 the sample's variance.
    """
    entries = sum(differences.values())
    if not entries:
        return Severity(0, None, None)
    mean = sum((value * count for value, count in differences.items()), Fraction(0)) / entries
    if entries == 1:
        return Severity(1, mean, None)
    squares = sum(((value - mean) ** 2 * count for value, count in differences.items()), Fraction(0))
    error = squares / (entries - 1) / entries
    root = (Decimal(error.numerator) / Decimal(error.denominator)).sqrt()
    return Severity(entries, mean, Fraction(root) * STUDENT[min(entries - 1, len(STUDENT)) - 1])


def kappa_mark(kappa: Fraction) -> Mark:
    """What a kappa is called."""
    return next((mark for mark in KAPPA_MARKS if kappa > mark.above), BY_CHANCE)


def alpha_mark(alpha: Fraction) -> Mark:
    """What an alpha allows."""
    if alpha >= ALPHA_RELIABLE:
        return Mark(ALPHA_RELIABLE, "reliable", "good")
    if alpha >= ALPHA_TENTATIVE:
        return Mark(ALPHA_TENTATIVE, "tentative", "warn")
    return Mark(Fraction(-1), "not to rely on", "bad")
