"""A document as scorers read it in the browser: a PDF made of its clean rendition, which for a PDF is its own preview.

In a job of its own, so that checks stay prompt. Where LibreOffice is missing, or gives up three times, scorers get the
clean document instead; nobody waits for a preview.
"""

import logging
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

import pikepdf
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from portfolios import libreoffice, renditions, storage
from portfolios.admission import CONTENT_TYPES
from portfolios.checking import author_data
from portfolios.models import Rendition, Upload, UploadQuerySet

logger = logging.getLogger(__name__)
Kind = Rendition.Kind
WORD_PROCESSED = [".docx", ".odt"]
WAIT = timedelta(minutes=10)  # longer than a conversion may take: whoever began one that long ago has died
LONG = "long"


def due(at: datetime) -> UploadQuerySet:
    """Ready documents that have a clean rendition and no preview, and are in nobody's hands."""
    made = Rendition.objects.filter(upload=OuterRef("pk"))
    rows = Upload.objects.filter(state=Upload.State.READY, extension__in=WORD_PROCESSED)
    rows = rows.filter(Q(worked_at=None) | Q(worked_at__lte=at - WAIT))
    rows = rows.filter(processing_tries__lt=settings.UPLOAD_PROCESSING_ATTEMPTS)
    return rows.filter(Exists(made.filter(kind=Kind.CLEAN)), ~Exists(made.filter(kind=Kind.PREVIEW)))


def prepare(upload_id: UUID, *, at: datetime) -> bool:
    """Make the preview of one document, unless another worker is at it or it needs none. Safe twice, in parallel."""
    upload = _claim(upload_id, at)
    if upload is None:
        return False
    with storage.default().open(renditions.key_of(upload, Kind.CLEAN)) as file:
        made = libreoffice.to_pdf(file.read(), upload.extension)
    pdf = author_data.without(BytesIO(made), ".pdf")
    with pikepdf.open(BytesIO(pdf)) as opened:
        pages = len(opened.pages)
    renditions.keep(upload, Kind.PREVIEW, BytesIO(pdf), content_type=CONTENT_TYPES[".pdf"], at=at)
    _note(upload_id, pages)
    return True


@transaction.atomic
def _claim(upload_id: UUID, at: datetime) -> Upload | None:
    upload = due(at).filter(pk=upload_id).select_for_update(of=("self",), skip_locked=True).first()
    if upload:
        upload.worked_at, upload.processing_tries = at, F("processing_tries") + 1
        upload.save(update_fields=["worked_at", "processing_tries"])
    return upload


@transaction.atomic
def _note(upload_id: UUID, pages: int) -> None:
    """A remark where it is longer than asked for: how it is laid out differs between programs, so no more than that."""
    upload = Upload.objects.select_for_update(of=("self",)).select_related("requirement").get(pk=upload_id)
    most = upload.requirement.max_pages or settings.UPLOAD_DOCUMENT_MAX_PAGES
    kept = [remark for remark in upload.remarks if remark["code"] != LONG]
    upload.remarks = [*kept, *([{"code": LONG, "words": _words(pages, most)}] if pages > most else [])]
    upload.worked_at = None
    upload.save(update_fields=["remarks", "worked_at"])


def _words(pages: int, most: int) -> str:
    asked = "1 page" if most == 1 else f"{most} pages"
    return (
        f"As scorers see it, this document has {pages} pages; the most is {asked}. Shorten it and upload it again. If "
        "your own program counts no more than that, hand it in as it is."
    )
