"""The upload protocol: create, sign, put each part, complete. JSON for a person signed in; a part's address is a token.

An error answer that comes before the body was read resets the connection, and the browser reports a broken network
instead of the reason: so the body is read first, always.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from icg_cert.lib.doors import back_with, refusals_as_json
from icg_cert.lib.refusal import Refused
from portfolios import filenames, tasks, upload_rows, uploads
from portfolios.completeness import is_usable
from portfolios.forms import AnnounceForm, FileForm, wanted_parts
from portfolios.models import Entry, Requirement, Upload
from portfolios.storage import Part

View = Callable[..., HttpResponse]
DRAIN = 64 * 1024
MOST_DRAINED = 64 * 1024 * 1024
STATUS = {
    "bad-request": 400,
    "damaged-part": 400,
    "bad-token": 403,
    "too-large": 413,
    "empty": 422,
    "wrong-type": 422,
    "bad-part": 422,
    "too-many-open": 429,
    "no-digest": 422,
    "store-away": 503,
    "no-space": 507,
}
TOO_LARGE_FOR_A_FORM = (
    "This video is too large to come in one piece. Switch JavaScript on in your browser, or use another browser; it is "
    "then sent in parts."
)
NOT_UNDERSTOOD = "The portal did not understand this request. Reload the page and try again."


def signed_in(view: View) -> View:
    """401 as JSON where a page would send to the sign-in: the upload script waits, and goes on after signing in."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        words = "You were signed out. Sign in again in another tab; the upload then goes on where it stopped."
        return JsonResponse({"code": "signed-out", "message": words}, status=401)

    return door


@require_POST
@signed_in
@refusals_as_json(STATUS)
def upload_create(request: HttpRequest) -> HttpResponse:
    form = AnnounceForm(_json(request))
    if not form.is_valid():
        raise Refused("bad-request", NOT_UNDERSTOOD)
    entry_id, requirement_id = form.keys
    entry = get_object_or_404(Entry.objects.owned_by(request.user).select_related("factor"), pk=entry_id)
    get_object_or_404(entry.factor.requirements, pk=requirement_id)
    upload, is_new = uploads.begin(
        entry_id,
        requirement_id,
        form.announced,
        by=request.user,
        at=request.at,
        consent=form.cleaned_data["consent"],
    )
    return JsonResponse(_told(upload), status=201 if is_new else 200)


@require_http_methods(["GET", "HEAD", "DELETE"])
@signed_in
@refusals_as_json(STATUS)
def upload_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _own(request, pk)
    if request.method == "DELETE":
        uploads.remove(pk, by=request.user, at=request.at)
        return HttpResponse(status=204)
    return JsonResponse(_told(upload))


@require_POST
@signed_in
@refusals_as_json(STATUS)
def upload_sign(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _own(request, pk)
    wanted = wanted_parts(_json(request), settings.UPLOAD_SIGN_BATCH)
    if wanted is None:
        raise Refused("bad-part", NOT_UNDERSTOOD)
    signed = uploads.sign(upload.pk, wanted, by=request.user, at=request.at)
    answer = [{"n": p.number, "url": p.url, "headers": p.headers, "expires": p.expires_at.isoformat()} for p in signed]
    return JsonResponse({"parts": answer})


@csrf_exempt  # the token in the address is the permission; there is no cookie in it to be abused
@require_http_methods(["PUT"])
@refusals_as_json({**STATUS, "not-open": 404})
def upload_part(request: HttpRequest, token: str) -> HttpResponse:
    body = _body(request, settings.UPLOAD_PART_BYTES)
    transfer, part = uploads.permitted(token, at=request.at)
    return _kept(uploads.receive(transfer, part, body, at=request.at))


def body_first(view: View) -> View:
    """The part in the body goes to the view; whoever must not send it is told so when it is read."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, body=_body(request, settings.UPLOAD_PART_BYTES), **kwargs)

    return door


@require_POST
@body_first
@signed_in
@refusals_as_json({**STATUS, "not-open": 404})
def upload_relay(request: HttpRequest, pk: UUID, number: int, *, body: bytes) -> HttpResponse:
    """A part whose sender cannot reach the store itself: a school's filter may let nothing but the portal through."""
    upload, sha = _own(request, pk), request.headers.get("X-Part-SHA256", "")
    return _kept(uploads.relay(upload.pk, number, sha, body, by=request.user, at=request.at))


def _kept(part: Part) -> HttpResponse:
    return JsonResponse({"n": part.number, "size": part.size, "sha256": part.sha256})


@require_POST
@signed_in
@refusals_as_json(STATUS)
def upload_complete(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _own(request, pk)
    tree = _json(request).get("tree", "")
    if not isinstance(tree, str):
        raise Refused("bad-request", NOT_UNDERSTOOD)
    try:
        upload = uploads.complete(upload.pk, tree=tree, by=request.user, at=request.at)
    except uploads.PartsMissing as refusal:
        answer = {"code": refusal.code, "message": refusal.message, "missing": refusal.numbers}
        return JsonResponse(answer, status=409)
    _check_soon(upload)
    return JsonResponse(_told(_own(request, pk)))


@login_required
@require_POST
def file_add(request: HttpRequest, pk: int, requirement_id: int) -> HttpResponse:
    """A file by a plain form: for who has no JavaScript."""
    entry = get_object_or_404(Entry.objects.owned_by(request.user).select_related("factor"), pk=pk)
    requirement = get_object_or_404(entry.factor.requirements, pk=requirement_id)
    form = FileForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Refused("no-file", " ".join(form.errors["file"]))
        _take_in(request, entry, requirement, form)
    except Refused as refusal:
        return back_with(request, _named(refusal, requirement), "portfolios:entry-detail", pk=pk)
    messages.success(request, f"{requirement.title}: your file is here. It is being checked now.")
    return redirect("portfolios:entry-detail", pk=pk)


def _take_in(request: HttpRequest, entry: Entry, requirement: Requirement, form: FileForm) -> None:
    file = form.cleaned_data["file"]
    if requirement.is_video and file.size > settings.UPLOAD_DOCUMENT_MAX_BYTES:
        raise Refused("too-large", TOO_LARGE_FOR_A_FORM)
    upload = uploads.take_in(
        entry.pk,
        requirement.pk,
        filename=filenames.clean(file.name),
        file=file.file,
        by=request.user,
        at=request.at,
        consent=form.cleaned_data["consent"],
    )
    _check_soon(upload)


def _named(refusal: Refused, requirement: Requirement) -> Refused:
    return Refused(refusal.code, f"{requirement.title}: {refusal.message}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = _own(request, pk)
    if request.method != "POST":
        return render(request, "portfolios/upload_remove.html", {"upload": upload})
    try:
        uploads.remove(pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "portfolios:entry-detail", pk=upload.entry_id)
    messages.success(request, "The file is removed.")
    return redirect("portfolios:entry-detail", pk=upload.entry_id)


@login_required
@require_POST
def upload_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The film is meant to have no sound."""
    upload = _own(request, pk)
    try:
        uploads.confirm_silence(pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "portfolios:entry-detail", pk=upload.entry_id)
    messages.success(request, f"{upload.requirement.title}: your confirmation is noted.")
    return redirect("portfolios:entry-detail", pk=upload.entry_id)


def _own(request: HttpRequest, pk: UUID) -> Upload:
    rows = Upload.objects.owned_by(request.user).select_related("requirement", "entry__factor")
    return get_object_or_404(rows, pk=pk)


def _told(upload: Upload) -> dict[str, Any]:
    """What the upload script knows of an upload."""
    word, kind = upload_rows.FILE_WORDS.get(Upload.State(upload.state), (upload.get_state_display(), "muted"))
    is_open = upload.state == Upload.State.OPEN
    received = uploads.received(upload) if is_open else []
    return {
        "id": str(upload.pk),
        "state": upload.state,
        "word": word,
        "kind": kind,
        "reason": upload.reason,
        "facts": "" if is_open else upload_rows.row(upload, may_edit=False, is_owner=True).facts,
        "is_here": bool(upload.stored_at) and upload.state not in Upload.GONE,
        "is_settled": is_usable(upload) or upload.state in (*Upload.GONE, Upload.State.REJECTED),
        "part_size": upload.part_size,
        "parts": upload.part_count,
        "received": [{"n": part.number, "size": part.size, "sha256": part.sha256} for part in received],
    }


def _check_soon(upload: Upload) -> None:
    """Without waiting for the tick, which finds the file anyway should the queue be down."""

    def send() -> None:
        tasks.check_upload.delay(str(upload.pk))

    transaction.on_commit(send, robust=True)


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        return dict(json.loads(request.body or b"{}"))
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("bad-request", NOT_UNDERSTOOD) from error


def _body(request: HttpRequest, most: int) -> bytes:
    """The whole body when it is at most `most` bytes; else its first `most` + 1, and the rest is read and dropped."""
    body, dropped = request.read(most + 1), 0
    while len(body) > most and dropped < MOST_DRAINED and (more := request.read(DRAIN)):
        dropped += len(more)
    return body
