"""Filling a scoring sheet: saving without ever overwriting another tab, and making it final."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring import assignment, benchmarks, calibration, timing
from scoring.models import FeedbackStatement, Rating, Sheet, Trial
from scoring.scores import VALUES, level_of

LONGEST_COMMENT = 5000
LONGEST_EVIDENCE = 2000
EVIDENCE_FROM_LEVEL_DOWN = 2  # whoever is told "less than accomplished" must be told what was seen


@dataclass(frozen=True, slots=True)
class Rated:
    """What one criterion was given: one of the twelve values or nothing yet, and the note on the evidence."""

    value: Decimal | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All a scorer writes on a sheet: criterion key to rating, the comment, the keys of the chosen statements."""

    ratings: Mapping[int, Rated]
    comment: str = ""
    feedback: frozenset[int] = frozenset()


def content(sheet: Sheet) -> Content:
    """What is saved. Criteria without a row stand there empty."""
    rated = {one.criterion_id: Rated(one.value, one.evidence) for one in sheet.ratings.all()}
    return Content(
        ratings={criterion.pk: rated.get(criterion.pk, Rated()) for criterion in sheet.rubric.criteria.all()},
        comment=sheet.comment,
        feedback=frozenset(statement.pk for statement in sheet.feedback.all()),
    )


@transaction.atomic
def save(sheet_id: int, *, version: int, new: Content, by: User, at: datetime) -> Sheet:
    """Write what was typed, if nobody wrote since `version`. Saving again what stands there already is harmless.

    Refused "final", "stale" (another tab saved meanwhile; the door shows what), "not-a-value", "unknown-criterion",
    "unknown-statement", "too-long". Sheet.DoesNotExist when it is not `by`'s (any more).
    """
    sheet = _lock(sheet_id, by)
    _check(sheet, new)
    old = content(sheet)
    if new == old:
        return sheet
    if sheet.status == Sheet.Status.FINAL:
        raise Refused("final", "This sheet is final. It counts as it stands and cannot be changed.")
    if version != sheet.version:
        raise Refused(
            "stale", "You saved this sheet in another tab or on another device since. Nothing you typed here is lost."
        )
    _write(sheet, new, at)
    timing.saved(sheet, at)
    return sheet


@transaction.atomic
def finalise(sheet_id: int, *, version: int, by: User, at: datetime) -> Sheet:
    """Make the sheet count, and do what follows from it: another reading, the next benchmark. A repeat is harmless.

    Refused "stale" when it changed since it was looked at, "incomplete" with the missing criteria in `fields`
    (criterion key to message). Sheet.DoesNotExist when it is not `by`'s (any more).
    """
    assignment.lock_entry_of(sheet_id)
    sheet = _lock(sheet_id, by)
    if sheet.status == Sheet.Status.FINAL:
        return sheet
    if version != sheet.version:
        raise Refused("stale", "You changed this sheet in another tab since. Look at it once more, then finalise.")
    if lacks := missing(sheet):
        raise Refused("incomplete", "Something is still missing on this sheet.", fields=lacks)
    sheet.status = Sheet.Status.FINAL
    sheet.finalised_at = at
    sheet.save(update_fields=["status", "finalised_at"])
    trail.record("sheet.finalise", sheet, by=by, at=at, after={"version": sheet.version})
    _go_on(sheet, by=by, at=at)
    return sheet


def _go_on(sheet: Sheet, *, by: User, at: datetime) -> None:
    """What follows from a sheet that has become final."""
    trial = sheet.trial
    if trial is None:
        assignment.follow_up(sheet.entry.pk, by=None, at=at)
    elif trial.use == Trial.Use.REFERENCE:
        benchmarks.keep_reference(sheet, trial, by=by, at=at)
    elif trial.calibration_id:
        calibration.go_on(trial.calibration_id, at=at)


def missing(sheet: Sheet) -> dict[str, str]:
    """What a sheet needs before it can be final: criterion key to a sentence. Values of levels 1 and 2 need a note,
    those of a reference all of them.
    """
    lacks = {}
    is_reference = sheet.trial is not None and sheet.trial.use == Trial.Use.REFERENCE
    saved = content(sheet).ratings
    for criterion in sheet.rubric.criteria.all():
        rated = saved[criterion.pk]
        if rated.value is None:
            lacks[str(criterion.pk)] = f"“{criterion.name}” has no value yet."
        elif level_of(rated.value) <= EVIDENCE_FROM_LEVEL_DOWN and not rated.evidence.strip():
            lacks[str(criterion.pk)] = (
                f"“{criterion.name}” is at level {level_of(rated.value)}. Note the evidence for it: "
                "the candidate needs to understand why."
            )
        elif is_reference and not rated.evidence.strip():
            lacks[str(criterion.pk)] = f"Say why “{criterion.name}” deserves this value: scorers read it."
    return lacks


def statements_for(sheet: Sheet) -> "Collection[FeedbackStatement]":
    """The feedback a scorer may choose from: the factor's own and those for every factor."""
    factor = sheet.entry.factor_id
    return FeedbackStatement.objects.filter(factor__in=[factor]) | FeedbackStatement.objects.filter(factor=None)


def _lock(sheet_id: int, by: User) -> Sheet:
    mine = Sheet.objects.visible_to(by).select_related("assignment__entry", "trial__benchmark__entry", "rubric")
    return mine.select_for_update(of=("self",)).get(pk=sheet_id)


def _check(sheet: Sheet, new: Content) -> None:
    known = {criterion.pk for criterion in sheet.rubric.criteria.all()}
    if set(new.ratings) - known:
        raise Refused("unknown-criterion", "This sheet has no such criterion. Reload the page.")
    if any(rated.value is not None and rated.value not in VALUES for rated in new.ratings.values()):
        raise Refused("not-a-value", "A criterion takes one of the twelve values from 0.75 to 4.25.")
    if new.feedback - {statement.pk for statement in statements_for(sheet)}:
        raise Refused(
            "unknown-statement", "One of the chosen statements is not offered for this factor. Reload the page."
        )
    if len(new.comment) > LONGEST_COMMENT or any(len(r.evidence) > LONGEST_EVIDENCE for r in new.ratings.values()):
        raise Refused("too-long", "A note or the comment is too long. Please shorten it.")


def _write(sheet: Sheet, new: Content, at: datetime) -> None:
    Rating.objects.bulk_create(
        [
            Rating(sheet=sheet, criterion_id=criterion, value=rated.value, evidence=rated.evidence)
            for criterion, rated in new.ratings.items()
        ],
        update_conflicts=True,
        unique_fields=["sheet", "criterion"],
        update_fields=["value", "evidence"],
    )
    sheet.feedback.set(new.feedback)
    sheet.comment = new.comment
    sheet.version += 1
    sheet.saved_at = at
    sheet.save(update_fields=["comment", "version", "saved_at"])
