"""From rows to the plain facts that plans are made of."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from candidates.models import Cycle
from portfolios.models import Entry
from scoring import conflicts, planner, ties
from scoring.effort import Effort
from scoring.models import Assignment, Scorer, ScoringPolicy
from scoring.planner import Case, Reader
from scoring.scores import Rules


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the plan of a cycle depends on; `readings` is how many each scorer holds of it."""

    cases: list[Case]
    readers: list[Reader]
    rules: Rules
    readings: Counter[int]

    def plan(self) -> planner.Plan:
        return planner.plan(self.cases, self.readers, self.rules)

    def fingerprint(self) -> str:
        return planner.fingerprint(self.cases, self.readers, self.rules)


def of_cycle(cycle: Cycle, entries: list[Entry], profiles: list[Scorer], policy: ScoringPolicy, at: datetime) -> Facts:
    """`entries` are all of `readings.to_be_read(cycle)`, `profiles` all who may be given readings."""
    rules, effort = policy.rules(), Effort.of(cycle)
    barred = conflicts.barred(entries, profiles, policy, cycle, at)
    held: dict[int, dict[str, int]] = defaultdict(dict)
    for entry, role, scorer in Assignment.objects.filter(entry__in=entries).values_list("entry", "role", "scorer"):
        held[entry][role] = scorer
    novices = read_by_novices(rules.double_first_entries)
    cases = [_case(one, barred[one.pk], held[one.pk], effort, by_novice=one.pk in novices) for one in entries]
    readers, readings = _readers(profiles, cycle, effort)
    return Facts(cases, readers, rules, readings)


def of_one(entry: Entry, profiles: list[Scorer], policy: ScoringPolicy, at: datetime) -> tuple[Case, list[Reader]]:
    """For one more reading of an entry: whoever holds their share of the candidate is barred as well."""
    effort = Effort.of(entry.cycle)
    bars = conflicts.barred([entry], profiles, policy, entry.cycle, at)[entry.pk]
    candidate = entry.registration.user_id
    theirs = Assignment.objects.filter(entry__cycle=entry.cycle_id, entry__registration__user=candidate)
    held = Counter(theirs.order_by().values_list("scorer", flat=True))
    entries = Entry.objects.locked().filter(cycle=entry.cycle_id, registration__user=candidate).count()
    # Each of their entries will be read, and one of them twice, whether or not that is given out yet.
    most = planner.most_of_one(max(held.total(), entries) + 1, policy.rules())
    full = {scorer: ties.SHARE for scorer, count in held.items() if count >= most}
    readers = dict(entry.assignments.values_list("role", "scorer"))
    return _case(entry, full | bars, readers, effort), _readers(profiles, entry.cycle, effort)[0]


def _case(
    entry: Entry, barred: conflicts.Bars, readers: dict[str, int], effort: Effort, by_novice: bool = False
) -> Case:
    return Case(
        key=entry.pk,
        candidate=entry.registration.user_id,
        is_retake=entry.is_retake,
        barred=barred,
        readers=readers,
        by_novice=by_novice,
        minutes=effort.minutes(entry.pk, entry.factor_id),
    )


def _readers(profiles: Iterable[Scorer], cycle: Cycle, effort: Effort) -> tuple[list[Reader], Counter[int]]:
    minutes, readings = Counter[int](), Counter[int]()
    rows = Assignment.objects.filter(entry__cycle=cycle).order_by().values_list("scorer", "entry", "entry__factor")
    for scorer, entry, factor in rows:
        minutes[scorer] += effort.minutes(entry, factor)
        readings[scorer] += 1
    ever = dict(Assignment.objects.values_list("scorer").annotate(Count("pk")).order_by())
    return [Reader(one.user_id, minutes[one.user_id], ever.get(one.user_id, 0)) for one in profiles], readings


def read_by_novices(first_entries: int) -> set[int]:
    """Entries that were among the first few of one of their scorers."""
    nth = Window(RowNumber(), partition_by=F("scorer"), order_by=["assigned_at", "pk"])
    return set(Assignment.objects.annotate(nth=nth).filter(nth__lte=first_entries).values_list("entry", flat=True))
