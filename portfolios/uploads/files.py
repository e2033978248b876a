"""What the candidate does with a file in its slot: remove it, answer what is remarked, hand a whole one in at once."""

from datetime import datetime
from hashlib import sha256
from typing import BinaryIO
from uuid import UUID

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from portfolios import admission, storage
from portfolios.models import Upload
from portfolios.uploads import rows, transfers

State = Upload.State
EDGE = 1024 * 1024


def remove(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Take a file out of its slot; its bytes are kept until they are purged. Harmless when it is out already.

    Refused: not-yours, slot-locked, window-*.
    """
    upload = Upload.objects.get(pk=upload_id)
    if upload.state == State.OPEN:
        transfers.abort(upload_id, by=by, at=at)
    _remove(upload, by=by, at=at)  # also what another tab completed in this very moment


@transaction.atomic
def _remove(upload: Upload, *, by: User, at: datetime) -> None:
    entry = rows.locked_entry(upload.entry_id)
    upload = rows.locked(pk=upload.pk)
    if upload.state in Upload.GONE:
        return
    admission.refuse_unless_editable(entry, by=by, at=at)
    upload.state = State.REMOVED
    upload.save(update_fields=["state"])
    trail.record("upload.remove", upload, by=by, at=at)


@transaction.atomic
def confirm_silence(upload_id: UUID, *, by: User, at: datetime) -> Upload:
    """Note that this film is meant to have no sound. A repeat, and of any other file, changes nothing.

    Possible until the grace after closing is over. Refused: not-yours, slot-locked, window-closed.
    """
    entry = rows.locked_entry(Upload.objects.values_list("entry_id", flat=True).get(pk=upload_id))
    upload = rows.locked(pk=upload_id)
    if not upload.is_silence_a_question:
        return upload
    admission.refuse_unless_finishable(entry, by=by, at=at)
    upload.remarks_seen_at = at
    upload.save(update_fields=["remarks_seen_at"])
    trail.record("upload.confirm_silence", upload, by=by, at=at)
    return upload


def take_in(
    entry_id: int,
    requirement_id: int,
    *,
    filename: str,
    file: BinaryIO,
    by: User,
    at: datetime,
    consent: bool = False,
) -> Upload:
    """A whole file at once (a plain form, a rehearsal): begin, every part, complete. Refused as these are."""
    announced = transfers.Announced(filename, file.seek(0, 2), fingerprint_of(file))
    upload, _ = transfers.begin(entry_id, requirement_id, announced, by=by, at=at, consent=consent)
    transfer = rows.transfer_of(upload)
    file.seek(0)
    for number in range(1, transfer.part_count + 1):
        body = file.read(transfer.length_of(number))
        transfers.receive(transfer, storage.Part(number, len(body), storage.digest(body)), body, at=at)
    return transfers.complete(upload.pk, by=by, at=at)


def fingerprint_of(file: BinaryIO) -> str:
    """Hex SHA-256 over the size and the first, middle and last MiB, as static/js/upload_hash.js makes it.

    Not over name or time: telephones hand out fresh ones for the same film.
    """
    size = file.seek(0, 2)
    found = sha256(str(size).encode())
    for start in (0, max(0, size // 2 - EDGE // 2), max(0, size - EDGE)):
        file.seek(start)
        found.update(file.read(EDGE))
    return found.hexdigest()
