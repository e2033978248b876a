"""Our papers for a district's office: quote, invoice, credit note. What they say is frozen, their PDF is made once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from candidates.models import Cohort, Programme
from icg_cert.lib import pdf as pdfs
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import day_words
from payments.models import Invoice, PurchaseOrder, Seat, Vendor, invoice_path, quote_path


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that is made and stored: what it says, where its PDF is, and the PDF's fingerprint."""

    content: dict[str, Any]
    document: str
    document_sha256: str

    @property
    def fields(self) -> dict[str, Any]:
        """For the row it belongs to; Quote, Invoice and CreditNote call them the same."""
        return {"content": self.content, "document": self.document, "document_sha256": self.document_sha256}


def vendor() -> Vendor:
    """Us, as a district's office has to know us. Refused while nobody wrote that down."""
    row = Vendor.objects.order_by("pk").first()
    if row is None:
        message = "The programme's own details for quotes and invoices are not written down yet. Please write to us."
        raise Refused("no-vendor", message)
    return row


def quote(
    *,
    number: str,
    on: date,
    valid_until: date,
    payer_name: str,
    contact_name: str,
    contact_email: str,
    cohort: Cohort,
    seats: int,
    price: Money,
    coach: str = "",
) -> Paper:
    """What `seats` seats of a cohort cost. `valid_until` is the last day; `coach` whom a quote for one seat is for."""
    content = {
        **_letterhead(vendor()),
        "number": number,
        "on": day_words(on),
        "valid_until": day_words(valid_until),
        "payer": payer_name,
        "contact": contact_name,
        "contact_email": contact_email,
        "period": _period(cohort),
        "places": f"{seats} in cohort {cohort.number} ({cohort.year})" + (f", for {coach}" if coach else ""),
        "closes": day_words(cohort.last_day),
        "lines": [_row(cohort, coach, seats, price)],
        **_totals(price * seats),
    }
    return _made("quote.typ", content, quote_path())


def invoice(order: PurchaseOrder, seats: Iterable[Seat], *, number: str, on: date, due: date) -> Paper:
    """What an order's seats cost, one line a seat."""
    seats, us = list(seats), vendor()
    content = {
        **_letterhead(us),
        "number": number,
        "on": day_words(on),
        "due": day_words(due),
        "terms": f"Net {us.terms_days} days",
        **_order(order),
        "ship_to": order.ship_to,
        "coaches": [_coach(seat) for seat in seats if seat.registration],
        "attention": order.contact_name,
        "contact_email": order.contact_email,
        "period": _period(order.cohort),
        "lines": [_line(seat) for seat in seats],
        **_totals(sum_of(seats)),
    }
    return _made("invoice.typ", content, invoice_path())


def credit_note(invoice: Invoice, seats: Iterable[Seat], *, number: str, on: date, reason: str) -> Paper:
    """What of an invoice is not owed any more. Its lines name their seats, so that none is credited twice."""
    seats = list(seats)
    content = {
        **_letterhead(vendor()),
        "number": number,
        "on": day_words(on),
        "invoice": invoice.number,
        "invoice_on": day_words(invoice.issued_on),
        **_order(invoice.order),
        "reason": reason,
        "lines": [_line(seat) for seat in seats],
        **_totals(sum_of(seats)),
    }
    return _made("credit_note.typ", content, invoice_path())


def sum_of(seats: Iterable[Seat]) -> Money:
    """At least one seat."""
    first, *rest = [seat.money for seat in seats]
    return sum(rest, first)


def plain(money: Money) -> str:
    """ "$400.00", for columns whose head names the currency."""
    return str(money).removesuffix(f" {money.currency}")


def _letterhead(us: Vendor) -> dict[str, str]:
    programme = Programme.objects.first()
    return {
        "programme": programme.name if programme else "",
        "vendor": us.legal_name,
        "remit_to": us.remit_to,
        "ach": us.ach_details,
        "vendor_email": us.contact_email,
        "tax_words": us.tax_words,
    }


def _order(order: PurchaseOrder) -> dict[str, str]:
    payer = order.payer
    return {
        "order_number": order.number,
        "order_on": day_words(order.issued_on),
        "payer": payer.name,
        "bill_to": order.bill_to or payer.bill_to,
        "payer_email": payer.email,
    }


def _totals(total: Money) -> dict[str, str]:
    return {
        "currency": total.currency,
        "subtotal": plain(total),
        "tax": plain(Money(0, total.currency)),
        "total": str(total),
    }


def _line(seat: Seat) -> dict[str, Any]:
    return {"seat": seat.pk, **_row(seat.order.cohort, _coach(seat), 1, seat.money)}


def _row(cohort: Cohort, coach: str, quantity: int, price: Money) -> dict[str, Any]:
    return {
        "what": f"Coach certification fee, cohort {cohort.number} ({cohort.year})",
        "coach": coach,
        "quantity": quantity,
        "price": plain(price),
        "amount": plain(price * quantity),
    }


def _coach(seat: Seat) -> str:
    return seat.registration.user.name if seat.registration else ""


def _period(cohort: Cohort) -> str:
    """When what is paid for happens."""
    years = cohort.cycle_years
    return f"{years[0]} to {years[-1]}"


def _made(template: str, content: dict[str, Any], name: str) -> Paper:
    """The PDF is stored before its row commits: after a rollback a file is left that nothing names, nor can name."""
    document = pdfs.render(template, content)
    return Paper(content, default_storage.save(name, ContentFile(document)), sha256(document).hexdigest())
