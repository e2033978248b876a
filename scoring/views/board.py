"""The board: how far the scoring of a cycle is; the preview of giving its entries out; one reading by hand."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates import announced
from candidates.models import Cycle
from icg_cert.lib.doors import Request, only_for, refusals_as_page, refuse_form, whole_number
from icg_cert.lib.refusal import Refused
from portfolios.models import Entry
from scoring import assignment, by_hand, policies, retake_choice
from scoring import board as boards
from scoring.board_forms import ByHandForm, SeenForm
from scoring.models import Assignment
from scoring.outlook import outlook
from scoring.permissions import is_lead, is_staff, sees_board

LISTED = 50


@login_required
@only_for(sees_board)
@require_safe
@refusals_as_page
def board(request: Request) -> HttpResponse:
    cycles = announced.cycles()[::-1]
    cycle = chosen(cycles, whole_number(request.GET.get("cycle", "")), request.at)
    context = {
        "board": boards.board(cycle, request.at) if cycle else None,
        "cycles": cycles,
        "may_assign": is_staff(request.user),
        "may_read_along": is_lead(request.user),
        "listed": LISTED,
        "retakes": retake_choice.announced_for(cycle) if cycle and request.at < cycle.closes_at else [],
    }
    return render(request, "scoring/board.html", context)


def chosen(cycles: Sequence[Cycle], year: int | None, at: datetime) -> Cycle | None:
    """The one of that year, 404 where there is none; without a year the latest that has closed, or the first of all.

    `cycles` stand newest first.
    """
    if year is None:
        return next((cycle for cycle in cycles if cycle.closes_at <= at), cycles[-1] if cycles else None)
    for cycle in cycles:
        if cycle.year == year:
            return cycle
    raise Http404("no such cycle")


def _board_of(year: int) -> str:
    return f"{reverse('scoring:board')}?cycle={year}"


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def board_assign(request: Request, year: int) -> HttpResponse:
    """What giving out would do; and, with the fingerprint of what was seen, doing it."""
    cycle = get_object_or_404(Cycle, year=year)
    if request.method == "POST":
        return _assigned(request, cycle)
    plan = outlook(cycle, boards.entries_of(cycle), policies.policy_of(cycle), request.at)
    context = {"cycle": cycle, "plan": plan, "form": SeenForm(initial={"seen": plan.fingerprint}), "listed": LISTED}
    return render(request, "scoring/board_assign.html", context)


def _assigned(request: Request, cycle: Cycle) -> HttpResponse:
    form = SeenForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    try:
        done = assignment.assign_cycle(cycle.pk, by=request.user, at=request.at, seen=seen)
    except Refused as refusal:
        messages.warning(request, refusal.message)
        return redirect("scoring:board-assign", year=cycle.year)
    _tell(request, done)
    return redirect(_board_of(cycle.year))


def _tell(request: Request, done: assignment.Assigned) -> None:
    if done.given:
        messages.success(request, f"{done.given} reading{pluralize(done.given)} given out. The scorers are told.")
    elif not done.stuck:
        messages.info(request, "Every entry has its scorers already. Nothing was changed.")
    if done.stuck:
        messages.warning(request, f"{len(done.stuck)} could be given to nobody; they are listed below.")


@never_cache
@login_required
@only_for(is_staff)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def board_by_hand(request: Request, pk: int, role: str) -> HttpResponse:
    """Choose who does one reading: whoever could is listed with what they hold and what speaks against them."""
    entries = Entry.objects.locked().select_related("registration__user", "factor", "cycle")
    entry = get_object_or_404(entries, pk=pk)
    if role not in Assignment.Role.values:
        raise Http404("no such reading")
    options = by_hand.options(entry, role, request.at)
    form = ByHandForm(request.POST if request.method == "POST" else None, options=options)
    if request.method == "POST" and form.is_valid():
        try:
            given = by_hand.give(pk, role, **form.cleaned_data, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, f"{given.scorer.name} has this reading now, and is told.")
            return redirect(_board_of(entry.cycle.year))
    held = entry.assignments.select_related("scorer").filter(role=role).first()
    context = {"entry": entry, "role": Assignment.Role(role).label, "held": held, "form": form, "options": options}
    return render(request, "scoring/board_by_hand.html", context, status=409 if form.errors else 200)
