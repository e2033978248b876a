"""What a cycle allows one candidate, and until when."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from candidates.models import Cycle, Extension, Registration, User
from candidates.registration import locked, refuse_own
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Window
from icg_cert.mail import outbox


class Stage(StrEnum):
    """What may be handed in. Source: the programme's candidate timeline (three-year process)."""

    ANY = "any"
    REMAINING = "remaining"
    RETAKES = "retakes"
    NONE = "none"


_BY_YEAR_OF_PROCESS = {1: Stage.ANY, 2: Stage.REMAINING, 3: Stage.RETAKES}


def stage(cohort_year: int, cycle_year: int) -> Stage:
    """What a cohort may hand in in a cycle: any entries, the remaining ones, retakes, or nothing any more (or yet)."""
    return _BY_YEAR_OF_PROCESS.get(cycle_year - cohort_year, Stage.NONE)


def window_for(registration: Registration, cycle: Cycle) -> Window:
    """The cycle's window for one person: it closes later where staff granted an extension, never earlier.

    Reads `registration.extensions`, so prefetch them for a list.
    """
    granted = [extension.closes_at for extension in registration.extensions.all() if extension.cycle_id == cycle.pk]
    return Window(cycle.opens_at, max([cycle.closes_at, *granted]))


def closes_at(registration: Registration, cycle: Cycle) -> datetime:
    """The first instant at which this person can begin nothing more in the cycle."""
    return window_for(registration, cycle).closes_at


@transaction.atomic
def grant_extension(
    registration_id: int, cycle_id: int, *, closes_at: datetime, reason: str, by: User, at: datetime
) -> Extension:
    """Let one person hand in until `closes_at` (the first instant too late); the same grant again is the first one.

    Refused, each at its field: "reason-missing", "no-stage" (not a cycle of theirs), "not-later" (than what they have),
    "in-the-past", "after-release"; and "not-standing", "own-registration".
    """
    registration = locked(registration_id)
    refuse_own(registration, by)
    cycle = Cycle.objects.get(pk=cycle_id)
    granted = registration.extensions.filter(cycle=cycle, closes_at=closes_at).first()
    if granted:
        return granted
    _refuse_extension(registration, cycle, closes_at, reason, at)
    extension = Extension.objects.create(
        registration=registration, cycle=cycle, closes_at=closes_at, reason=reason.strip(), granted_by=by, granted_at=at
    )
    after = {"cycle": cycle.year, "closes_at": closes_at.isoformat()}
    trail.record("extension.grant", registration, by=by, at=at, reason=extension.reason, after=after)
    key = f"extension_granted:{extension.pk}"
    outbox.queue("extension_granted", to=registration.user, key=key, at=at, cycle=cycle.year, closes_at=closes_at)
    return extension


def _refuse_extension(registration: Registration, cycle: Cycle, closes_at: datetime, reason: str, at: datetime) -> None:
    if not registration.is_standing:
        raise Refused("not-standing", "This registration has ended, so there is nothing to extend.")
    if stage(registration.cohort.year, cycle.year) == Stage.NONE:
        raise _at("cycle", "no-stage", f"{registration.cohort} does not take part in {cycle}.")
    if not reason.strip():
        raise _at("reason", "reason-missing", "Give the reason. It stays in the audit trail.")
    if closes_at <= at:
        raise _at("closes_at", "in-the-past", "Choose a time that is still to come.")
    if closes_at <= window_for(registration, cycle).closes_at:
        raise _at("closes_at", "not-later", "They have until then, or longer, already. Choose a later time.")
    if closes_at >= cycle.releases_at:
        raise _at("closes_at", "after-release", "Scores are released then. Choose a time before the release.")


def _at(field: str, code: str, message: str) -> Refused:
    return Refused(code, message, fields={field: message})
