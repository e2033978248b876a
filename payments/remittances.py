"""Remittances: checks and transfers that arrive for accepted purchase orders, entered by finance, posted once."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import ledger, purchase_orders
from payments.models import LedgerEntry, PurchaseOrder, Remittance
from payments.purchase_orders import normalise, wrong

PROVIDER = "po"


@transaction.atomic
def enter(
    order_id: int, *, kind: str, number: str, amount: Money, received_on: date, by: Any, at: datetime
) -> Remittance:
    """Write down a check or transfer that arrived for an accepted order, and post it. The same one twice is one."""
    registration, order = purchase_orders.lock(order_id)
    number = normalise(number)
    known = Remittance.objects.filter(purchase_order=order, kind=kind, number=number).first()
    if known is not None:
        return _same(known, amount, received_on)
    _check(order, number, amount, received_on, at)
    remittance = Remittance.objects.create(
        purchase_order=order,
        kind=kind,
        number=number,
        amount_minor=amount.minor,
        currency=amount.currency,
        received_on=received_on,
        entered_by=by,
        entered_at=at,
    )
    _post(registration, order, remittance, by=by, at=at)
    trail.record("remittance.enter", remittance, by=by, at=at, after={"amount_minor": amount.minor, "order": order.pk})
    return remittance


def missing(order: PurchaseOrder) -> Money:
    """What has yet to come for an order's registration; zero when nothing."""
    left = order.registration.fee - ledger.balance(order.registration)
    return left if left.minor > 0 else Money(0, left.currency)


def _same(known: Remittance, amount: Money, received_on: date) -> Remittance:
    if (known.money, known.received_on) != (amount, received_on):
        message = f"{known} was entered before with another amount or date. Check the number of this one."
        raise wrong("remittance-known", "number", message)
    return known


def _check(order: PurchaseOrder, number: str, amount: Money, received_on: date, at: datetime) -> None:
    if order.state != PurchaseOrder.State.ACCEPTED:
        raise Refused("order-not-accepted", "Money is entered for accepted purchase orders only.")
    if not number:
        raise wrong("number-empty", "number", "Enter the number of the check or the trace number of the transfer.")
    if amount.minor <= 0 or amount.currency != order.currency:
        raise wrong("amount-wrong", "amount", f"Enter an amount above zero, in {order.currency}.")
    if received_on > at.astimezone(ZoneInfo(settings.TIME_ZONE)).date():
        raise wrong("date-future", "received_on", "This date has not come yet.")


def _post(registration: Registration, order: PurchaseOrder, remittance: Remittance, *, by: Any, at: datetime) -> None:
    ledger.post(
        registration=registration,
        kind=LedgerEntry.Kind.PO_MONEY,
        amount=remittance.money,
        provider=PROVIDER,
        txn_ref=f"{order.pk}:{remittance.kind}:{remittance.number}",
        occurred_at=datetime.combine(remittance.received_on, datetime.min.time(), ZoneInfo(settings.TIME_ZONE)),
        at=at,
        by=by,
        reason=f"{remittance} for {order}",
    )
    ledger.recompute(registration, at=at, by=by)
    if registration.is_settled:
        purchase_orders.tell("purchase_order_paid", order, at)
