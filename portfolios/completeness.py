"""What an entry holds and what it lacks, requirement by requirement: one answer for the board, submission and mail.

Works on an entry fetched with `Entry.objects.with_slots()`, or completed by portfolios/entries.py; asks the database
nothing itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from portfolios.models import Entry, Requirement, Upload

State = Upload.State


def is_usable(upload: Upload) -> bool:
    """Found good, whether or not it can be watched yet, or given up by ourselves, never the candidate's fault."""
    tries = max(upload.check_tries, upload.processing_tries)
    gave_up = upload.state == State.FAILED and tries >= settings.UPLOAD_PROCESSING_ATTEMPTS
    return upload.state in (State.PROCESSING, State.READY) or gave_up


class SlotState(StrEnum):
    EMPTY = "empty"
    UPLOADING = "uploading"
    CHECKING = "checking"
    PROBLEM = "problem"
    CONSENT = "consent"
    RELEASES = "releases"
    SOUND = "sound"
    PARTLY = "partly"
    DONE = "done"


UNCONSENTED = {SlotState.CONSENT, SlotState.RELEASES}


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that keeps an entry from being handed in. `text` names it and says what would meet it."""

    requirement: str
    code: SlotState
    text: str
    is_optional: bool = False

    @property
    def may_be_left_out(self) -> bool:
        """A film that nobody asked for, whose people have not all agreed."""
        return self.is_optional and self.code in UNCONSENTED


@dataclass(frozen=True, slots=True)
class Slot:
    """One requirement of one entry and every file that stands, is on its way, or was refused in it."""

    requirement: Requirement
    uploads: tuple[Upload, ...]
    asks_consent: bool = True  # what was handed in is not asked again

    @property
    def usable(self) -> list[Upload]:
        return [upload for upload in self.uploads if is_usable(upload)]

    @property
    def waiting(self) -> list[Upload]:
        """Arrived, and our check is not through."""
        arrived = (State.STORED, State.CHECKING, State.FAILED)
        return [upload for upload in self.uploads if upload.state in arrived and not is_usable(upload)]

    @property
    def running(self) -> list[Upload]:
        return [upload for upload in self.uploads if upload.state == State.OPEN]

    @property
    def rejected(self) -> list[Upload]:
        return [upload for upload in self.uploads if upload.state == State.REJECTED]

    @property
    def unconsented(self) -> list[Upload]:
        if not self.asks_consent or not self.requirement.is_video:
            return []
        return [upload for upload in self.usable if not upload.has_consent]

    @property
    def unheard(self) -> list[Upload]:
        """Usable films on which there is no sound, and nobody has said that there should be none."""
        return [upload for upload in self.usable if upload.is_silence_a_question]

    @property
    def room(self) -> int:
        """How many more files fit in. A slot for one file always takes another, which then replaces the first."""
        taken = len(self.usable) + len(self.waiting) + len(self.running)
        return 1 if self.requirement.maximum == 1 else max(0, self.requirement.maximum - taken)

    @property
    def state(self) -> SlotState:
        if self.running:
            return SlotState.UPLOADING
        if self.waiting:
            return SlotState.CHECKING
        if len(self.usable) < max(self.requirement.minimum, 1):
            return self._short_of_files
        if self.unconsented:
            is_agreed = all(upload.consented_at for upload in self.unconsented)
            return SlotState.RELEASES if is_agreed else SlotState.CONSENT
        return SlotState.SOUND if self.unheard else SlotState.DONE

    @property
    def _short_of_files(self) -> SlotState:
        if self.rejected:
            return SlotState.PROBLEM
        return SlotState.PARTLY if self.usable else SlotState.EMPTY

    @property
    def gap(self) -> Gap | None:
        state, requirement = self.state, self.requirement
        optional_and_unused = requirement.is_optional and state in (SlotState.EMPTY, SlotState.PROBLEM)
        if state == SlotState.DONE or optional_and_unused:
            return None
        text = f"{requirement.title}: {self._lack(state)}"
        return Gap(requirement.title, state, text, requirement.is_optional)

    def _lack(self, state: SlotState) -> str:
        minimum = self.requirement.minimum
        return {
            SlotState.EMPTY: "no file yet." if minimum == 1 else f"no file yet; {minimum} are asked for.",
            SlotState.PARTLY: f"{len(self.usable)} of {minimum} files are here.",
            SlotState.UPLOADING: "an upload is not finished. Let it finish, or remove it.",
            SlotState.CHECKING: "the file is still being checked, usually for less than two minutes.",
            SlotState.PROBLEM: "the file cannot be used. Upload another.",
            SlotState.CONSENT: "confirm that everyone seen in the video agreed to it, and name the signed releases.",
            SlotState.RELEASES: "name the signed releases of everyone seen in the video.",
            SlotState.SOUND: "the film has no sound. Confirm that it is meant to have none, or upload another.",
        }[state]


def slots(entry: Entry) -> list[Slot]:
    """One slot per requirement of the entry's factor, in order, files oldest first."""
    uploads = [upload for upload in entry.uploads.all() if upload.state not in Upload.GONE]
    asks_consent = entry.status not in (Entry.Status.SUBMITTED, Entry.Status.LOCKED)
    return [
        Slot(requirement, tuple(upload for upload in uploads if upload.requirement_id == requirement.pk), asks_consent)
        for requirement in entry.factor.requirements.all()
    ]


def gaps_of(found: Sequence[Slot]) -> list[Gap]:
    """Everything that is missing, in the order of the requirements; empty when the entry can be handed in.

    An entry without any file is never complete, whatever its requirements are.
    """
    named = [gap for slot in found if (gap := slot.gap)]
    if named or any(slot.usable for slot in found):
        return named
    return [Gap("", SlotState.EMPTY, "There is no file in this entry yet.")]


def gaps(entry: Entry) -> list[Gap]:
    return gaps_of(slots(entry))
