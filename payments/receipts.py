"""The receipt of a paid registration, as a PDF anybody can hand to their employer."""

from typing import Any

from candidates.models import Programme
from icg_cert.lib import pdf as pdfs
from icg_cert.lib.words import day_of
from payments.allocation import PROVIDER
from payments.gateways.registry import WAYS
from payments.models import LedgerEntry
from payments.overview import Overview

Kind = LedgerEntry.Kind


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
    """What moved, as a reader of the receipt calls it.

    A transfer is a district's money, or what a person matched to the registration after it had come in.
    """
    is_order, way = entry.provider == PROVIDER, WAYS.get(entry.provider, entry.provider)
    paid = "Paid on purchase order" if is_order else f"Paid by {way}"
    names = {
        Kind.CHARGE: paid,
        Kind.PO_MONEY: paid,
        Kind.TRANSFER: paid if entry.amount_minor > 0 else "Back to who paid on purchase order",
        Kind.REFUND: f"Returned by {'check' if is_order else way}",
        Kind.REFUND_FAILED: "Could not be returned, and came back to us",
        Kind.DISPUTE_WITHDRAWN: "Taken back by the payer's bank",
        Kind.DISPUTE_REINSTATED: "Given again by the payer's bank",
    }
    return names.get(Kind(entry.kind), entry.get_kind_display())


def _policy(overview: Overview) -> str:
    accepted = overview.acceptance
    return f"The fee is not refundable (policy accepted on {day_of(accepted.accepted_at)})." if accepted else ""
