"""Whether a file may come into a slot, and until when: the one place of these rules. Changes nothing."""

from datetime import datetime, timedelta

from django.conf import settings

from candidates import deadlines
from candidates.models import User
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase
from portfolios import filenames
from portfolios.models import Entry, Requirement, Upload

CONTENT_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}
DOCUMENTS = [".pdf", ".docx", ".odt"]
VIDEOS = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]

CLOSED = "The time for this cycle is over, so files can no longer be changed. What you handed in before is safe."
LOCKED = "This entry is submitted, so its files stand as they are. Reopen it to change them, until the window closes."


def extensions(requirement: Requirement) -> list[str]:
    return VIDEOS if requirement.is_video else DOCUMENTS


def max_bytes(requirement: Requirement) -> int:
    return settings.UPLOAD_VIDEO_MAX_BYTES if requirement.is_video else settings.UPLOAD_DOCUMENT_MAX_BYTES


def longest(requirement: Requirement) -> timedelta | None:
    """How long a film may be, tolerance included; None without a limit."""
    if requirement.max_minutes is None:
        return None
    return timedelta(minutes=requirement.max_minutes, seconds=settings.UPLOAD_DURATION_TOLERANCE_SECONDS)


def finish_by(entry: Entry) -> datetime:
    """The first instant that is too late to finish what began in time: this person's closing and the cycle's grace."""
    return deadlines.window_for(entry.registration, entry.cycle).closes_at + entry.cycle.grace


def refuse_unless_finishable(entry: Entry, *, by: User, at: datetime) -> None:
    """Refused: not-yours, slot-locked, or window-closed once the grace is over too."""
    if entry.registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can change the files of an entry.")
    if entry.status in (Entry.Status.LOCKED, Entry.Status.LAPSED) or at >= finish_by(entry):
        raise Refused("window-closed", CLOSED)
    if not entry.is_editable:
        raise Refused("slot-locked", LOCKED)


def refuse_unless_editable(entry: Entry, *, by: User, at: datetime) -> None:
    """Refused: as above, or outside the person's window, or when the candidate takes no part any more."""
    refuse_unless_finishable(entry, by=by, at=at)
    refuse_unless_taking_part(entry, at=at)


def may_edit(entry: Entry, *, by: User, at: datetime) -> bool:
    try:
        refuse_unless_editable(entry, by=by, at=at)
    except Refused:
        return False
    return True


def refuse_unless_taking_part(entry: Entry, *, at: datetime) -> None:
    if not entry.registration.is_taking_part:
        raise Refused(
            "not-taking-part",
            "Your seat in this cohort is not confirmed. See your registration on the dashboard for what is open.",
        )
    phase = deadlines.window_for(entry.registration, entry.cycle).phase(at)
    if phase == Phase.BEFORE:
        raise Refused("window-not-open", "The submission window has not opened yet.")
    if phase == Phase.AFTER:
        raise Refused("window-closed", CLOSED)


def admit(entry: Entry, requirement: Requirement, filename: str, size: int, *, by: User, at: datetime) -> None:
    """Refused with the first reason why this file may not come into this slot now."""
    refuse_unless_editable(entry, by=by, at=at)
    _refuse_type(requirement, filename)
    _refuse_size(requirement, size)
    _refuse_crowd(entry, requirement, by)


def _refuse_type(requirement: Requirement, filename: str) -> None:
    allowed = extensions(requirement)
    if filenames.extension(filename) not in allowed:
        names = ", ".join(ending[1:].upper() for ending in allowed)
        what = "a video" if requirement.is_video else "a document"
        raise Refused("wrong-type", f"This requirement takes {what}: {names}. Export your file as one of these.")


def _refuse_size(requirement: Requirement, size: int) -> None:
    if size <= 0:
        raise Refused("empty", "This file is empty. Open it to see whether it is the one you meant, and choose again.")
    if size > max_bytes(requirement):
        raise Refused(
            "too-large",
            f"This file is {_mib(size)} MB; the most is {_mib(max_bytes(requirement))} MB. "
            + ("Export the video at 720p." if requirement.is_video else "Reduce the size of its pictures."),
        )


def _mib(size: int) -> str:
    return f"{-(-size // settings.MIB):,}"


def _refuse_crowd(entry: Entry, requirement: Requirement, by: User) -> None:
    if Upload.objects.open().filter(owner=by).count() >= settings.UPLOAD_OPEN_PER_PERSON:
        raise Refused(
            "too-many-open",
            f"You have {settings.UPLOAD_OPEN_PER_PERSON} unfinished uploads. Finish or remove one, then add this file.",
        )
    taken = entry.uploads.filter(requirement=requirement, state__in=[Upload.State.OPEN, *Upload.HANDED_IN]).count()
    if requirement.maximum > 1 and taken >= requirement.maximum:
        raise Refused("slot-full", f"This requirement takes {requirement.maximum} files. Remove one, then add another.")
