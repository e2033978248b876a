"""Letting one candidate through although a rule of the gate fails: signed with a reason, until it is withdrawn."""

from datetime import datetime

from django.db import transaction

from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring import policies, release_gate
from scoring.models import GateException, Result


@transaction.atomic
def sign(cycle_id: int, registration_id: int, rule: str, *, reason: str, by: User, at: datetime) -> GateException:
    """Except the candidate from the rule, as it fails now. Signed again for other words, the newer one stands.

    Refused: `never`, `no-reason`, `nothing-fails`, `already-told`.
    """
    if rule not in GateException.Rule.values:
        raise Refused("never", "Nobody can be excepted from this rule. What is missing has to be done.")
    if not reason.strip():
        message = "Say why. The reason stands with your name beside the rule, and whoever approves reads it."
        raise Refused("no-reason", message, fields={"reason": message})
    Registration.objects.select_for_update().get(pk=registration_id)
    words = _what_fails(Cycle.objects.get(pk=cycle_id), registration_id, rule, at)
    in_force = GateException.objects.filter(cycle=cycle_id, registration=registration_id, rule=rule, withdrawn_at=None)
    in_force.update(withdrawn_by=by, withdrawn_at=at)
    made = GateException.objects.create(
        cycle_id=cycle_id,
        registration_id=registration_id,
        rule=rule,
        words=words,
        reason=reason.strip(),
        signed_by=by,
        signed_at=at,
    )
    trail.record("gate.except", made, by=by, at=at, reason=made.reason, after={"rule": rule, "words": words})
    return made


def _what_fails(cycle: Cycle, registration_id: int, rule: str, at: datetime) -> str:
    if Result.objects.filter(cycle=cycle, registration=registration_id, superseded_at=None).exists():
        raise Refused("already-told", "They have been told their result. A result is corrected by superseding it.")
    found = release_gate.look(cycle, registration_id, policies.policy_of(cycle), at)
    failing = [check for check in found[1].missing if check.code == rule] if found else []
    if not failing:
        raise Refused("nothing-fails", "This rule does not fail for this candidate now, so there is nothing to except.")
    return failing[0].words


@transaction.atomic
def withdraw(exception_id: int, *, by: User, at: datetime) -> GateException:
    """From now on the rule counts again; a release that was approved with it refuses this candidate. Once."""
    rows = GateException.objects.select_related("registration").select_for_update(of=("self", "registration"))
    found = rows.get(pk=exception_id)
    if found.withdrawn_at is None:
        found.withdrawn_by, found.withdrawn_at = by, at
        found.save(update_fields=["withdrawn_by", "withdrawn_at"])
        trail.record("gate.withdraw_exception", found, by=by, at=at)
    return found
