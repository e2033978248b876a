"""A document that has arrived: sound, harmless, and cleaned of its author before anybody reads it."""

import logging
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from django.conf import settings

from portfolios import remarks, renditions
from portfolios.admission import CONTENT_TYPES
from portfolios.checking import author_data, malware, naming, pdfs, texts, zips
from portfolios.checking.finding import Finding, Unusable
from portfolios.checking.naming import Passage
from portfolios.models import Rendition, Upload

logger = logging.getLogger(__name__)
NAMED, NAMED_BY_FILE = "names-you", "file-names-you"
HARMFUL = (
    "Our scanner for viruses found “{name}” in this document. Scan your own device, save the document anew from its "
    "text, and upload that. If you are sure that it is harmless, write to us."
)

FILE_NAMED = "The name you gave this file names you. Scorers see a neutral name instead, so you may leave it."


def look(upload: Upload, file: BinaryIO, *, at: datetime) -> Finding:
    """What `file` is like. Keeps its clean rendition, the only one that scorers ever get.

    Unusable; malware.Unreachable; anything else is ours to mend.
    """
    finding = _sound(upload, file)
    _refuse_harmful(file)
    clean = author_data.without(file, upload.extension)
    kind = CONTENT_TYPES[upload.extension]
    renditions.keep(upload, Rendition.Kind.CLEAN, BytesIO(clean), content_type=kind, at=at)
    return replace(finding, remarks=_remarks(upload, clean))


def _sound(upload: Upload, file: BinaryIO) -> Finding:
    if upload.extension == ".pdf":
        return pdfs.check(file, upload.requirement.max_pages or settings.UPLOAD_DOCUMENT_MAX_PAGES)
    return zips.check(file, upload.extension)


def _refuse_harmful(file: BinaryIO) -> None:
    if settings.CLAMD_SOCKET:
        file.seek(0)
        if name := malware.scan(file, settings.CLAMD_SOCKET):
            raise Unusable("malware", HARMFUL.format(name=name))


def _remarks(upload: Upload, clean: bytes) -> list[dict[str, str]]:
    """Where it names its author. A text that we cannot read is no reason to keep a good document waiting."""
    person = remarks.person(upload.entry.registration)
    found = []
    try:
        if named := naming.mentions(person, texts.passages(clean, upload.extension)):
            found.append({"code": NAMED, "words": naming.said(named)})
    except Exception:
        logger.exception("text of upload %s could not be read", upload.pk)
    if naming.mentions(person, [Passage("", upload.filename.rpartition(".")[0].replace("_", " "))]):
        found.append({"code": NAMED_BY_FILE, "words": FILE_NAMED})
    return found
