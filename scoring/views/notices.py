"""The final certification notice, as a page and as a letter."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request
from scoring import final_notice, results
from scoring.final_notice import Notice
from scoring.models import Result


@never_cache
@require_safe
@login_required
def notice(request: Request, pk: int) -> HttpResponse:
    return render(request, "scoring/notice.html", {"notice": _own(request, pk)})


@never_cache
@require_safe
@login_required
def notice_pdf(request: Request, pk: int) -> HttpResponse:
    response = HttpResponse(final_notice.document(_own(request, pk)), content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="ICG-final-certification-notice.pdf"'
    return response


def _own(request: Request, cycle: int) -> Notice:
    """404 where the cycle's result is not out, is withheld, or does not end the process."""
    mine = Result.objects.released(request.at).filter(registration__user=request.user, cycle=cycle)
    related = mine.select_related("cycle", "policy", "registration__cohort", "registration__user")
    result = related.order_by("-registration__cohort__year").first()
    if result is None or not results.is_final(result):
        raise Http404
    return final_notice.of(result, request.at)
