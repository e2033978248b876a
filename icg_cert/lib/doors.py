"""What doors share: how a verb's refusal reaches the person who asked."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from icg_cert.lib.refusal import Refused

View = Callable[..., HttpResponse]


class Request(HttpRequest):
    """What a view is given, for the type checker: a request with the one instant the middleware read for it.

    `user` is whoever asks; behind `login_required` a person.
    """

    at: datetime
    id: str
    user: Any


def whole_number(text: str) -> int | None:
    """A number as addresses and hidden fields carry it; None for what is none, or longer than any key of ours.

    Python itself refuses to read thousands of digits, and `isdigit` is true of "²".
    """
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def refusals_as_page(view: View) -> View:
    """A `Refused` that the view does not catch becomes a page of its own: 409, the message, and a way back."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            return render(request, "refused.html", {"refusal": refusal}, status=409)

    return door


def refusals_as_json(status: dict[str, int] | None = None) -> Callable[[View], View]:
    """A `Refused` becomes `{"code", "message"}` with the status of its code, 409 where none is named."""

    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except Refused as refusal:
                answer = {"code": refusal.code, "message": refusal.message, **refusal.fields}
                return JsonResponse(answer, status=(status or {}).get(refusal.code, 409))

        return door

    return decorate


def refuse_form(form: BaseForm, refusal: Refused) -> None:
    """Show a refusal in the form it answers, beside its fields where it names them; what was typed stays."""
    for field, message in refusal.fields.items():
        form.add_error(field if field in form.fields else None, message)
    if not refusal.fields:
        form.add_error(None, refusal.message)


def back_with(request: HttpRequest, refusal: Refused, to: str, *args: Any, **kwargs: Any) -> HttpResponse:
    """Redirect to a page that says the refusal in a notice. For buttons that carry no typed input."""
    messages.warning(request, refusal.message)
    return redirect(to, *args, **kwargs)


def only_for(question: Callable[[Any], bool]) -> Callable[[View], View]:
    """Let in a signed-in person of whom `question(user)` (from a permissions module) is true; 403 otherwise."""

    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not question(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return door

    return decorate
