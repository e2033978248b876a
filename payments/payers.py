"""Payers: districts and organisations, each known by its legal name however it is typed."""

import unicodedata
from datetime import datetime
from typing import Any

from django.db import transaction

from icg_cert.audit import trail
from payments.models import Payer, PurchaseOrder


def tidy(text: str) -> str:
    """One line, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def normalise(name: str) -> str:
    """A name as it is compared: whatever its case, its spaces and the width of its letters."""
    return tidy(name).casefold()


def found(name: str, email: str) -> Payer:
    """The payer of that name, or a new one. What is known of an old one stays until an order of it is accepted."""
    defaults = {"name": tidy(name), "email": email}
    return Payer.objects.get_or_create(name_normalised=normalise(name), defaults=defaults)[0]


def take_over(order: PurchaseOrder) -> None:
    """What an accepted order says of where invoices go. The payer is locked."""
    payer = order.payer
    payer.email, payer.bill_to = order.payable_email, order.bill_to or payer.bill_to
    payer.save(update_fields=["email", "bill_to"])


@transaction.atomic
def verify(payer_id: int, *, by: Any, at: datetime) -> Payer:
    """Write down that somebody looked: it exists, and this is how it is called. The first time counts."""
    payer = Payer.objects.select_for_update().get(pk=payer_id)
    if payer.verified_at is None:
        payer.verified_by, payer.verified_at = by, at
        payer.save(update_fields=["verified_by", "verified_at"])
        trail.record("payer.verify", payer, by=by, at=at)
    return payer
