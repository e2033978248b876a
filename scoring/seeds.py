"""Benchmarks among live readings: given with them, told with them, read like them, and never counted."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count

from candidates.models import Cycle
from scoring import trials
from scoring.models import Assignment, Benchmark, Scorer, Trial
from scoring.standards import standards

Desk = tuple[int, int]  # scorer, factor


def sow(given: Iterable[Assignment], cycle: Cycle, *, at: datetime) -> Counter[int]:
    """One for every so many readings a scorer ever had of a factor, as its standard asks; how many each got now.

    Where no benchmark is left that they can be given, it is made up for when there is one. `given` have been written
    in the caller's transaction.
    """
    desks = {(one.scorer_id, one.entry.factor_id) for one in given if one.role != Assignment.Role.ADJUDICATION}
    due = _due(desks)
    if not due:
        return Counter()
    people = Scorer.objects.filter(user__in={scorer for scorer, _ in due}).select_related("user").order_by("pk")
    profiles = {one.user_id: one for one in people.select_for_update(of=("self",), no_key=True)}
    due = _due(desks)  # once more: another one may have sown while we waited
    unmet = trials.unmet(profiles.values(), Benchmark.Use.SEED, {factor for _, factor in due})
    sown: Counter[int] = Counter()
    for desk, count in sorted(due.items()):
        for reference in unmet.get(desk, [])[:count]:
            trials.give(
                reference.benchmark,
                profiles[desk[0]].user,
                reference.rubric,
                use=Trial.Use.SEED,
                reference=reference,
                cycle=cycle,
                at=at,
            )
            sown[desk[0]] += 1
    return sown


def _due(desks: set[Desk]) -> dict[Desk, int]:
    """How many each lacks."""
    asked = standards(factor for _, factor in desks)
    every = {factor: one.seed_every for factor, one in asked.items() if one.seed_every}
    if not every:
        return {}
    scorers = {scorer for scorer, factor in desks if factor in every}
    held = Assignment.objects.filter(scorer__in=scorers, entry__factor__in=every)
    readings = _counted(held.exclude(role=Assignment.Role.ADJUDICATION).values_list("scorer", "entry__factor"))
    theirs = Trial.objects.filter(scorer__in=scorers, use=Trial.Use.SEED, benchmark__entry__factor__in=every)
    had = _counted(theirs.values_list("scorer", "benchmark__entry__factor"))
    lacking = {desk: readings[desk] // every[desk[1]] - had[desk] for desk in desks if desk[1] in every}
    return {desk: count for desk, count in lacking.items() if count > 0}


def _counted(rows: Any) -> Counter[Desk]:
    return Counter({(scorer, factor): n for scorer, factor, n in rows.order_by().annotate(n=Count("pk"))})
