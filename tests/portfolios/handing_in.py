"""Handing files in as the verbs do it, without the browser."""

from datetime import datetime
from io import BytesIO

from portfolios import checks, consents, renditions, uploads
from portfolios.models import Entry, Rendition, Requirement, Upload
from tests.portfolios import files

DEFAULT = {"document": files.word, "form": files.word, "video": files.film}
NAMES = {"document": "My commentary.docx", "form": "Checklist.docx", "video": "Film.mp4"}


def hand_in(
    entry: Entry, requirement: Requirement, at: datetime, body: bytes = b"", name: str = "", *, consent: bool = True
) -> Upload:
    """A real file taken in and not yet checked; by default one that is good for the requirement, with its releases."""
    upload = uploads.take_in(
        entry.pk,
        requirement.pk,
        filename=name or NAMES[requirement.kind],
        file=BytesIO(body or DEFAULT[requirement.kind]()),
        by=entry.registration.user,
        at=at,
    )
    if consent and requirement.is_video:
        consents.confirm(upload.pk, releases=["Teacher release, 3 May"], by=upload.owner, at=at)
        upload.refresh_from_db()
    return upload


def hand_in_checked(entry: Entry, requirement: Requirement, at: datetime, *args: object, **kwargs: object) -> Upload:
    upload = hand_in(entry, requirement, at, *args, **kwargs)  # type: ignore[arg-type]
    checks.check(upload.pk, at=at)
    upload.refresh_from_db()
    return upload


CONTENT = {"film": "video/mp4", "quick": "video/mp4", "poster": "image/jpeg", "captions": "text/vtt"}


def prepare(upload: Upload, at: datetime, kind: str = "film", body: bytes = b"") -> Rendition:
    """What the portal makes from an upload for those who read it, without the work of making it."""
    body = body or (files.film() if kind in ("film", "quick") else f"{kind} of it".encode())
    return renditions.keep(upload, kind, BytesIO(body), content_type=CONTENT.get(kind, "application/pdf"), at=at)
