"""What is said in a film, for whoever cannot hear it: captions, and a transcript. They are no part of what is sealed at
submission, so they may come until the entry is locked; from staff, for somebody who needs them, at any time.
"""

from datetime import datetime
from io import BytesIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios import admission, permissions, remarks, renditions
from portfolios.checking import captions as checking
from portfolios.checking.finding import Unusable
from portfolios.checking.naming import Passage
from portfolios.models import Entry, Rendition, Upload
from portfolios.uploads import refusals, rows

Kind = Rendition.Kind
LONGEST_TRANSCRIPT = 50_000
TOO_LARGE = "A caption file is small: at most 1 MB. This one is larger; is it the film itself?"
TOO_LATE = "The time for this cycle is over. Write to us if captions are needed for this film."
NO_FILM = "Captions and transcripts belong to films. This file is none, or it stands in its entry no longer."


def may_change(entry: Entry, *, by: User, at: datetime) -> bool:
    if permissions.is_staff(by):
        return True
    is_over = entry.status in (Entry.Status.LOCKED, Entry.Status.LAPSED) or at >= admission.finish_by(entry)
    return entry.registration.user_id == by.pk and not is_over


def keep(upload_id: UUID, *, body: bytes, by: User, at: datetime) -> Rendition:
    """Captions over those that were there. Refused: too-large, window-closed, no-film, no-space, and what is wrong
    inside (portfolios/checking/captions.py).
    """
    if len(body) > settings.UPLOAD_CAPTIONS_MAX_BYTES:
        raise Refused("too-large", TOO_LARGE)
    with transaction.atomic():
        upload = _changeable(upload_id, by=by, at=at)
    try:
        text, count = checking.rewrite(body, max_ms=_end_of(upload))
    except Unusable as verdict:
        raise Refused(verdict.code, verdict.words) from verdict
    with refusals.in_words():
        made = renditions.keep(upload, Kind.CAPTIONS, BytesIO(text.encode()), content_type="text/vtt", at=at)
    _note_names(upload_id, text)
    trail.record("upload.caption", upload, by=by, at=at, after={"captions": count})
    return made


def remove(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Harmless when there are none. Refused: window-closed, no-film."""
    with transaction.atomic():
        upload = _changeable(upload_id, by=by, at=at)
    if upload.renditions.filter(kind=Kind.CAPTIONS).exists():
        renditions.forget(upload, Kind.CAPTIONS)
        _note_names(upload_id, "")
        trail.record("upload.uncaption", upload, by=by, at=at)


@transaction.atomic
def transcribe(upload_id: UUID, *, text: str, by: User, at: datetime) -> None:
    """Write the transcript down; "" takes it away. Saving what stands there is harmless. Refused: as above."""
    upload = _changeable(upload_id, by=by, at=at)
    if upload.transcript == text:
        return
    upload.transcript = text
    upload.save(update_fields=["transcript"])
    remarks.note_names(upload, remarks.TRANSCRIPT, _paragraphs(text))
    trail.record("upload.transcribe", upload, by=by, at=at, after={"characters": len(text)})


@transaction.atomic
def _note_names(upload_id: UUID, text: str) -> None:
    remarks.note_names(rows.locked(pk=upload_id), remarks.CAPTIONS, checking.passages(text))


def _paragraphs(text: str) -> list[Passage]:
    written = [line for line in text.splitlines() if line.strip()]
    return [Passage(f"in paragraph {number}", line) for number, line in enumerate(written, start=1)]


def _changeable(upload_id: UUID, *, by: User, at: datetime) -> Upload:
    """The row, locked after its entry's."""
    entry = rows.locked_entry(Upload.objects.values_list("entry_id", flat=True).get(pk=upload_id))
    upload = rows.locked(pk=upload_id)
    if not may_change(entry, by=by, at=at):
        raise Refused("window-closed", TOO_LATE)
    if not upload.requirement.is_video or upload.state not in Upload.HANDED_IN:
        raise Refused("no-film", NO_FILM)
    return upload


def _end_of(upload: Upload) -> int | None:
    if upload.duration_ms is None:
        return None
    return upload.duration_ms + settings.UPLOAD_DURATION_TOLERANCE_SECONDS * 1000
