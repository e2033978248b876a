"""What scorers sign for a cycle, and whom or where anybody knows. Nobody learns here who is on the other side."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from candidates.models import Cycle
from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import handover, statements
from scoring.impartiality_forms import StatementForm, TieForm
from scoring.models import Statement
from scoring.permissions import is_scorer


@never_cache
@login_required
@only_for(is_scorer)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def statement(request: Request, year: int) -> HttpResponse:
    cycle = get_object_or_404(Cycle, year=year)
    text = statements.text()
    form = StatementForm(request.POST or None, initial={"version": text.version if text else 0})
    if request.method == "POST" and form.is_valid():
        try:
            statements.sign(cycle.pk, **form.cleaned_data, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, f"Signed for {year}. Thank you.")
            return redirect("scoring:tie-list")
    signed = Statement.objects.filter(scorer=request.user, cycle=cycle).select_related("text").first()
    context = {"cycle": cycle, "text": signed.text if signed else text, "signed": signed, "form": form}
    return render(request, "scoring/statement.html", context, status=409 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tie_list(request: Request) -> HttpResponse:
    form = TieForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            handover.declare(**form.cleaned_data, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Kept. From now on nothing passes between you and them in scoring.")
            return redirect("scoring:tie-list")
    context = {"form": form, "ties": request.user.declared_ties.all(), "is_scorer": is_scorer(request.user)}
    return render(request, "scoring/tie_list.html", context, status=409 if form.errors else 200)
