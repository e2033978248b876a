"""The rows of entries and uploads as the verbs take them: locked, with what the rules look at. The entry first."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from icg_cert.lib.refusal import Refused
from portfolios import admission, storage
from portfolios.models import Entry, Upload, UploadPart
from portfolios.uploads import refusals


def transfer_of(upload: Upload) -> storage.Transfer:
    return storage.Transfer(upload.storage_key, upload.storage_upload_id, upload.size, upload.part_size)


def received(upload: Upload) -> list[storage.Part]:
    """The parts that have arrived, in order, whoever took them in. Refused: not-open, store-away.

    A store that lists its parts may keep no digest of them; it took each only with the digest that was signed.
    """
    known = {row.number: storage.Part(row.number, row.size, row.sha256) for row in upload.parts.all()}
    with refusals.in_words():
        held = storage.default().list(transfer_of(upload))
    if held is None:
        return sorted(known.values(), key=_number)
    return sorted((part if part.sha256 else _with_digest(part, known.get(part.number)) for part in held), key=_number)


def _number(part: storage.Part) -> int:
    return part.number


def _with_digest(part: storage.Part, known: storage.Part | None) -> storage.Part:
    return replace(part, sha256=known.sha256) if known else part


def note(upload: Upload, parts: Iterable[storage.Part], at: datetime) -> None:
    """These parts were heard of: arrived, or signed where they do not come through the portal."""
    rows = [
        UploadPart(upload=upload, number=part.number, size=part.size, sha256=part.sha256, received_at=at)
        for part in sorted(parts, key=_number)  # two tabs at once take the rows in one order
    ]
    UploadPart.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["upload", "number"],
        update_fields=["size", "sha256", "received_at"],
    )


def locked_entry(entry_id: int) -> Entry:
    """The entry, its row locked until the transaction ends, with what the rules look at."""
    rows = Entry.objects.select_for_update(of=("self",)).select_related("registration__cohort", "cycle", "factor")
    return rows.get(pk=entry_id)


def locked(**key: Any) -> Upload:
    rows = Upload.objects.select_for_update(of=("self",))
    return rows.select_related("requirement", "entry__registration", "entry__cycle").get(**key)


def still_open(upload: Upload, at: datetime) -> Upload:
    if upload.state != Upload.State.OPEN:
        raise Refused("not-open", refusals.NOT_OPEN)
    if at >= admission.finish_by(upload.entry):
        raise Refused("window-closed", admission.CLOSED)
    return upload
