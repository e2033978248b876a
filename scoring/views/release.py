"""The pages on which staff bring a cycle's results out: who is ready, prepare, approve, take the approval back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from candidates import announced
from candidates.models import Cycle, Registration
from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import dry_runs, gate_rules, policies, release
from scoring.models import DryRun, DryRunRowQuerySet, Release, Result
from scoring.permissions import is_staff
from scoring.release_forms import ApproveForm, ReleaseForm

PER_PAGE = 50
Rows = DryRunRowQuerySet
FILTERS: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "": ("All", lambda rows: rows),
    "blocked": ("Not ready", lambda rows: rows.blocked()),
    "held": ("Held back", lambda rows: rows.filter(is_held=True)),
    "excepted": ("Excepted", lambda rows: rows.exclude(excepted=[])),
    "withheld": ("Withheld until paid", lambda rows: rows.filter(is_withheld=True)),
}


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
    cycle = get_object_or_404(
        Cycle.objects.select_related("release__prepared_by", "release__approved_by", "release__run", "release__policy"),
        pk=pk,
    )
    decision, run = getattr(cycle, "release", None), dry_runs.latest(cycle)
    context = {
        "cycle": cycle,
        "release": decision,
        "policy": decision.policy if decision else policies.policy_of(cycle),
        "run": run,
        "summary": dry_runs.summary(run) if run else None,
        "has_changed": bool(run and decision and decision.run and decision.run.digest != run.digest),
        "told": cycle.results.filter(superseded_at=None).count(),
        "may_prepare": request.at >= cycle.closes_at + cycle.grace,
        "is_preparer": decision is not None and decision.prepared_by_id == request.user.pk,
        "exceptions": cycle.gate_exceptions.filter(withdrawn_at=None).select_related("registration", "signed_by"),
        "holds": cycle.result_holds.in_force().select_related("registration", "set_by"),
        **(_listed(request, run) if run else {}),
    }
    return render(request, "scoring/release_detail.html", context)


def _listed(request: Request, run: DryRun) -> dict[str, Any]:
    """The candidates that were asked for, page by page: by a filter, a rule they fail, a name or code."""
    show, rule, query = (request.GET.get(key, "") for key in ("show", "rule", "q"))
    show, rule = show if show in FILTERS else "", rule if rule in gate_rules.RULES else ""
    rows = FILTERS[show][1](run.rows.in_the_way_first().select_related("registration__user"))
    if rule:
        rows = rows.failing(rule)
    if query := " ".join(query.split())[:100].replace("\0", ""):
        rows = rows.filter(Q(registration__code__iexact=query) | Q(registration__user__name__icontains=query))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "shown": [(row, dry_runs.checks(row)) for row in page.object_list],
        "show": show,
        "rule": rule,
        "rule_title": gate_rules.TITLES.get(rule, ""),
        "q": query,
        "query": urlencode({"show": show, "rule": rule, "q": query}) + "&",
        "filters": [(key, label) for key, (label, _) in FILTERS.items()],
    }


@require_POST
@login_required
@only_for(is_staff)
@refusals_as_page
def release_check(request: Request, pk: int) -> HttpResponse:
    """A dry run: look at every candidate anew."""
    get_object_or_404(Cycle, pk=pk)
    dry_runs.run(pk, by=request.user, at=request.at)
    messages.success(request, "Every candidate has been checked. Nobody was told anything.")
    return redirect("scoring:release", pk=pk)


@never_cache
@require_safe
@login_required
@only_for(is_staff)
def release_outcomes(request: Request, pk: int) -> HttpResponse:
    """What a release would tell whom, and what is different from the dry run before."""
    cycle = get_object_or_404(Cycle, pk=pk)
    run = dry_runs.latest(cycle)
    before = dry_runs.previous(run) if run else None
    context = {"cycle": cycle, "run": run, "before": before, **(_outcomes(request, run, before) if run else {})}
    return render(request, "scoring/release_outcomes.html", context)


def _outcomes(request: Request, run: DryRun, before: DryRun | None) -> dict[str, Any]:
    status = request.GET.get("status", "")
    status = status if status in Result.Status.values else ""
    rows = run.rows.select_related("registration__user").order_by("registration__code")
    outcomes, found = dry_runs.outcomes(run, before), dry_runs.changes(run, before) if before else []
    named = Registration.objects.select_related("user").in_bulk([one.registration for one in found[:PER_PAGE]])
    return {
        "outcomes": outcomes,
        "most": max(max(one.count, one.before or 0) for one in outcomes) or 1,
        "changes": [(named[one.registration], one) for one in found[:PER_PAGE]],
        "changed": len(found),
        "page": Paginator(rows.filter(status=status) if status else rows, PER_PAGE).get_page(request.GET.get("page")),
        "status": status,
        "statuses": [("", "All"), *Result.Status.choices],
    }


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
    decision = get_object_or_404(Release.objects.select_related("cycle", "prepared_by", "run"), cycle=pk)
    if request.method == "POST":
        form = ApproveForm(request.POST)
        seen = form.cleaned_data["prepared_at"] if form.is_valid() else None
        release.approve(pk, seen=seen, by=request.user, at=request.at)
        messages.success(request, "Approved. The results come out by themselves at the instant below.")
        return redirect("scoring:release", pk=pk)
    context = {
        "release": decision,
        "cycle": decision.cycle,
        "outcomes": dry_runs.approved_outcomes(decision.run) if decision.run else [],
        "exceptions": decision.cycle.gate_exceptions.filter(withdrawn_at=None).select_related(
            "registration", "signed_by"
        ),
        "holds": decision.cycle.result_holds.in_force().select_related("registration", "set_by"),
    }
    return render(request, "scoring/release_approve.html", context)


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
