"""Seats: taken with a code, given up, given back, handed on. Each belongs to an order, and follows its money."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from payments import acceptance, allocation, attempts, invoices, ledger, letters, seat_codes, seating
from payments.models import Attempt, Invoice, PurchaseOrder, Seat
from payments.seating import Seating

State = Seat.State


def claim(registration_id: int, code: str, *, by: Any, at: datetime) -> Seat:
    """Take the seat of a code for one's own registration, while registration for its cohort is open.

    One's own again is a repeat. Every code that opens nothing gets the same answer, whatever is wrong with it. A card
    payment that was begun is closed first, outside any transaction, and only for a code that is good.
    """
    registration = Registration.objects.select_related("cohort").get(pk=registration_id)
    seat = Seat.objects.select_related("order").filter(code_sha256=seat_codes.fingerprint(code)).first()
    if seat is not None and seat.registration_id == registration.pk and seat.state == State.CLAIMED:
        return seat
    _check_wanting(registration, by=by, at=at)
    found = _fitting(seat, registration)
    attempts.stop(registration.pk, by=by, at=at)
    return _claim(registration.pk, found, by=by, at=at)


@transaction.atomic
def _claim(registration_id: int, found: Seat, *, by: Any, at: datetime) -> Seat:
    registration = ledger.lock(registration_id)
    ledger.recompute(registration, at=at)
    _check_wanting(registration, by=by, at=at)
    _check_nothing_begun(registration)
    seats = seating.lock(found.order_id).seats
    seat = _fitting(next((one for one in seats if one.pk == found.pk), None), registration)
    take(seat, registration, by=by, at=at)
    letters.to_coach("seat_claimed", seat, at, is_paid=registration.is_settled)
    letters.to_contact("district_seat_taken", seat.order, at, fact=f"{seat.pk}:{registration.pk}")
    return seat


def take(seat: Seat, registration: Registration, *, by: Any, at: datetime) -> None:
    """Seat a locked registration, and let the money that came for the seat follow."""
    seat.state, seat.registration, seat.claimed_at = State.CLAIMED, registration, at
    seat.save(update_fields=["state", "registration", "claimed_at"])
    allocation.follow(seat, by=by, at=at)
    ledger.recompute(registration, at=at, by=by)
    trail.record("seat.claim", seat, by=by, at=at, after={"registration": registration.pk})


@transaction.atomic
def give_up(registration_id: int, *, by: Any, at: datetime) -> None:
    """The coach pays by themselves instead: their seat goes back, its order owes less, and the fee is theirs again.

    Only while they can still pay another way, and before the payer's money came for the seat.
    """
    held = Seat.objects.claimed().filter(registration=registration_id).first()
    if held is None:
        return
    place, seat = seating.lock_seat(held.pk)
    registration = seat.registration
    if registration is None or registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can give up the seat of their registration.")
    attempts.check_window(registration.cohort, at)
    if seat.allocations.standing().exists():
        raise Refused("seat-paid", f"{seat.order.payer} has paid for your seat, so there is nothing left to pay.")
    give_back(place, [seat], reason="The coach pays the fee without the purchase order.", by=by, at=at)
    letters.to_contact("district_seat_released", seat.order, at, fact=str(seat.pk), reason=seat.release_reason)


@transaction.atomic
def release(seat_id: int, *, reason: str, by: Any, at: datetime) -> Seat:
    """Give a seat of an accepted order back for good: it can be taken no more, and is owed no more.

    By the contact (`by` None) a free one for which no money came; by staff any, a taken one with a reason that its
    coach reads.
    """
    place, seat = seating.lock_seat(seat_id)
    if seat.state == State.RELEASED:
        return seat
    _check_releasable(seat, reason, by)
    coach = seat.registration
    give_back(place, [seat], reason=reason.strip() or "The seat was not needed.", by=by, at=at)
    if coach is not None:
        letters.to_coach("seat_released", seat, at, reason=seat.release_reason)
    if by is not None:
        letters.to_contact("district_seat_released", seat.order, at, fact=str(seat.pk), reason=seat.release_reason)
    return seat


@transaction.atomic
def release_free(order_id: int, *, reason: str, by: Any, at: datetime) -> int:
    """Give back every seat of an accepted order that nobody took and no money came for, with one credit note."""
    place = seating.lock_all(order_id)
    if place.order.state != PurchaseOrder.State.ACCEPTED:
        raise Refused("order-not-accepted", "This purchase order is not accepted, so its seats hold nothing.")
    unpaid = [seat for seat in place.free if not seat.allocations.standing().exists()]
    give_back(place, unpaid, reason=reason.strip() or "The seats were not needed.", by=by, at=at)
    return len(unpaid)


@transaction.atomic
def substitute(seat_id: int, registration_id: int, *, by: Any, at: datetime) -> Seat:
    """Hand a seat to another registration of its cohort, by staff, while registration is open. Its money follows."""
    _, seat = seating.lock_seat(seat_id, also=[registration_id])
    if seat.registration_id == registration_id and seat.state == State.CLAIMED:
        return seat
    if seat.state == State.RELEASED or seat.order.state != PurchaseOrder.State.ACCEPTED:
        raise Refused("seat-gone", "This seat was given back, or its order is not accepted. Nothing was changed.")
    new, old = ledger.lock(registration_id), seat.registration
    _check_fee_open(new, at)
    _check_nothing_begun(new)
    if new.cohort_id != seat.order.cohort_id or new.fee != seat.money:
        raise Refused("other-cohort", "This registration is of another cohort, or owes another fee.")
    _hand_on(seat, old, new, by=by, at=at)
    return seat


def _hand_on(seat: Seat, old: Registration | None, new: Registration, *, by: Any, at: datetime) -> None:
    if old is not None:
        seat.registration = None
        allocation.take_back(seat, by=by, at=at)
        letters.to_coach("seat_released", seat, at, coach=old, reason="Your district gave the seat to somebody else.")
        trail.record("seat.substitute", seat, by=by, at=at, before={"registration": old.pk})
    take(seat, new, by=by, at=at)
    if old is not None:
        ledger.recompute(ledger.lock(old.pk), at=at, by=by)
    letters.to_coach("seat_claimed", seat, at, is_paid=new.is_settled)
    letters.to_contact("district_seat_taken", seat.order, at, fact=f"{seat.pk}:{new.pk}")


def give_back(place: Seating, seats: Iterable[Seat], *, reason: str, by: Any, at: datetime) -> None:
    """End seats of a locked order: its invoice is credited, what came for them is the payer's credit.

    An order of which nothing is left ends with them.
    """
    ended = list(seats)
    for seat in ended:
        seat.state, seat.released_at, seat.release_reason = State.RELEASED, at, reason
        seat.save(update_fields=["state", "released_at", "release_reason"])
        allocation.take_back(seat, by=by, at=at)
        trail.record("seat.release", seat, by=by, at=at, reason=reason, after={"registration": seat.registration_id})
    if ended and Invoice.objects.standing().filter(order=place.order).exists():
        invoices.credit(place.order, ended, reason=reason, by=by, at=at)
    if all(seat.state == State.RELEASED for seat in place.seats):
        _end(place.order, reason, by=by, at=at)
    for seat in ended:
        if seat.registration_id is not None:
            ledger.recompute(ledger.lock(seat.registration_id), at=at, by=by)


def _end(order: PurchaseOrder, reason: str, *, by: Any, at: datetime) -> None:
    if order.state in PurchaseOrder.LIVE:
        before, order.state, order.reason = order.state, PurchaseOrder.State.CANCELLED, reason
        order.save(update_fields=["state", "reason"])
        after = {"state": order.state}
        trail.record("purchase_order.cancel", order, by=by, at=at, reason=reason, before={"state": before}, after=after)


def _check_wanting(registration: Registration, *, by: Any, at: datetime) -> None:
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can take a seat for their registration.")
    _check_fee_open(registration, at)
    if not acceptance.is_accepted(registration):
        raise Refused("not-accepted", "Please read and accept the no-refund policy first.")


def _check_fee_open(registration: Registration, at: datetime) -> None:
    if not registration.is_standing:
        raise Refused("not-standing", "This registration has ended, so it needs no seat.")
    attempts.check_window(registration.cohort, at)
    if registration.holds_seat:
        raise Refused("already-held", "The seat of this registration is held already. There is nothing left to pay.")
    if Seat.objects.claimed().filter(registration=registration).exists():
        raise Refused("order-known", "A purchase order for this registration is being checked. Withdraw it first.")


def _check_nothing_begun(registration: Registration) -> None:
    if Attempt.objects.live().filter(registration=registration).exists():
        raise Refused("in-doubt", "A payment for this registration is under way. Wait until it has ended.")


def _fitting(seat: Seat | None, registration: Registration) -> Seat:
    """The seat, where this registration may take it. One answer for every code of no use: trying teaches nothing."""
    is_open = seat is not None and seat.state == State.FREE and seat.order.state == PurchaseOrder.State.ACCEPTED
    if seat is None or not is_open or seat.order.cohort_id != registration.cohort_id:
        raise Refused(
            "code-unknown",
            "This code opens no seat. Compare it with what your district gave you. If it is right, somebody may have "
            "used it: ask your district for another one.",
            fields={"code": "This code opens no seat. Compare it with what you were given, or ask for another one."},
        )
    if seat.money != registration.fee:
        raise Refused("price-differs", f"This seat was ordered at {seat.money}, and your fee is {registration.fee}.")
    return seat


def _check_releasable(seat: Seat, reason: str, by: Any) -> None:
    if seat.order.state != PurchaseOrder.State.ACCEPTED:
        raise Refused("order-not-accepted", "This purchase order is not accepted, so its seats hold nothing.")
    if by is None and seat.registration is not None:
        raise Refused("seat-taken", "A coach has taken this seat meanwhile. Please write to us if it has to change.")
    if by is None and seat.allocations.standing().exists():
        raise Refused("seat-paid", "This seat is paid for already. Please write to us.")
    if seat.registration is not None and not reason.strip():
        message = "Say why, in words the coach can act on."
        raise Refused("reason-missing", message, fields={"reason": message})
