"""Reminding accounts payable of an open invoice: a week before it is due, on the day, and 15 and 30 days after."""

from datetime import date, datetime, timedelta

from django.db import transaction

from icg_cert.lib.words import day_words
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from payments.invoices import addresses, today
from payments.models import Invoice, InvoiceQuerySet, PurchaseOrder

DAYS_AFTER = (-7, 0, 15, 30)
EVENT = "invoice_reminder"


def days_due(due_on: date, *, issued_on: date, on: date) -> int | None:
    """Which reminder is due on a day: its days after the due date, or None.

    The latest only, so that a job late by weeks writes once; and none whose day the invoice itself came on or after.
    """
    reached = [days for days in DAYS_AFTER if issued_on < due_on + timedelta(days=days) <= on]
    return max(reached, default=None)


def due(at: datetime) -> list[int]:
    """Invoices whose reminder is due and not written."""
    keys = {
        _key(invoice.number, days): invoice.pk
        for invoice in _open().filter(due_on__lte=today(at) - timedelta(days=min(DAYS_AFTER)))
        if (days := days_due(invoice.due_on, issued_on=invoice.issued_on, on=today(at))) is not None
    }
    written = set(Message.objects.filter(key__in=keys).values_list("key", flat=True))
    return [pk for key, pk in keys.items() if key not in written]


@transaction.atomic
def remind(invoice_id: int, *, at: datetime) -> bool:
    """Write an invoice's due reminder; False when nothing is owed, or nothing due, any more."""
    PurchaseOrder.objects.select_for_update().get(invoices=invoice_id)  # money and credits come under this lock
    invoice = _open().filter(pk=invoice_id).first()
    days = days_due(invoice.due_on, issued_on=invoice.issued_on, on=today(at)) if invoice else None
    if invoice is None or days is None:
        return False
    for who, to in addresses(invoice.order).items():
        outbox.queue(
            EVENT,
            to=to,
            key=_key(invoice.number, days, who),
            at=at,
            attachment=invoice.document.name or "",
            attachment_name=f"{invoice.number}.pdf",
            number=invoice.number,
            order_number=invoice.order.number,
            payer=invoice.order.payer.name,
            money=invoice.money,
            owed=invoice.owed,
            due=day_words(invoice.due_on),
            days=days,
            reply_to=invoice.content["vendor_email"],
        )
    return True


def _open() -> InvoiceQuerySet:
    """Of orders that stand: nobody is asked to pay for what was cancelled."""
    rows = Invoice.objects.open().filter(order__state=PurchaseOrder.State.ACCEPTED)
    return rows.select_related("order__payer").order_by("due_on", "pk")


def _key(number: str, days: int, who: str = "payable") -> str:
    return f"{EVENT}:{number}:{days}:{who}"
