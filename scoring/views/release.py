"""The pages on which staff bring a cycle's results out: who is ready, prepare, approve, take the approval back."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates import announced
from candidates.models import Cycle
from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import policies, release, release_gate
from scoring.models import Release
from scoring.permissions import is_staff
from scoring.release_forms import ApproveForm, ReleaseForm
from scoring.release_gate import Gate

PER_PAGE = 50
FILTERS = {"": "All", "blocked": "Not ready", "withheld": "Withheld"}


@never_cache
@require_safe
@login_required
@only_for(is_staff)
def release_list(request: Request) -> HttpResponse:
    cycles = Cycle.objects.filter(closes_at__lte=request.at).select_related("release").order_by("-year")
    following = announced.current_or_next_cycle(request.at)
    return render(request, "scoring/release_list.html", {"cycles": cycles, "following": following})


@never_cache
@require_safe
@login_required
@only_for(is_staff)
def release_detail(request: Request, pk: int) -> HttpResponse:
    cycle = get_object_or_404(Cycle.objects.select_related("release__prepared_by", "release__approved_by"), pk=pk)
    decision = getattr(cycle, "release", None)
    policy = decision.policy if decision else policies.policy_of(cycle)
    gate = release_gate.gate(cycle, policy.rules(), request.at)
    show = request.GET.get("show", "")
    context = {
        "cycle": cycle,
        "release": decision,
        "policy": policy,
        "gate": gate,
        "told": cycle.results.filter(superseded_at=None).count(),
        "page": Paginator(_shown(gate, show), PER_PAGE).get_page(request.GET.get("page")),
        "show": show if show in FILTERS else "",
        "filters": FILTERS.items(),
        "may_prepare": request.at >= cycle.closes_at + cycle.grace,
        "is_preparer": decision is not None and decision.prepared_by_id == request.user.pk,
    }
    return render(request, "scoring/release_detail.html", context)


def _shown(gate: Gate, show: str) -> tuple[release_gate.Row, ...]:
    return {"blocked": gate.blocked, "withheld": gate.withheld}.get(show, gate.rows)


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_prepare(request: Request, pk: int) -> HttpResponse:
    cycle = get_object_or_404(Cycle, pk=pk)
    form = ReleaseForm(request.POST or None, initial={"releases_at": _proposed(cycle, request.at)})
    if request.method == "POST" and form.is_valid():
        try:
            release.prepare(pk, releases_at=form.cleaned_data["releases_at"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "The release is prepared. Another member of staff can approve it now.")
            return redirect("scoring:release", pk=pk)
    return render(request, "scoring/release_prepare.html", {"cycle": cycle, "form": form})


def _proposed(cycle: Cycle, at: datetime) -> datetime:
    """The announced instant; when it has passed, the next whole minute."""
    soon = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return max(cycle.releases_at, soon)


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_approve(request: Request, pk: int) -> HttpResponse:
    decision = get_object_or_404(Release.objects.select_related("cycle", "prepared_by"), cycle=pk)
    if request.method == "POST":
        form = ApproveForm(request.POST)
        seen = form.cleaned_data["prepared_at"] if form.is_valid() else None
        release.approve(pk, seen=seen, by=request.user, at=request.at)
        messages.success(request, "Approved. The results come out by themselves at the instant below.")
        return redirect("scoring:release", pk=pk)
    return render(request, "scoring/release_approve.html", {"release": decision, "cycle": decision.cycle})


@require_http_methods(["GET", "POST"])
@login_required
@only_for(is_staff)
@refusals_as_page
def release_withdraw(request: Request, pk: int) -> HttpResponse:
    decision = get_object_or_404(Release.objects.select_related("cycle", "approved_by"), cycle=pk)
    if request.method == "POST":
        release.withdraw_approval(pk, by=request.user, at=request.at)
        messages.success(request, "The approval is withdrawn. Nothing will be released until it is approved again.")
        return redirect("scoring:release", pk=pk)
    return render(request, "scoring/release_withdraw.html", {"release": decision, "cycle": decision.cycle})
