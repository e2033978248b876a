"""An entry's way from draft to handed in: started, submitted, reopened, locked at closing or lapsed.

The lock order is the entry first, then what hangs from it.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from candidates import deadlines
from candidates.deadlines import Stage
from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios import admission, completeness, unarrived, uploads
from portfolios.allowance import Allowance, allowance
from portfolios.completeness import SlotState
from portfolios.models import Entry, Factor, Upload

Status = Entry.Status
PART_OF_VERSION_1 = 8 * 1024 * 1024

WHY_NOT = {
    Allowance.BANKED: "This factor is accomplished and stays so; there is nothing more to hand in for it.",
    Allowance.HANDED_IN: "You have handed this factor in already. Its result decides what comes next.",
    Allowance.RETAKE_LATER: "You have handed this factor in. It can be retaken in the third year of your process.",
    Allowance.RETAKES_ONLY: "The third year is for retakes only, and this factor was not handed in before.",
    Allowance.OUTSIDE: "This cycle is not part of your three-year process.",
}


class Incomplete(Refused):
    """Something is missing; `gaps` names each thing, in the order of the requirements."""

    def __init__(self, gaps: list[completeness.Gap]) -> None:
        super().__init__("incomplete", "This entry is not complete yet: " + " ".join(gap.text for gap in gaps))
        self.gaps = gaps


def allowed(registration: Registration, factor: Factor, cycle: Cycle) -> Allowance:
    """What the cycle allows this candidate for one factor, by what was handed in before it."""
    before = registration.entries.filter(factor=factor, status=Status.LOCKED, cycle__year__lt=cycle.year)
    stage = deadlines.stage(registration.cohort.year, cycle.year)
    return allowance(stage, outcomes(registration, before))


def outcomes(registration: Registration, entries: Iterable[Entry]) -> list[str]:
    """The outcomes the candidate may know of: while the fee is not settled, results are withheld, these with them."""
    return [entry.outcome if registration.is_settled else Entry.Outcome.NONE.value for entry in entries]


@transaction.atomic
def start(registration_id: int, factor_id: int, cycle_id: int, *, by: User, at: datetime) -> Entry:
    """The candidate's entry for a factor in a cycle, made if it is not there. Refused: not-yours, not-allowed, ...

    Possible only inside the person's window, and for what the cycle allows (portfolios/allowance.py).
    """
    locked = Registration.objects.select_for_update(of=("self",)).select_related("cohort")
    registration = locked.get(pk=registration_id)
    factor, cycle = Factor.objects.get(pk=factor_id), Cycle.objects.get(pk=cycle_id)
    if found := registration.entries.filter(factor=factor, cycle=cycle).first():
        return found
    verdict = allowed(registration, factor, cycle)
    if not verdict.may_begin:
        raise Refused("not-allowed", WHY_NOT[verdict])
    entry = Entry(registration=registration, factor=factor, cycle=cycle, created_at=at)
    entry.is_retake = verdict == Allowance.RETAKE
    admission.refuse_unless_editable(entry, by=by, at=at)
    entry.save()
    trail.record("entry.start", entry, by=by, at=at, after={"factor": factor.number, "cycle": cycle.year})
    return entry


@transaction.atomic
def submit(entry_id: int, *, by: User, at: datetime) -> Entry:
    """Hand a complete entry in: freeze its manifest, send the receipt. A repeat changes nothing.

    Refused: not-yours, not-taking-part, window-*, incomplete (Incomplete, which names each gap).
    """
    entry = _complete_or_not(entry_id)
    if entry.status == Status.SUBMITTED and entry.registration.user_id == by.pk:
        return entry
    admission.refuse_unless_editable(entry, by=by, at=at)
    if gaps := completeness.gaps(entry):
        raise Incomplete(gaps)
    _freeze(entry, is_auto=False, at=at)
    entry.save()
    trail.record("entry.submit", entry, by=by, at=at, after={"manifest_sha256": entry.manifest_sha256})
    _tell(entry, "receipt", f"receipt:{entry.pk}:{entry.manifest_sha256}", at)
    return entry


@transaction.atomic
def reopen(entry_id: int, *, by: User, at: datetime) -> Entry:
    """Make a submitted entry a draft again, until closing; it must then be submitted anew. A repeat changes nothing."""
    entry = uploads.locked_entry(entry_id)
    admission.refuse_unless_taking_part(entry, at=at)
    if entry.registration.user_id != by.pk or entry.status not in (Status.SUBMITTED, Status.DRAFT):
        raise Refused("window-closed", admission.CLOSED)
    if entry.status == Status.SUBMITTED:
        make_draft(entry, by=by, at=at)
    return entry


def make_draft(entry: Entry, *, by: User | None, at: datetime) -> None:
    """What reopening does to a submitted entry whose row the caller has locked."""
    before = {"manifest_sha256": entry.manifest_sha256}
    entry.status, entry.submitted_at, entry.manifest, entry.manifest_sha256 = Status.DRAFT, None, None, ""
    entry.save()
    trail.record("entry.reopen", entry, by=by, at=at, before=before)


def reopened(entry: Entry) -> list[tuple[datetime, str]]:
    """The submissions that were reopened since, newest first: when, and the seal that their receipts carried."""
    sealed = Event.objects.about(entry).filter(verb="entry.submit").values_list("at", "after__manifest_sha256")
    return [(when, seal) for when, seal in sealed if seal != entry.manifest_sha256]


@transaction.atomic
def lock_and_auto_submit(entry_id: int, *, at: datetime) -> str:
    """What closing does to one entry; the status it then has. Harmless early, late, twice.

    Submitted becomes locked. A complete draft is submitted by the portal, locked, and the candidate told; an
    incomplete one lapses, and they are told what was missing. A draft waits until an upload that began in time has
    finished or is given up, and while a file is still being checked. When the grace is over, a film without sound is
    taken as it is, and a film that nobody asked for and nobody agreed to is left out. An extension moves the closing.
    What is left of a registration that has ended lapses without a word.
    """
    entry = _complete_or_not(entry_id)
    if at < deadlines.closes_at(entry.registration, entry.cycle) or entry.status in (Status.LOCKED, Status.LAPSED):
        return entry.status
    if entry.status == Status.SUBMITTED:
        _lock(entry, at)
    elif not entry.registration.is_standing:
        _lapse(entry, completeness.gaps(entry), at)
    elif gaps := _gaps_at_closing(entry, at):
        if not _must_wait(entry, gaps, at):
            _lapse(entry, gaps, at)
    else:
        told = {"left_out": _leave_out(entry, at), "late": unarrived.titles(entry)}
        _freeze(entry, is_auto=True, at=at)
        _lock(entry, at)
        _tell(entry, "auto_submitted", f"auto-submitted:{entry.pk}", at, **told)
    return entry.status


@transaction.atomic
def revive(entry_id: int, *, at: datetime) -> bool:
    """Make a lapsed entry a draft again, when staff granted its candidate a closing that is still to come."""
    entry = uploads.locked_entry(entry_id)
    if entry.status != Status.LAPSED or at >= deadlines.closes_at(entry.registration, entry.cycle):
        return False
    entry.status = Status.DRAFT
    entry.save(update_fields=["status"])
    trail.record("entry.revive", entry, by=None, at=at)
    return True


def _gaps_at_closing(entry: Entry, at: datetime) -> list[completeness.Gap]:
    """After the grace there is nobody to ask any more whether a film is meant to have no sound; and what the entry
    is complete without must not cost it, unless there is nothing else.
    """
    gaps = completeness.gaps(entry)
    if at < admission.finish_by(entry):
        return gaps
    has_more = any(len(slot.usable) > len(slot.unconsented) for slot in completeness.slots(entry))
    return [gap for gap in gaps if gap.code != SlotState.SOUND and not (has_more and gap.may_be_left_out)]


def _leave_out(entry: Entry, at: datetime) -> list[str]:
    """Take out of a complete entry the films that nobody agreed to. The titles of their requirements."""
    films = [film for slot in completeness.slots(entry) for film in slot.unconsented]
    for film in films:
        film.state = Upload.State.REMOVED
        film.save(update_fields=["state"])
        trail.record("upload.leave_out", film, by=None, at=at, reason="optional, and its releases were not named")
    return [film.requirement.title for film in films]


def _must_wait(entry: Entry, gaps: list[completeness.Gap], at: datetime) -> bool:
    codes = {gap.code for gap in gaps}
    in_grace = at < admission.finish_by(entry)
    under_way = {SlotState.CHECKING, SlotState.UPLOADING}  # what cannot finish any more is given up by its own job
    return not under_way.isdisjoint(codes) or _may_confirm(codes, in_grace)


def _may_confirm(codes: set[SlotState], in_grace: bool) -> bool:
    """A film that finished in the grace may be confirmed in the grace, when nothing else is missing."""
    return in_grace and codes <= {*completeness.UNCONSENTED, SlotState.SOUND}


def _complete_or_not(entry_id: int) -> Entry:
    uploads.locked_entry(entry_id)
    return Entry.objects.with_slots().get(pk=entry_id)


def _freeze(entry: Entry, *, is_auto: bool, at: datetime) -> None:
    entry.status, entry.submitted_at, entry.was_auto_submitted = Status.SUBMITTED, at, is_auto
    entry.manifest = manifest(entry)
    entry.manifest_sha256 = fingerprint(entry.manifest)


def _lock(entry: Entry, at: datetime) -> None:
    entry.status, entry.locked_at = Status.LOCKED, at
    entry.save()
    trail.record("entry.lock", entry, by=None, at=at, after={"manifest_sha256": entry.manifest_sha256})


def _lapse(entry: Entry, gaps: list[completeness.Gap], at: datetime) -> None:
    entry.status = Status.LAPSED
    entry.save(update_fields=["status"])
    missing = [gap.text for gap in gaps]
    trail.record("entry.lapse", entry, by=None, at=at, after={"missing": missing})
    if entry.registration.is_taking_part:
        closing = deadlines.closes_at(entry.registration, entry.cycle)  # an extension may let it lapse anew
        key = f"lapsed:{entry.pk}:{closing:%Y%m%d%H%M}"
        _tell(entry, "lapsed", key, at, missing=missing, what_next=_after_lapse(entry))


def _after_lapse(entry: Entry) -> str:
    """What somebody can still do about a factor that was not handed in, by the year of their process."""
    next_year = deadlines.stage(entry.registration.cohort.year, entry.cycle.year + 1)
    if entry.is_retake:
        return "Your earlier result for this factor stands as it is."
    if next_year == Stage.REMAINING:
        return f"You can hand this factor in next year, in the window of {entry.cycle.year + 1}."
    return "The next year of your process is for retakes only, so this factor can no longer be handed in."


def _tell(entry: Entry, event: str, key: str, at: datetime, **more: Any) -> None:
    outbox.queue(
        event,
        to=entry.registration.user,
        key=key,
        at=at,
        factor=str(entry.factor),
        cycle=entry.cycle.year,
        closes_at=deadlines.closes_at(entry.registration, entry.cycle),
        releases_at=entry.cycle.releases_at,
        submitted_at=entry.submitted_at,
        files=(entry.manifest or {}).get("files", []),
        sha256=entry.manifest_sha256,
        receipt=f"/receipts/{entry.receipt_code}/",
        receipt_code=entry.receipt_code,
        **more,
    )


def manifest(entry: Entry) -> dict[str, Any]:
    """What exactly is handed in: JSON values only, no name of a person and no name a person gave a file.

    Version 2 says of which receipt it is, and of each file the bytes of the parts that `sha256_tree` is made of.
    Version 1 did not; its parts were of PART_OF_VERSION_1.
    """
    return {
        "version": 2,
        "receipt": entry.receipt_code,
        "entry": entry.pk,
        "candidate": entry.registration.code,
        "factor": {"number": entry.factor.number, "name": entry.factor.name},
        "cycle": entry.cycle.year,
        "submitted_at": _iso(entry.submitted_at),
        "submitted_by": "portal" if entry.was_auto_submitted else "candidate",
        "files": [_file(file) for slot in completeness.slots(entry) for file in slot.usable],
    }


def _file(upload: Upload) -> dict[str, Any]:
    return {
        "requirement": upload.requirement.key,
        "title": upload.requirement.title,
        "upload": str(upload.pk),
        "name": upload.neutral_name,
        "size": upload.size,
        "part_size": upload.part_size,
        "sha256_tree": upload.tree_sha256,
        "received_at": _iso(upload.stored_at),
        "consent_version": upload.consent.text.version if upload.consent and upload.consent.text else None,
        "consented_at": _iso(upload.consented_at),
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant else None


def canonical(frozen: dict[str, Any]) -> str:
    """The one way to write a manifest: keys sorted, no spaces. Anyone with the manifest can do the same."""
    return json.dumps(frozen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(frozen: dict[str, Any]) -> str:
    """Hex SHA-256 of the canonical JSON in UTF-8."""
    return sha256(canonical(frozen).encode()).hexdigest()
