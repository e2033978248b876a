"""The rows of entries and uploads as the verbs take them: locked, with what the rules look at. The entry first."""

from datetime import datetime
from typing import Any

from icg_cert.lib.refusal import Refused
from portfolios import admission, storage
from portfolios.models import Entry, Upload

NOT_OPEN = "This upload is no longer open. Reload the page to see where it stands, and choose the file again."


def transfer_of(upload: Upload) -> storage.Transfer:
    return storage.Transfer(upload.storage_key, upload.storage_upload_id, upload.size, upload.part_size)


def received(upload: Upload) -> list[storage.Part]:
    """The parts that have arrived, in order, whoever took them in."""
    held = storage.default().list(transfer_of(upload))
    if held is None:
        held = [storage.Part(part.number, part.size, part.sha256) for part in upload.parts.all()]
    return sorted(held, key=lambda part: part.number)


def locked_entry(entry_id: int) -> Entry:
    """The entry, its row locked until the transaction ends, with what the rules look at."""
    rows = Entry.objects.select_for_update(of=("self",)).select_related("registration__cohort", "cycle", "factor")
    return rows.get(pk=entry_id)


def locked(**key: Any) -> Upload:
    rows = Upload.objects.select_for_update(of=("self",))
    return rows.select_related("requirement", "entry__registration", "entry__cycle").get(**key)


def still_open(upload: Upload, at: datetime) -> Upload:
    if upload.state != Upload.State.OPEN:
        raise Refused("not-open", NOT_OPEN)
    if at >= admission.finish_by(upload.entry):
        raise Refused("window-closed", admission.CLOSED)
    return upload
