"""Invoices: one for an accepted order, what of it was credited, and what is still owed. Papers never change."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import day_words
from icg_cert.mail import outbox
from payments import numbers, papers
from payments.models import Allocation, CreditNote, Invoice, PurchaseOrder, Seat


def today(at: datetime) -> date:
    """The day of an instant in the programme's zone."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


@transaction.atomic
def issue(order: PurchaseOrder, *, by: Any, at: datetime) -> Invoice:
    """The invoice of a locked order, for all its seats. Never dated before the order; the same order twice is one."""
    standing = Invoice.objects.standing().filter(order=order).first()
    if standing is not None:
        return standing
    seats = list(_seats(order).exclude(state=Seat.State.RELEASED))
    on = max(order.issued_on, today(at))
    due = on + timedelta(days=papers.vendor().terms_days)
    number = numbers.next_number(numbers.INVOICE, on=on)
    total = papers.sum_of(seats)
    invoice = Invoice.objects.create(
        order=order,
        number=number,
        issued_on=on,
        due_on=due,
        amount_minor=total.minor,
        currency=total.currency,
        issued_at=at,
        **papers.invoice(order, seats, number=number, on=on, due=due).fields,
    )
    trail.record("invoice.issue", invoice, by=by, at=at, after={"number": number, "amount_minor": total.minor})
    tell("invoice_issued", invoice, at, document=invoice)
    return invoice


@transaction.atomic
def credit(order: PurchaseOrder, seats: Iterable[Seat], *, reason: str, by: Any, at: datetime) -> CreditNote | None:
    """Take seats of a locked order off its invoice. A seat is credited once; None when all of them were before."""
    invoice = Invoice.objects.standing().filter(order=order).select_for_update().get()
    fresh = _creditable(invoice, {seat.pk for seat in seats})
    if not fresh:
        return None
    on, total = max(invoice.issued_on, today(at)), papers.sum_of(fresh)
    number = numbers.next_number(numbers.CREDIT_NOTE, on=on)
    note = CreditNote.objects.create(
        invoice=invoice,
        number=number,
        issued_on=on,
        amount_minor=total.minor,
        currency=total.currency,
        reason=reason,
        issued_at=at,
        **papers.credit_note(invoice, fresh, number=number, on=on, reason=reason).fields,
    )
    trail.record("invoice.credit", invoice, by=by, at=at, reason=reason, after={"note": number, "minor": total.minor})
    tell("invoice_credited", invoice, at, document=note)
    return note


@transaction.atomic
def void(order: PurchaseOrder, *, reason: str, by: Any, at: datetime) -> Invoice | None:
    """Declare the invoice of a locked order void, so that another can be issued. Refused once it was paid or credited.

    None when there is none.
    """
    invoice = Invoice.objects.standing().filter(order=order).select_for_update().first()
    if invoice is None:
        return None
    if invoice.credit_notes.exists() or _allocated(order):
        raise Refused("invoice-used", "Money or a credit note stands on this invoice. Credit what is not owed instead.")
    invoice.state, invoice.voided_at = Invoice.State.VOID, at
    invoice.save(update_fields=["state", "voided_at"])
    trail.record("invoice.void", invoice, by=by, at=at, reason=reason, after={"state": invoice.state})
    tell("invoice_void", invoice, at)
    return invoice


@transaction.atomic
def reissue(invoice_id: int, *, bill_to: str, ship_to: str, reason: str, by: Any, at: datetime) -> Invoice:
    """Void an invoice and issue its order's anew, for the addresses that the payer's office wants on it.

    Refused once it was paid or credited. Of one that is void already, the order's standing one is answered.
    """
    invoice = Invoice.objects.select_related("order").get(pk=invoice_id)
    order = PurchaseOrder.objects.select_for_update().get(pk=invoice.order_id)
    invoice.refresh_from_db(fields=["state"])
    if invoice.state != Invoice.State.VOID:
        void(order, reason=reason, by=by, at=at)
        order.bill_to, order.ship_to = bill_to, ship_to
        order.save(update_fields=["bill_to", "ship_to"])
    return issue(order, by=by, at=at)


def owed(order: PurchaseOrder) -> Money:
    """What has yet to come for an order: invoiced, less credited, less allocated. Zero without an invoice."""
    invoice = Invoice.objects.standing().filter(order=order).with_sums().first()
    return invoice.owed if invoice else Money(0, order.currency)


def tell(event: str, invoice: Invoice, at: datetime, *, document: Invoice | CreditNote | None = None) -> None:
    """Write to accounts payable, and the same to the contact of the order. Names of coaches stay on the paper."""
    order = invoice.order
    about = document or invoice
    for who, to in addresses(order).items():
        outbox.queue(
            event,
            to=to,
            key=f"{event}:{about.number}:{who}",
            at=at,
            attachment=str(document.document.name) if document else "",
            attachment_name=f"{document.number}.pdf" if document else "",
            number=invoice.number,
            note=about.number,
            order_number=order.number,
            payer=order.payer.name,
            money=about.money,
            due=day_words(invoice.due_on),
            reply_to=invoice.content["vendor_email"],
        )


def addresses(order: PurchaseOrder) -> dict[str, str]:
    """Who gets our papers: accounts payable, and the contact where that is somebody else."""
    payable, contact = order.payer.email, order.contact_email
    return {"payable": payable} | ({"contact": contact} if contact and contact != payable else {})


def _seats(order: PurchaseOrder) -> Any:
    return order.seats.select_related("order__cohort", "registration__user").order_by("pk")


def _creditable(invoice: Invoice, wanted: set[int]) -> list[Seat]:
    billed = {line["seat"] for line in invoice.content["lines"]}
    credited = {line["seat"] for note in invoice.credit_notes.all() for line in note.content["lines"]}
    return list(_seats(invoice.order).filter(pk__in=(wanted & billed) - credited))


def _allocated(order: PurchaseOrder) -> bool:
    return Allocation.objects.standing().filter(seat__order=order).exists()
