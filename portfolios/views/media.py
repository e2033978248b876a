"""The candidate's, and staff's, way to a stored file and to the words that go with it. Scorers have their own door, in
scoring.
"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from icg_cert.lib.doors import refuse_form
from icg_cert.lib.refusal import Refused
from portfolios import admission, captions, media, upload_rows
from portfolios.forms import CaptionsForm
from portfolios.models import Requirement, Upload
from portfolios.viewing import Showing

VIDEO = Requirement.Kind.VIDEO
DOOR = "portfolio"


@login_required
@never_cache
@require_safe
def media_watch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page of one film: the film, its captions and transcript, and what state it is in."""
    upload = _stored(request, pk, is_video=True)
    is_owner = upload.entry.registration.user_id == request.user.pk
    may_edit = admission.may_edit(upload.entry, by=request.user, at=request.at)
    context = {
        "upload": upload,
        "showing": Showing(upload, 1),
        "row": upload_rows.row(upload, may_edit=may_edit, is_owner=is_owner),
        "is_owner": is_owner,
        "may_caption": captions.may_change(upload.entry, by=request.user, at=request.at),
    }
    return render(request, "portfolios/media_watch.html", context)


@login_required
@require_safe
def media_video(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve_best(request, _stored(request, pk, is_video=True), door=DOOR)


@login_required
@require_safe
def media_document(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve_best(request, _stored(request, pk, is_video=False), door=DOOR)


@login_required
@require_safe
def media_poster(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve_poster(request, _stored(request, pk, is_video=True))


@login_required
@require_safe
def media_captions(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return media.serve_captions(request, _stored(request, pk, is_video=True))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def upload_captions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Captions and transcript of a film: its candidate's until the entry is locked, staff's at any time."""
    upload = _stored(request, pk, is_video=True)
    if request.method != "POST":
        if not captions.may_change(upload.entry, by=request.user, at=request.at):
            return redirect("portfolios:media-watch", pk=pk)
        return _captions_page(request, upload, CaptionsForm(upload=upload))
    form = CaptionsForm(request.POST, request.FILES, upload=upload)
    if not form.is_valid() or not _changed(request, upload, form):
        return _captions_page(request, upload, form, status=422)
    messages.success(request, "Captions and transcript are saved.")
    return redirect("portfolios:media-watch", pk=pk)


def _changed(request: HttpRequest, upload: Upload, form: CaptionsForm) -> bool:
    """The file first: where it cannot be used, nothing is saved, and the transcript stays in the form."""
    file, who = form.cleaned_data["file"], {"by": request.user, "at": request.at}
    try:
        if file:
            captions.keep(upload.pk, body=file.read(settings.UPLOAD_CAPTIONS_MAX_BYTES + 1), **who)
        elif form.cleaned_data.get("remove"):
            captions.remove(upload.pk, **who)
        captions.transcribe(upload.pk, text=form.cleaned_data["transcript"], **who)
    except Refused as refusal:
        refuse_form(form, Refused(refusal.code, refusal.message, fields={"file": refusal.message} if file else {}))
        return False
    return True


def _captions_page(request: HttpRequest, upload: Upload, form: CaptionsForm, status: int = 200) -> HttpResponse:
    context = {"upload": upload, "form": form, "is_owner": upload.entry.registration.user_id == request.user.pk}
    return render(request, "portfolios/upload_captions.html", context, status=status)


def _stored(request: HttpRequest, pk: UUID, *, is_video: bool) -> Upload:
    rows = (
        Upload.objects.visible_to(request.user)
        .current()
        .select_related("requirement", "entry__factor", "entry__cycle", "entry__registration")
    )
    rows = rows.filter(requirement__kind=VIDEO) if is_video else rows.exclude(requirement__kind=VIDEO)
    return get_object_or_404(rows, pk=pk)
