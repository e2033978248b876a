"""Who is qualified for what, with all that led there; and what a lead or staff decide about it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from icg_cert.lib.doors import Request, only_for, refuse_form
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring import qualifications, qualified, watch
from scoring.benchmark_forms import ReasonForm
from scoring.models import Scorer
from scoring.permissions import sees_board

ACTS: dict[str, Any] = {"qualify": qualifications.qualify, "end": qualifications.end, "lift": watch.lift}


@login_required
@only_for(sees_board)
@require_safe
def qualification_list(request: Request) -> HttpResponse:
    factors, lines = qualified.board(request.at)
    return render(request, "scoring/qualification_list.html", {"factors": factors, "lines": lines})


@never_cache
@login_required
@only_for(sees_board)
@require_http_methods(["GET", "HEAD", "POST"])
def qualification_of(request: Request, pk: int, number: int) -> HttpResponse:
    """`pk` is the person's. What the button does is what the page said it would."""
    person = get_object_or_404(Scorer.objects.select_related("user"), user=pk).user
    factor = get_object_or_404(Factor, number=number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _decide(request, person, factor, form.cleaned_data["reason"])
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Decided, and kept with your name.")
            return redirect("scoring:qualification-of", pk=pk, number=number)
    context = {
        "person": person,
        "factor": factor,
        "history": qualified.history(person, factor),
        "look": watch.look(person, factor, request.at),
        "form": form,
    }
    return render(request, "scoring/qualification_of.html", context, status=409 if form.errors else 200)


def _decide(request: Request, person: Any, factor: Factor, reason: str) -> None:
    wanted = ACTS.get(request.POST.get("act", ""))
    if wanted is None:
        raise Refused("no-act", "Choose what to decide.")
    wanted(person, factor, reason=reason, by=request.user, at=request.at)
