"""The what-if of the retake planner: a factor's next score as a place among those it could have.

Addresses and sliders carry whole numbers (the 48th possible score), so that nothing is ever typed or rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from django.http import QueryDict

from icg_cert.lib.doors import whole_number
from icg_cert.lib.words import shown
from scoring import prospects
from scoring.prospects import Prospect
from scoring.reports import Report, retake_words
from scoring.retakes import Chance, Need, Place, Way
from scoring.scores import Rules


@dataclass(frozen=True, slots=True)
class Slider:
    """One factor that may change. `step` is where its slider stands, of steps 0 to `last`."""

    factor: int
    name: str
    now: str
    is_retake: bool
    is_chosen: bool
    step: int
    last: int
    shown: str
    lowest: str
    highest: str
    floor: int
    threshold: int


def chosen(query: QueryDict, found: Prospect) -> dict[int, Fraction]:
    """The scores that a query supposes, by factor. What is none of the possible ones is left out."""
    wanted = set(query.getlist("with"))
    steps = {one: whole_number(query.get(f"step-{one.factor}", "")) for one in found.may_change}
    return {
        place.factor: place.attainable[step]
        for place, step in steps.items()
        if str(place.factor) in wanted and step is not None and step < len(place.attainable)
    }


def sliders(found: Prospect, supposed: Mapping[int, Fraction]) -> list[Slider]:
    return [_slider(place, found, supposed.get(place.factor)) for place in found.may_change]


def _slider(place: Place, found: Prospect, score: Fraction | None) -> Slider:
    rules, possible = found.rules, place.attainable
    step = possible.index(score) if score is not None else _start(place, rules)
    return Slider(
        factor=place.factor,
        name=found.names[place.factor],
        now="" if place.score is None else _said(place.score, rules),
        is_retake=place.chance is Chance.RETAKE,
        is_chosen=score is not None,
        step=step,
        last=len(possible) - 1,
        shown=_said(possible[step], rules),
        lowest=shown(possible[0]),
        highest=shown(possible[-1]),
        floor=_reaching(place, rules.floor),
        threshold=_reaching(place, rules.threshold),
    )


def _said(score: Fraction, rules: Rules) -> str:
    return shown(score, rules.floor, rules.threshold)


def _start(place: Place, rules: Rules) -> int:
    """At the score it has, or at the threshold where it has none."""
    return _reaching(place, rules.threshold if place.score is None else place.score)


def _reaching(place: Place, mark: Fraction) -> int:
    """The first step that reaches a mark, else the last."""
    steps = (step for step, score in enumerate(place.attainable) if score >= mark)
    return next(steps, len(place.attainable) - 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One factor of a way, in words."""

    factor: str
    now: str
    even: str
    least: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A way as a page offers it: with the query that sets the sliders to about the same score everywhere."""

    title: str
    needs: str
    rows: tuple[Row, ...]
    query: str


def trials(found: Prospect) -> list[Trial]:
    return [_trial(way, found) for way in found.ways]


def _trial(way: Way, found: Prospect) -> Trial:
    query, places = QueryDict(mutable=True), {place.factor: place for place in found.places}
    for need in way.needs:
        query.appendlist("with", str(need.factor))
        query[f"step-{need.factor}"] = str(places[need.factor].attainable.index(need.even))
    rows = tuple(_row(need, found) for need in way.needs)
    return Trial(prospects.title(way), prospects.needs(way), rows, query.urlencode())


def _row(need: Need, found: Prospect) -> Row:
    now = "–" if need.now is None else _said(need.now, found.rules)
    return Row(found.names[need.factor], now, _said(need.even, found.rules), _said(need.least, found.rules))


@dataclass(frozen=True, slots=True)
class Planner:
    """All that the planner's page says."""

    trials: list[Trial]
    reasons: tuple[str, ...]
    alone: tuple[str, ...]
    stands: tuple[str, ...]
    sliders: list[Slider]
    verdict: tuple[str, ...]
    is_supposed: bool
    grains: tuple[str, ...]
    retake_words: str
    facts: dict[str, Any]


def planner(report: Report, found: Prospect, query: QueryDict) -> Planner:
    supposed = chosen(query, found)
    fixed = {place.factor for place in found.places if not place.may_change}
    return Planner(
        trials=trials(found),
        reasons=tuple(prospects.why_not(found)),
        alone=tuple(prospects.alone(found)),
        stands=tuple(f"{one.name}: {one.words}" for one in report.record if one.number in fixed),
        sliders=sliders(found, supposed),
        verdict=prospects.verdict(found.places, supposed, found.rules),
        is_supposed=bool(supposed),
        grains=tuple(prospects.grains(found)),
        retake_words=retake_words(found.rules),
        facts=facts(found),
    )


def facts(found: Prospect) -> dict[str, Any]:
    """All that planner.js computes with, in whole units of which every number is a multiple."""
    rules = found.rules
    scores = [score for place in found.places for score in (place.score, *place.attainable) if score is not None]
    marks = [rules.floor, rules.threshold, rules.total_needed]
    unit = lcm(*(number.denominator for number in (*scores, *marks)))

    def units(number: Fraction) -> int:
        return int(number * unit)

    return {
        "unit": unit,
        "factors": rules.factors,
        "retake": rules.retake,
        "needed": units(rules.total_needed),
        "threshold": units(rules.threshold),
        "floor": units(rules.floor),
        "places": [
            {
                "factor": place.factor,
                "score": None if place.score is None else units(place.score),
                "attainable": [units(score) for score in place.attainable],
            }
            for place in found.places
        ],
    }
