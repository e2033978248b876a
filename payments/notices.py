"""What people are told about money: one mail per fact, whose key names the fact."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.mail import outbox
from payments import permissions
from payments.models import Attempt, Delivery, Dispute, LedgerEntry, Refund, Seat


def received(registration: Registration, entry: LedgerEntry, *, at: datetime) -> None:
    """Money came in for a registration; finance hears of it, too, where a person has to decide."""
    is_over = registration.payment_status == Registration.Payment.OVERPAID
    told = {"money": entry.money, "is_over": is_over, "is_standing": registration.is_standing}
    _candidate("payment_received", registration, f"{entry.provider}:{entry.txn_ref}", at, **told)
    is_promised = Seat.objects.claimed().filter(registration=registration).exists()
    if is_over or is_promised or not registration.is_standing:
        what = "overpaid" if is_over else "promised" if is_promised else "not_standing"
        entry_needs_eyes(what, entry, registration.code, at=at)


def returned(registration: Registration, entry: LedgerEntry, *, at: datetime) -> None:
    """Money went back to whoever paid it."""
    _candidate("payment_returned", registration, f"{entry.provider}:{entry.txn_ref}", at, money=-entry.money)


def not_made(registration: Registration, attempt: Attempt, *, at: datetime) -> None:
    """A payment that had been in doubt turned out to be none."""
    _candidate(
        "payment_failed",
        registration,
        str(attempt.public_id),
        at,
        money=attempt.money,
        problem=attempt.problem,
        closes_at=registration.cohort.registration_closes_at,
        is_open=registration.cohort.window.contains(at),
    )


def dispute_lost(registration: Registration, dispute: Dispute, *, at: datetime) -> None:
    """The bank gave the money back to the payer, and the fee is owed again."""
    _candidate("dispute_lost", registration, f"{dispute.provider}:{dispute.ref}", at, money=dispute.money)


def entry_needs_eyes(what: str, entry: LedgerEntry, code: str, *, at: datetime) -> None:
    """Money that a person has to look at. `what` chooses the words, `code` is the registration's, "" for nobody's."""
    path = reverse("admin:payments_ledgerentry_change", args=[entry.pk])
    _finance(what, str(entry.pk), path, at, money=entry.money, provider=entry.provider, ref=entry.txn_ref, code=code)


def dispute_needs_eyes(dispute: Dispute, code: str, *, at: datetime) -> None:
    """A dispute was opened, or decided."""
    path = reverse("admin:payments_dispute_change", args=[dispute.pk])
    facts = {"money": dispute.money, "provider": dispute.provider, "ref": dispute.ref, "code": code}
    key = f"dispute:{dispute.pk}:{dispute.standing}"
    _finance(f"dispute_{dispute.standing}", key, path, at, answer_by=dispute.answer_by, **facts)


def delivery_needs_eyes(delivery: Delivery, *, at: datetime) -> None:
    """An event that could not be worked off, for good."""
    path = reverse("admin:payments_delivery_change", args=[delivery.pk])
    _finance("delivery_dead", f"delivery:{delivery.pk}", path, at, provider=delivery.provider, ref=delivery.event_id)


def refund_needs_eyes(refund: Refund, *, at: datetime) -> None:
    """Money that was to go back and could not."""
    path = reverse("admin:payments_refund_change", args=[refund.pk])
    _finance("refund_failed", f"refund:{refund.pk}", path, at, money=refund.money, provider=refund.entry.provider)


def _candidate(event: str, registration: Registration, fact: str, at: datetime, **values: Any) -> None:
    outbox.queue(
        event,
        to=registration.user,
        key=f"{event}:{fact}"[:120],
        at=at,
        code=registration.code,
        cohort=registration.cohort.number,
        pay_path=reverse("payments:pay", args=[registration.pk]),
        **values,
    )


def _finance(what: str, fact: str, path: str, at: datetime, **values: Any) -> None:
    for person in User.objects.filter(permissions.watches_money()).distinct():
        key = f"payment_attention:{fact}:{person.pk}"
        outbox.queue("payment_attention", to=person, key=key, at=at, what=what, path=path, **values)
