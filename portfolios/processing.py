"""A film found good is made ready to be watched, by any number of workers that share the rows.

A worker claims a row, gives a sign of life every second while ffmpeg works, keeps what was made, and lets go. The row
is its own as long as `worked_at` says what it wrote there last: each verb looks again, so that whoever removes,
replaces or withdraws the film meanwhile, or takes it over from a worker believed dead, wins, and nothing derived is
left.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import imageio_ffmpeg
from django.conf import settings
from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.workspace import workspace
from portfolios import renditions, storage, transcoding
from portfolios.checking import containers
from portfolios.models import Rendition, Upload, UploadQuerySet
from portfolios.transcoding import Film

logger = logging.getLogger(__name__)
State = Upload.State
Kind = Rendition.Kind
Instant = Callable[[], datetime]
BEAT_SECONDS = 1
STORED_A_SECOND = 2 * 1024 * 1024  # bytes, of the slowest store we wait for


class Lost(Exception):
    """The row is no longer this worker's."""


class Stopped(Exception):
    """The worker was asked to end."""


@dataclass(slots=True)
class Claim:
    """A film in one worker's hands, and what that worker wrote last."""

    upload: Upload
    worked_at: datetime


# ---- The row


@transaction.atomic
def claim(*, at: datetime) -> Claim | None:
    """The film that has waited longest and that nobody has in hand; None when no film is due."""
    due = Upload.objects.awaiting_processing(at).order_by("created_at")
    upload = due.select_for_update(of=("self",), skip_locked=True).select_related("requirement").first()
    if upload is None:
        return None
    upload.worked_at, upload.percent = at, 0
    upload.processing_tries += 1
    upload.save(update_fields=["worked_at", "percent", "processing_tries"])
    return Claim(upload, at)


def beat(own: Claim, percent: int, *, at: datetime) -> None:
    """A sign of life. Lost, when the row is somebody else's or the film is gone."""
    if not _mine(own).update(worked_at=at, percent=percent):
        raise Lost
    own.worked_at = at


@transaction.atomic
def finish(own: Claim, *, is_damaged: bool, at: datetime) -> None:
    """The film can be watched. Lost."""
    upload = _locked(own)
    upload.state, upload.percent, upload.worked_at, upload.is_damaged = State.READY, None, at, is_damaged
    upload.save(update_fields=["state", "percent", "worked_at", "is_damaged"])
    trail.record("upload.process", upload, by=None, at=at)


@transaction.atomic
def fail(own: Claim, *, at: datetime) -> None:
    """Our fault: the film waits for another try, and after the last one for staff. Lost."""
    upload = _locked(own)
    upload.percent, upload.worked_at = None, at
    if upload.processing_tries > len(Upload.PROCESSING_WAITS):
        _give_up(upload, at)
    upload.save(update_fields=["state", "percent", "worked_at"])


@transaction.atomic
def give_back(own: Claim) -> None:
    """The worker ends before it is through, which is no failed try. Lost."""
    upload = _locked(own)
    upload.percent, upload.worked_at = None, None
    upload.processing_tries -= 1
    upload.save(update_fields=["percent", "worked_at", "processing_tries"])


@transaction.atomic
def release_abandoned(upload_id: UUID, *, at: datetime) -> bool:
    """Give a film up that took its worker with it in the last try, too."""
    upload = Upload.objects.left_in_processing(at).filter(pk=upload_id).select_for_update(of=("self",)).first()
    if upload is None:
        return False
    upload.percent = None
    _give_up(upload, at)
    upload.save(update_fields=["state", "percent"])
    return True


@transaction.atomic
def try_again(upload_id: UUID, *, by: User, at: datetime) -> None:
    """Staff let a film that was given up wait for its tries anew. Refused: not-given-up."""
    upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if upload.state != State.FAILED or not upload.processing_tries:
        raise Refused("not-given-up", "Only films that could not be prepared can be tried again.")
    upload.state, upload.processing_tries, upload.worked_at = State.PROCESSING, 0, None
    upload.save(update_fields=["state", "processing_tries", "worked_at"])
    trail.record("upload.try_again", upload, by=by, at=at)


def _give_up(upload: Upload, at: datetime) -> None:
    upload.state = State.FAILED
    logger.error("upload %s could not be made ready in %s tries", upload.pk, upload.processing_tries)
    trail.record("upload.fail", upload, by=None, at=at, after={"in": "processing"})


def _mine(own: Claim) -> UploadQuerySet:
    return Upload.objects.filter(pk=own.upload.pk, state=State.PROCESSING, worked_at=own.worked_at)


def _locked(own: Claim) -> Upload:
    upload = _mine(own).select_for_update(of=("self",)).select_related("requirement").first()
    if upload is None:
        raise Lost
    return upload


# ---- The work


def process_next(*, now: Instant, is_stopping: Callable[[], bool] = lambda: False) -> bool:
    """Make the film that has waited longest ready to be watched; False when none is due.

    `now` is the door's clock: this may take an hour. Whatever goes wrong is written into the row and the log.
    """
    own = claim(at=now())
    if own is None:
        return False
    try:
        _settle(own, now, is_stopping)
    except Lost:
        _forget_unless_wanted(own.upload)
    return True


def _settle(own: Claim, now: Instant, is_stopping: Callable[[], bool]) -> None:
    try:
        with workspace(settings.VAR_DIR / "processing") as folder:
            is_damaged = _make(_Work(own, folder, now, is_stopping))
    except Stopped:
        give_back(own)
    except Lost:
        raise
    except Exception:
        logger.exception("upload %s could not be made ready, try %s", own.upload.pk, own.upload.processing_tries)
        fail(own, at=now())
    else:
        finish(own, is_damaged=is_damaged, at=now())


@dataclass(slots=True)
class _Work:
    """One film on the bench."""

    own: Claim
    folder: Path
    now: Instant
    is_stopping: Callable[[], bool]
    told_at: float = 0

    def tell(self, percent: int) -> None:
        """Called often, heard once a second. Lost, Stopped."""
        if self.is_stopping():
            raise Stopped
        if monotonic() - self.told_at >= BEAT_SECONDS:
            beat(self.own, percent, at=self.now())
            self.told_at = monotonic()

    def run(self, arguments: list[str], film: Film, tell: Callable[[int], None]) -> str:
        program = settings.FFMPEG or imageio_ffmpeg.get_ffmpeg_exe()
        return transcoding.run(program, arguments, film, self.folder, tell)

    def keep(self, kind: str, path: Path, percent: int) -> None:
        """Into the store, while the film is wanted. Storing is silent, so that its time is asked for beforehand."""
        silence = timedelta(seconds=path.stat().st_size // STORED_A_SECOND)
        beat(self.own, percent, at=self.now() + silence)
        with path.open("rb") as file:
            renditions.keep(self.own.upload, kind, file, content_type="video/mp4", at=self.now())
        beat(self.own, percent, at=self.now())
        path.unlink()


def _make(work: _Work) -> bool:
    """First what takes seconds, where the film allows it, then what takes minutes. Whether the decoder complained."""
    upload = work.own.upload
    film = Film(_fetched(work), containers.expected(upload.extension), upload.duration_ms or 1)
    if transcoding.is_plain(film):
        _make_quick(work, film)
    made = work.folder / "film.mp4"
    complaints = work.run(transcoding.converting(film, made), film, work.tell)
    if complaints:
        logger.warning("upload %s is damaged: %s", upload.pk, complaints)
    work.keep(Kind.FILM, made, 99)
    renditions.forget(upload, Kind.QUICK)
    return bool(complaints)


def _make_quick(work: _Work, film: Film) -> None:
    made = work.folder / "quick.mp4"
    try:
        work.run(transcoding.copying(film, made), film, lambda percent: work.tell(0))
    except transcoding.Failed as error:  # the film proper may succeed all the same
        logger.warning("upload %s cannot be watched before it is ready: %s", work.own.upload.pk, error)
    else:
        work.keep(Kind.QUICK, made, 0)


def _fetched(work: _Work) -> Path:
    """Where ffmpeg finds the file as it came: ffmpeg reads from this machine's disk and from nowhere else."""
    store, key = storage.default(), work.own.upload.storage_key
    if here := store.path(key):
        return here
    copy = work.folder / "original"
    with store.open(key) as there, copy.open("wb") as written:
        while chunk := there.read(transcoding.CHUNK):
            written.write(chunk)
            work.tell(0)
    return copy


def _forget_unless_wanted(upload: Upload) -> None:
    if Upload.objects.get(pk=upload.pk).state in Upload.GONE:
        for kind in (Kind.QUICK, Kind.FILM):
            renditions.forget(upload, kind)
