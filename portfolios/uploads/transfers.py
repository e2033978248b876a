"""The protocol: begin, sign, receive, complete; abort and expire.

The store is never called inside a transaction except to write a part to its place, which must not meet `complete`
half way.
"""

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
from portfolios.uploads import rows

State = Upload.State


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
    no-space.
    """
    entry = Entry.objects.select_related("registration__cohort", "cycle", "factor").get(pk=entry_id)
    requirement = entry.factor.requirements.get(pk=requirement_id)
    if (found := _open_one(entry, requirement, file, by)) and at < admission.finish_by(entry):
        return found, False
    admission.admit(entry, requirement, file.filename, file.size, by=by, at=at)
    transfer = _create(requirement, file)
    try:
        upload, is_new = _enter(entry.pk, requirement, file, transfer, by=by, at=at, consent=consent)
    except BaseException:
        storage.default().abort(transfer)
        raise
    if not is_new:
        storage.default().abort(transfer)
    return upload, is_new


def _open_one(entry: Entry, requirement: Requirement, file: Announced, by: User) -> Upload | None:
    same = Upload.objects.open().filter(owner=by, entry=entry, requirement=requirement)
    return same.filter(fingerprint=file.fingerprint).first()


def _create(requirement: Requirement, file: Announced) -> storage.Transfer:
    key = f"uploads/{uuid4().hex}"
    content_type = admission.CONTENT_TYPES[filenames.extension(file.filename)]
    try:
        return storage.default().create(
            key, size=file.size, part_size=settings.UPLOAD_PART_BYTES, content_type=content_type
        )
    except storage.DiskFull as error:
        raise no_space() from error


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
    """Permissions to send parts, each (number, base64 SHA-256). Refused: not-open, window-closed, bad-part."""
    upload = rows.still_open(Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id), at)
    transfer, store = rows.transfer_of(upload), storage.default()
    return [store.sign(transfer, _part(transfer, number, sha), at=at) for number, sha in wanted]


def _part(transfer: storage.Transfer, number: int, sha: str) -> storage.Part:
    try:
        if sha and len(b64decode(sha, validate=True)) != sha256().digest_size:
            raise ValueError("not a SHA-256")
        return storage.Part(number, transfer.length_of(number), sha)
    except (ValueError, NotBase64) as error:
        raise Refused("bad-part", "That part of the file does not exist. Reload the page and try again.") from error


def permitted(token: str, *, at: datetime) -> tuple[storage.Transfer, storage.Part]:
    """Which part a signed address takes, so that the door knows how much to read. Refused: bad-token."""
    try:
        return storage.default().read_token(token, at=at)
    except storage.BadToken as error:
        raise Refused(
            "bad-token", "The permission to send this part has expired. It will be asked for again."
        ) from error


def receive(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    """Write one part to its place and note it; a repeat writes it again. Refused: not-open, damaged-part, no-space."""
    try:
        return _write(transfer, part, body, at=at)
    except storage.BadPart as error:
        raise Refused("damaged-part", "This part was damaged on its way. It will be sent again.") from error
    except storage.DiskFull as error:
        raise no_space() from error
    except storage.Missing as error:
        raise Refused("not-open", rows.NOT_OPEN) from error


@transaction.atomic
def _write(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    upload = rows.locked(storage_key=transfer.key)
    rows.still_open(upload, at)
    kept = storage.default().receive(transfer, part, body)
    UploadPart.objects.update_or_create(
        upload=upload,
        number=kept.number,
        defaults={"size": kept.size, "sha256": kept.sha256, "received_at": at},
    )
    return kept


def complete(upload_id: UUID, *, tree: str = "", by: User, at: datetime) -> Upload:
    """Close the transfer: the file is received, its check comes next. A repeat answers the same.

    `tree` is the client's fingerprint of the whole (storage.tree); a client that could not hash sends none.
    Refused: not-open, window-closed, parts-missing (PartsMissing), wrong-tree.
    """
    upload = Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id)
    if upload.stored_at:
        return upload
    rows.still_open(upload, at)
    parts = rows.received(upload)
    found = _tree_of(upload, parts)
    if tree not in ("", found):
        raise Refused("wrong-tree", "What arrived is not the file that was chosen. Remove it and upload it again.")
    try:
        storage.default().complete(rows.transfer_of(upload), parts)
    except storage.Missing as error:  # given up meanwhile, and its bytes forgotten
        raise Refused("not-open", rows.NOT_OPEN) from error
    return _store(upload_id, found, by=by, at=at)


def _tree_of(upload: Upload, parts: Sequence[storage.Part]) -> str:
    here = {part.number for part in parts}
    if absent := [number for number in range(1, upload.part_count + 1) if number not in here]:
        raise PartsMissing(absent)
    return storage.tree([part.sha256 for part in parts])


@transaction.atomic
def _store(upload_id: UUID, tree: str, *, by: User, at: datetime) -> Upload:
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
    """Open uploads that will not be finished: none of their parts came for long, or their window and grace are over."""
    stale = at - timedelta(hours=settings.UPLOAD_STALE_HOURS)
    heard = UploadPart.objects.filter(upload=OuterRef("pk"), received_at__gt=stale)
    found = Upload.objects.open().annotate(is_silent=Q(created_at__lte=stale) & ~Exists(heard))
    due = found.filter(Q(is_silent=True) | Q(entry__cycle__closes_at__lte=at))
    due = due.select_related("entry__cycle", "entry__registration").prefetch_related("entry__registration__extensions")
    return [upload.pk for upload in due if upload.is_silent or at >= admission.finish_by(upload.entry)]


def _give_up(upload_id: UUID, state: str, *, by: User | None, at: datetime) -> None:
    with transaction.atomic():
        upload = rows.locked(pk=upload_id)
        if upload.state == State.OPEN:
            upload.state = state
            upload.save(update_fields=["state"])
            trail.record(f"upload.{state}", upload, by=by, at=at)
    if upload.state == state:
        storage.default().abort(rows.transfer_of(upload))


def no_space() -> Refused:
    return Refused(
        "no-space",
        "The portal has no room for this file at the moment. What you uploaded before is safe, and we have been told. "
        "Try again in an hour.",
    )
