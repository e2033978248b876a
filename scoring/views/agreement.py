"""How well scorers agree, for leads and staff: the board of a cycle, and its pairs as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from candidates import announced
from candidates.models import Cycle
from icg_cert.lib import spreadsheet
from icg_cert.lib.doors import Request, only_for, refusals_as_page
from scoring import pairs, policies
from scoring.agreement import ALPHA_RELIABLE, ALPHA_TENTATIVE, FEWEST, KAPPA_MARKS
from scoring.permissions import sees_board
from scoring.views.board import chosen


@login_required
@only_for(sees_board)
@require_safe
def agreement(request: Request) -> HttpResponse:
    return _page(request, None)


@login_required
@only_for(sees_board)
@require_safe
def agreement_of(request: Request, year: int) -> HttpResponse:
    return _page(request, year)


def _page(request: Request, year: int | None) -> HttpResponse:
    cycles = announced.cycles()[::-1]
    cycle = chosen(cycles, year, request.at)
    figures = pairs.figures(cycle, request.user) if cycle else None
    context = {
        "figures": figures,
        "cycles": cycles,
        "fewest": FEWEST,
        "kappa_marks": KAPPA_MARKS,
        "reliable": ALPHA_RELIABLE,
        "tentative": ALPHA_TENTATIVE,
    }
    return render(request, "scoring/agreement.html", context)


@login_required
@only_for(sees_board)
@require_safe
@refusals_as_page
def agreement_pairs(request: Request, year: int) -> StreamingHttpResponse:
    cycle = get_object_or_404(Cycle, year=year)
    rows = pairs.listed(cycle, request.user, policies.policy_of(cycle).rules())
    return spreadsheet.download(f"pairs-{year}.csv", pairs.HEADS, rows)
