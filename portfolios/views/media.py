"""The candidate's, and staff's, way to a stored file. Scorers have their own door, in scoring."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from portfolios import media
from portfolios.models import Rendition, Requirement, Upload

VIDEO = Requirement.Kind.VIDEO


@login_required
@require_safe
def media_video(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve(request, _stored(request, pk, is_video=True))


@login_required
@require_safe
def media_document(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve(request, _stored(request, pk, is_video=False))


@login_required
@require_safe
def media_poster(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve_rendition(request, _stored(request, pk, is_video=True), Rendition.Kind.POSTER)


def _stored(request: HttpRequest, pk: UUID, *, is_video: bool) -> Upload:
    rows = Upload.objects.visible_to(request.user).current().select_related("requirement")
    rows = rows.filter(requirement__kind=VIDEO) if is_video else rows.exclude(requirement__kind=VIDEO)
    return get_object_or_404(rows, pk=pk)
