"""Handing a stored file to a browser that may see it: whole, or the piece it asks for. Who may see it is the door's
question; scoring has its own door, which gives renditions only.

A piece is at most MOST bytes, so that a slow player never holds a worker: it asks again for the next.
"""

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from icg_cert.audit import trail
from icg_cert.audit.models import Event
from portfolios import storage, viewing
from portfolios.admission import CONTENT_TYPES
from portfolios.models import Rendition, Upload
from portfolios.ranges import Span, Unsatisfiable, span

MOST = 2 * 1024 * 1024
LOOK_LASTS = timedelta(hours=1)
SHOWN_IN_THE_BROWSER = (".pdf", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".jpg", ".vtt")
ENDINGS = {ending: suffix for suffix, ending in CONTENT_TYPES.items()} | {
    "video/mp4": ".mp4",
    "image/jpeg": ".jpg",
    "text/vtt": ".vtt",
}


def serve_best(request: HttpRequest, upload: Upload, *, door: str) -> HttpResponseBase:
    """What was made from the file for reading, else the file as it came: for its candidate and staff."""
    wanted = request.GET.get("as", "")
    made = viewing.rendition(upload, wanted)
    if made is None or wanted == viewing.ORIGINAL:
        return _serve_original(request, upload, door)
    return _serve_shown(request, upload, made, door)


def serve_rendition(request: HttpRequest, upload: Upload, *, door: str) -> HttpResponseBase:
    """What was made from the file for reading, and never the file itself. 404 while there is nothing of the kind."""
    made = viewing.rendition(upload, request.GET.get("as", ""))
    if made is None:
        raise Http404("not prepared")
    return _serve_shown(request, upload, made, door)


def serve_poster(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    return _serve_made(request, upload, get_object_or_404(Rendition, upload=upload, kind=Rendition.Kind.POSTER))


def serve_captions(request: HttpRequest, upload: Upload) -> HttpResponse:
    """From the portal itself whichever store holds them: browsers take a film's captions from the page's own origin."""
    made = get_object_or_404(Rendition, upload=upload, kind=Rendition.Kind.CAPTIONS)
    name = f"{upload.neutral_stem}.vtt"
    try:
        with storage.default().open(made.storage_key) as file:
            headers = _headers("text/vtt; charset=utf-8", name, _tag(made))
            return HttpResponse(file.read(), headers=headers | {"Accept-Ranges": "none"})
    except storage.Missing as error:
        raise Http404("no such file") from error


def _serve_original(request: HttpRequest, upload: Upload, door: str) -> HttpResponseBase:
    _note_view(request, upload, viewing.ORIGINAL, door)
    name, content_type = upload.neutral_name, CONTENT_TYPES[upload.extension]
    tag = f'"{upload.tree_sha256}"'
    return _answer(request, upload.storage_key, content_type=content_type, name=name, tag=tag)


def _serve_shown(request: HttpRequest, upload: Upload, made: Rendition, door: str) -> HttpResponseBase:
    _note_view(request, upload, made.kind, door)
    return _serve_made(request, upload, made)


def _serve_made(request: HttpRequest, upload: Upload, made: Rendition) -> HttpResponseBase:
    name = f"{upload.neutral_stem}{ENDINGS[made.content_type]}"
    return _answer(request, made.storage_key, content_type=made.content_type, name=name, tag=_tag(made))


def _tag(made: Rendition) -> str:
    return f'"{made.pk}-{made.made_at.timestamp():.6f}"'


def _note_view(request: HttpRequest, upload: Upload, shown_as: str, door: str) -> None:
    """Once a look, not once a piece: what begins at the beginning counts, and a browser that begins again, because one
    jumps about in a film, still looks. Candidates look at their own as they like.
    """
    begins = request.headers.get("Range", "bytes=0-").replace(" ", "").startswith("bytes=0-")
    if request.method != "GET" or not begins or request.user.pk == upload.owner_id:
        return
    at, seen = _instant(request), {"shown_as": shown_as, "door": door}
    looks = Event.objects.about(upload).filter(verb="upload.view", actor_id=request.user.pk, after=seen)
    if not looks.filter(at__gt=at - LOOK_LASTS).exists():
        trail.record("upload.view", upload, by=request.user, at=at, after=seen)


def _instant(request: Any) -> datetime:
    return request.at


def _answer(request: HttpRequest, key: str, *, content_type: str, name: str, tag: str) -> HttpResponseBase:
    store = storage.default()
    if address := store.url(key, content_type=content_type, filename=name, at=_instant(request)):
        return HttpResponseRedirect(address, headers={"Cache-Control": "private, no-store"})
    try:
        size = store.size(key)
        response = _piece(request, key, size, tag)
    except storage.Missing as error:
        raise Http404("no such file") from error
    for header, value in _headers(content_type, name, tag).items():
        response[header] = value
    return response


def _piece(request: HttpRequest, key: str, size: int, tag: str) -> HttpResponseBase:
    try:
        wanted = _wanted(request, size, tag)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    piece = wanted or Span(0, size)
    head = {"Content-Length": str(piece.length)}
    if wanted:
        head["Content-Range"] = f"bytes {piece.start}-{piece.last}/{size}"
    status = 206 if wanted else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=head)
    body = storage.default().open_range(key, piece.start, piece.length)
    return StreamingHttpResponse(body, status=status, headers=head)


def _wanted(request: HttpRequest, size: int, tag: str) -> Span | None:
    if request.headers.get("If-Range", tag) != tag:
        return None
    return span(request.headers.get("Range", ""), size, most=MOST)


def _headers(content_type: str, name: str, tag: str) -> dict[str, str]:
    """Never the user's file name, never kept in a cache, never guessed to be something else."""
    inline = name.endswith(SHOWN_IN_THE_BROWSER)
    return {
        "Content-Type": content_type,
        "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name}"',
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
