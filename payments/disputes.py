"""Disputes as the provider tells them: kept, and told to whoever has to answer."""

from datetime import datetime

from candidates.models import Registration
from icg_cert.audit import trail
from payments import notices
from payments.gateways.base import Contest, Disputed
from payments.models import Attempt, Dispute


def keep(attempt: Attempt, told: tuple[Disputed, ...], *, at: datetime) -> list[Dispute]:
    """Write the disputes of an attempt as they stand; those that are new or were decided. Under the attempt's lock."""
    return [dispute for one in told if (dispute := _keep_one(attempt, one, at))]


def _keep_one(attempt: Attempt, told: Disputed, at: datetime) -> Dispute | None:
    known = Dispute.objects.filter(provider=attempt.provider, ref=told.ref).first()
    before = known.standing if known else ""
    if before == told.standing or (before and told.standing == Contest.OPEN):
        return None  # nothing new, or facts older than its end
    dispute, _ = Dispute.objects.update_or_create(
        provider=attempt.provider,
        ref=told.ref,
        defaults={
            "attempt": attempt,
            "standing": told.standing,
            "amount_minor": told.amount.minor,
            "currency": told.amount.currency,
            "reason": told.reason[:200],
            "opened_at": told.opened_at,
            "answer_by": told.answer_by,
            "closed_at": None if told.standing == Contest.OPEN else at,
        },
    )
    trail.record(
        "dispute.keep", dispute, by=None, at=at, before={"standing": before}, after={"standing": str(told.standing)}
    )
    return dispute


def tell(registration: Registration, changed: list[Dispute], *, at: datetime) -> None:
    """Finance hears of each; the candidate where the money is gone and the fee is owed again."""
    for dispute in changed:
        notices.dispute_needs_eyes(dispute, registration.code, at=at)
        if dispute.standing == Dispute.Standing.LOST and registration.is_standing and not registration.is_settled:
            notices.dispute_lost(registration, dispute, at=at)
