"""`{% load payments %}`: words for how money moves."""

from django import template

from payments import receipts
from payments.gateways.registry import WAYS
from payments.models import LedgerEntry

register = template.Library()


@register.filter
def movement(entry: LedgerEntry) -> str:
    """ "Paid by card", "Refund"."""
    return receipts.words(entry)


@register.filter
def way(provider: str) -> str:
    """ "card" of "stripe"."""
    return WAYS.get(provider, provider)
