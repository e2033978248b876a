"""The board: how far the scoring of a cycle is, and the one button that gives its entries out."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from candidates import announced
from candidates.models import Cycle
from icg_cert.lib.doors import Request, only_for, refusals_as_page, whole_number
from icg_cert.lib.refusal import Refused
from scoring import assignment
from scoring import board as boards
from scoring.permissions import is_staff, sees_board

LISTED = 50


@login_required
@only_for(sees_board)
@require_safe
@refusals_as_page
def board(request: Request) -> HttpResponse:
    cycles = announced.cycles()[::-1]
    cycle = chosen(cycles, whole_number(request.GET.get("cycle", "")), request.at)
    context = {
        "board": boards.board(cycle) if cycle else None,
        "cycles": cycles,
        "may_assign": is_staff(request.user),
        "listed": LISTED,
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


@login_required
@only_for(is_staff)
@require_POST
def board_assign(request: Request, year: int) -> HttpResponse:
    cycle = get_object_or_404(Cycle, year=year)
    try:
        done = assignment.assign_cycle(cycle.pk, by=request.user, at=request.at)
    except Refused as refusal:
        messages.warning(request, refusal.message)
    else:
        _tell(request, done)
    return redirect(f"{reverse('scoring:board')}?cycle={year}")


def _tell(request: Request, done: assignment.Assigned) -> None:
    if done.given:
        messages.success(request, f"{done.given} reading{pluralize(done.given)} given out. The scorers are told.")
    elif not done.stuck:
        messages.info(request, "Every entry has its scorers already. Nothing was changed.")
    if done.stuck:
        messages.warning(request, f"{len(done.stuck)} could be given to nobody; they are listed below.")
