"""Handing an order in: by a coach for their own registration, or for a quote by its contact or by staff."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from candidates.models import Cohort, Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import day_of
from payments import acceptance, attempts, ledger, letters, payers
from payments.models import Attempt, Payer, PurchaseOrder, Quote, Seat, purchase_order_path
from payments.purchase_orders import order as orders
from payments.purchase_orders.order import Order, normalise, wrong


def submit(registration_id: int, order: Order, *, by: Any, at: datetime) -> PurchaseOrder:
    """Hand in an order for the one seat of one's own registration, inside the cohort's window.

    The same order twice is one. Refused when nothing is owed, another order or payment is under way, the no-refund
    policy is not accepted, or number, dates or amount cannot be right.
    """
    return _with_document(order, lambda stored: _submit(registration_id, order, stored, by=by, at=at))


def hand_in(quote_id: int, order: Order, *, by: Any, at: datetime) -> PurchaseOrder:
    """Hand in the order that a quote led to, for all its seats: by the contact through the signed link (`by` None), or
    by staff for them.

    The same order twice is one. Refused outside the cohort's window, after the quote's term, and while another order
    for the quote is being checked or accepted.
    """
    return _with_document(order, lambda stored: _hand_in(quote_id, order, stored, by=by, at=at))


def _with_document(order: Order, write: Callable[[str], PurchaseOrder]) -> PurchaseOrder:
    """The file is stored before the transaction, as storage may be across a network, and goes when it is not needed."""
    stored = default_storage.save(purchase_order_path(), ContentFile(order.document))
    try:
        row = write(stored)
    except BaseException:
        default_storage.delete(stored)
        raise
    if row.document.name != stored:
        default_storage.delete(stored)
    return row


@transaction.atomic
def _submit(registration_id: int, order: Order, stored: str, *, by: Any, at: datetime) -> PurchaseOrder:
    registration = ledger.lock(registration_id)
    held = Seat.objects.claimed().filter(registration=registration).select_related("order").first()
    if held is not None and _is_same(held.order, order) and held.order.submitted_by_id == by.pk:
        return held.order
    _check_submittable(registration, held, by=by, at=at)
    orders.check(order, registration.fee, 1, registration.cohort, at)
    contact = {"contact_name": registration.user.name, "contact_email": registration.user.email}
    row = _insert(order, stored, registration.cohort, by=by, at=at, **contact)
    _seat(row, registration.fee, registration, at)
    _finish(row, [registration], by=by, at=at)
    return row


@transaction.atomic
def _hand_in(quote_id: int, order: Order, stored: str, *, by: Any, at: datetime) -> PurchaseOrder:
    own = Quote.objects.values_list("registration_id", flat=True).get(pk=quote_id)
    registration = ledger.lock(own) if own else None
    quote = Quote.objects.select_for_update(of=("self",)).select_related("cohort").get(pk=quote_id)
    live = quote.orders.live().select_related("payer").first()
    if live is not None and _is_same(live, order):
        return live
    if live is not None:
        raise Refused("order-known", "We already have a purchase order for this quote. Withdraw it first.")
    orders.check(order, quote.price, quote.seats, quote.cohort, at)
    if at >= quote.valid_until:
        raise Refused("quote-expired", f"This quote was valid until {day_of(quote.valid_until)}. Ask for a new one.")
    contact = {"contact_name": quote.contact_name, "contact_email": quote.contact_email}
    row = _insert(order, stored, quote.cohort, by=by, at=at, quote=quote, **contact)
    wants = registration if registration is not None and _wants_seat(registration) else None
    for person in [wants, *[None] * (quote.seats - 1)]:
        _seat(row, quote.price, person, at)
    _finish(row, [wants] if wants else [], by=by, at=at)
    return row


def _is_same(known: PurchaseOrder, order: Order) -> bool:
    return (known.number_normalised, known.document_sha256, known.money, known.issued_on) == (
        normalise(order.number),
        sha256(order.document).hexdigest(),
        order.amount,
        order.issued_on,
    )


def _check_submittable(registration: Registration, held: Seat | None, *, by: Any, at: datetime) -> None:
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can hand in a purchase order for their registration.")
    if not registration.is_standing:
        raise Refused("not-standing", "This registration has ended, so there is nothing to pay.")
    if held is not None:
        raise Refused("order-known", "We already have a purchase order for this registration. Withdraw it first.")
    attempts.check_window(registration.cohort, at)
    ledger.recompute(registration, at=at)
    if registration.holds_seat:
        raise Refused("already-paid", "Your fee is paid. You have nothing left to pay.")
    if Attempt.objects.live().filter(registration=registration).exists():
        raise Refused("in-doubt", "A payment of yours is still under way. Please wait until we know how it ended.")
    if not acceptance.is_accepted(registration):
        raise Refused("not-accepted", "Please read and accept the no-refund policy first.")


def _wants_seat(registration: Registration) -> bool:
    """Whether the coach for whom a quote was made still needs its first seat; otherwise it is anybody's."""
    is_seated = Seat.objects.claimed().filter(registration=registration).exists()
    return registration.is_standing and not registration.holds_seat and not is_seated


def _insert(order: Order, stored: str, cohort: Cohort, *, by: Any, at: datetime, **whose: Any) -> PurchaseOrder:
    return PurchaseOrder.objects.create(
        payer=_payer(order),
        cohort=cohort,
        payable_email=order.payer_email,
        bill_to=order.bill_to.strip(),
        ship_to=order.ship_to.strip(),
        valid_until=order.valid_until,
        number=payers.tidy(order.number),
        number_normalised=normalise(order.number),
        issued_on=order.issued_on,
        amount_minor=order.amount.minor,
        currency=order.amount.currency,
        document=stored,
        document_sha256=sha256(order.document).hexdigest(),
        submitted_by=by,
        submitted_at=at,
        **whose,
    )


def _payer(order: Order) -> Payer:
    """The payer, locked, with the number unused among their live orders."""
    payer = Payer.objects.select_for_update().get(pk=payers.found(order.payer_name, order.payer_email).pk)
    if PurchaseOrder.objects.live().filter(payer=payer, number_normalised=normalise(order.number)).exists():
        message = (
            "We have a purchase order of this payer with this number already. If it is for you, too, its contact has a "
            "seat code for you. Otherwise ask for an order with a number of its own."
        )
        raise wrong("number-used", "number", message)
    return payer


def _seat(order: PurchaseOrder, price: Money, registration: Registration | None, at: datetime) -> Seat:
    return Seat.objects.create(
        order=order,
        price_minor=price.minor,
        currency=price.currency,
        state=Seat.State.CLAIMED if registration else Seat.State.FREE,
        registration=registration,
        claimed_at=at if registration else None,
    )


def _finish(order: PurchaseOrder, people: list[Registration], *, by: Any, at: datetime) -> None:
    for registration in people:
        ledger.recompute(registration, at=at, by=by)
    seats = list(order.seats.select_related("registration__user", "registration__cohort", "order__payer"))
    after = {"amount_minor": order.amount_minor, "seats": len(seats)}
    trail.record("purchase_order.submit", order, by=by, at=at, after=after)
    for seat in seats:
        letters.to_coach("purchase_order_submitted", seat, at)
    letters.to_contact("district_submitted", order, at)
