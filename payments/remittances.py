"""Remittances: checks and transfers that arrive from payers, entered by finance, posted once, reversed if they bounce.

A remittance is posted whole to its payer's account. What of it is for which seat, payments.allocation writes down.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from payments import allocation, ledger, papers
from payments.invoices import today
from payments.models import Invoice, LedgerEntry, Payer, PurchaseOrder, Refund, Remittance
from payments.purchase_orders import normalise, wrong

LONGEST = 60


@transaction.atomic
def enter(
    payer_id: int,
    *,
    kind: str,
    number: str,
    amount: Money,
    received_on: date,
    invoices: Sequence[int] = (),
    seats: Sequence[int] = (),
    by: Any,
    at: datetime,
) -> Remittance:
    """Write down a check or transfer that arrived, post it, and let it pay. The same one twice is one.

    It pays for these `seats` first, then for the open lines of these `invoices`, oldest first; what is left is the
    payer's credit. A short one pays for as much as it reaches.
    """
    payer, number = allocation.lock(payer_id), normalise(number)
    known = Remittance.objects.filter(payer=payer, kind=kind, number=number).first()
    if known is not None:
        return _same(known, amount, received_on)
    _check(number, amount, received_on, at)
    remittance = Remittance.objects.create(
        payer=payer,
        entry=_post(payer, f"{payer.pk}:{kind}:{number}", amount, received_on, by=by, at=at),
        kind=kind,
        number=number,
        amount_minor=amount.minor,
        currency=amount.currency,
        received_on=received_on,
        entered_by=by,
        entered_at=at,
    )
    trail.record("remittance.enter", remittance, by=by, at=at, after={"amount_minor": amount.minor, "payer": payer.pk})
    allocation.spread(remittance, _wanted(payer, invoices, seats), by=by, at=at)
    return remittance


@transaction.atomic
def reverse(remittance_id: int, *, reason: str, by: Any, at: datetime) -> Remittance:
    """A check came back unpaid: what it paid for is owed again. Seats stay held, and the payer's office is told.

    Candidates are not told: it is nothing they did, or could mend, and their seat stays theirs.
    """
    payer = allocation.lock(Remittance.objects.values_list("payer", flat=True).get(pk=remittance_id))
    remittance = Remittance.objects.select_related("entry").get(pk=remittance_id)
    if remittance.reversed_at:
        return remittance
    _check_reversible(remittance, reason)
    given = list(remittance.allocations.standing().select_related("remittance__payer", "remittance__entry", "seat"))
    for each in given:
        allocation.undo(each, by=by, at=at)
    ledger.post(
        registration=None,
        payer=payer,
        kind=LedgerEntry.Kind.REVERSAL,
        amount=-remittance.money,
        provider=allocation.PROVIDER,
        txn_ref=remittance.entry.txn_ref,
        corrects=remittance.entry,
        occurred_at=at,
        at=at,
        by=by,
        reason=reason.strip(),
    )
    remittance.reversed_by, remittance.reversed_at, remittance.reversal_reason = by, at, reason.strip()
    remittance.save(update_fields=["reversed_by", "reversed_at", "reversal_reason"])
    trail.record("remittance.reverse", remittance, by=by, at=at, reason=reason.strip())
    _tell_reversed(remittance, payer, {each.seat.order_id for each in given}, at)
    return remittance


def _wanted(payer: Payer, invoices: Sequence[int], seats: Sequence[int]) -> list[int]:
    """Seats in the order in which they are to be paid."""
    orders = dict(Invoice.objects.standing().filter(order__payer=payer, pk__in=invoices).values_list("pk", "order"))
    if set(orders) != set(invoices):
        message = "One of these invoices is void or another payer's. Please choose again."
        raise wrong("invoice-strange", "invoices", message)
    due = [line.seat.pk for line in allocation.lines(payer) if line.seat.order_id in orders.values()]
    return list(dict.fromkeys([*seats, *due]))


def _same(known: Remittance, amount: Money, received_on: date) -> Remittance:
    if known.reversed_at:
        message = f"{known} was entered before and came back. If the bank presented it again, write {known.number}-2."
        raise wrong("remittance-reversed", "number", message)
    if (known.money, known.received_on) != (amount, received_on):
        message = f"{known} was entered before with another amount or date. Check the number of this one."
        raise wrong("remittance-known", "number", message)
    return known


def _check(number: str, amount: Money, received_on: date, at: datetime) -> None:
    if not number:
        raise wrong("number-empty", "number", "Enter the number of the check or the trace number of the transfer.")
    if len(number) > LONGEST:
        raise wrong("number-long", "number", f"A check or trace number has at most {LONGEST} characters.")
    if amount.minor <= 0:
        raise wrong("amount-wrong", "amount", "Enter an amount above zero.")
    if received_on > today(at):
        raise wrong("date-future", "received_on", "This date has not come yet.")


def _check_reversible(remittance: Remittance, reason: str) -> None:
    if not reason.strip():
        raise wrong("reason-missing", "reason", "Say what the bank said, for whoever looks at it next year.")
    if remittance.entry.refunds.filter(state__in=Refund.LIVE).exists():
        message = "Part of it is about to be returned to the payer. Decide about that return first."
        raise Refused("refund-waits", message)


def _post(payer: Payer, ref: str, amount: Money, received_on: date, *, by: Any, at: datetime) -> LedgerEntry:
    entry, _ = ledger.post(
        registration=None,
        payer=payer,
        kind=LedgerEntry.Kind.PO_MONEY,
        amount=amount,
        provider=allocation.PROVIDER,
        txn_ref=ref,
        occurred_at=datetime.combine(received_on, datetime.min.time(), ZoneInfo(settings.TIME_ZONE)),
        at=at,
        by=by,
    )
    return entry


def _tell_reversed(remittance: Remittance, payer: Payer, orders: set[int], at: datetime) -> None:
    """Accounts payable, and the contacts of the orders it had paid for."""
    open_again = Invoice.objects.open().filter(order__in=orders).order_by("number")
    contacts = PurchaseOrder.objects.filter(pk__in=orders).values_list("contact_email", flat=True)
    for number, to in enumerate(dict.fromkeys([payer.email, *filter(None, contacts)])):
        outbox.queue(
            "remittance_reversed",
            to=to,
            key=f"remittance_reversed:{remittance.pk}:{number}",
            at=at,
            what=str(remittance).lower(),
            payer=payer.name,
            money=remittance.money,
            invoices=", ".join(f"{each.number} ({each.owed})" for each in open_again),
            reply_to=papers.vendor().contact_email,
        )
