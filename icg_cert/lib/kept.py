"""What somebody typed before they noticed that their session had ended.

A form posted by someone who is signed out waits in the session, which signing in carries over; the page it was posted
to finds it there and fills the form again. Files cannot wait, so pages say that they are to be chosen once more.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse

from icg_cert.lib.doors import Request, View

KEY = "kept"
LONGEST = 10_000  # characters of one field; nobody types more, and anybody may post
KEPT_FOR = timedelta(hours=12)
SENTENCE = "You were signed out in between. Nothing is lost: sign in, and what you typed is in the form again."


def keep(request: Request, names: list[str]) -> HttpResponse:
    """Put these fields of the posted form away for this address, and lead to the sign-in and back here."""
    typed = {name: request.POST[name][:LONGEST] for name in names if name in request.POST}
    request.session[KEY] = {"path": request.path, "at": request.at.isoformat(), "typed": typed}
    messages.warning(request, SENTENCE)
    return redirect_to_login(request.get_full_path())


def take(request: Request) -> dict[str, str]:
    """What was kept for this address, once; empty when there is nothing, or nothing fresh."""
    kept = request.session.get(KEY)
    if not kept or kept["path"] != request.path:
        return {}
    del request.session[KEY]
    is_fresh = request.at - datetime.fromisoformat(kept["at"]) < KEPT_FOR
    return kept["typed"] if is_fresh else {}


def sign_in_keeping(*names: str) -> Callable[[View], View]:
    """Like `login_required`, for a page with a form: the fields of these names survive the sign-in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                return view(request, *args, **kwargs)
            if request.method == "POST":
                return keep(request, list(names))
            return redirect_to_login(request.get_full_path())

        return door

    return decorate
