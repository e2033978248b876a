"""One candidate of a release: every rule and its proof, their report before it is told, a hold, an exception."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from candidates.models import Cycle, Registration
from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import three_decimals
from scoring import facts, gate_exceptions, gate_rules, holds, policies, previews, release_gate
from scoring.models import GateException, Result, ResultHold, ScoringPolicy
from scoring.permissions import is_staff
from scoring.release_forms import ExceptionForm, HoldForm, LiftForm
from scoring.release_gate import Row
from scoring.standing import Candidate
from scoring.views.results import report_page


def _look(request: Request, pk: int, code: str) -> tuple[Candidate, Row, ScoringPolicy]:
    """One candidate of the cycle as they stand now; 404 for who hears nothing at its release."""
    cycle = get_object_or_404(Cycle.objects.select_related("release__policy"), pk=pk)
    decision = getattr(cycle, "release", None)
    policy = decision.policy if decision else policies.policy_of(cycle)
    registration = get_object_or_404(Registration, code=code)
    found = release_gate.look(cycle, registration.pk, policy, request.at)
    if found is None:
        raise Http404
    return *found, policy


@never_cache
@require_safe
@login_required
@only_for(is_staff)
def release_candidate(request: Request, pk: int, code: str) -> HttpResponse:
    candidate, row, policy = _look(request, pk, code)
    rules = policy.rules()
    about = {"cycle": pk, "registration": row.registration}
    context = {
        "cycle": candidate.cycle,
        "row": row,
        "wanted": gate_rules.covered(candidate, rules, facts.read_by_novices(rules.double_first_entries)),
        "exceptions": GateException.objects.filter(**about).select_related("signed_by", "withdrawn_by"),
        "holds": ResultHold.objects.filter(**about).select_related("set_by", "lifted_by"),
        "is_told": Result.objects.filter(**about, superseded_at=None).exists(),
    }
    return render(request, "scoring/release_candidate.html", context)


@never_cache
@require_safe
@login_required
@only_for(is_staff)
@refusals_as_page
def release_preview(request: Request, pk: int, code: str) -> HttpResponse:
    """The report as the candidate will read it. It exists for as long as this page is made."""
    candidate, row, policy = _look(request, pk, code)
    if Result.objects.filter(cycle=pk, registration=row.registration, superseded_at=None).exists():
        return redirect("scoring:result-of", pk=pk, code=code)
    if row.told is None:
        raise Refused("not-ready", "Their entries are not all scored yet, so there is no report to look at.")
    decision = getattr(candidate.cycle, "release", None)
    told_at = decision.releases_at if decision else candidate.cycle.releases_at
    with previews.previewed(candidate, policy, told_at) as result:
        return report_page(request, result, is_own=True, is_preview=True)


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_hold(request: Request, pk: int, code: str) -> HttpResponse:
    registration = _registration(pk, code)
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data
        try:
            holds.hold(pk, registration.pk, **answer, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, f"{registration.user.name} is held back. The release goes on without them.")
            return redirect("scoring:release-candidate", pk=pk, code=code)
    return _confirm(request, "release_hold", pk, registration, form=form)


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_lift(request: Request, pk: int, code: str) -> HttpResponse:
    _, row, _ = _look(request, pk, code)
    if request.method == "POST":
        form = LiftForm(request.POST)
        seen = form.cleaned_data["seen"] if form.is_valid() else ""
        holds.lift(pk, row.registration.pk, seen=seen, by=request.user, at=request.at)
        messages.success(request, "The hold is lifted. They are told with the release; after it, within a minute.")
        return redirect("scoring:release-candidate", pk=pk, code=code)
    form = LiftForm(initial={"seen": row.told.digest if row.told else ""})
    return _confirm(request, "release_lift", pk, row.registration, form=form, row=row, who=_would_be_told(row))


def _would_be_told(row: Row) -> str:
    name = row.registration.user.name
    if row.told is None:
        return f"{name} cannot be told anything yet."
    label = Result.Status(row.told.status).label.lower()
    return f"{name} would be told: {label}, sum {three_decimals(row.told.total)}."


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_except(request: Request, pk: int, code: str, rule: str) -> HttpResponse:
    _, row, _ = _look(request, pk, code)
    check = next((check for check in row.checks if check.code == rule), None)
    if check is None:
        raise Http404
    if not check.may_be_excepted:
        raise Refused("never", "There is nothing to except: this rule passes, or nobody can be excepted from it.")
    form = ExceptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        gate_exceptions.sign(pk, row.registration.pk, rule, reason=reason, by=request.user, at=request.at)
        messages.success(request, "The exception is signed. It stands beside the rule with your name.")
        return redirect("scoring:release-candidate", pk=pk, code=code)
    who = f"{row.registration.user.name}. {check.title}: {check.words}"
    return _confirm(request, "release_except", pk, row.registration, form=form, who=who)


@require_POST
@login_required
@only_for(is_staff)
def release_unexcept(request: Request, pk: int, code: str, exception: int) -> HttpResponse:
    found = get_object_or_404(GateException, pk=exception, cycle=pk, registration__code=code)
    gate_exceptions.withdraw(found.pk, by=request.user, at=request.at)
    messages.success(request, "The exception is withdrawn. The rule counts again.")
    return redirect("scoring:release-candidate", pk=pk, code=code)


def _registration(pk: int, code: str) -> Registration:
    cycle = get_object_or_404(Cycle, pk=pk)
    return get_object_or_404(Registration.objects.in_cycle(cycle).select_related("user"), code=code)


def _confirm(request: Request, name: str, pk: int, registration: Registration, **more: Any) -> HttpResponse:
    cycle = Cycle.objects.get(pk=pk)
    return render(request, f"scoring/{name}.html", {"cycle": cycle, "registration": registration, **more})
