"""Allocation: which seats a check or a transfer pays for, and whose account the money stands on.

A remittance is posted whole to its payer. Allocated to a seat that somebody took, its money moves on to their
registration by a pair of transfers; for a free seat it waits at the payer until somebody takes the seat. What a
remittance brought beyond that is the payer's credit, and never pays for another seat by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from payments import ledger
from payments.models import Allocation, LedgerEntry, Payer, PurchaseOrder, Remittance, Seat

PROVIDER = "po"
Kind = LedgerEntry.Kind


@dataclass(frozen=True, slots=True)
class Line:
    """A seat of an accepted order, and what of it no money is allocated to yet."""

    seat: Seat
    open: Money


def lines(payer: Payer) -> list[Line]:
    """What of a payer's seats is not paid: of the oldest order first, in the order of its invoice."""
    seats = Seat.objects.billed().filter(order__payer=payer).with_open()
    rows = seats.select_related("order", "registration__user").order_by("order__decided_at", "order_id", "pk")
    return [Line(seat, seat.open) for seat in rows if seat.open.minor > 0]


@transaction.atomic
def allocate(remittance_id: int, seats: Iterable[int], *, by: Any, at: datetime) -> list[Allocation]:
    """Let a remittance pay for these seats, one after the other, as far as it reaches. What stays is the payer's."""
    lock(Remittance.objects.values_list("payer", flat=True).get(pk=remittance_id))
    remittance = Remittance.objects.select_related("payer").get(pk=remittance_id)
    if remittance.reversed_at:
        raise Refused("remittance-reversed", f"{remittance} came back from the bank, so it pays for nothing.")
    return spread(remittance, list(seats), by=by, at=at)


def spread(remittance: Remittance, seats: list[int], *, by: Any, at: datetime) -> list[Allocation]:
    """The same under the locks of `lock`. Seats are paid in the order in which they are named."""
    known = {line.seat.pk: line for line in lines(remittance.payer)}
    if not set(seats) <= set(known):
        message = "One of these seats is paid already, was given back, or is another payer's. Please choose again."
        raise Refused("seat-not-open", message, fields={"seats": message})
    left, made = Remittance.objects.with_left().get(pk=remittance.pk).left, []
    for line in (known[pk] for pk in seats):
        part = Money(min(left.minor, line.open.minor), left.currency)
        if part.minor > 0:
            made.append(_give(remittance, line.seat, part, by=by, at=at))
            left -= part
    return made


def follow(seat: Seat, *, by: Any, at: datetime) -> None:
    """What is allocated to a seat moves to the registration that took it. Call it under that registration's lock."""
    if seat.registration is None:
        return
    for allocation in seat.allocations.standing().select_related("remittance__payer", "remittance__entry"):
        _move(allocation, seat.registration, by=by, at=at)  # once: the ledger knows each transfer by its name
    _recompute(seat.registration, seat, by=by, at=at)


def take_back(seat: Seat, *, by: Any, at: datetime) -> None:
    """A seat changed hands: its money leaves the registration it stood on. Call it under that registration's lock.

    A seat that is free again keeps its money for whoever takes it next; of one that was given back for good, the money
    is the payer's credit.
    """
    for allocation in seat.allocations.standing().select_related("remittance__payer", "remittance__entry"):
        undo(allocation, by=by, at=at)
        if seat.state != Seat.State.RELEASED:
            _give(allocation.remittance, seat, allocation.money, by=by, at=at)


def undo(allocation: Allocation, *, by: Any, at: datetime) -> None:
    """The money is the payer's again, and for no seat."""
    registration = standing_on(allocation)
    if registration is not None:
        _transfer(allocation, "back", registration, -allocation.money, by=by, at=at)
        ledger.recompute(registration, at=at, by=by)
    allocation.undone_at = at
    allocation.save(update_fields=["undone_at"])
    after = {"seat": allocation.seat_id, "minor": allocation.amount_minor}
    trail.record("allocation.undo", allocation.remittance, by=by, at=at, after=after)


def standing_on(allocation: Allocation) -> Registration | None:
    """The registration an allocation's money has moved to, if any."""
    moved = LedgerEntry.objects.filter(provider=PROVIDER, kind=Kind.TRANSFER, txn_ref=f"allocation:{allocation.pk}:in")
    entry = moved.select_related("registration").first()
    return entry.registration if entry else None


def lock(payer_id: int) -> Payer:
    """Everything that a remittance of a payer may touch, in the order that ledger.py gives; the payer."""
    seats = Seat.objects.filter(order__payer=payer_id).exclude(registration=None)
    moved = LedgerEntry.objects.filter(corrects__payer=payer_id, kind=Kind.TRANSFER).exclude(registration=None)

    def touched() -> set[int]:
        keys = [*seats.values_list("registration", flat=True), *moved.values_list("registration", flat=True)]
        return {key for key in keys if key is not None}

    keys = touched()
    list(Registration.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    payer = Payer.objects.select_for_update().get(pk=payer_id)
    list(PurchaseOrder.objects.select_for_update().filter(payer=payer).order_by("pk"))
    if not touched() <= keys:  # locked now, they might wait for us as we would for them
        raise Refused("seat-taken", "Somebody took a seat of this payer at this very moment. Please try once more.")
    return payer


def _recompute(registration: Registration, seat: Seat, *, by: Any, at: datetime) -> None:
    was_settled = registration.is_settled
    ledger.recompute(registration, at=at, by=by)
    if registration.is_settled and not was_settled:
        _tell_paid(registration, seat, at)


def _tell_paid(registration: Registration, seat: Seat, at: datetime) -> None:
    order = seat.order
    outbox.queue(
        "purchase_order_paid",
        to=registration.user,
        key=f"purchase_order_paid:{seat.pk}:{registration.pk}",
        at=at,
        number=order.number,
        payer_name=order.payer.name if order.payer else "",
        cohort=registration.cohort.number,
        pay_path=reverse("payments:pay", args=[registration.pk]),
    )


def _give(remittance: Remittance, seat: Seat, part: Money, *, by: Any, at: datetime) -> Allocation:
    allocation = Allocation.objects.create(
        remittance=remittance, seat=seat, amount_minor=part.minor, currency=part.currency, by=by, at=at
    )
    trail.record("allocation.give", remittance, by=by, at=at, after={"seat": seat.pk, "minor": part.minor})
    if seat.registration is not None:
        _move(allocation, seat.registration, by=by, at=at)
        _recompute(seat.registration, seat, by=by, at=at)
    return allocation


def _move(allocation: Allocation, registration: Registration, *, by: Any, at: datetime) -> None:
    _transfer(allocation, "in", registration, allocation.money, by=by, at=at)


def _transfer(
    allocation: Allocation, way: str, registration: Registration, amount: Money, *, by: Any, at: datetime
) -> None:
    """The pair: off one account and onto the other."""
    remittance = allocation.remittance
    fact: dict[str, Any] = {"kind": Kind.TRANSFER, "provider": PROVIDER, "occurred_at": at, "at": at, "by": by}
    fact |= {"corrects": remittance.entry, "reason": f"{remittance} for {allocation.seat}"}
    name = f"allocation:{allocation.pk}"
    payer_side = f"{name}:{'out' if way == 'in' else 'returned'}"
    ledger.post(registration=None, payer=remittance.payer, amount=-amount, txn_ref=payer_side, **fact)
    ledger.post(registration=registration, amount=amount, txn_ref=f"{name}:{way}", **fact)
