"""A released result is never changed: another one takes its place, and the old one is kept.

What later results of the same candidate counted of it is counted anew, and they are replaced where that changes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import QuerySet

from candidates.models import Registration, User
from icg_cert.audit import trail
from scoring import release, results, standing
from scoring.models import FactorScore, Result, ResultQuerySet
from scoring.results import Frozen
from scoring.standing import Earned

FOLLOWS = "A score of an earlier year that counts here was replaced, so we counted this result anew."


@dataclass(frozen=True, slots=True)
class Change:
    """What an entry's score is from now on, and how it came about, as `FactorScore` keeps it."""

    score: Fraction
    how: str
    detail: Frozen


def lock(registration_id: int) -> Registration:
    """Whose results are about to be replaced: nobody else replaces or releases any of theirs until we are through."""
    rows = Registration.objects.select_for_update(of=("self",), no_key=True).select_related("user", "cohort")
    return rows.get(pk=registration_id)


def supersede(result: Result, changes: Mapping[int, Change], *, reason: str, by: User | None, at: datetime) -> Result:
    """The result that takes this one's place, with the scores of `changes` (entry to change) and all others as before.

    Call it under `lock`, with a result that stands. The candidate reads `reason`. What was told is told at once; what
    is withheld stays so. A certificate is issued where one is earned, and none is taken back: that is staff's to do.
    """
    made = _replace(result, changes, reason=reason, by=by, at=at)
    for later in _standing(result.registration_id).filter(cycle__year__gt=result.cycle.year):
        if _fields(later, list(_rows_of(later))) != _as_told(later):
            _replace(later, {}, reason=FOLLOWS, by=by, at=at)
    for told in _standing(result.registration_id).exclude(told_at=None):
        release.write_outcomes(told)
    return made


def _standing(registration_id: int) -> ResultQuerySet:
    rows = Result.objects.filter(registration=registration_id, superseded_at=None)
    return rows.select_related("cycle", "policy", "registration__cohort", "registration__user").order_by("cycle__year")


def _replace(result: Result, changes: Mapping[int, Change], *, reason: str, by: User | None, at: datetime) -> Result:
    rows = [_changed(row, changes.get(row.entry_id)) for row in _rows_of(result)]
    Result.objects.filter(pk=result.pk).update(superseded_at=at, superseded_reason=reason)
    made = Result.objects.create(
        registration=result.registration,
        cycle=result.cycle,
        policy=result.policy,
        replaces=result,
        released_at=at,
        **_fields(result, rows),
    )
    for row in rows:
        row.result = made
    FactorScore.objects.bulk_create(rows)
    before, after = ({"result": one.pk, "status": one.status, "total": str(one.total)} for one in (result, made))
    trail.record("result.supersede", made, by=by, at=at, reason=reason, before=before, after=after)
    if result.told_at:
        release.take_effect(made, at)
    return made


def _rows_of(result: Result) -> QuerySet[FactorScore]:
    return result.factor_scores.select_related("entry__factor")


def _changed(row: FactorScore, change: Change | None) -> FactorScore:
    """A copy, not yet saved, with what changes about it."""
    score = change.score if change else row.score
    return FactorScore(
        entry=row.entry,
        numerator=score.numerator,
        denominator=score.denominator,
        how=change.how if change else row.how,
        rubric_id=row.rubric_id,
        rubric_hash=row.rubric_hash,
        detail=change.detail if change else row.detail,
    )


def _fields(result: Result, rows: list[FactorScore]) -> Frozen:
    """What the result comes to with these scores and with what stands of earlier years."""
    registration, cycle = result.registration, result.cycle
    earlier = standing.earned_before([registration], cycle).get(registration.pk, [])
    now = [Earned(row.entry.factor.number, row.entry.factor.name, cycle.year, row.score) for row in rows]
    rules = result.policy.rules()
    return results.decision(standing.stand([*earlier, *now], rules), cycle.year - registration.cohort.year, rules)


def _as_told(result: Result) -> Frozen:
    names = ("status", "total_numerator", "total_denominator", "factors_scored", "standing")
    return {name: getattr(result, name) for name in names}
