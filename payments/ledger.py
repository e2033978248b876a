"""The ledger: money that moved, one row per fact, never changed. Every payment status is computed from it.

Lock order everywhere in payments, so that no two wait for each other:

1. registrations, by their keys where there are several;
2. then the attempt of one, or what is a payer's: the payer, its orders by their keys, an invoice, a remittance;
3. last, and briefly, the counter of a paper's number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from payments.models import Attempt, LedgerEntry, Payer, PurchaseOrder, Seat

Payment = Registration.Payment
Kind = LedgerEntry.Kind
DISPUTES = [Kind.DISPUTE_WITHDRAWN, Kind.DISPUTE_REINSTATED]


@dataclass(frozen=True, slots=True)
class Position:
    """All that a payment status depends on. `order` is the state of the live order whose seat it has, "" for none."""

    fee: Money
    balance: Money
    disputed: Money
    has_entries: bool
    is_in_doubt: bool
    order: str


def status_of(position: Position) -> str:
    """The payment status, a `Registration.Payment`. Pure; the first rule that fits, from money to promises."""
    rules = [
        (position.balance == position.fee, Payment.PAID),
        (position.fee < position.balance, Payment.OVERPAID),
        (position.disputed.minor < 0, Payment.DISPUTED),
        (position.order == PurchaseOrder.State.ACCEPTED, Payment.PO_COMMITTED),
        (position.is_in_doubt, Payment.PENDING),
        (position.balance.minor > 0, Payment.PARTLY_PAID),
        (position.order == PurchaseOrder.State.SUBMITTED, Payment.PO_REQUESTED),
        (position.has_entries, Payment.REFUNDED),
    ]
    return next((str(status) for holds, status in rules if holds), str(Payment.UNPAID))


def lock(registration_id: int) -> Registration:
    """The registration, locked: every change of what it owes or has paid begins here. DoesNotExist."""
    rows = Registration.objects.select_for_update(of=("self",)).select_related("user", "cohort")
    return rows.get(pk=registration_id)


def post(
    *,
    registration: Registration | None,
    kind: str,
    amount: Money,
    provider: str,
    txn_ref: str,
    occurred_at: datetime,
    at: datetime,
    attempt: Attempt | None = None,
    by: Any = None,
    reason: str = "",
    payer: Payer | None = None,
    corrects: LedgerEntry | None = None,
) -> tuple[LedgerEntry, bool]:
    """Append a fact, once: (row, True), or (the row that already holds it, False).

    Call it under `lock(registration)` and follow it with `recompute`. Without a registration the money is the payer's,
    without either it is unmatched. `corrects` is the fact whose money it moves on or takes back.
    """
    return LedgerEntry.objects.get_or_create(
        provider=provider,
        kind=kind,
        txn_ref=txn_ref,
        defaults={
            "registration": registration,
            "payer": payer,
            "corrects": corrects,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "attempt": attempt,
            "actor": by,
            "reason": reason,
            "occurred_at": occurred_at,
            "recorded_at": at,
        },
    )


def balance(registration: Registration) -> Money:
    """What has been received for the registration and not been returned, in its currency."""
    return position(registration).balance


def position(registration: Registration) -> Position:
    """What the registration's status depends on, as the database has it now: three queries."""
    entries = LedgerEntry.objects.filter(registration=registration, currency=registration.currency)
    disputes = Q(kind__in=DISPUTES)
    sums = entries.aggregate(
        balance=Sum("amount_minor"),
        disputed=Sum("amount_minor", filter=disputes),
        # a district's money that came and went again was never a refund of the candidate's
        paid=Count("pk", filter=~Q(kind=Kind.TRANSFER)),
    )
    order = Seat.objects.claimed().filter(registration=registration).values_list("order__state", flat=True).first()
    return Position(
        fee=registration.fee,
        balance=Money(sums["balance"] or 0, registration.currency),
        disputed=Money(sums["disputed"] or 0, registration.currency),
        has_entries=sums["paid"] > 0,
        is_in_doubt=Attempt.objects.filter(registration=registration, state__in=Attempt.IN_DOUBT).exists(),
        order=order or "",
    )


def recompute(registration: Registration, *, at: datetime, by: Any = None) -> str:
    """Write the cached payment status of a locked registration; the status. The only writer of it."""
    status = status_of(position(registration))
    if status != registration.payment_status:
        before, registration.payment_status = registration.payment_status, status
        registration.save(update_fields=["payment_status"])
        trail.record(
            "registration.payment_status",
            registration,
            by=by,
            at=at,
            before={"payment_status": before},
            after={"payment_status": status},
        )
    return status
