"""A file on its way into an entry: begun, sent in parts, completed; consented to, removed.

Order of locks: the entry, then the upload. The store is never called inside a transaction except to write a part to
its place, which must not meet `complete` half way.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from candidates.models import PolicyText, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios import admission, filenames, storage
from portfolios.models import Entry, Requirement, Upload, UploadPart

State = Upload.State
EDGE = 1024 * 1024
NOT_OPEN = "This upload is no longer open. Reload the page to see where it stands, and choose the file again."


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
    entry = locked_entry(entry_id)
    if found := _open_one(entry, requirement, file, by):
        return found, False
    admission.admit(entry, requirement, file.filename, file.size, by=by, at=at)
    agreed = PolicyText.current(PolicyText.Kind.CONSENT) if consent and requirement.is_video else None
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
        consent=agreed,
        consented_at=at if agreed else None,
    )
    trail.record("upload.begin", upload, by=by, at=at, after={"entry": entry_id, "size": file.size})
    return upload, True


def sign(upload_id: UUID, wanted: Iterable[tuple[int, str]], *, by: User, at: datetime) -> list[storage.SignedPart]:
    """Permissions to send parts, each (number, base64 SHA-256). Refused: not-open, window-closed, bad-part."""
    upload = _still_open(Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id), at)
    transfer, store = transfer_of(upload), storage.default()
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
        raise Refused("not-open", NOT_OPEN) from error


@transaction.atomic
def _write(transfer: storage.Transfer, part: storage.Part, body: bytes, *, at: datetime) -> storage.Part:
    upload = _locked(storage_key=transfer.key)
    _still_open(upload, at)
    kept = storage.default().receive(transfer, part, body)
    UploadPart.objects.update_or_create(
        upload=upload,
        number=kept.number,
        defaults={"size": kept.size, "sha256": kept.sha256, "received_at": at},
    )
    return kept


def received(upload: Upload) -> list[storage.Part]:
    """The parts that have arrived, in order, whoever took them in."""
    held = storage.default().list(transfer_of(upload))
    if held is None:
        held = [storage.Part(part.number, part.size, part.sha256) for part in upload.parts.all()]
    return sorted(held, key=lambda part: part.number)


def complete(upload_id: UUID, *, tree: str = "", by: User, at: datetime) -> Upload:
    """Close the transfer: the file is received, its check comes next. A repeat answers the same.

    `tree` is the client's fingerprint of the whole (storage.tree); a client that could not hash sends none.
    Refused: not-open, window-closed, parts-missing (PartsMissing), wrong-tree.
    """
    upload = Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id)
    if upload.stored_at:
        return upload
    _still_open(upload, at)
    parts = received(upload)
    found = _tree_of(upload, parts)
    if tree not in ("", found):
        raise Refused("wrong-tree", "What arrived is not the file that was chosen. Remove it and upload it again.")
    storage.default().complete(transfer_of(upload), parts)
    return _store(upload_id, found, by=by, at=at)


def _tree_of(upload: Upload, parts: Sequence[storage.Part]) -> str:
    here = {part.number for part in parts}
    if absent := [number for number in range(1, upload.part_count + 1) if number not in here]:
        raise PartsMissing(absent)
    return storage.tree([part.sha256 for part in parts])


@transaction.atomic
def _store(upload_id: UUID, tree: str, *, by: User, at: datetime) -> Upload:
    upload = _locked(pk=upload_id)
    if upload.stored_at:
        return upload
    _still_open(upload, at)
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
    silent = Q(created_at__lte=stale) & ~Exists(UploadPart.objects.filter(upload=OuterRef("pk"), received_at__gt=stale))
    found = Upload.objects.open().filter(silent | Q(entry__cycle__closes_at__lte=at))
    rows = found.select_related("entry__cycle", "entry__registration").prefetch_related(
        "entry__registration__extensions"
    )
    return [row.pk for row in rows if row.created_at <= stale or at >= admission.finish_by(row.entry)]


def _give_up(upload_id: UUID, state: str, *, by: User | None, at: datetime) -> None:
    with transaction.atomic():
        upload = _locked(pk=upload_id)
        if upload.state == State.OPEN:
            upload.state = state
            upload.save(update_fields=["state"])
            trail.record(f"upload.{state}", upload, by=by, at=at)
    if upload.state == state:
        storage.default().abort(transfer_of(upload))


def remove(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Take a file out of its slot; its bytes are kept until they are purged. Harmless when it is out already.

    Refused: not-yours, slot-locked, window-*.
    """
    upload = Upload.objects.get(pk=upload_id)
    if upload.state == State.OPEN:
        return abort(upload_id, by=by, at=at)
    return _remove(upload, by=by, at=at)


@transaction.atomic
def _remove(upload: Upload, *, by: User, at: datetime) -> None:
    entry = locked_entry(upload.entry_id)
    upload = _locked(pk=upload.pk)
    if upload.state in Upload.GONE:
        return
    admission.refuse_unless_editable(entry, by=by, at=at)
    upload.state = State.REMOVED
    upload.save(update_fields=["state"])
    trail.record("upload.remove", upload, by=by, at=at)


@transaction.atomic
def confirm_consent(upload_id: UUID, *, by: User, at: datetime) -> Upload:
    """Note that everyone seen in this video agreed, with the text's version and the time. A repeat changes nothing.

    Possible while the file is still on its way, and until the grace after closing is over. Refused: not-yours,
    slot-locked, window-closed.
    """
    entry = locked_entry(Upload.objects.values_list("entry_id", flat=True).get(pk=upload_id))
    upload = _locked(pk=upload_id)
    if upload.consented_at or not upload.requirement.is_video:
        return upload
    admission.refuse_unless_finishable(entry, by=by, at=at)
    upload.consent, upload.consented_at = PolicyText.current(PolicyText.Kind.CONSENT), at
    upload.save(update_fields=["consent", "consented_at"])
    trail.record("upload.confirm_consent", upload, by=by, at=at, after={"version": upload.consent.version})
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
    announced = Announced(filename, file.seek(0, 2), fingerprint_of(file))
    upload, _ = begin(entry_id, requirement_id, announced, by=by, at=at, consent=consent)
    transfer = transfer_of(upload)
    file.seek(0)
    for number in range(1, transfer.part_count + 1):
        body = file.read(transfer.length_of(number))
        receive(transfer, storage.Part(number, len(body), storage.digest(body)), body, at=at)
    return complete(upload.pk, by=by, at=at)


def fingerprint_of(file: BinaryIO) -> str:
    """Hex SHA-256 over the size and the first, middle and last MiB, as static/js/upload.js makes it.

    Not over name or time: telephones hand out fresh ones for the same film.
    """
    size = file.seek(0, 2)
    found = sha256(str(size).encode())
    for start in (0, max(0, size // 2 - EDGE // 2), max(0, size - EDGE)):
        file.seek(start)
        found.update(file.read(EDGE))
    return found.hexdigest()


def transfer_of(upload: Upload) -> storage.Transfer:
    return storage.Transfer(upload.storage_key, upload.storage_upload_id, upload.size, upload.part_size)


def locked_entry(entry_id: int) -> Entry:
    """The entry, its row locked until the transaction ends, with what the rules look at."""
    rows = Entry.objects.select_for_update(of=("self",)).select_related("registration__cohort", "cycle", "factor")
    return rows.get(pk=entry_id)


def _locked(**key: Any) -> Upload:
    rows = Upload.objects.select_for_update(of=("self",))
    return rows.select_related("requirement", "entry__registration", "entry__cycle").get(**key)


def _still_open(upload: Upload, at: datetime) -> Upload:
    if upload.state != State.OPEN:
        raise Refused("not-open", NOT_OPEN)
    if at >= admission.finish_by(upload.entry):
        raise Refused("window-closed", admission.CLOSED)
    return upload


def no_space() -> Refused:
    return Refused(
        "no-space",
        "The portal has no room for this file at the moment. What you uploaded before is safe, and we have been told. "
        "Try again in an hour.",
    )
