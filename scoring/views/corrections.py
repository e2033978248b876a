"""Correcting a released result, by two members of staff; and reading what was replaced."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import corrections, reports, workings
from scoring.appeal_forms import CorrectForm, SeenForm
from scoring.models import Certificate, Correction, Result
from scoring.permissions import is_staff

WITH = ["cycle", "policy", "registration__cohort", "registration__user"]
LISTED = 100


@never_cache
@login_required
@require_safe
def result_version(request: Request, pk: int) -> HttpResponse:
    """A report that was told once and has been replaced since: kept for its candidate and for staff."""
    found = get_object_or_404(Result.objects.earlier(request.at).visible_to(request.user).select_related(*WITH), pk=pk)
    is_own = found.registration.user_id == request.user.pk
    if is_own and found.is_withheld:
        raise Http404
    context = {"result": found, "report": reports.report(found), "is_own": is_own}
    return render(request, "scoring/result_version.html", context)


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def correction_propose(request: Request, pk: int, code: str) -> HttpResponse:
    out = Result.objects.due(request.at).select_related(*WITH)
    result = get_object_or_404(out, cycle=pk, registration__code=code)
    form = CorrectForm(request.POST or None, rows=result.factor_scores.select_related("entry__factor"))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            made = corrections.propose(result.pk, scores=form.scores(), reason=reason, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "The correction is proposed. Another member of staff can approve it now.")
            return redirect("scoring:correction", pk=made.pk)
    return render(
        request, "scoring/correction_propose.html", {"result": result, "form": form}, status=409 if form.errors else 200
    )


@never_cache
@login_required
@only_for(is_staff)
@require_safe
def correction_list(request: Request) -> HttpResponse:
    rows = Correction.objects.select_related("result__cycle", "result__registration", "proposed_by")
    found = [*rows.proposed(), *rows.exclude(state=Correction.State.PROPOSED)[:LISTED]]
    context = {"corrections": found, "unsupported": corrections.unsupported()}
    return render(request, "scoring/correction_list.html", context)


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def correction(request: Request, pk: int) -> HttpResponse:
    """What is proposed; and, with the proposal that was looked at, the approval."""
    related = [f"result__{name}" for name in WITH]
    found = get_object_or_404(Correction.objects.select_related(*related, "proposed_by", "approved_by", "made"), pk=pk)
    if request.method == "POST":
        corrections.approve(pk, seen=SeenForm(request.POST).seen, by=request.user, at=request.at)
        messages.success(request, "Approved. The new result has taken the place of the earlier one.")
        return redirect("scoring:correction", pk=pk)
    wanted = corrections.scores_of(found)
    rows = found.result.factor_scores.select_related("entry__factor").filter(entry__in=wanted)
    certificate = Certificate.objects.filter(registration=found.result.registration_id, revoked_at=None).first()
    context = {
        "correction": found,
        "rows": [(row, workings.printed(row.score), workings.printed(wanted[row.entry_id])) for row in rows],
        "certificate": certificate,
        "is_unsupported": certificate in corrections.unsupported(),
        "is_proposer": found.proposed_by_id == request.user.pk,
    }
    return render(request, "scoring/correction.html", context)


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def correction_withdraw(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(Correction.objects.select_related("result__registration", "result__cycle"), pk=pk)
    if request.method == "POST":
        corrections.withdraw(pk, by=request.user, at=request.at)
        messages.success(request, "The proposal is taken back. Nothing was changed.")
        return redirect("scoring:correction", pk=pk)
    return render(request, "scoring/correction_withdraw.html", {"correction": found})
