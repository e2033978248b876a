"""How long files are kept, and what holds them back. Their deletion is in portfolios/purging.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from candidates import announced
from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios import admission
from portfolios.models import Consent, Entry, Hold, Rendition, Upload, UploadQuerySet

State = Upload.State
LAST_YEAR = 3  # of a process: its release is the final notice


class Why(StrEnum):
    WITHDRAWN = "consent withdrawn"
    UNFINISHED = "never finished"
    LEFT_OUT = "replaced, removed or refused"
    OVER = "kept long enough after the final notice"


REASONS: dict[Why, list[str]] = {
    Why.WITHDRAWN: [State.WITHDRAWN],
    Why.UNFINISHED: [State.ABORTED, State.EXPIRED],
    Why.LEFT_OUT: [State.REPLACED, State.REMOVED, State.REJECTED],
    Why.OVER: list(Upload.HANDED_IN),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One upload that is due: why, how many files it is with what was made of it, how many bytes; held back or not."""

    upload: Upload
    why: Why
    files: int
    bytes: int
    is_held: bool


def left_out_until(entry: Entry) -> datetime:
    """Until when what is replaced, removed or refused is kept."""
    return admission.finish_by(entry) + timedelta(days=settings.MEDIA_KEEP_REPLACED_DAYS)


def handed_in_until(noticed_at: datetime, *, is_for_training: bool = False) -> datetime:
    """Until when what is handed in is kept: `noticed_at` is the release of the third year, the final notice."""
    days = settings.MEDIA_RETENTION_DAYS + (settings.MEDIA_TRAINING_EXTRA_DAYS if is_for_training else 0)
    return noticed_at + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long one entry's files are kept. `kept_until` is None while the cycle of the third year is not made."""

    left_out_until: datetime
    kept_until: datetime | None
    days: int


def keeping(entry: Entry) -> Keeping:
    return Keeping(left_out_until(entry), kept_until(entry.registration), settings.MEDIA_RETENTION_DAYS)


def kept_until(registration: Registration) -> datetime | None:
    """Until when what they handed in is kept, unless something holds it; None while their last cycle is not made."""
    year = registration.cohort.year + LAST_YEAR
    noticed_at = next((cycle.releases_at for cycle in announced.cycles() if cycle.year == year), None)
    return handed_in_until(noticed_at) if noticed_at else None


# ---- Holds


@transaction.atomic
def hold(registration_id: int, *, entry_id: int | None = None, reason: str, by: User | None, at: datetime) -> Hold:
    """Keep every file of an entry, or of all a registration's entries, until the hold is lifted.

    For the same reason again it is the one that stands; for another reason it is another one. Refused: reason-missing,
    no-entry (of this registration).
    """
    registration = Registration.objects.select_for_update(of=("self",)).get(pk=registration_id)
    reason = " ".join(reason.split())
    if not reason:
        raise _at_reason("Give the reason. It stays in the audit trail.")
    if entry_id and not Entry.objects.filter(pk=entry_id, registration=registration).exists():
        raise Refused("no-entry", "This entry belongs to another registration.")
    if found := registration.holds.standing().filter(entry=entry_id, reason=reason).first():
        return found
    made = Hold.objects.create(registration=registration, entry_id=entry_id, reason=reason, by=by, at=at)
    trail.record("hold.set", made.entry or registration, by=by, at=at, reason=reason)
    return made


@transaction.atomic
def lift(hold_id: int, *, reason: str, by: User | None, at: datetime) -> bool:
    """Let files go their way again. Whether it stood: a repeat is harmless. Refused: reason-missing."""
    found = Hold.objects.select_for_update(of=("self",)).select_related("entry", "registration").get(pk=hold_id)
    if found.lifted_at:
        return False
    if not reason.strip():
        raise _at_reason("Say why the files need not be kept any longer.")
    found.lifted_by, found.lifted_at = by, at
    found.save(update_fields=["lifted_by", "lifted_at"])
    trail.record("hold.lift", found.entry or found.registration, by=by, at=at, reason=reason.strip())
    return True


def _at_reason(words: str) -> Refused:
    return Refused("reason-missing", words, fields={"reason": words})


# ---- What is due


def due(at: datetime) -> Iterator[Item]:
    """Every upload whose bytes should be gone, also those held back."""
    for why in Why:
        for upload in _sieve(why, at).order_by("pk").iterator(chunk_size=500):
            if _is_due(upload, why, at):
                yield _item(upload, why)


def due_one(upload_id: UUID, at: datetime) -> Item | None:
    """The same for one upload; None when it is not due, or not any more."""
    for why in Why:
        upload = _sieve(why, at).filter(pk=upload_id).first()
        if upload and _is_due(upload, why, at):
            return _item(upload, why)
    return None


def _sieve(why: Why, at: datetime) -> UploadQuerySet:
    """In SQL, and wider than the rule, which knows extensions.

    A worker that was making something when its upload was purged leaves a rendition behind; so it is due anew.
    """
    found = Upload.objects.filter(state__in=REASONS[why]).select_related("entry__registration", "entry__cycle")
    found = found.prefetch_related("renditions", "entry__registration__extensions")
    found = found.filter(Q(purged_at=None) | Exists(Rendition.objects.filter(upload=OuterRef("pk"))))
    found = found.annotate(is_held=Exists(_holds()))
    if why == Why.LEFT_OUT:
        return found.filter(entry__cycle__closes_at__lte=at - timedelta(days=settings.MEDIA_KEEP_REPLACED_DAYS))
    if why == Why.OVER:
        last = Cycle.objects.filter(year=OuterRef("entry__registration__cohort__year") + LAST_YEAR)
        training = Consent.objects.filter(upload=OuterRef("pk"), purpose=Consent.Purpose.TRAINING)
        newest = training.order_by("-at", "-pk").values("act")[:1]
        found = found.annotate(noticed_at=Subquery(last.values("releases_at")), training_act=Subquery(newest))
        return found.filter(noticed_at__lte=at - timedelta(days=settings.MEDIA_RETENTION_DAYS))
    return found


def _holds() -> QuerySet[Hold]:
    of_entry = Q(entry=None) | Q(entry=OuterRef("entry"))
    return Hold.objects.standing().filter(of_entry, registration=OuterRef("entry__registration"))


def _is_due(upload: Any, why: Why, at: datetime) -> bool:
    if why == Why.LEFT_OUT:
        return at >= left_out_until(upload.entry)
    if why == Why.OVER:
        is_for_training = upload.training_act == Consent.Act.GIVEN
        return at >= handed_in_until(upload.noticed_at, is_for_training=is_for_training)
    return True


def _item(upload: Any, why: Why) -> Item:
    """What was purged before and left something behind counts by that alone."""
    here = [] if upload.purged_at or not upload.stored_at else [upload.size]
    sizes = here + [made.size for made in upload.renditions.all()]
    return Item(upload, why, len(sizes), sum(sizes), upload.is_held)
