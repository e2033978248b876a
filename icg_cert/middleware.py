"""What every request gets: one instant, one id; and, for who can see others' data, the demand for a second factor."""

from collections.abc import Callable
from uuid import uuid4

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from candidates import edition
from candidates.permissions import needs_second_factor
from icg_cert.lib import clock, request_id

Handler = Callable[[HttpRequest], HttpResponse]
SET_UP_SECOND_FACTOR = "Your work here needs a second step at sign-in. Set it up once, it takes two minutes."
OPEN_WITHOUT_SECOND_FACTOR = ("/accounts/", "/static/", "/healthz", "/readyz", "/metrics")


def instant(get_response: Handler) -> Handler:
    """`request.at`: when it came in, the only clock below the doors. `request.id`: its name in log and audit."""

    def handle(request: HttpRequest) -> HttpResponse:
        request.at = clock.now()  # type: ignore[attr-defined]
        request.id = uuid4().hex  # type: ignore[attr-defined]
        token = request_id.current.set(request.id)  # type: ignore[attr-defined]
        try:
            with edition.asked_once():
                return get_response(request)
        finally:
            request_id.current.reset(token)

    return handle


def second_factor(get_response: Handler) -> Handler:
    """Whoever works with other people's data sets up an authenticator first (settings.REQUIRE_SECOND_FACTOR)."""

    def handle(request: HttpRequest) -> HttpResponse:
        if _lacks_second_factor(request):
            messages.warning(request, SET_UP_SECOND_FACTOR)
            return redirect("mfa_index")
        return get_response(request)

    return handle


def _lacks_second_factor(request: HttpRequest) -> bool:
    return (
        settings.REQUIRE_SECOND_FACTOR
        and not request.path.startswith(OPEN_WITHOUT_SECOND_FACTOR)
        and needs_second_factor(request.user)
        and not is_mfa_enabled(request.user)
    )
