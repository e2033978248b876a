"""A scorer's own, blind way to the files of the entry they read: by their sheet, under neutral names, and never to a
file as it came.
"""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request
from portfolios import consents, media
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
    """Films of a benchmark as long as they may be used for training, whatever the job has done about it yet."""
    sheets = Sheet.objects.with_files_for(request.user).select_related("assignment__entry", "trial__benchmark__entry")
    sheet = get_object_or_404(sheets, pk=pk)
    handed_in = Upload.objects.current().filter(entry=sheet.entry)
    found = get_object_or_404(handed_in.select_related("requirement"), pk=upload)
    if sheet.trial_id and found.requirement.is_video and not consents.is_for_training(found):
        raise Http404("no consent to training")
    return found
