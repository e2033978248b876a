"""How often something may be tried. For what anybody may ask of us; what must be exact is counted in the database."""

from datetime import timedelta
from hashlib import sha256

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def spend(what: str, whom: str, *, at_most: int, within: timedelta) -> bool:
    """Count one more try of `whom`; False once there were more than `at_most` since the first `within` ago."""
    key = f"limit:{sha256(f'{what} {whom}'.encode()).hexdigest()}"
    cache.add(key, 0, within // timedelta(seconds=1))
    try:
        return int(cache.incr(key)) <= at_most
    except ValueError:  # forgotten between the two lines: the first of a new count
        cache.set(key, 1, within // timedelta(seconds=1))
        return True


def caller(request: HttpRequest) -> str:
    """The address a request came from, behind as many proxies as settings.ALLAUTH_TRUSTED_PROXY_COUNT says."""
    return str(get_adapter().get_client_ip(request))
