"""Appeals: the candidate's page of one score, taking an appeal back, the letter; and staff's list and decision."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import appeal_desk, appeals, letters
from scoring.appeal_forms import AskForm, DecideForm
from scoring.models import Appeal, FactorScore, Result
from scoring.permissions import is_staff

WITH = ["entry__factor", "entry__cycle", "entry__registration__user", "score", "result"]
PAST = 100


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def appeal(request: Request, pk: int, number: int) -> HttpResponse:
    """One's own score of a factor in a cycle: ask for it to be verified, or see how that stands."""
    score = _own_score(request, pk, number)
    asked = Appeal.objects.standing().filter(entry=score.entry_id).select_related(*WITH).first()
    if asked:
        return render(request, "scoring/appeal.html", {"score": score, **_state(asked, request)})
    window = appeals.window(score)
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.ask(score.pk, reason=form.cleaned_data["reason"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "We have your appeal, and have confirmed it by e-mail.")
            return redirect("scoring:appeal", pk=pk, number=number)
    context = {"score": score, "window": window, "is_open": window.contains(request.at), "form": form}
    return render(request, "scoring/appeal_ask.html", context, status=409 if form.errors else 200)


def _own_score(request: Request, cycle: int, number: int) -> FactorScore:
    """404 before it is told, while it is withheld, and for everybody else's."""
    told = Result.objects.released(request.at).filter(registration__user=request.user, told_at__isnull=False)
    rows = FactorScore.objects.filter(result__in=told, result__cycle=cycle, entry__factor__number=number)
    found = rows.select_related("entry__factor", "result__cycle", "result__policy", "result__registration")
    score = found.order_by("-result__registration__cohort__year").first()
    if score is None:
        raise Http404
    return score


def _state(asked: Appeal, request: Request) -> dict[str, Any]:
    line = appeal_desk.line(asked, request.at)
    return {
        "appeal": asked,
        "has_begun": line.found.has_begun if line.found else False,
        "is_read": line.found is not None and line.found.verified is not None,
        "is_late": line.is_late,
        "outcome_words": letters.outcome_words(asked),
    }


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def appeal_withdraw(request: Request, pk: int) -> HttpResponse:
    mine = Appeal.objects.filter(entry__registration__user=request.user).select_related(*WITH)
    found = get_object_or_404(mine, pk=pk)
    if request.method == "POST":
        appeals.withdraw(pk, by=request.user, at=request.at)
        messages.success(request, "Your appeal is taken back. The score stands as it was told.")
        return redirect("scoring:result-detail", pk=found.entry.cycle_id)
    return render(request, "scoring/appeal_withdraw.html", {"appeal": found})


@never_cache
@login_required
@require_safe
def appeal_letter(request: Request, pk: int) -> HttpResponse:
    decided = Appeal.objects.visible_to(request.user).filter(state=Appeal.State.DECIDED, ended_at__lte=request.at)
    found = get_object_or_404(decided.select_related(*WITH), pk=pk)
    response = HttpResponse(letters.of_decision(found), content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="ICG-decision-about-your-appeal.pdf"'
    return response


@never_cache
@login_required
@only_for(is_staff)
@require_safe
def appeal_list(request: Request) -> HttpResponse:
    """The open ones by their deadline, then the last that are over."""
    open_ = Appeal.objects.open().select_related(*WITH)
    past = Appeal.objects.exclude(state=Appeal.State.OPEN).select_related(*WITH).order_by("-ended_at")[:PAST]
    return render(request, "scoring/appeal_list.html", {"lines": appeal_desk.lines(open_, request.at), "past": past})


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def appeal_detail(request: Request, pk: int) -> HttpResponse:
    """One appeal as staff see it; and the decision, once the readings are in."""
    found = get_object_or_404(Appeal.objects.select_related(*WITH, "decided_by"), pk=pk)
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.decide(pk, words=form.cleaned_data["words"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Decided. The candidate is told by e-mail.")
            return redirect("scoring:appeal-detail", pk=pk)
    context = {"appeal": found, "line": appeal_desk.line(found, request.at), "form": form}
    return render(request, "scoring/appeal_detail.html", context, status=409 if form.errors else 200)
