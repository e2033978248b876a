"""Staff put a released score right: one proposes it, another approves, and then the result is replaced.

A correction may lower a score. Whether a certificate that rests on it is taken back, staff decide (certificates.py).
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

from django.db import transaction

from candidates.models import User
from candidates.registration import refuse_own
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from scoring import second_path, superseding
from scoring.models import Certificate, Correction, FactorScore, Result
from scoring.results import Frozen, frozen
from scoring.scores import VALUES
from scoring.superseding import Change

LONGEST_REASON = 2000
State = Correction.State


@transaction.atomic
def propose(result_id: int, *, scores: Mapping[int, Fraction], reason: str, by: User, at: datetime) -> Correction:
    """Say what the scores of some of its entries should be. Proposed again before approval, the newer one stands.

    Refused: `own-registration`, `replaced`, `not-a-score` (with the entries in `fields`), `nothing-changes`,
    `no-reason`.
    """
    result = _locked(result_id)
    refuse_own(result.registration, by)
    changed = _changed(result, scores)
    if not reason.strip():
        raise Refused("no-reason", "Say why. The candidate reads it.", fields={"reason": "Say why."})
    correction, _ = Correction.objects.update_or_create(
        result=result,
        state=State.PROPOSED,
        defaults={
            "scores": {str(entry): frozen(score) for entry, score in changed.items()},
            "reason": reason.strip(),
            "proposed_by": by,
            "proposed_at": at,
        },
    )
    trail.record("correction.propose", correction, by=by, at=at, reason=reason.strip(), after=correction.scores)
    return correction


@transaction.atomic
def approve(correction_id: int, *, seen: datetime | None, by: User, at: datetime) -> Correction:
    """The second person's yes to what was proposed at `seen`: the result is replaced. A repeat changes nothing.

    Refused: `withdrawn`, `same-person`, `own-registration`, `proposed-anew` (since they looked), `replaced`.
    """
    result = _locked(Correction.objects.get(pk=correction_id).result_id)
    correction = _again(correction_id)
    if correction.state == State.APPROVED:
        return correction
    _refuse_approval(correction, result, seen, by)
    changed = _changed(result, scores_of(correction))
    made = superseding.supersede(result, _changes(result, changed, at), reason=correction.reason, by=by, at=at)
    _end(correction, State.APPROVED, at, approved_by=by, made=made)
    trail.record("correction.approve", correction, by=by, at=at, after={"result": made.pk})
    if made.told_at:
        _write(made, at)
    return correction


def _refuse_approval(correction: Correction, result: Result, seen: datetime | None, by: User) -> None:
    if correction.state == State.WITHDRAWN:
        raise Refused("withdrawn", "This correction was taken back.")
    refuse_own(result.registration, by)
    if correction.proposed_by_id == by.pk:
        raise Refused("same-person", "You proposed this correction. Another member of staff has to approve it.")
    if correction.proposed_at != seen:
        raise Refused(
            "proposed-anew", "This correction was proposed anew since you looked at it. Look once more, then approve."
        )


@transaction.atomic
def withdraw(correction_id: int, *, by: User, at: datetime) -> Correction:
    """Take a proposal back. A repeat changes nothing. Refused: `approved`."""
    correction = _again(correction_id)
    if correction.state == State.APPROVED:
        raise Refused(
            "approved", "This correction is approved and the result is replaced. Correct the new one instead."
        )
    if correction.state == State.PROPOSED:
        _end(correction, State.WITHDRAWN, at)
        trail.record("correction.withdraw", correction, by=by, at=at)
    return correction


def scores_of(correction: Correction) -> dict[int, Fraction]:
    """Entry to the score it should have."""
    return {int(entry): Fraction(*score) for entry, score in correction.scores.items()}


def unsupported() -> list[Certificate]:
    """Certificates that hold although nothing that stands certifies their holders any more. Staff decide on each."""
    certified = Result.objects.filter(status=Result.Status.CERTIFIED, superseded_at=None).values("registration")
    replaced = Result.objects.exclude(superseded_at=None).values("registration")
    valid = Certificate.objects.filter(revoked_at=None, registration__in=replaced)
    return list(valid.exclude(registration__in=certified).select_related("registration__user"))


def _locked(result_id: int) -> Result:
    """The result of a candidate whose results nobody else replaces meanwhile."""
    registration = superseding.lock(Result.objects.values_list("registration", flat=True).get(pk=result_id))
    result = Result.objects.select_related("cycle", "policy").get(pk=result_id)
    result.registration = registration
    return result


def _again(correction_id: int) -> Correction:
    return Correction.objects.select_for_update(of=("self",)).get(pk=correction_id)


def _changed(result: Result, wanted: Mapping[int, Fraction]) -> dict[int, Fraction]:
    """What of `wanted` differs from what was told."""
    if result.superseded_at:
        raise Refused("replaced", "Another result has taken the place of this one. Correct that one.")
    lowest, highest = Fraction(min(VALUES)), Fraction(max(VALUES))
    strays = [str(entry) for entry, score in wanted.items() if not lowest <= score <= highest]
    if strays:
        message = f"A score lies between {min(VALUES)} and {max(VALUES)}."
        raise Refused("not-a-score", message, fields=dict.fromkeys(strays, message))
    if odd := [str(entry) for entry, score in wanted.items() if second_path.UNIT % score.denominator]:
        message = (
            "No readings come to such a score. Write it with up to three decimals, or as the fraction they come to."
        )
        raise Refused("not-a-score", message, fields=dict.fromkeys(odd, message))
    told = {row.entry_id: row.score for row in result.factor_scores.all()}
    changed = {entry: score for entry, score in wanted.items() if told[entry] != score}
    if not changed:
        raise Refused("nothing-changes", "These are the scores that stand already. Change at least one.")
    return changed


def _changes(result: Result, changed: Mapping[int, Fraction], at: datetime) -> dict[int, Change]:
    return {
        row.entry_id: Change(changed[row.entry_id], FactorScore.How.CORRECTED, _detail(row, at))
        for row in result.factor_scores.filter(entry__in=changed)
    }


def _detail(row: FactorScore, at: datetime) -> Frozen:
    """As it was told, and what was put right since, each time."""
    before = [*row.detail.get("corrected", []), {"from": frozen(row.score), "at": at.isoformat()}]
    return {**row.detail, "corrected": before}


def _end(correction: Correction, state: str, at: datetime, **fields: object) -> None:
    """ValueError for a state that does not follow from the present."""
    if state not in Correction.NEXT[correction.state]:
        raise ValueError(f"A correction does not go from {correction.state} to {state}")
    for name, value in {"state": state, "ended_at": at, **fields}.items():
        setattr(correction, name, value)
    correction.save(update_fields=["state", "ended_at", *fields])


def _write(made: Result, at: datetime) -> None:
    outbox.queue(
        "result_corrected",
        to=made.registration.user,
        key=f"result_corrected:{made.pk}",
        at=at,
        year=made.cycle.year,
        cycle_id=made.cycle_id,
    )
