"""Purchase orders: a district's promise, checked by a second person, holding a seat until its money comes.

A purchase order is not money. Accepted, it holds the seat; what a check or a transfer brings is posted to the same
ledger as every other payment. One row covers one registration; the same order may cover several coaches of a district
as long as its amount covers all their fees, so each of them hands in a copy.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.urls import reverse

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from payments import acceptance, attempts, ledger
from payments.models import Attempt, PurchaseOrder, purchase_order_path

State = PurchaseOrder.State


@dataclass(frozen=True, slots=True)
class Order:
    """What a candidate hands in. `document` is the PDF's bytes, its shape already checked by the form."""

    payer_name: str
    payer_email: str
    number: str
    issued_on: date
    amount: Money
    document: bytes


def normalise(number: str) -> str:
    """A number as it is compared: "PO 00123-a", "po#123A" and "123a" are one. "" when nothing is left of it."""
    plain = re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", number).upper())
    return re.sub(r"^PO(?=\d)", "", plain).lstrip("0")


def submit(registration_id: int, order: Order, *, by: Any, at: datetime) -> PurchaseOrder:
    """Hand in a purchase order for one's own registration, inside the cohort's window.

    The same order twice is one. Refused when nothing is owed, another order or payment is under way, the no-refund
    policy is not accepted, or number, date or amount cannot be right. The file is stored before the transaction:
    storage may be across a network.
    """
    stored = default_storage.save(purchase_order_path(), ContentFile(order.document))
    try:
        row = _submit(registration_id, order, stored, by=by, at=at)
    except BaseException:
        default_storage.delete(stored)
        raise
    if row.document.name != stored:
        default_storage.delete(stored)
    return row


@transaction.atomic
def _submit(registration_id: int, order: Order, stored: str, *, by: Any, at: datetime) -> PurchaseOrder:
    registration = ledger.lock(registration_id)
    live = PurchaseOrder.objects.live().filter(registration=registration).first()
    if live is not None and _is_same(live, order) and live.submitted_by_id == by.pk:
        return live
    _check_submittable(registration, live, by=by, at=at)
    _check_order(registration, order, at)
    row = _insert(registration, order, stored, by=by, at=at)
    ledger.recompute(registration, at=at, by=by)
    trail.record("purchase_order.submit", row, by=by, at=at, after={"amount_minor": row.amount_minor})
    tell("purchase_order_submitted", row, at)
    return row


@transaction.atomic
def accept(order_id: int, *, by: Any, at: datetime) -> PurchaseOrder:
    """Hold the seat. By somebody other than who handed it in; may come after the window closed."""
    registration, order = lock(order_id)
    if order.state == State.ACCEPTED:
        return order
    _check_next(order, State.ACCEPTED)
    _check_another(order, by)
    if not registration.is_standing:
        raise Refused("not-standing", "The registration has ended, so there is no seat to hold. Refuse the order.")
    _check_amount(registration, order.money, _same_number(order).filter(state=State.ACCEPTED))
    return _decide(order, State.ACCEPTED, "", by=by, at=at)


@transaction.atomic
def refuse(order_id: int, *, reason: str, by: Any, at: datetime) -> PurchaseOrder:
    """Send it back with a reason the candidate reads."""
    _, order = lock(order_id)
    if order.state == State.REFUSED:
        return order
    _check_next(order, State.REFUSED)
    _check_another(order, by)
    return _decide(order, State.REFUSED, _reason(reason), by=by, at=at)


@transaction.atomic
def cancel(order_id: int, *, reason: str, by: Any, at: datetime) -> PurchaseOrder:
    """Give it up: the candidate while it is being checked, others with a reason. Not once money came for it."""
    _, order = lock(order_id)
    if order.state == State.CANCELLED:
        return order
    _check_next(order, State.CANCELLED)
    if order.submitted_by_id == by.pk:
        if order.state != State.SUBMITTED:
            raise Refused("order-accepted", "This purchase order was accepted and holds your seat. Please write to us.")
        return _decide(order, State.CANCELLED, "", by=None, at=at, actor=by)
    if order.remittances.exists():
        raise Refused("has-money", "Money has come in for this purchase order, so it cannot be cancelled.")
    return _decide(order, State.CANCELLED, _reason(reason), by=by, at=at)


def lock(order_id: int) -> tuple[Registration, PurchaseOrder]:
    """The registration, then every order of the same number in the order of their keys, then this one of them.

    Two coaches on one order are judged one after the other, or both would find the amount large enough for one more.
    """
    registration = ledger.lock(PurchaseOrder.objects.values_list("registration_id", flat=True).get(pk=order_id))
    number = PurchaseOrder.objects.values_list("number_normalised", flat=True).get(pk=order_id)
    rows = PurchaseOrder.objects.select_for_update().filter(number_normalised=number).order_by("pk")
    order = {row.pk: row for row in rows}[order_id]
    order.registration = registration
    return registration, order


def _same_number(order: PurchaseOrder) -> QuerySet[PurchaseOrder]:
    return _used(order.payer_name, order.number_normalised).exclude(pk=order.pk)


def _used(payer_name: str, number_normalised: str) -> QuerySet[PurchaseOrder]:
    return PurchaseOrder.objects.live().filter(payer_name__iexact=payer_name, number_normalised=number_normalised)


def _is_same(live: PurchaseOrder, order: Order) -> bool:
    return (live.number_normalised, live.document_sha256, live.money, live.issued_on) == (
        normalise(order.number),
        sha256(order.document).hexdigest(),
        order.amount,
        order.issued_on,
    )


def _check_submittable(registration: Registration, live: PurchaseOrder | None, *, by: Any, at: datetime) -> None:
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can hand in a purchase order for their registration.")
    if not registration.is_standing:
        raise Refused("not-standing", "This registration has ended, so there is nothing to pay.")
    if live is not None:
        raise Refused("order-known", "We already have a purchase order for this registration. Withdraw it first.")
    attempts.check_window(registration, at)
    ledger.recompute(registration, at=at)
    if registration.holds_seat:
        raise Refused("already-paid", "Your fee is paid. You have nothing left to pay.")
    if Attempt.objects.live().filter(registration=registration).exists():
        raise Refused("in-doubt", "A payment of yours is still under way. Please wait until we know how it ended.")
    if not acceptance.is_accepted(registration):
        raise Refused("not-accepted", "Please read and accept the no-refund policy first.")


def _check_order(registration: Registration, order: Order, at: datetime) -> None:
    number = normalise(order.number)
    if not number:
        raise wrong("number-empty", "number", "Enter the number as it is printed on the purchase order.")
    if number.startswith("REQ"):
        message = "This is a requisition number. Your district's office turns it into a purchase order with its own."
        raise wrong("number-requisition", "number", message)
    if order.issued_on > at.astimezone(ZoneInfo(settings.TIME_ZONE)).date():
        raise wrong("date-future", "issued_on", "This date has not come yet. Enter the date on the purchase order.")
    _check_amount(registration, order.amount, _used(_tidy(order.payer_name), number))


def _check_amount(registration: Registration, amount: Money, others: QuerySet[PurchaseOrder]) -> None:
    """The amount covers this fee, and those of everybody else who is on the same order."""
    if amount.currency != registration.currency:
        raise wrong("currency", "amount", f"The fee is in {registration.currency}.")
    if amount < registration.fee:
        raise wrong("amount-short", "amount", f"The purchase order must cover the whole fee of {registration.fee}.")
    fees = others.aggregate(total=Sum("registration__fee_minor"))["total"] or 0
    if amount.minor < registration.fee_minor + fees:
        message = (
            "This purchase order was also handed in for other coaches, and its amount does not cover everybody's fee. "
            "Ask your district for a larger order, or for one of your own."
        )
        raise wrong("number-used", "number", message)


def wrong(code: str, field: str, message: str) -> Refused:
    return Refused(code, message, fields={field: message})


def _insert(registration: Registration, order: Order, stored: str, *, by: Any, at: datetime) -> PurchaseOrder:
    return PurchaseOrder.objects.create(
        registration=registration,
        payer_name=_tidy(order.payer_name),
        payer_email=order.payer_email,
        number=_tidy(order.number),
        number_normalised=normalise(order.number),
        issued_on=order.issued_on,
        amount_minor=order.amount.minor,
        currency=order.amount.currency,
        document=stored,
        document_sha256=sha256(order.document).hexdigest(),
        submitted_by=by,
        submitted_at=at,
    )


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _reason(reason: str) -> str:
    if not reason.strip():
        raise wrong("reason-missing", "reason", "Say why, in words the candidate can act on.")
    return reason.strip()


def _check_next(order: PurchaseOrder, state: str) -> None:
    if state not in PurchaseOrder.NEXT[order.state]:
        is_now = order.get_state_display().lower()
        raise Refused("order-decided", f"This purchase order is already {is_now}. Nothing was changed.")


def _check_another(order: PurchaseOrder, by: Any) -> None:
    if order.submitted_by_id == by.pk:
        raise Refused("own-order", "You handed in this purchase order, so somebody else must decide about it.")


def _decide(
    order: PurchaseOrder, state: str, reason: str, *, by: Any, at: datetime, actor: Any = None
) -> PurchaseOrder:
    before = order.state
    order.state, order.decided_by, order.decided_at, order.reason = state, by, at, reason
    order.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    ledger.recompute(order.registration, at=at, by=by or actor)
    verb = {State.ACCEPTED: "accept", State.REFUSED: "refuse", State.CANCELLED: "cancel"}[State(state)]
    trail.record(
        f"purchase_order.{verb}",
        order,
        by=by or actor,
        at=at,
        reason=reason,
        before={"state": before},
        after={"state": state},
    )
    tell(f"purchase_order_{state}", order, at)
    return order


def tell(event: str, order: PurchaseOrder, at: datetime) -> None:
    registration = order.registration
    outbox.queue(
        event,
        to=registration.user,
        key=f"{event}:{order.pk}",
        at=at,
        number=order.number,
        payer_name=order.payer_name,
        money=order.money,
        reason=order.reason,
        code=registration.code,
        cohort=registration.cohort.number,
        closes_at=registration.cohort.registration_closes_at,
        is_open=registration.cohort.window.contains(at),
        pay_path=reverse("payments:pay", args=[registration.pk]),
    )
