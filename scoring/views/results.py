"""A candidate's results: the list, and the report of one cycle. Nothing exists here before its release."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request
from portfolios.models import Entry
from scoring import holds, reports, results
from scoring.models import Certificate, Result, ResultQuerySet


@never_cache
@require_safe
@login_required
def result_list(request: Request) -> HttpResponse:
    found = list(_own(request).order_by("-cycle__year", "-registration__cohort__year"))
    latest = found[0].cycle.year if found else 0
    handed_in = Entry.objects.locked().filter(registration__user=request.user).select_related("cycle")
    waiting = results.being_scored(handed_in.defer("manifest"), request.at, after=latest)
    is_late = waiting is not None and waiting.releases_at <= request.at
    later = holds.told_later(request.user, waiting) if waiting and is_late else None
    return render(request, "scoring/result_list.html", {"results": found, "waiting": waiting, "later": later})


@never_cache
@require_safe
@login_required
def result_detail(request: Request, pk: int) -> HttpResponse:
    """The reader's own result of the cycle; of two registrations in one cycle, the later one's."""
    result = _own(request).filter(cycle=pk).order_by("-registration__cohort__year").first()
    if result is None:
        raise Http404
    return _page(request, result)


@never_cache
@require_safe
@login_required
def result_of(request: Request, pk: int, code: str) -> HttpResponse:
    """One candidate's result by their code: for staff, and for the candidate."""
    visible = _due(request).visible_to(request.user)
    return _page(request, get_object_or_404(visible, cycle=pk, registration__code=code))


def _due(request: Request) -> ResultQuerySet:
    return Result.objects.due(request.at).select_related(
        "cycle", "policy", "registration__cohort", "registration__user"
    )


def _own(request: Request) -> ResultQuerySet:
    return _due(request).visible_to(request.user).filter(registration__user=request.user)


def _page(request: Request, result: Result) -> HttpResponse:
    """The report; or, while the fee is not settled, that it waits for the fee, and nothing of what it says."""
    if result.is_withheld:
        return render(request, "scoring/result_withheld.html", {"result": result, "is_own": _is_own(request, result)})
    return report_page(request, result, is_own=_is_own(request, result))


def report_page(request: Request, result: Result, *, is_own: bool, is_preview: bool = False) -> HttpResponse:
    """The report as its candidate reads it; before the release as staff see it."""
    context = {
        "result": result,
        "report": reports.report(result),
        "certificate": Certificate.objects.issued(request.at).filter(result=result).first(),
        "is_own": is_own,
        "is_preview": is_preview,
    }
    return render(request, "scoring/result_detail.html", context)


def _is_own(request: Request, result: Result) -> bool:
    return bool(result.registration.user_id == request.user.pk)
