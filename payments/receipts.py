"""The receipt of a paid registration, as a PDF anybody can hand to their employer."""

from typing import Any

from candidates.models import Programme
from icg_cert.lib import pdf as pdfs
from icg_cert.lib.words import day_of
from payments.models import LedgerEntry
from payments.overview import Overview


def pdf(overview: Overview) -> bytes:
    """The PDF/UA bytes. The same account gives the same words on every day."""
    return pdfs.render("receipt.typ", content(overview))


def content(overview: Overview) -> dict[str, Any]:
    """What the receipt says, as JSON values."""
    registration = overview.registration
    programme = Programme.objects.first()
    return {
        "number": overview.receipt_number,
        "programme": programme.name if programme else "",
        "contact": programme.contact_email if programme else "",
        "name": registration.user.name,
        "employer": registration.employer,
        "what": f"Certification fee, cohort {registration.cohort.number} ({registration.cohort.year})",
        "fee": str(registration.fee),
        "lines": [_line(entry) for entry in overview.entries],
        "balance": str(overview.balance),
        "policy": _policy(overview),
    }


def _line(entry: LedgerEntry) -> dict[str, str]:
    return {"on": day_of(entry.occurred_at), "what": words(entry), "amount": str(entry.money)}


def words(entry: LedgerEntry) -> str:
    """What moved, as a reader of the receipt calls it. A district's money comes and goes as a transfer."""
    if entry.kind == LedgerEntry.Kind.TRANSFER:
        return "Paid on purchase order" if entry.amount_minor > 0 else "Back to who paid on purchase order"
    ways = {"stripe": "card", "paypal": "PayPal", "po": "purchase order"}
    way = ways.get(entry.provider, entry.provider)
    names = {LedgerEntry.Kind.CHARGE: f"Paid by {way}", LedgerEntry.Kind.PO_MONEY: "Paid on purchase order"}
    return names.get(LedgerEntry.Kind(entry.kind), entry.get_kind_display())


def _policy(overview: Overview) -> str:
    accepted = overview.acceptance
    return f"The fee is not refundable (policy accepted on {day_of(accepted.accepted_at)})." if accepted else ""
