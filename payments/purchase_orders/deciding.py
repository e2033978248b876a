"""Judging an order: accepted, refused, asked about or given up, never by who handed it in or sits on it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase
from payments import invoices, ledger, letters, papers, payers, seat_codes, seating, seats
from payments.models import PurchaseOrder, Seat
from payments.purchase_orders.order import check_amount, wrong
from payments.seating import Seating

State = PurchaseOrder.State


@transaction.atomic
def accept(order_id: int, *, by: Any, at: datetime) -> PurchaseOrder:
    """Hold the seats, give the free ones their codes, and send the invoice. May come after the window closed.

    By then nobody can take a free seat any more, so these are left out and not owed. Refused when nobody is left.
    """
    place = seating.lock_all(order_id)
    order = place.order
    if order.state == State.ACCEPTED:
        return order
    _check_next(order, State.ACCEPTED)
    _check_another(place, by)
    _settle_seats(place, by=by, at=at)
    check_amount(order.money, papers.sum_of(_kept(place)), len(_kept(place)))
    payers.take_over(order)
    _decide(place, State.ACCEPTED, "", by=by, at=at)
    invoices.issue(order, by=by, at=at)
    for seat in place.seats:
        letters.to_coach("purchase_order_accepted", seat, at)
    letters.to_contact("district_accepted", order, at, free=len(place.free))
    return order


@transaction.atomic
def refuse(order_id: int, *, reason: str, by: Any, at: datetime) -> PurchaseOrder:
    """Send it back with a reason that the contact and its coaches read."""
    place = seating.lock_all(order_id)
    if place.order.state == State.REFUSED:
        return place.order
    _check_next(place.order, State.REFUSED)
    _check_another(place, by)
    return _turn_down(place, State.REFUSED, _reason(reason), by=by, at=at)


@transaction.atomic
def ask(order_id: int, *, question: str, by: Any, at: datetime) -> PurchaseOrder:
    """Ask about an order that is being checked. It goes on waiting; the question stands on its page until decided."""
    place = seating.lock_all(order_id)
    order, asked = place.order, _reason(question)
    if order.state != State.SUBMITTED:
        raise _decided(order)
    if order.reason == asked:
        return order
    order.reason = asked
    order.save(update_fields=["reason"])
    trail.record("purchase_order.ask", order, by=by, at=at, reason=asked)
    if order.quote is None:
        for seat in place.seats:
            letters.to_coach("purchase_order_question", seat, at, fact=at.isoformat(), question=asked)
    letters.to_contact("district_question", order, at, fact=at.isoformat(), question=asked)
    return order


@transaction.atomic
def cancel(order_id: int, *, reason: str = "", by: Any, at: datetime, with_taken_seats: bool = False) -> PurchaseOrder:
    """Give it up: who handed it in (the contact is `by` None) while it is being checked, staff with a reason.

    Of an accepted order, seats that coaches have taken go only where that is said. Not once money came for it.
    """
    place = seating.lock_all(order_id)
    order = place.order
    if order.state == State.CANCELLED:
        return order
    _check_next(order, State.CANCELLED)
    if by is None or order.submitted_by_id == by.pk:
        if order.state != State.SUBMITTED:
            raise Refused("order-accepted", "This purchase order was accepted and holds seats. Please write to us.")
        return _turn_down(place, State.CANCELLED, "", by=None, at=at, actor=by)
    if any(seat.allocations.standing().exists() for seat in place.seats):
        raise Refused("has-money", "Money has come in for this purchase order, so it cannot be cancelled.")
    if order.state == State.ACCEPTED and place.claimed and not with_taken_seats:
        taken = "1 coach has" if len(place.claimed) == 1 else f"{len(place.claimed)} coaches have"
        message = f"{taken} taken a seat of this order. Say that these are given back, too, or give back the free ones."
        raise Refused("seats-taken", message, fields={"with_taken_seats": message})
    return _turn_down(place, State.CANCELLED, _reason(reason), by=by, at=at)


def _check_next(order: PurchaseOrder, state: str) -> None:
    if state not in PurchaseOrder.NEXT[order.state]:
        raise _decided(order)


def _decided(order: PurchaseOrder) -> Refused:
    is_now = order.get_state_display().lower()
    return Refused("order-decided", f"This purchase order is already {is_now}. Nothing was changed.")


def _check_another(place: Seating, by: Any) -> None:
    if place.order.submitted_by_id == by.pk:
        raise Refused("own-order", "You handed in this purchase order, so somebody else must decide about it.")
    if by.pk in {registration.user_id for registration in place.people}:
        raise Refused("own-order", "You sit on this purchase order, so somebody else must decide about it.")


def _settle_seats(place: Seating, *, by: Any, at: datetime) -> None:
    """Who ended or paid meanwhile needs no seat; what nobody can take any more is not held. The others get codes."""
    for seat in place.claimed:
        if seat.registration is not None and not _needs_seat(seat.registration):
            _vacate(place, seat, seat.registration)
    if place.order.cohort.phase(at) == Phase.AFTER:
        if not place.claimed:
            message = "Registration has closed and no coach is on this order, so it would hold nothing. Refuse it."
            raise Refused("nobody-to-seat", message)
        seats.give_back(place, place.free, reason="Registration had closed before it was taken.", by=by, at=at)
    for seat in place.free:
        if seat.state == Seat.State.FREE:
            seat_codes.issue(seat)
            seat.save(update_fields=["code_sha256"])


def _needs_seat(registration: Registration) -> bool:
    return registration.is_standing and not registration.holds_seat


def _vacate(place: Seating, seat: Seat, registration: Registration) -> None:
    """Of an order with a contact the seat is anybody's; without one it is for nobody else."""
    if place.order.quote is None:
        if registration.is_standing:
            raise Refused("already-paid", "The fee was paid meanwhile, so there is no seat to hold. Refuse the order.")
        raise Refused("not-standing", "The registration has ended, so there is no seat to hold. Refuse the order.")
    seat.state, seat.registration, seat.claimed_at = Seat.State.FREE, None, None
    seat.save(update_fields=["state", "registration", "claimed_at"])


def _kept(place: Seating) -> list[Seat]:
    return [seat for seat in place.seats if seat.state != Seat.State.RELEASED]


def _reason(reason: str) -> str:
    if not reason.strip():
        raise wrong("reason-missing", "reason", "Say why, in words the candidate can act on.")
    return reason.strip()


def _turn_down(place: Seating, state: str, reason: str, *, by: Any, at: datetime, actor: Any = None) -> PurchaseOrder:
    """Decide against it, give its seats back, and tell everybody."""
    order = place.order
    _decide(place, state, reason, by=by, at=at, actor=actor)
    # who sits on an order that others withdrew did not ask for it
    said = reason or ("" if order.quote is None else f"{order.payer} withdrew it.")
    seats.give_back(place, place.seats, reason=said, by=by or actor, at=at)
    for seat in place.seats:
        letters.to_coach(f"purchase_order_{state}", seat, at, reason=said)
    letters.to_contact(f"district_{state}", order, at, reason=reason)
    return order


def _decide(place: Seating, state: str, reason: str, *, by: Any, at: datetime, actor: Any = None) -> None:
    order = place.order
    before = order.state
    order.state, order.decided_by, order.decided_at, order.reason = state, by, at, reason
    order.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    for registration in place.people:
        ledger.recompute(registration, at=at, by=by or actor)
    verb = {State.ACCEPTED: "accept", State.REFUSED: "refuse", State.CANCELLED: "cancel"}[State(state)]
    states = {"before": {"state": before}, "after": {"state": state}}
    trail.record(f"purchase_order.{verb}", order, by=by or actor, at=at, reason=reason, **states)
