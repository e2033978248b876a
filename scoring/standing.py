"""What each candidate's standing scores are: all they earned at earlier releases, and what this cycle adds.

The upper half is pure; the lower half loads it for any number of candidates with the same few queries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from candidates.models import Cycle, Extension, Registration
from candidates.models import RegistrationQuerySet as Registrations
from portfolios.models import Entry
from scoring import scores
from scoring.models import Assignment, FactorScore, Result, Sheet
from scoring.scores import FactorOutcome, Overall, Rules

LAST_YEAR = 3
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Earned:
    """One score of one factor: its number and name, the year of its cycle, the exact score."""

    factor: int
    name: str
    year: int
    score: Fraction


def stand(earned: Iterable[Earned], rules: Rules) -> dict[int, Earned]:
    """Per factor the score that counts by the retake rule. Of equal scores the earlier stands."""
    by_factor: dict[int, list[Earned]] = {}
    for one in sorted(earned, key=lambda one: (one.factor, one.year)):
        by_factor.setdefault(one.factor, []).append(one)
    return {factor: _counts(attempts, rules) for factor, attempts in by_factor.items()}


def _counts(attempts: Sequence[Earned], rules: Rules) -> Earned:
    score = scores.standing([one.score for one in attempts], rules)
    return next(one for one in attempts if one.score == score)


def overall(standing: Mapping[int, Earned], rules: Rules) -> Overall:
    return scores.overall({factor: one.score for factor, one in standing.items()}, rules)


def status(standing: Mapping[int, Earned], year: int, rules: Rules) -> str:
    """What a release says, in the candidate's `year` 1, 2 or 3 of the process; a `Result.Status`."""
    if overall(standing, rules).is_certified:
        return Result.Status.CERTIFIED
    if year >= LAST_YEAR:
        return Result.Status.NOT_CERTIFIED
    if all(scores.is_banked(one.score, rules) for one in standing.values()):
        return Result.Status.IN_PROGRESS
    return Result.Status.NOT_YET


@dataclass(frozen=True, slots=True)
class Reading:
    """One assigned reading of an entry; `score` is None until its sheet is final and holds every criterion."""

    assignment: Assignment
    sheet: Sheet | None
    score: Fraction | None

    @property
    def role(self) -> str:
        return self.assignment.role


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry of the cycle with its readings, and what they come to: None until the first one is final."""

    entry: Entry
    readings: tuple[Reading, ...]
    outcome: FactorOutcome | None

    @property
    def is_locked(self) -> bool:
        return self.entry.status == Entry.Status.LOCKED

    @property
    def score(self) -> Fraction | None:
        return self.outcome.score if self.outcome else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One registration up to one cycle: earned before, judged now. Lapsed drafts are no entries.

    `open_until` is the end of their extension of this cycle, where they have one.
    """

    registration: Registration
    cycle: Cycle
    earned: tuple[Earned, ...]
    entries: tuple[Judged, ...]
    open_until: datetime | None = None

    @property
    def year(self) -> int:
        """1, 2 or 3: which year of their process this cycle is."""
        return self.cycle.year - self.registration.cohort.year

    def standing(self, rules: Rules) -> dict[int, Earned]:
        now = [
            Earned(one.entry.factor.number, one.entry.factor.name, self.cycle.year, one.score)
            for one in self.entries
            if one.score is not None
        ]
        return stand([*self.earned, *now], rules)


def judge(entry: Entry, rules: Rules) -> Judged:
    """One entry and its readings. No query when loaded by `load`."""
    readings = tuple(reading(assignment) for assignment in entry.assignments.all())
    return Judged(entry, readings, _outcome({one.role: one.score for one in readings}, rules))


def reading(assignment: Assignment) -> Reading:
    """One assigned reading, with its score once that is final."""
    sheet = getattr(assignment, "sheet", None)
    if sheet is None or sheet.status != Sheet.Status.FINAL:
        return Reading(assignment, sheet, None)
    values = [rating.value for rating in sheet.ratings.all() if rating.value is not None]
    is_whole = 0 < len(values) == len(sheet.rubric.criteria.all())
    return Reading(assignment, sheet, scores.sheet_score(values) if is_whole else None)


def _outcome(by_role: dict[str, Fraction | None], rules: Rules) -> FactorOutcome | None:
    first = by_role.get(Assignment.Role.FIRST)
    if first is None:
        return None
    second, lead = by_role.get(Assignment.Role.SECOND), by_role.get(Assignment.Role.ADJUDICATION)
    return scores.factor_score(first, second, lead, rules)


def in_process(cycle: Cycle) -> Registrations:
    """Who hears at this cycle's release: taking part or with entries handed in, and not certified before it.

    Somebody whose seat was lost after they handed in is scored all the same; their result is withheld.
    """
    handed_in = Entry.objects.locked().filter(registration=OuterRef("pk"), cycle__year__lte=cycle.year)
    certified = Result.objects.filter(
        registration=OuterRef("pk"),
        status=Result.Status.CERTIFIED,
        superseded_at=None,
        cycle__year__lt=cycle.year,
    )
    return (
        Registration.objects.standing()
        .in_cycle(cycle)
        .filter(Q(payment_status__in=Registration.SEAT_HELD) | Exists(handed_in))
        .exclude(Exists(certified))
    )


def load(registrations: Registrations, cycle: Cycle, rules: Rules) -> list[Candidate]:
    """The candidates in the given order, with everything a gate or a release needs, in ten queries at most."""
    extensions = Prefetch("extensions", Extension.objects.filter(cycle=cycle), to_attr="extensions_of_cycle")
    rows = list(registrations.select_related("user", "cohort").prefetch_related(_entries(cycle), extensions))
    earned = earned_before(rows, cycle)
    return [_candidate(row, cycle, earned.get(row.pk, []), rules) for row in rows]


def _candidate(row: Any, cycle: Cycle, earned: list[Earned], rules: Rules) -> Candidate:
    return Candidate(
        registration=row,
        cycle=cycle,
        earned=tuple(earned),
        entries=tuple(judge(entry, rules) for entry in row.entries_of_cycle),
        open_until=max((extension.closes_at for extension in row.extensions_of_cycle), default=None),
    )


def load_all(registrations: Registrations, cycle: Cycle, rules: Rules) -> Iterator[Candidate]:
    """The same in chunks, so that ten thousand candidates never stand in memory together. Ordered by code."""
    keys = list(registrations.order_by("code").values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        some = Registration.objects.filter(pk__in=keys[start : start + CHUNK]).order_by("code")
        yield from load(some, cycle, rules)


def _entries(cycle: Cycle) -> "Prefetch[str, QuerySet[Entry], str]":
    """This cycle's entries down to the single value, as `registration.entries_of_cycle`."""
    return Prefetch(
        "entries",
        Entry.objects.filter(cycle=cycle)
        .exclude(status=Entry.Status.LAPSED)
        .select_related("factor")
        .prefetch_related(
            Prefetch(
                "assignments",
                Assignment.objects.exclude(role__in=Assignment.OF_APPEALS).select_related("sheet").order_by("pk"),
            ),
            "assignments__sheet__ratings",
            # Prefetched, not joined: thousands of sheets share seven rubrics.
            "assignments__sheet__feedback",
            "assignments__sheet__rubric__criteria",
            "assignments__sheet__rubric__levels",
        )
        .order_by("factor__number"),
        to_attr="entries_of_cycle",
    )


def earned_before(registrations: Sequence[Registration], cycle: Cycle) -> dict[int, list[Earned]]:
    """By registration what earlier releases told, as it stands now."""
    rows = FactorScore.objects.filter(
        result__registration__in=registrations, result__superseded_at=None, result__cycle__year__lt=cycle.year
    ).select_related("result__cycle", "entry__factor")
    earned: dict[int, list[Earned]] = {}
    for row in rows:
        one = Earned(row.entry.factor.number, row.entry.factor.name, row.result.cycle.year, row.score)
        earned.setdefault(row.result.registration_id, []).append(one)
    return earned
