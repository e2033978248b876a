"""Looking at a file that has arrived: good, rejected with words to act on, or failed on our side and tried again.

A good document is ready; a good film is handed in as well, and has still to be made ready (portfolios/processing.py).

The row is claimed and let go in two short transactions; between them the file is read, for seconds or minutes, without
a lock, so that its candidate can remove it meanwhile.
"""

import logging
from datetime import datetime, timedelta
from io import BytesIO
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from candidates import deadlines
from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios import admission, documents, remarks, renditions, storage, submission
from portfolios.checking import containers, malware, videos, zips
from portfolios.checking.finding import Finding, Unusable
from portfolios.models import Entry, Rendition, Requirement, Upload, UploadQuerySet

logger = logging.getLogger(__name__)
State = Upload.State
Kind = Rendition.Kind
SECOND_MS = 1000
CHANGED = (
    "damaged-here",
    "This file was damaged on our side after it arrived. You did nothing wrong. Please upload it once more.",
)


def check(upload_id: UUID, *, at: datetime) -> None:
    """Check one file unless another worker has it or it is done. Safe twice, in parallel, late."""
    upload = _claim(upload_id, at)
    if upload is None:
        return
    try:
        finding = _look(upload, at)
        if finding.poster:
            renditions.keep(upload, Kind.POSTER, BytesIO(finding.poster), content_type="image/jpeg", at=at)
    except Unusable as verdict:
        _reject(upload_id, verdict, at=at)
    except malware.Unreachable:
        logger.exception("no malware scanner: upload %s waits", upload_id)
        _wait(upload_id)
    except Exception:  # whatever goes wrong in here is ours to mend and never the candidate's fault
        logger.exception("check of upload %s failed", upload_id)
        _fail(upload_id, at=at)
    else:
        _accept(upload_id, finding, at=at)


def release_abandoned(at: datetime) -> int:
    """Put files back whose check never ended; those that ended no check in all their tries are failed. How many."""
    left = Upload.objects.left_in_check(at)
    given_up = left.filter(check_tries__gte=settings.UPLOAD_PROCESSING_ATTEMPTS).update(state=State.FAILED)
    return given_up + left.update(state=State.STORED)


@transaction.atomic
def check_again(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Staff have mended what kept our check from a file: it has all its tries anew. Refused: not-failed."""
    Entry.objects.select_for_update().get(uploads=upload_id)
    upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if upload.state != State.FAILED or upload.processing_tries:
        raise Refused("not-failed", "Only files whose check failed can be checked again.")
    upload.state, upload.check_tries = State.STORED, 0
    upload.save(update_fields=["state", "check_tries"])
    trail.record("upload.check_again", upload, by=by, at=at)


@transaction.atomic
def _claim(upload_id: UUID, at: datetime) -> Upload | None:
    due = Upload.objects.awaiting_check(at).filter(pk=upload_id)
    upload = due.select_for_update(of=("self",), skip_locked=True).select_related("requirement").first()
    if upload is None:
        return None
    upload.state, upload.checked_at = State.CHECKING, at
    upload.check_tries += 1
    upload.save(update_fields=["state", "checked_at", "check_tries"])
    return upload


def _look(upload: Upload, at: datetime) -> Finding:
    store, key = storage.default(), upload.storage_key
    if not store.is_intact(key, fingerprint=upload.tree_sha256, part_size=upload.part_size):
        raise Unusable(*CHANGED)
    with store.open(key) as file:
        kind = containers.family(file.read(containers.HEAD))
        if kind == "ole":
            raise Unusable(*zips.OLD_OR_ENCRYPTED)
        if kind != containers.expected(upload.extension):
            raise Unusable(
                "wrong-content",
                f"This file is named {upload.extension[1:].upper()} but is something else inside. Open it in the "
                "program it was made with, export it again, and upload that.",
            )
        file.seek(0)
        return _look_inside(upload, kind, file, at)


def _look_inside(upload: Upload, kind: str, file: BinaryIO, at: datetime) -> Finding:
    requirement = upload.requirement
    if kind in ("pdf", "zip"):
        return documents.look(upload, file, at=at)
    return videos.check(
        file,
        kind,
        max_ms=_max_ms(requirement),
        min_ms=settings.UPLOAD_DURATION_MIN_SECONDS * SECOND_MS,
        frame_max=settings.UPLOAD_FRAME_MAX,
    )


def _max_ms(requirement: Requirement) -> int | None:
    allowed = admission.longest(requirement)
    return None if allowed is None else allowed // timedelta(milliseconds=1)


@transaction.atomic
def _accept(upload_id: UUID, finding: Finding, *, at: datetime) -> None:
    upload = _still_checking(upload_id)
    if upload is None:
        return
    upload.state = State.PROCESSING if upload.requirement.is_video else State.READY
    upload.checked_at, upload.reason_code, upload.reason = at, "", ""
    upload.duration_ms, upload.width, upload.height = finding.duration_ms, finding.width, finding.height
    upload.has_sound = finding.has_sound
    upload.pages, upload.remarks = finding.pages, [*finding.remarks, *remarks.of_words(upload)]
    upload.save()
    trail.record("upload.accept", upload, by=None, at=at)
    if upload.requirement.maximum == 1 and not upload.entry.manifest:  # what was handed in stands whole
        _replace(_older(upload).exclude(state=State.OPEN), by_upload=upload, at=at)


@transaction.atomic
def _reject(upload_id: UUID, verdict: Unusable, *, at: datetime) -> None:
    upload = _still_checking(upload_id)
    if upload is None:
        return
    upload.reason_code, upload.reason = verdict.code, verdict.words
    closes_at = deadlines.closes_at(upload.entry.registration, upload.entry.cycle)
    was_submitted = upload.entry.status == Entry.Status.SUBMITTED and at < closes_at
    if upload.entry.manifest and not was_submitted:
        _leave_to_staff(upload, at=at)
        return
    upload.state, upload.checked_at = State.REJECTED, at
    upload.save(update_fields=["state", "checked_at", "reason_code", "reason"])
    trail.record("upload.reject", upload, by=None, at=at, after={"code": verdict.code})
    if was_submitted:
        submission.make_draft(upload.entry, by=None, at=at)
    if upload.requirement.maximum == 1:
        _replace(_older(upload).filter(state=State.REJECTED), by_upload=upload, at=at)
    if was_submitted or not _has_replacement(upload):
        _tell_rejected(upload, closes_at, was_submitted=was_submitted, at=at)


def _has_replacement(upload: Upload) -> bool:
    """Whether the same file came again since and is good, in a slot that lacks nothing.

    Where a slot takes one file, the newer has taken the place of this one before, and it is not judged at all.
    """
    slot = Upload.objects.filter(entry=upload.entry_id, requirement=upload.requirement_id)
    good = slot.filter(state__in=(State.PROCESSING, State.READY))
    again = good.filter(filename=upload.filename, stored_at__gt=upload.stored_at)
    return again.exists() and good.count() >= upload.requirement.minimum


def _leave_to_staff(upload: Upload, *, at: datetime) -> None:
    """Handed in for good while our check had failed, and looked at only now: it stands, and nobody can replace it."""
    upload.state, upload.checked_at, upload.check_tries = State.FAILED, at, settings.UPLOAD_PROCESSING_ATTEMPTS
    upload.save(update_fields=["state", "checked_at", "check_tries", "reason_code", "reason"])
    logger.error("upload %s was handed in and cannot be used: %s", upload.pk, upload.reason_code)
    trail.record("upload.fail", upload, by=None, at=at, after={"code": upload.reason_code})


def _tell_rejected(upload: Upload, closes_at: datetime, *, was_submitted: bool, at: datetime) -> None:
    outbox.queue(
        "upload_rejected",
        to=upload.owner,
        key=f"upload-rejected:{upload.pk}",
        at=at,
        requirement=upload.requirement.title,
        factor=str(upload.entry.factor),
        arrived_at=upload.stored_at,
        reason=upload.reason,
        closes_at=closes_at,
        is_open=at < closes_at,
        was_submitted=was_submitted,
        path=f"/entries/{upload.entry_id}/",
    )


@transaction.atomic
def _fail(upload_id: UUID, *, at: datetime) -> None:
    upload = _still_checking(upload_id)
    if upload is None:
        return
    upload.state, upload.checked_at = State.FAILED, at
    upload.save(update_fields=["state", "checked_at"])
    if upload.check_tries >= settings.UPLOAD_PROCESSING_ATTEMPTS:
        logger.error("upload %s could not be checked in %s tries", upload_id, upload.check_tries)
        trail.record("upload.fail", upload, by=None, at=at)


@transaction.atomic
def _wait(upload_id: UUID) -> None:
    """Back to those that wait, as if it had not been tried: nobody has looked at it. The next tick takes it up."""
    upload = _still_checking(upload_id)
    if upload:
        upload.state, upload.check_tries = State.STORED, upload.check_tries - 1
        upload.save(update_fields=["state", "check_tries"])


def _still_checking(upload_id: UUID) -> Upload | None:
    """The row locked, after its entry's, while it is still this check's to decide."""
    Entry.objects.select_for_update().get(uploads=upload_id)
    rows = Upload.objects.select_for_update(of=("self",)).select_related(
        "requirement", "entry__factor", "entry__cycle", "entry__registration", "owner"
    )
    return rows.filter(pk=upload_id, state=State.CHECKING).first()


def _older(upload: Upload) -> UploadQuerySet:
    slot = Upload.objects.filter(entry=upload.entry_id, requirement=upload.requirement_id)
    return slot.filter(stored_at__lte=upload.stored_at).exclude(pk=upload.pk).exclude(state__in=Upload.GONE)


def _replace(rows: UploadQuerySet, *, by_upload: Upload, at: datetime) -> None:
    """The newer file stands from now on; the older is kept until files are purged."""
    for old in rows.select_for_update():
        old.state = State.REPLACED
        old.save(update_fields=["state"])
        trail.record("upload.replace", old, by=None, at=at, after={"by": str(by_upload.pk)})
