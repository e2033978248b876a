"""Files the portal makes from an upload: kept, found, forgotten. Their keys derive from the upload's, so that a worker
that dies between the store and the row leaves nothing that the next try does not write over.
"""

from datetime import datetime
from typing import BinaryIO

from portfolios import storage
from portfolios.models import Rendition, Upload

Kind = Rendition.Kind


def key_of(upload: Upload, kind: str) -> str:
    return f"{upload.storage_key}-{kind}"


def keep(upload: Upload, kind: str, file: BinaryIO, *, content_type: str, at: datetime) -> Rendition:
    """Store `file`, from where it stands, as this kind of the upload, over an earlier one. storage.DiskFull."""
    key = key_of(upload, kind)
    size = storage.default().put(key, file, content_type=content_type)
    made, _ = Rendition.objects.update_or_create(
        upload=upload,
        kind=kind,
        defaults={"storage_key": key, "content_type": content_type, "size": size, "made_at": at},
    )
    return made


def forget(upload: Upload, kind: str) -> None:
    """Harmless when there is none."""
    Rendition.objects.filter(upload=upload, kind=kind).delete()
    storage.default().delete(key_of(upload, kind))
