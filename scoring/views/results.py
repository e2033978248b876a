"""A candidate's results: the list, the report of one cycle, the retake planner. Nothing is here before its release."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request, refusals_as_page
from icg_cert.lib.refusal import Refused
from portfolios.models import Entry
from scoring import aftermath, holds, prospects, report_paper, reports, results, what_if
from scoring.models import Certificate, Result, ResultQuerySet
from scoring.what_next import what_next


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
    return _page(request, _own_of(request, pk))


@never_cache
@require_safe
@login_required
def result_of(request: Request, pk: int, code: str) -> HttpResponse:
    """One candidate's result by their code: for staff, and for the candidate."""
    return _page(request, _by_code(request, pk, code))


@never_cache
@require_safe
@login_required
@refusals_as_page
def result_paper(request: Request, pk: int) -> HttpResponse:
    return _paper(request, _own_of(request, pk))


@never_cache
@require_safe
@login_required
@refusals_as_page
def result_paper_of(request: Request, pk: int, code: str) -> HttpResponse:
    return _paper(request, _by_code(request, pk, code))


@never_cache
@require_safe
@login_required
def planner(request: Request) -> HttpResponse:
    """Of the reader's latest result. What is supposed stands in the address, so that it can be kept and shared."""
    result = _own(request).order_by("-cycle__year", "-registration__cohort__year").first()
    if result is None:
        raise Http404
    if result.is_withheld:
        return render(request, "scoring/result_withheld.html", {"result": result, "is_own": True})
    report = reports.report(result)
    found = prospects.prospect(report, request.at)
    context = {"report": report, "found": found, "planner": what_if.planner(report, found, request.GET)}
    return render(request, "scoring/planner.html", context)


def _own_of(request: Request, pk: int) -> Result:
    """The reader's own result of the cycle; of two registrations in one cycle, the later one's."""
    result = _own(request).filter(cycle=pk).order_by("-registration__cohort__year").first()
    if result is None:
        raise Http404
    return result


def _by_code(request: Request, pk: int, code: str) -> Result:
    visible = _due(request).visible_to(request.user)
    return get_object_or_404(visible, cycle=pk, registration__code=code)


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
    report = reports.report(result)
    ahead = prospects.ahead(report, request.at)
    context = {
        "result": result,
        "report": report,
        "following": what_next(report, request.at),
        "trials": what_if.trials(ahead) if ahead else [],
        "is_open": ahead is not None and ahead.is_open,
        "certificate": _certificate(request, result),
        "after": aftermath.of(result, request.at),
        "is_own": is_own,
        "is_preview": is_preview,
    }
    return render(request, "scoring/result_detail.html", context)


def _paper(request: Request, result: Result) -> HttpResponse:
    if result.is_withheld:
        raise Refused("withheld", "This report is kept and opens as soon as the registration fee is settled.")
    report = reports.report(result)
    following, ahead = what_next(report, request.at), prospects.ahead(report, request.at)
    response = HttpResponse(report_paper.document(report, following, ahead), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{report_paper.filename(report)}"'
    return response


def _certificate(request: Request, result: Result) -> Certificate | None:
    """The holder's one certificate: a result that replaces another keeps it."""
    if result.status != Result.Status.CERTIFIED:
        return None
    return Certificate.objects.issued(request.at).filter(registration=result.registration_id).first()


def _is_own(request: Request, result: Result) -> bool:
    return bool(result.registration.user_id == request.user.pk)
