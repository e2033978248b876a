"""The ledger: money that moved, one row per fact, never changed. Every payment status is computed from it.

Every entry stands in one account: a registration's, a payer's, or nobody's (unmatched money). Money changes accounts by
a pair of transfers, so that the sum over all entries is what the programme holds.

Lock order everywhere in payments, so that no two wait for each other:

1. registrations, by their keys where there are several;
2. then the attempt of one, or what is a payer's: the payer, its orders by their keys, an invoice, a remittance;
3. last, and briefly, the counter of a paper's number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from payments.models import Attempt, Dispute, LedgerEntry, Payer, PurchaseOrder, Seat

Payment = Registration.Payment
Kind = LedgerEntry.Kind


@dataclass(frozen=True, slots=True)
class Position:
    """All that a payment status depends on. `order` is the state of the live order whose seat it has, "" for none.

    `at_risk` is what open disputes may still take out of the balance.
    """

    fee: Money
    balance: Money
    at_risk: Money
    is_disputed: bool
    has_entries: bool
    is_in_doubt: bool
    order: str


def status_of(position: Position) -> str:
    """The payment status, a `Registration.Payment`. Pure; the first rule that fits, from money to promises."""
    safe = position.balance - position.at_risk
    rules = [
        (safe == position.fee, Payment.PAID),
        (position.fee < safe, Payment.OVERPAID),
        (position.is_disputed, Payment.DISPUTED),
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


def transfer(
    entry: LedgerEntry, to: Registration, *, amount: Money, ref: str, by: Any, at: datetime, reason: str
) -> None:
    """Move money that `entry` brought from its account to a registration's, by a pair of entries named after `ref`.

    Call it under the lock of whoever is touched, and follow it with `recompute`.
    """
    fact: dict[str, Any] = {"kind": Kind.TRANSFER, "provider": entry.provider, "corrects": entry, "reason": reason}
    fact |= {"occurred_at": at, "at": at, "by": by}
    post(registration=entry.registration, payer=entry.payer, amount=-amount, txn_ref=f"{ref}:out", **fact)
    post(registration=to, amount=amount, txn_ref=f"{ref}:in", **fact)


def account_of(entry: LedgerEntry) -> Registration | None:
    """Whose account the money of an entry stands in by now: where it was matched to, else where it came in."""
    matched = entry.corrections.filter(kind=Kind.TRANSFER, amount_minor__gt=0).select_related("registration").first()
    return matched.registration if matched else entry.registration


def balance(registration: Registration) -> Money:
    """What has been received for the registration and not been returned, in its currency."""
    return position(registration).balance


def position(registration: Registration) -> Position:
    """What the registration's status depends on, as the database has it now: four queries."""
    return positions([registration])[registration.pk]


def positions(registrations: list[Registration]) -> dict[int, Position]:
    """The same for many, by key, in as many queries."""
    keys = [registration.pk for registration in registrations]
    own_currency = Q(currency=F("registration__currency"))
    entries = LedgerEntry.objects.filter(own_currency, registration__in=keys).order_by().values("registration")
    balances = dict(entries.annotate(total=Sum("amount_minor")).values_list("registration", "total"))
    # A district's money that came and went again was never a refund of the candidate's.
    paid = {pk for (pk,) in entries.exclude(kind=Kind.TRANSFER).values_list("registration")}
    doubts = Attempt.objects.filter(registration__in=keys, state__in=Attempt.IN_DOUBT).values_list("registration")
    in_doubt = {pk for (pk,) in doubts}
    orders = dict(Seat.objects.claimed().filter(registration__in=keys).values_list("registration", "order__state"))
    risks = _risks(keys)
    return {
        each.pk: Position(
            fee=each.fee,
            balance=Money(balances.get(each.pk, 0), each.currency),
            at_risk=Money(sum(risks.get(each.pk, ())), each.currency),
            is_disputed=each.pk in risks,
            has_entries=each.pk in paid,
            is_in_doubt=each.pk in in_doubt,
            order=orders.get(each.pk, ""),
        )
        for each in registrations
    }


def _risks(keys: list[int]) -> dict[int, list[int]]:
    """For each disputed registration what each open dispute may still take: nothing once its charge was withdrawn."""
    here = Q(attempt__ledger__registration=F("attempt__registration"))
    kept = Coalesce(Sum("attempt__ledger__amount_minor", filter=here), 0)
    disputes = Dispute.objects.open().filter(attempt__registration__in=keys).annotate(kept=kept)
    risks: dict[int, list[int]] = {}
    for pk, amount, left in disputes.values_list("attempt__registration", "amount_minor", "kept"):
        risks.setdefault(pk, []).append(max(0, min(amount, left)))
    return risks


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
