"""The scorer's queue."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request, only_for
from scoring import back_reading, statements
from scoring import queue as queues
from scoring.permissions import is_scorer, sees_board

PER_PAGE = 50
NOTES = 5


@login_required
@only_for(is_scorer)
@require_safe
def queue(request: Request) -> HttpResponse:
    page = Paginator(queues.open_sheets(request.user), PER_PAGE).get_page(request.GET.get("page"))
    workload = queues.workload(request.user, request.at)
    for sheet in page:
        sheet.minutes_left = workload.left.get(sheet.pk, 0)
    context = {
        "page": page,
        "workload": workload,
        "done": queues.done_sheets(request.user, request.at)[:PER_PAGE],
        "sees_board": sees_board(request.user),
        "notes": back_reading.notes_for(request.user)[:NOTES],
        "unsigned": statements.due(request.user, request.at),
    }
    return render(request, "scoring/queue.html", context)
