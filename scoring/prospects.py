"""What could still become of a candidate's result: the facts for scoring/retakes.py, and its answers in words.

Nothing here promises anything: an entry is given what its scorers see in it. So every sentence says "would".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from django.db.models import Count, prefetch_related_objects

from candidates import deadlines
from candidates.models import Cycle
from icg_cert.lib.words import day_of, shown, window_words
from portfolios.models import Entry
from scoring import policies, retakes
from scoring.models import Result, Rubric
from scoring.record import FactorRecord
from scoring.reports import Report, listed
from scoring.retakes import Chance, Obstacles, Place, Way
from scoring.scores import Overall, Rules
from scoring.standing import LAST_YEAR
from scoring.workings import plain, printed

GOING_ON = [Entry.Status.SUBMITTED, Entry.Status.LOCKED]


@dataclass(frozen=True, slots=True)
class Prospect:
    """`ways` are the smallest sets of factors that would certify; without any, `obstacles` says why."""

    places: tuple[Place, ...]
    names: Mapping[int, str]
    rules: Rules
    ways: tuple[Way, ...]
    obstacles: Obstacles
    windows: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether any score may still come."""
        return any(place.may_change for place in self.places)

    @property
    def may_change(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.may_change)

    @property
    def stands(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if not place.may_change)


@dataclass(frozen=True, slots=True)
class Still:
    """Which kinds of entries may still come: by the calendar, and factors that are handed in and not told yet."""

    first: bool
    retake: bool
    handed_in: frozenset[int]


def prospect(report: Report, at: datetime) -> Prospect:
    """As of `at`, by the policy that the deciding cycle has today and the rubrics that are current."""
    cycle = report.retake_cycle or report.next_cycle
    rules = policies.policy_of(cycle).rules() if cycle else report.policy
    still = _still(report, at)
    counts = dict(Rubric.objects.current().annotate(count=Count("criteria")).values_list("factor__number", "count"))
    places = tuple(_place(one, still, counts.get(one.number, 1), rules) for one in report.record)
    return Prospect(
        places=places,
        names={line.number: line.name for line in report.lines},
        rules=rules,
        ways=retakes.ways(places, rules),
        obstacles=retakes.obstacles(places, rules),
        windows=tuple(_windows(report, places, still)),
    )


def ahead(report: Report, at: datetime) -> Prospect | None:
    """The same of somebody's latest result, while their process goes on; else nothing."""
    result = report.result
    if result.status not in (Result.Status.IN_PROGRESS, Result.Status.NOT_YET):
        return None
    later = Result.objects.due(at).filter(registration=result.registration_id, cycle__year__gt=result.cycle.year)
    return None if later.exists() else prospect(report, at)


def _still(report: Report, at: datetime) -> Still:
    result = report.result
    prefetch_related_objects([result.registration], "extensions")
    later = Entry.objects.filter(
        registration=result.registration_id, cycle__year__gt=result.cycle.year, status__in=GOING_ON
    )
    is_open = result.status != Result.Status.CERTIFIED and result.registration.is_standing
    return Still(
        first=is_open and report.year == 1 and _is_ahead(report, report.next_cycle, at),
        retake=is_open and report.year < LAST_YEAR and _is_ahead(report, report.retake_cycle, at),
        handed_in=frozenset(later.values_list("factor__number", flat=True)) if is_open else frozenset(),
    )


def _is_ahead(report: Report, cycle: Cycle | None, at: datetime) -> bool:
    """Whether one can still hand in; a cycle that is not made yet is still to come."""
    return cycle is None or at < deadlines.closes_at(report.result.registration, cycle)


def _place(one: FactorRecord, still: Still, criteria: int, rules: Rules) -> Place:
    score = next((attempt.score for attempt in one.attempts if attempt.counts), None)
    may = not one.is_banked and (one.number in still.handed_in or (still.first if score is None else still.retake))
    if not may:
        return Place(one.number, score, Chance.STANDS)
    chance = Chance.FIRST if score is None else Chance.RETAKE
    return Place(one.number, score, chance, retakes.attainable(max(criteria, 1), rules))


def _windows(report: Report, places: Sequence[Place], still: Still) -> Iterable[str]:
    """When what may change: "Factors 3 and 6, as a retake: 1 May to 15 June 2029."."""
    kinds = [
        (Chance.FIRST, "for the first time", report.next_cycle),
        (Chance.RETAKE, "as a retake", report.retake_cycle),
    ]
    for chance, how, cycle in kinds:
        factors = [one.factor for one in places if one.chance is chance and one.factor not in still.handed_in]
        if factors and cycle:
            yield f"{listed(factors).capitalize()}, {how}: {window_words(cycle.opens_at, cycle.closes_at)}."
    waiting = [one.factor for one in places if one.may_change and one.factor in still.handed_in]
    if waiting and report.next_cycle:
        come = "score comes" if len(waiting) == 1 else "scores come"
        out = day_of(report.next_cycle.releases_at)
        yield f"{listed(waiting).capitalize()}, handed in already: the {come} out on {out}."


# ---- In words


def grains(found: Prospect) -> Iterable[str]:
    """How finely scores are graded: "Factors 1 and 2: 85 possible scores, from 0.750 to 4.250, 1/24 (0.042) apart."."""
    by_scores: dict[tuple[Fraction, ...], list[int]] = {}
    for place in found.may_change:
        by_scores.setdefault(place.attainable, []).append(place.factor)
    for possible, factors in by_scores.items():
        step = min(above - below for below, above in pairwise(possible))
        span = f"from {shown(possible[0])} to {shown(possible[-1])}"
        yield f"{listed(factors).capitalize()}: {len(possible)} possible scores, {span}, {step} ({shown(step)}) apart."


def title(way: Way) -> str:
    """ "Retake factor 3", "Hand in factors 4 and 5, and retake factor 2"."""
    first = [need.factor for need in way.needs if need.now is None]
    again = [need.factor for need in way.needs if need.now is not None]
    if not first:
        return f"Retake {listed(again)}"
    return f"Hand in {listed(first)}" + (f", and retake {listed(again)}" if again else "")


def needs(way: Way) -> str:
    if len(way.needs) == 1:
        [need] = way.needs
        return f"Factor {need.factor} would need {printed(need.least)} or better."
    return f"Together they would need {printed(way.together)} or more."


def why_not(found: Prospect) -> Iterable[str]:
    """Why there is no way, one sentence for each reason."""
    stuck, rules = found.obstacles, found.rules
    if stuck.unscored:
        they = "it" if len(stuck.unscored) == 1 else "them"
        yield f"No score can come any more for {listed(stuck.unscored)}, and nobody is certified without {they}."
    if stuck.below_floor:
        yield f"Below {plain(rules.floor)} for good: {listed(stuck.below_floor)}."
    if stuck.most.is_complete and not stuck.most.reaches_total:
        even = "Even the highest scores would bring the sum to" if found.is_open else "The sum stays at"
        yield f"{even} {printed(stuck.most.total)}; {plain(rules.total_needed)} is needed."


def alone(found: Prospect) -> Iterable[str]:
    """Where no single retake would do: what the highest score in each would come to."""
    if not found.ways or len(found.ways[0].needs) == 1 or any(one.chance is Chance.FIRST for one in found.places):
        return
    for place in found.may_change:
        highest = place.attainable[-1]
        outcome = retakes.what_if(found.places, {place.factor: highest}, found.rules)
        others = [number for number in outcome.below_floor if number != place.factor]
        but = f"{listed(others)} would still be below {plain(found.rules.floor)}" if others else ""
        total = "" if outcome.reaches_total else f"the sum would be {printed(outcome.total)}"
        yield f"{shown(highest)} in factor {place.factor} alone: {' and '.join(filter(None, [total, but]))}."


def verdict(places: Sequence[Place], chosen: Mapping[int, Fraction], rules: Rules) -> tuple[str, ...]:
    """What these scores would come to, in four sentences; planner.js says the same."""
    outcome = retakes.what_if(places, chosen, rules)
    return (
        _both(outcome),
        f"The sum would be {printed(outcome.total)}; {plain(rules.total_needed)} is needed.",
        f"Overall that would be {printed(outcome.mean)}; {plain(rules.threshold)} is needed.",
        _floor(outcome, rules),
    )


def _both(outcome: Overall) -> str:
    if outcome.is_certified:
        return "With these scores both rules would be met."
    if not outcome.is_complete:
        return "A factor would still be without a score, and nobody is certified without it."
    return "With these scores the two rules would not both be met."


def _floor(outcome: Overall, rules: Rules) -> str:
    below = outcome.below_floor
    return f"{listed(below).capitalize() if below else 'No factor'} would be below {plain(rules.floor)}."
