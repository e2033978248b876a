"""Giving benchmarks to people, taking them back, and what they valued beside the reference. Nothing of it counts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet

from candidates.models import Cycle, User
from icg_cert.audit import trail
from portfolios.models import Entry
from scoring import conflicts
from scoring.models import (
    Assignment,
    Benchmark,
    Calibration,
    Rating,
    Reference,
    ReferenceSignature,
    ReferenceValue,
    Rubric,
    Scorer,
    Sheet,
    Trial,
)
from scoring.qualifying import Pair, nearness


@dataclass(frozen=True, slots=True)
class Compared:
    """One criterion of a benchmark: the value given, the reference and its rationale, how near the two are."""

    name: str
    given: Decimal
    reference: Decimal
    rationale: str

    @property
    def nearness(self) -> str:
        return nearness(self.given, self.reference)


def give(
    benchmark: Benchmark,
    scorer: User,
    rubric: Rubric,
    *,
    use: str,
    at: datetime,
    reference: Reference | None = None,
    calibration: Calibration | None = None,
    cycle: Cycle | None = None,
) -> Sheet:
    """An empty sheet of the benchmark. In the caller's transaction."""
    trial = Trial.objects.create(
        benchmark=benchmark,
        scorer=scorer,
        use=use,
        reference=reference,
        calibration=calibration,
        cycle=cycle,
        given_at=at,
    )
    return Sheet.objects.create(trial=trial, rubric=rubric)


def may_meet(entry: Entry, scorer: Scorer | None) -> bool:
    """Whether somebody knows nothing of an entry's candidate (with registration and user loaded)."""
    return scorer is not None and scorer.user_id not in conflicts.known([entry], [scorer])[entry.pk]


def unmet(scorers: Iterable[Scorer], use: str, factors: Iterable[int]) -> dict[tuple[int, int], list[Reference]]:
    """(scorer, factor) to the benchmarks they may still be given, in their order. A fixed number of queries.

    Never one they met, read when it was somebody's entry, or stand behind; nor one of a candidate they know.
    """
    scorers = list(scorers)
    wanted = Reference.objects.in_force().filter(benchmark__use=use, benchmark__entry__factor__in=set(factors))
    rows = wanted.select_related("benchmark__entry__registration__user", "rubric")
    references = list(rows.order_by("benchmark__position", "pk"))
    met = _met([one.benchmark_id for one in references], [one.benchmark.entry_id for one in references])
    known = conflicts.known([one.benchmark.entry for one in references], scorers)
    found = defaultdict(list)
    for scorer in scorers:
        for one in references:
            entry = one.benchmark.entry
            if scorer.user_id not in known[entry.pk] and (entry.pk, scorer.user_id) not in met:
                found[scorer.user_id, entry.factor_id].append(one)
    return found


def _met(benchmarks: list[int], entries: list[int]) -> set[tuple[int, int]]:
    """(entry, person) of those who know what is in it, or what it deserves."""
    tried = Trial.objects.filter(benchmark__in=benchmarks).values_list("benchmark__entry", "scorer")
    signed = ReferenceSignature.objects.filter(reference__benchmark__in=benchmarks)
    read = Assignment.objects.filter(entry__in=entries).values_list("entry", "scorer")
    return {*tried.order_by(), *signed.order_by().values_list("reference__benchmark__entry", "by"), *read.order_by()}


def take_away(trials: QuerySet[Trial], *, by: User | None, at: datetime) -> int:
    """Those that are not final, with what was noted on their sheets; how many. In the caller's transaction."""
    unfinished = trials.filter(sheet__status=Sheet.Status.DRAFT).select_related("sheet")
    rows = list(unfinished.order_by("pk").select_for_update(of=("self", "sheet")))
    for trial in rows:
        trail.record("trial.take_away", trial, by=by, at=at, before={"scorer": trial.scorer_id, "use": trial.use})
        trial.sheet.ratings.all().delete()
        trial.sheet.delete()
        trial.delete()
    return len(rows)


def pairs(trials: Iterable[Trial | int]) -> dict[int, list[Pair]]:
    """Of each final one (by key or row) the values with their references, in one query."""
    final = Rating.objects.filter(sheet__trial__in=trials, sheet__status=Sheet.Status.FINAL)
    same = final.filter(sheet__trial__reference__values__criterion=F("criterion"))
    found: dict[int, list[Pair]] = defaultdict(list)
    columns = ("sheet__trial", "value", "sheet__trial__reference__values__value")
    for trial, given, reference in same.order_by("sheet__trial", "criterion__position").values_list(*columns):
        found[trial].append((given, reference))
    return found


def compared(trial: Trial) -> list[Compared]:
    """Criterion by criterion, of a final one."""
    given = dict(Rating.objects.filter(sheet__trial=trial, value__isnull=False).values_list("criterion", "value"))
    rows = ReferenceValue.objects.filter(reference=trial.reference_id).select_related("criterion")
    return [
        Compared(one.criterion.name, value, one.value, one.rationale)
        for one in rows
        if (value := given.get(one.criterion_id)) is not None
    ]
