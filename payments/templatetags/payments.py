"""`{% load payments %}`: words for what moved."""

from django import template

from payments import receipts
from payments.models import LedgerEntry

register = template.Library()


@register.filter
def movement(entry: LedgerEntry) -> str:
    """ "Paid by card", "Refund"."""
    return receipts.words(entry)
