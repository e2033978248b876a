"""Slowing down who guesses codes. Codes that hold may be asked for without limit; misses count, by address."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

MISSES = 20
SECONDS = 600


def is_slowed(request: HttpRequest, what: str) -> bool:
    """Whether this address missed too often of late; `what` keeps the kinds of codes apart."""
    return int(cache.get(_key(request, what), 0)) >= MISSES


def count_miss(request: HttpRequest, what: str) -> None:
    cache.add(_key(request, what), 0, SECONDS)
    cache.incr(_key(request, what))


def _key(request: HttpRequest, what: str) -> str:
    return f"{what}-misses:{get_adapter().get_client_ip(request)}"
