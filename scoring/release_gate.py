"""The gate of a release: per candidate every rule, and what they would be told.

`release.py` refuses by it: when a release is prepared, when it is approved, and once more for each candidate in the
transaction that tells them. Pages show what a dry run kept of it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from hashlib import sha256

from django.db.models import Count

from candidates.models import Cycle, Registration
from scoring import facts, gate_rules, impartial, results, second_path, standing
from scoring.gate_rules import Check, Known, Verdict
from scoring.models import GateException, Result, ResultHold, ScoringPolicy, Sheet
from scoring.scores import Rules
from scoring.standing import Candidate

# While one of these fails there is nothing that could be told.
NEEDED_TO_TELL = frozenset({"scored", "final", "adjudicated", "rubric"})


@dataclass(frozen=True, slots=True)
class Told:
    """What a release would say: the status, the exact sum, and a digest that names every word of it."""

    status: str
    total: Fraction
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate at the gate. `told` is None while there is nothing to tell."""

    registration: Registration
    year: int
    entries: int
    checks: tuple[Check, ...]
    hold: ResultHold | None
    told: Told | None

    @property
    def missing(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_missing)

    @property
    def excepted(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict is Verdict.EXCEPTED)

    @property
    def is_ready(self) -> bool:
        return not self.missing

    @property
    def is_blocking(self) -> bool:
        """Whether the release cannot go on because of them: not ready, and nobody holds them back."""
        return not self.is_ready and self.hold is None

    @property
    def is_withheld(self) -> bool:
        return not self.registration.is_settled


@dataclass(frozen=True, slots=True)
class Setting:
    """What rules need to know of the whole cycle: read once, for any number of candidates."""

    policy: ScoringPolicy
    rules: Rules
    novel: Set[int]
    editions: Mapping[int, int]

    @classmethod
    def of(cls, cycle: Cycle, policy: ScoringPolicy) -> "Setting":
        rules = policy.rules()
        first = rules.double_first_entries
        return cls(policy, rules, facts.read_by_novices(first) if first else frozenset(), _editions(cycle))


def _editions(cycle: Cycle) -> dict[int, int]:
    """Factor to the rubric that most sheets of the cycle use; of two as many, the earlier one."""
    sheets = Sheet.objects.filter(assignment__entry__cycle=cycle).order_by()
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for factor, rubric, count in sheets.values_list("assignment__entry__factor", "rubric").annotate(Count("pk")):
        counts[factor][-rubric] = count
    return {factor: -max(count, key=lambda rubric: (count[rubric], rubric)) for factor, count in counts.items()}


def rows(cycle: Cycle, policy: ScoringPolicy, at: datetime) -> Iterator[Row]:
    """Every candidate of the cycle by code, in chunks; the number of queries does not grow within one."""
    setting = Setting.of(cycle, policy)
    for some in _chunks(standing.load_all(standing.in_process(cycle), cycle, setting.rules)):
        yield from _rows(some, cycle, setting, at)


def row_of(candidate: Candidate, setting: Setting, at: datetime) -> Row:
    """The same for one candidate."""
    return next(_rows([candidate], candidate.cycle, setting, at))


def look(cycle: Cycle, registration_id: int, policy: ScoringPolicy, at: datetime) -> tuple[Candidate, Row] | None:
    """One candidate as they stand now; None for who hears nothing at this release."""
    setting = Setting.of(cycle, policy)
    found = standing.load(standing.in_process(cycle).filter(pk=registration_id), cycle, setting.rules)
    return (found[0], row_of(found[0], setting, at)) if found else None


def _chunks(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    some: list[Candidate] = []
    for candidate in candidates:
        some.append(candidate)
        if len(some) == standing.CHUNK:
            yield some
            some = []
    if some:
        yield some


def _rows(candidates: list[Candidate], cycle: Cycle, setting: Setting, at: datetime) -> Iterator[Row]:
    keys = [candidate.registration.pk for candidate in candidates]
    again = second_path.computed(keys, cycle, setting.rules)
    found, last = impartial.findings(candidates, setting.policy), _last_results(keys, cycle)
    exceptions, holds = _exceptions(keys, cycle), _holds(keys, cycle)
    for candidate in candidates:
        key = candidate.registration.pk
        known = Known(
            at=at,
            novel=setting.novel,
            editions=setting.editions,
            findings=tuple(found[key]),
            again=again,
            last=last.get(key),
            exceptions=exceptions.get(key, {}),
        )
        yield _row(candidate, setting.rules, known, holds.get(key))


def _row(candidate: Candidate, rules: Rules, known: Known, hold: ResultHold | None) -> Row:
    checks = gate_rules.checks(candidate, rules, known)
    lacks = {check.code for check in checks if check.is_missing}
    told = None if lacks & NEEDED_TO_TELL else what_is_told(candidate, rules)
    return Row(candidate.registration, candidate.year, len(candidate.entries), checks, hold, told)


def what_is_told(candidate: Candidate, rules: Rules) -> Told:
    """Of a candidate whose entries are all scored. Not of the fee: paying changes when something is read, not what."""
    stand = candidate.standing(rules)
    status, total = standing.status(stand, candidate.year, rules), standing.overall(stand, rules).total
    scored = [results.factor_score(Result(), judged, rules) for judged in candidate.entries]
    words = {
        "policy": rules.version,
        "status": status,
        "total": results.frozen(total),
        "standing": results.frozen_standing(stand),
        "entries": [[one.entry_id, one.numerator, one.denominator, one.how, one.detail] for one in scored],
    }
    return Told(status, total, sha256(json.dumps(words, sort_keys=True).encode()).hexdigest())


def _last_results(keys: list[int], cycle: Cycle) -> dict[int, Result]:
    """What each was told last, before this cycle."""
    earlier = Result.objects.filter(registration__in=keys, superseded_at=None, cycle__year__lt=cycle.year)
    return {one.registration_id: one for one in earlier.select_related("policy").order_by("cycle__year")}


def _exceptions(keys: list[int], cycle: Cycle) -> dict[int, dict[str, GateException]]:
    found: dict[int, dict[str, GateException]] = defaultdict(dict)
    for one in GateException.objects.filter(cycle=cycle, registration__in=keys, withdrawn_at=None).order_by():
        found[one.registration_id][one.rule] = one
    return found


def _holds(keys: list[int], cycle: Cycle) -> dict[int, ResultHold]:
    found = ResultHold.objects.in_force().filter(cycle=cycle, registration__in=keys).order_by()
    return {one.registration_id: one for one in found}
