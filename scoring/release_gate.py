"""The gate of a release: per candidate every rule, and in words what is missing.

The page shows it, and `release.py` refuses by it: when a release is prepared, when it is approved, and once more for
each candidate in the transaction that tells them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from django.db.models import Count, QuerySet, Sum

from candidates.models import Cycle, Registration
from scoring import planner, scores, standing
from scoring.models import Assignment, Rating, Result, Sheet
from scoring.scores import Rules
from scoring.standing import Candidate, Earned, Judged


class Verdict(StrEnum):
    PASSED = "passed"
    MISSING = "missing"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one candidate. Only MISSING holds a release back."""

    code: str
    title: str
    verdict: Verdict
    words: str

    @property
    def is_missing(self) -> bool:
        return self.verdict is Verdict.MISSING


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate at the gate."""

    registration: Registration
    year: int
    entries: int
    checks: tuple[Check, ...]

    @property
    def missing(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_missing)

    @property
    def is_ready(self) -> bool:
        return not self.missing

    @property
    def is_withheld(self) -> bool:
        return not self.registration.is_settled


@dataclass(frozen=True, slots=True)
class Gate:
    """The whole gate of a cycle: who is not ready first, then by candidate code."""

    rows: tuple[Row, ...]

    @property
    def blocked(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.is_ready)

    @property
    def withheld(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.is_withheld)

    @property
    def is_open(self) -> bool:
        """Whether the release may go on: somebody is to be told, and nothing is missing for anybody."""
        return bool(self.rows) and not self.blocked

    @property
    def failing(self) -> list[tuple[str, int]]:
        """Titles of the rules that hold candidates back, with how many, most first."""
        return Counter(check.title for row in self.rows for check in row.missing).most_common()


def gate(cycle: Cycle, rules: Rules, at: datetime) -> Gate:
    """Every candidate of the cycle. Loads in chunks; the number of queries does not grow within one."""
    rows = _rows(standing.load_all(standing.in_process(cycle), cycle, rules), rules, at)
    return Gate(tuple(sorted(rows, key=lambda row: (row.is_ready, row.registration.code))))


def row_of(candidate: Candidate, rules: Rules, at: datetime) -> Row:
    """The same for one candidate, two queries."""
    return next(_rows([candidate], rules, at))


def _rows(candidates: Iterable[Candidate], rules: Rules, at: datetime) -> Iterator[Row]:
    for some in _chunks(candidates):
        again = Recomputed.of(some)
        for candidate in some:
            checks = (
                _closed(candidate, at),
                _scored(candidate),
                _final(candidate),
                _double(candidate, rules),
                _adjudicated(candidate),
                _one_rubric(candidate),
                _totals(candidate, again),
                _fee(candidate),
            )
            yield Row(candidate.registration, candidate.year, len(candidate.entries), checks)


def _chunks(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    some: list[Candidate] = []
    for candidate in candidates:
        some.append(candidate)
        if len(some) == standing.CHUNK:
            yield some
            some = []
    if some:
        yield some


def _check(code: str, title: str, passed: str, missing: list[str]) -> Check:
    if missing:
        return Check(code, title, Verdict.MISSING, "; ".join(missing) + ".")
    return Check(code, title, Verdict.PASSED, passed)


def _name(judged: Judged) -> str:
    return f"factor {judged.entry.factor.number}"


def _closed(candidate: Candidate, at: datetime) -> Check:
    missing = [f"{_name(one)} may still be changed by the candidate" for one in candidate.entries if not one.is_locked]
    if candidate.open_until and candidate.open_until > at:
        missing.append("their extension is still running")
    return _check("closed", "Handed in for good", "Every entry is locked.", missing)


def _scored(candidate: Candidate) -> Check:
    missing = [f"{_name(one)} has no final first reading" for one in candidate.entries if one.outcome is None]
    return _check("scored", "Scored", f"{len(candidate.entries)} of {len(candidate.entries)} entries scored.", missing)


def _final(candidate: Candidate) -> Check:
    missing = [
        f"{_name(one)}: {reading.assignment.get_role_display().lower()} is not final"
        for one in candidate.entries
        for reading in one.readings
        if reading.score is None
    ]
    return _check("final", "Sheets final", "Every assigned reading is final.", missing)


def _double(candidate: Candidate, rules: Rules) -> Check:
    once = [one for one in candidate.entries if not _is_read_twice(one)]
    missing = [f"{_name(one)} {reason}" for one in once if (reason := _needs_second(one, rules))]
    if candidate.entries and len(once) == len(candidate.entries):
        missing.append("no entry of this candidate has two readings")
    twice = len(candidate.entries) - len(once)
    return _check("double", "Read twice", f"{twice} of {len(candidate.entries)} entries read twice.", missing)


def _needs_second(judged: Judged, rules: Rules) -> str:
    """Why one reading of this entry is not enough; empty where it is."""
    if judged.entry.is_retake:
        return "is a retake and needs two readings"
    if judged.score is not None and scores.is_close_call(judged.score, rules):
        return "lies near the floor or the threshold and needs two readings"
    if planner.in_random_share(judged.entry.pk, rules):
        return "was drawn for a second reading"
    return ""


def _is_read_twice(judged: Judged) -> bool:
    final = {reading.role for reading in judged.readings if reading.score is not None}
    return {Assignment.Role.FIRST, Assignment.Role.SECOND} <= final


def _adjudicated(candidate: Candidate) -> Check:
    missing = [
        f"{_name(one)}: the two readings lie too far apart, a lead scorer must decide"
        for one in candidate.entries
        if one.outcome and one.outcome.how == scores.NEEDS_ADJUDICATION
    ]
    return _check("adjudicated", "Adjudicated", "No open adjudication.", missing)


def _one_rubric(candidate: Candidate) -> Check:
    missing = [
        f"{_name(one)} was read by two versions of its rubric"
        for one in candidate.entries
        if len({reading.sheet.rubric_id for reading in one.readings if reading.sheet}) > 1
    ]
    return _check("rubric", "One rubric", "All readings of an entry used the same rubric.", missing)


def _fee(candidate: Candidate) -> Check:
    registration = candidate.registration
    words = f"{registration.get_payment_status_display()}."
    if not registration.is_settled:
        words += " The result will be withheld until the fee is settled."
    return Check("fee", "Fee", Verdict.INFORMATION, words)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The independent path: PostgreSQL adds up what Python took the mean of, and what the last release said.

    `scores` maps entry to score; `released` maps registration to the latest earlier result that was released.
    """

    scores: dict[int, Fraction]
    released: dict[int, Result]

    @classmethod
    def of(cls, candidates: list[Candidate]) -> "Recomputed":
        entries = [one.entry.pk for candidate in candidates for one in candidate.entries]
        return cls(_scores_by_sql(entries), _last_results(candidates))


def _scores_by_sql(entries: list[int]) -> dict[int, Fraction]:
    sums: dict[int, dict[str, Fraction]] = {}
    for entry, role, total, count in _sums(entries):
        sums.setdefault(entry, {})[role] = Fraction(total) / count
    return {entry: _combined(by_role) for entry, by_role in sums.items()}


def _sums(entries: list[int]) -> QuerySet[Rating, tuple[int, str, Fraction, int]]:
    path = "sheet__assignment"
    return (
        Rating.objects.filter(**{f"{path}__entry__in": entries}, sheet__status=Sheet.Status.FINAL)
        .exclude(**{f"{path}__role__in": Assignment.OF_APPEALS})
        .order_by()
        .values_list(f"{path}__entry", f"{path}__role")
        .annotate(total=Sum("value"), count=Count("value"))
    )


def _combined(by_role: dict[str, Fraction]) -> Fraction:
    lead = by_role.pop(Assignment.Role.ADJUDICATION, None)
    return lead if lead is not None else sum(by_role.values(), Fraction(0)) / len(by_role)


def _last_results(candidates: list[Candidate]) -> dict[int, Result]:
    results = Result.objects.filter(
        registration__in=[candidate.registration.pk for candidate in candidates],
        superseded_at=None,
        cycle__year__lt=candidates[0].cycle.year,
    )
    return {result.registration_id: result for result in results.select_related("policy").order_by("cycle__year")}


def _totals(candidate: Candidate, again: Recomputed) -> Check:
    """What is about to be told, against the other path; and what was told last, against the scores it came from."""
    differing = [
        f"{_name(one)} comes to {one.score} and, computed again, to {again.scores.get(one.entry.pk)}"
        for one in candidate.entries
        if one.score is not None and one.score != again.scores.get(one.entry.pk)
    ]
    last = again.released.get(candidate.registration.pk)
    if last is not None and last.total != _total_of(candidate.earned, last):
        differing.append("the last released total is not the sum of the factor scores released until then")
    return _check("totals", "Totals agree", "Computed in two separate ways, the same.", differing)


def _total_of(earned: Iterable[Earned], last: Result) -> Fraction:
    rules = last.policy.rules()
    return standing.overall(standing.stand(earned, rules), rules).total
