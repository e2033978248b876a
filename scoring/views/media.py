"""A scorer's own, blind way to the files of the entry they read: by their sheet, under neutral names, and never to a
file as it came.
"""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request
from portfolios import media
from portfolios.models import Upload
from scoring.models import Sheet


@login_required
@require_safe
def sheet_media(request: Request, pk: int, upload: UUID) -> HttpResponseBase:
    return media.serve_rendition(request, _of_sheet(request, pk, upload), door=f"sheet {pk}")


@login_required
@require_safe
def sheet_poster(request: Request, pk: int, upload: UUID) -> HttpResponseBase:
    return media.serve_poster(request, _of_sheet(request, pk, upload))


@login_required
@require_safe
def sheet_captions(request: Request, pk: int, upload: UUID) -> HttpResponse:
    return media.serve_captions(request, _of_sheet(request, pk, upload))


def _of_sheet(request: Request, pk: int, upload: UUID) -> Upload:
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user).select_related("assignment"), pk=pk)
    handed_in = Upload.objects.current().filter(entry=sheet.assignment.entry_id)
    return get_object_or_404(handed_in.select_related("requirement"), pk=upload)
