"""The protocol: begin, sign, receive, complete; abort and expire. Knows no kind of store.

The store is never called inside a transaction, except to write a part to its place on the portal's own disk, which must
not meet `complete` half way.
"""

import logging
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios import admission, consent_ledger, filenames, storage
from portfolios.models import Consent, Entry, Requirement, Upload, UploadPart
from portfolios.uploads import refusals, rows

logger = logging.getLogger(__name__)
State = Upload.State
PREFIX = "uploads/"
COMPLETING_TAKES_AT_MOST = timedelta(minutes=2)  # as long as the proxy waits for an answer
WRONG_TREE = "What arrived is not the file that was chosen. Remove it and upload it again."


class PartsMissing(Refused):
    """Complete was called too early; `numbers` are the parts that have not arrived."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__("parts-missing", "Some parts have not arrived yet. They will be sent again.")
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class Announced:
    """What the client says of a file before sending it. `fingerprint` is its quick hash, see `fingerprint_of`."""

    filename: str
    size: int
    fingerprint: str


def begin(
    entry_id: int, requirement_id: int, file: Announced, *, by: User, at: datetime, consent: bool = False
) -> tuple[Upload, bool]:
    """Open an upload into a slot: (the upload, whether it is new). The same file again finds the one that is open.

    Refused: not-yours, not-taking-part, window-*, slot-locked, slot-full, wrong-type, empty, too-large, too-many-open,
    no-space, store-away.
    """
    entry = Entry.objects.select_related("registration__cohort", "cycle", "factor").get(pk=entry_id)
    requirement = entry.factor.requirements.get(pk=requirement_id)
    found = _open_one(entry, requirement, file, by)
    if found and at < admission.finish_by(entry) and _is_there(found, at):
        return found, False
    admission.admit(entry, requirement, file.filename, file.size, by=by, at=at)
    transfer = _create(requirement, file)
    is_new = False
    try:
        upload, is_new = _enter(entry.pk, requirement, file, transfer, by=by, at=at, consent=consent)
    finally:
        if not is_new:
            _forget(transfer)
    return upload, is_new


def _open_one(entry: Entry, requirement: Requirement, file: Announced, by: User) -> Upload | None:
    same = Upload.objects.open().filter(owner=by, entry=entry, requirement=requirement)
    return same.filter(fingerprint=file.fingerprint).first()


def _is_there(upload: Upload, at: datetime) -> bool:
    """Whether the store still knows it; one that a bucket's own rules swept away is given up, to begin anew."""
    try:
        rows.received(upload)
    except Refused as refusal:
        if refusal.code != "not-open":
            raise
        expire(upload.pk, at=at)
        return False
    return True


def _create(requirement: Requirement, file: Announced) -> storage.Transfer:
    key = f"{PREFIX}{uuid4().hex}"
    content_type = admission.CONTENT_TYPES[filenames.extension(file.filename)]
    with refusals.in_words():
        return storage.default().create(
            key, size=file.size, part_size=settings.UPLOAD_PART_BYTES, content_type=content_type
        )


@transaction.atomic
def _enter(
    entry_id: int,
    requirement: Requirement,
    file: Announced,
    transfer: storage.Transfer,
    *,
    by: User,
    at: datetime,
    consent: bool,
) -> tuple[Upload, bool]:
    entry = rows.locked_entry(entry_id)
    if found := _open_one(entry, requirement, file, by):
        return found, False
    admission.admit(entry, requirement, file.filename, file.size, by=by, at=at)
    name = filenames.clean(file.filename)
    upload = Upload.objects.create(
        owner=by,
        entry=entry,
        requirement=requirement,
        filename=name,
        extension=filenames.extension(name),
        size=file.size,
        part_size=transfer.part_size,
        fingerprint=file.fingerprint,
        storage_key=transfer.key,
        storage_upload_id=transfer.upload_id,
        created_at=at,
    )
    trail.record("upload.begin", upload, by=by, at=at, after={"entry": entry_id, "size": file.size})
    if consent and requirement.is_video:
        consent_ledger.give(upload, Consent.Purpose.SCORING, by=by, at=at)
    return upload, True


def sign(upload_id: UUID, wanted: Iterable[tuple[int, str]], *, by: User, at: datetime) -> list[storage.SignedPart]:
    """Permissions to send parts, each (number, base64 SHA-256).

    Refused: not-open, window-closed, bad-part, no-digest (the store cannot do without).
    """
    upload = rows.still_open(Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id), at)
    transfer, store = rows.transfer_of(upload), storage.default()
    parts = {number: _part(transfer, number, sha) for number, sha in wanted}.values()
    with refusals.in_words():
        signed = [store.sign(transfer, part, at=at) for part in parts]
    if store.is_direct:
        rows.note(upload, parts, at)
    return signed


def _part(transfer: storage.Transfer, number: int, sha: str) -> storage.Part:
    try:
        if sha and len(b64decode(sha, validate=True)) != sha256().digest_size:
            raise ValueError("not a SHA-256")
        return storage.Part(number, transfer.length_of(number), sha)
    except (ValueError, NotBase64) as error:
        raise Refused("bad-part", "That part of the file does not exist. Reload the page and try again.") from error


def permitted(token: str, *, at: datetime) -> tuple[storage.Transfer, storage.Part]:
    """Which part a signed address takes, so that the door knows how much to read. Refused: bad-token."""
    with refusals.in_words():
        return storage.default().read_token(token, at=at)


def receive(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    """Keep one part that came through the portal and note it; a repeat does it again.

    Refused: not-open, window-closed, damaged-part, no-space, store-away.
    """
    with refusals.in_words():
        return (_forward if storage.default().is_direct else _write)(transfer, part, body, at=at)


def relay(upload_id: UUID, number: int, sha: str, body: bytes, *, by: User, at: datetime) -> storage.Part:
    """The same for a part that its sender could not bring to the store itself. Refused: bad-part, and as above."""
    transfer = rows.transfer_of(Upload.objects.get(pk=upload_id))
    return receive(transfer, _part(transfer, number, sha), body, at=at)


@transaction.atomic
def _write(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    upload = rows.still_open(rows.locked(storage_key=transfer.key), at)
    kept = storage.default().receive(transfer, part, body)
    rows.note(upload, [kept], at)
    return kept


def _forward(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    """Without a lock: the store itself takes no part of a transfer that is complete or given up."""
    open_ones = Upload.objects.select_related("entry__registration", "entry__cycle")
    upload = rows.still_open(open_ones.get(storage_key=transfer.key), at)
    kept = storage.default().receive(transfer, part, body)
    rows.note(upload, [kept], at)
    return kept


def complete(upload_id: UUID, *, tree: str = "", by: User | None, at: datetime) -> Upload:
    """Close the transfer: the file is received, its check comes next. A repeat answers the same.

    `tree` is the client's fingerprint of the whole (storage.tree); a client that could not hash sends none.
    Refused: not-open, window-closed, parts-missing (PartsMissing), wrong-tree, store-away.
    """
    upload = Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id)
    if upload.stored_at:
        return upload
    rows.still_open(upload, at)
    parts = rows.received(upload)
    found = _tree_of(upload, parts)
    if tree not in ("", found):
        raise Refused("wrong-tree", WRONG_TREE)
    _put_together(upload, parts)
    return _store(upload_id, found, by=by, at=at)


def _put_together(upload: Upload, parts: Sequence[storage.Part]) -> None:
    with refusals.in_words():
        try:
            storage.default().complete(rows.transfer_of(upload), parts)
        except storage.BadPart as error:  # a part was signed anew, for other bytes, after it had arrived
            raise Refused("wrong-tree", WRONG_TREE) from error


def _tree_of(upload: Upload, parts: Sequence[storage.Part]) -> str:
    transfer = rows.transfer_of(upload)
    here = {part.number for part in parts if part.size == transfer.length_of(part.number)}
    if absent := [number for number in range(1, upload.part_count + 1) if number not in here]:
        raise PartsMissing(absent)
    return storage.tree([part.sha256 for part in parts])


@transaction.atomic
def _store(upload_id: UUID, tree: str, *, by: User | None, at: datetime) -> Upload:
    upload = rows.locked(pk=upload_id)
    if upload.stored_at:
        return upload
    rows.still_open(upload, at)
    upload.state, upload.stored_at, upload.tree_sha256 = State.STORED, at, tree
    upload.save(update_fields=["state", "stored_at", "tree_sha256"])
    trail.record("upload.complete", upload, by=by, at=at, after={"tree_sha256": tree})
    return upload


def abort(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Give an unfinished upload up and forget its bytes. A repeat is harmless."""
    _give_up(upload_id, State.ABORTED, by=by, at=at)


def expire(upload_id: UUID, *, at: datetime) -> None:
    """The portal gives an upload up that was not finished in time. A repeat is harmless."""
    _give_up(upload_id, State.EXPIRED, by=None, at=at)


def overdue(at: datetime) -> list[UUID]:
    """Open uploads that will not be finished: none of their parts came for long, or their window and grace are over.

    What was completed in the last second of the grace may still be put together after it, and is not taken away.
    """
    stale = at - timedelta(hours=settings.UPLOAD_STALE_HOURS)
    heard = UploadPart.objects.filter(upload=OuterRef("pk"), received_at__gt=stale)
    found = Upload.objects.open().annotate(is_silent=Q(created_at__lte=stale) & ~Exists(heard))
    due = found.filter(Q(is_silent=True) | Q(entry__cycle__closes_at__lte=at))
    due = due.select_related("entry__cycle", "entry__registration").prefetch_related("entry__registration__extensions")
    in_hand_until = at - COMPLETING_TAKES_AT_MOST
    return [upload.pk for upload in due if upload.is_silent or admission.finish_by(upload.entry) <= in_hand_until]


def kept_until(upload: Upload) -> datetime:
    """When an open upload is given up (see `overdue`) if nothing more comes of it: the first instant too late."""
    heard_at = max([upload.created_at, *(part.received_at for part in upload.parts.all())])
    return min(heard_at + timedelta(hours=settings.UPLOAD_STALE_HOURS), admission.finish_by(upload.entry))


def _give_up(upload_id: UUID, state: str, *, by: User | None, at: datetime) -> None:
    with transaction.atomic():
        upload = rows.locked(pk=upload_id)
        if upload.state == State.OPEN:
            upload.state = state
            upload.save(update_fields=["state"])
            trail.record(f"upload.{state}", upload, by=by, at=at)
    if upload.state == state:
        _forget(rows.transfer_of(upload))


def _forget(transfer: storage.Transfer) -> None:
    """What stays behind, because the store does not answer, is found by the job (orphans)."""
    try:
        storage.default().abort(transfer)
        storage.default().delete(transfer.key)  # what was put together while it was given up
    except storage.StorageError:
        logger.exception("transfer of %s is not forgotten yet", transfer.key)
