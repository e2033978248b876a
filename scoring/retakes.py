"""What would certify somebody: which factors would need another score, and which. Pure and exact.

It plans nobody's readings (planner.py does) and promises nothing: it applies the two rules of `scores` to scores that
an entry can come out with, and finds the smallest sets of factors with which both rules would be met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import combinations, combinations_with_replacement
from math import lcm
from operator import or_

from scoring import scores
from scoring.scores import VALUES, Overall, Rules


class Chance(StrEnum):
    """What may still become of a factor's score."""

    STANDS = "stands"
    RETAKE = "retake"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Place:
    """One factor: the score that counts now, None without one; what may come; the scores another entry can have."""

    factor: int
    score: Fraction | None
    chance: Chance
    attainable: tuple[Fraction, ...] = ()

    @property
    def may_change(self) -> bool:
        return self.chance is not Chance.STANDS

    def better(self, rules: Rules) -> list[Fraction]:
        """The attainable scores that would help, lowest first: above the one that counts, not below the floor."""
        return [one for one in self.attainable if one >= rules.floor and (self.score is None or one > self.score)]


@dataclass(frozen=True, slots=True)
class Need:
    """What one factor of a way would need. `least` is enough if the others come out as high as can be; with all at
    their `even` score, about the same one, it is enough as well.
    """

    factor: int
    now: Fraction | None
    least: Fraction
    even: Fraction


@dataclass(frozen=True, slots=True)
class Way:
    """A set of factors that would certify and of which none could be left out. `together` is the least their scores
    would have to add up to.
    """

    needs: tuple[Need, ...]
    together: Fraction

    @property
    def factors(self) -> tuple[int, ...]:
        return tuple(need.factor for need in self.needs)

    @property
    def gain(self) -> Fraction:
        """By how much the sum would have to rise, at least."""
        return self.together - sum((need.now for need in self.needs if need.now is not None), Fraction(0))


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Why there is no way. `most` is what would stand if all that may change came out with the highest score."""

    unscored: tuple[int, ...]
    below_floor: tuple[int, ...]
    most: Overall


@lru_cache(maxsize=64)
def attainable(criteria: int, rules: Rules) -> tuple[Fraction, ...]:
    """Every score that an entry judged by so many criteria can have, lowest first.

    A sheet is the mean of as many of the twelve values; an entry has the score of one sheet (a single reading, a lead
    scorer's) or the mean of two that lie no further apart than the gap. ValueError without criteria.
    """
    if criteria < 1:
        raise ValueError("An entry without criteria has no score")
    sums = {Fraction(0)}
    for _ in range(criteria):
        sums = {one + Fraction(value) for one in sums for value in VALUES}
    pairs = combinations_with_replacement(sorted(one / criteria for one in sums), 2)
    return tuple(sorted({(one + other) / 2 for one, other in pairs if not scores.lies_apart(one, other, rules)}))


def what_if(places: Sequence[Place], chosen: Mapping[int, Fraction], rules: Rules) -> Overall:
    """What the standing scores would come to if these factors' next entries were given these scores."""
    return scores.overall(standing_if(places, chosen, rules), rules)


def standing_if(places: Sequence[Place], chosen: Mapping[int, Fraction], rules: Rules) -> dict[int, Fraction]:
    """The scores that would count by the retake rule. A factor that cannot change keeps its own."""
    attempts = {one.factor: _attempts(one, chosen) for one in places}
    return {factor: scores.standing(given, rules) for factor, given in attempts.items() if given}


def _attempts(place: Place, chosen: Mapping[int, Fraction]) -> list[Fraction]:
    new = chosen.get(place.factor) if place.may_change else None
    return [score for score in (place.score, new) if score is not None]


def ways(places: Sequence[Place], rules: Rules) -> tuple[Way, ...]:
    """All ways, fewest factors first, then the least gain, then the lowest scores. None where nothing is needed.

    Every factor that is still without a score is in each of them.
    """
    if what_if(places, {}, rules).is_certified:
        return ()
    first = [one for one in places if one.chance is Chance.FIRST]
    retakes = [one for one in places if one.chance is Chance.RETAKE]
    found: list[Way] = []
    for size in range(len(retakes) + 1):
        for some in combinations(retakes, size):
            taken = {one.factor for one in (*first, *some)}
            if not any(taken.issuperset(way.factors) for way in found):
                found += _ways_of(places, taken, rules)
    return tuple(sorted(found, key=_rank))


def _rank(way: Way) -> tuple[int, Fraction, Fraction, tuple[int, ...]]:
    return len(way.needs), way.gain, max(need.even for need in way.needs), way.factors


def _ways_of(places: Sequence[Place], taken: set[int], rules: Rules) -> list[Way]:
    """The one way with exactly these factors, or nothing."""
    kept = [one.score for one in places if one.factor not in taken]
    rest = [one for one in kept if one is not None and one >= rules.floor]
    open_places = [one for one in places if one.factor in taken]
    choices = [one.better(rules) for one in open_places]
    needed = rules.total_needed - sum(rest, Fraction(0))
    is_whole = len(rest) == len(kept) and len(places) == rules.factors
    if not is_whole or not all(choices) or sum(one[-1] for one in choices) < needed:
        return []
    even = _even(choices, needed)
    needs = [
        Need(one.factor, one.score, least, level)
        for one, least, level in zip(open_places, _least(choices, needed), even, strict=True)
    ]
    return [Way(tuple(needs), _least_sum(choices, needed))]


def _least(choices: Sequence[Sequence[Fraction]], needed: Fraction) -> list[Fraction]:
    """Of each factor the lowest choice that the highest of all others would complete."""
    most = sum((one[-1] for one in choices), Fraction(0))
    return [next(score for score in one if most - one[-1] + score >= needed) for one in choices]


def _even(choices: Sequence[Sequence[Fraction]], needed: Fraction) -> list[Fraction]:
    """Everyone's lowest choice at or above one level, for the lowest level at which they add up to what is needed."""
    levels = sorted({score for one in choices for score in one if score <= min(last[-1] for last in choices)})
    for level in levels:
        picked = [next(score for score in one if score >= level) for one in choices]
        if sum(picked) >= needed:
            return picked
    return [one[-1] for one in choices]


def _least_sum(choices: Sequence[Sequence[Fraction]], needed: Fraction) -> Fraction:
    """The lowest sum of one choice each that reaches what is needed, which is within reach.

    Counted in whole units of which all scores are multiples; bit n of `sums` says that n units are a possible sum.
    """
    unit = lcm(needed.denominator, *(score.denominator for one in choices for score in one))
    sums = 1
    for one in choices:
        sums = reduce(or_, (sums << int(score * unit) for score in one))
    least = max(int(needed * unit), 0)
    above = sums >> least
    return Fraction(least + (above & -above).bit_length() - 1, unit)


def obstacles(places: Sequence[Place], rules: Rules) -> Obstacles:
    """What stands in the way where `ways` finds none."""
    most = what_if(places, {one.factor: one.attainable[-1] for one in places if one.may_change}, rules)
    fixed = [one for one in places if not one.may_change]
    return Obstacles(
        unscored=tuple(one.factor for one in fixed if one.score is None),
        below_floor=tuple(one.factor for one in fixed if one.score is not None and one.score < rules.floor),
        most=most,
    )
