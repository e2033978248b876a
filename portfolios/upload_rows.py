"""How a slot and its files are said on a page: words and shapes for states, one row per file."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import day_of
from portfolios import admission, uploads
from portfolios.checking.videos import clock
from portfolios.completeness import Slot, SlotState, is_usable
from portfolios.models import Requirement, Upload
from portfolios.unarrived import Unarrived

State = Upload.State

SLOT_WORDS = {
    SlotState.EMPTY: ("To do", "muted"),
    SlotState.UPLOADING: ("Upload not finished", "warn"),
    SlotState.CHECKING: ("Being checked", "info"),
    SlotState.PROBLEM: ("Needs another file", "bad"),
    SlotState.CONSENT: ("Consent missing", "warn"),
    SlotState.RELEASES: ("Name the signed releases", "warn"),
    SlotState.SOUND: ("Without sound", "warn"),
    SlotState.PARTLY: ("In progress", "info"),
    SlotState.DONE: ("Ready", "good"),
}
FILE_WORDS = {
    State.OPEN: ("Upload not finished", "warn"),
    State.STORED: ("Received, being checked", "info"),
    State.CHECKING: ("Received, being checked", "info"),
    State.PROCESSING: ("Received and checked", "good"),
    State.READY: ("Ready", "good"),
    State.REJECTED: ("Cannot be used", "bad"),
    State.FAILED: ("Received, our check is delayed", "info"),
}

DAMAGED = "The file is damaged in places, so that parts of this film may not play."
ANOTHER = "Play it to its end; if something is missing, export it again and upload that."
TOLD = "Scorers are told so."


@dataclass(frozen=True, slots=True)
class Row:
    """One file as components/upload_row.html and portfolios/_slot.html show it."""

    upload: Upload
    name: str
    state_word: str
    state_kind: str
    size: int
    facts: str
    percent: int | None = None
    url: str = ""
    poster_url: str = ""
    remove_url: str = ""
    consent_url: str = ""
    needs_consent: bool = False
    remarks: tuple[str, ...] = ()
    confirm_url: str = ""
    is_checked: bool = True
    kept_until: datetime | None = None

    @property
    def id(self) -> str:
        return str(self.upload.pk)

    @property
    def is_waited_for(self) -> bool:
        """Whether the script asks on, because something will happen to the file by itself."""
        return not self.is_checked or self.upload.state == State.PROCESSING

    @property
    def has_all(self) -> bool:
        """Every byte of an upload is here, and the portal completes it by itself."""
        return self.percent == 100


@dataclass(frozen=True, slots=True)
class SlotView:
    """One requirement as the entry page shows it."""

    slot: Slot
    state_word: str
    state_kind: str
    rows: list[Row]
    limits: str
    accept: str
    max_bytes: int
    longest_seconds: int | None
    room: int
    may_add: bool
    replaces: bool

    @property
    def requirement(self) -> Requirement:
        return self.slot.requirement


def slot_view(slot: Slot, *, may_edit: bool, may_finish: bool, is_owner: bool) -> SlotView:
    """`may_finish`: whether what began in time may still arrive, also after closing. Then the same file is chosen again
    by the same form, whether or not there is room for another; and what is asked of a film may be answered as long.
    """
    requirement, longest = slot.requirement, admission.longest(slot.requirement)
    word, kind = SLOT_WORDS[slot.state]
    if requirement.is_optional and slot.state == SlotState.EMPTY:
        word = "Optional"
    return SlotView(
        slot,
        word,
        kind,
        [row(upload, may_edit=may_edit, may_answer=may_finish, is_owner=is_owner) for upload in slot.uploads],
        limits(requirement),
        ",".join(admission.extensions(requirement)),
        admission.max_bytes(requirement),
        None if longest is None else int(longest.total_seconds()),
        max(slot.room, len(slot.running)),
        (may_edit and slot.room > 0) or (may_finish and bool(slot.running)),
        requirement.maximum == 1 and bool(slot.usable),
    )


def row(upload: Upload, *, may_edit: bool, is_owner: bool, may_answer: bool = False) -> Row:
    """The candidate reads their own name for the file; everybody else its neutral one."""
    word, kind = FILE_WORDS[_told_state(upload)]
    is_video, has_poster = upload.requirement.is_video, _told_state(upload) in (State.PROCESSING, State.READY)
    is_kept = upload.state in Upload.HANDED_IN and upload.purged_at is None
    return Row(
        upload,
        upload.filename if is_owner else upload.neutral_name,
        word,
        kind,
        upload.size,
        _facts(upload),
        percent=_percent(upload) if upload.state == State.OPEN else None,
        url=file_url(upload) if is_kept else "",
        poster_url=reverse("portfolios:media-poster", args=[upload.pk]) if is_video and has_poster and is_kept else "",
        remove_url=reverse("portfolios:upload-remove", args=[upload.pk]) if may_edit else "",
        consent_url=_consent_url(upload) if is_owner and is_video else "",
        needs_consent=may_answer and is_video and not upload.has_consent and upload.state != State.REJECTED,
        remarks=_remarks(upload, may_edit=may_edit, is_owner=is_owner),
        confirm_url=_confirm_url(upload) if may_answer else "",
        is_checked=is_usable(upload) or upload.state in (State.REJECTED, State.OPEN),
        kept_until=uploads.kept_until(upload) if may_answer and upload.state == State.OPEN else None,
    )


def late_words(late: Unarrived, *, is_owner: bool) -> str:
    """ "New.mp4 had not arrived in time; Old.mp4, which was here, counts." """
    names = [file.filename if is_owner else file.neutral_name for file in (late.upload, *late.counts)]
    if not late.counts:
        return f"{names[0]} had not arrived in time, so it does not count."
    here = "which was here, counts" if len(late.counts) == 1 else "which were here, count"
    return f"{names[0]} had not arrived in time; {' and '.join(names[1:])}, {here}."


def _remarks(upload: Upload, *, may_edit: bool, is_owner: bool) -> tuple[str, ...]:
    """What is to be done about a damaged film is said while it can be done."""
    damaged = [f"{DAMAGED} {ANOTHER if may_edit else TOLD}"] if upload.is_damaged else []
    return (*damaged, *(remark["words"] for remark in upload.remarks if is_owner))


def file_url(upload: Upload) -> str:
    """Where one looks at it: a film has a page of its own."""
    kind = "watch" if upload.requirement.is_video else "document"
    return reverse(f"portfolios:media-{kind}", args=[upload.pk])


def _consent_url(upload: Upload) -> str:
    return "" if upload.purged_at else reverse("portfolios:upload-consent", args=[upload.pk])


def _told_state(upload: Upload) -> State:
    """A film that we could not prepare is checked and handed in all the same; its candidate need do nothing."""
    is_ours = upload.state == State.FAILED and upload.processing_tries
    return State.PROCESSING if is_ours else State(upload.state)


def _confirm_url(upload: Upload) -> str:
    is_asked = upload.is_silence_a_question and is_usable(upload)
    return reverse("portfolios:upload-confirm", args=[upload.pk]) if is_asked else ""


def _percent(upload: Upload) -> int | None:
    """Of what the store holds, for parts may be noted that have not arrived; None while it does not answer."""
    try:
        return sum(part.size for part in uploads.received(upload)) * 100 // upload.size
    except Refused:
        return None


def _facts(upload: Upload) -> str:
    if upload.purged_at:
        return f"This file was deleted on {day_of(upload.purged_at)}, as our rules say."
    if upload.state == State.REJECTED:
        return upload.reason
    facts = []
    if upload.duration_ms:
        facts.append(f"{clock(upload.duration_ms)} minutes")
    if upload.pages:
        facts.append(_plural(upload.pages, "page"))
    if upload.state == State.PROCESSING:
        facts.append(f"Being prepared for the scorers: {upload.percent or 0} %")
    return " · ".join(facts)


def limits(requirement: Requirement) -> str:
    """ "One video (MP4, M4V, MOV, MKV or WEBM), up to 10 minutes and 4 GB." """
    *first, last = [ending[1:].upper() for ending in admission.extensions(requirement)]
    up_to = [_plural(requirement.max_minutes, "minute")] if requirement.max_minutes else []
    up_to += [_plural(requirement.max_pages, "page")] if requirement.max_pages else []
    up_to.append(_size(admission.max_bytes(requirement)))
    each = "" if requirement.maximum == 1 else " each"
    return f"{_count(requirement)} ({', '.join(first)} or {last}), up to {' and '.join(up_to)}{each}."


def _size(most: int) -> str:
    gigabyte = 1024 * settings.MIB
    return f"{most // gigabyte} GB" if most >= gigabyte else f"{most // settings.MIB} MB"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_NOUN = {"document": ("document", "documents"), "video": ("video", "videos"), "form": ("form", "forms")}


def _count(requirement: Requirement) -> str:
    one, many = _NOUN[requirement.kind]
    least, most = requirement.minimum, requirement.maximum
    if most == 1:
        return f"Optional: one {one}" if requirement.is_optional else f"One {one}"
    if requirement.is_optional:
        return f"Optional: up to {most} {many}"
    return f"{most} {many}" if least == most else f"{least} to {most} {many}"
