"""Who may read which factor. Entered by staff with a reason; what ended stays on record."""

from datetime import datetime

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring.models import Qualification


@transaction.atomic
def qualify(scorer: User, factor: Factor, *, reason: str, by: User | None, at: datetime) -> Qualification:
    """From now on the scorer may read the factor; where they may already, nothing changes. Refused "own"."""
    refuse_own(scorer, by)
    found, is_new = Qualification.objects.get_or_create(
        scorer=scorer, factor=factor, lapsed_at=None, defaults={"qualified_at": at, "reason": reason.strip()}
    )
    if is_new:
        trail.record("qualification.qualify", found, by=by, at=at, reason=reason.strip())
    return found


@transaction.atomic
def lapse(pk: int, *, reason: str, by: User | None, at: datetime) -> Qualification:
    """From now on the scorer is given nothing more of the factor; what they hold stays. Refused "no-reason"."""
    found = Qualification.objects.select_for_update().get(pk=pk)
    if not reason.strip():
        raise Refused("no-reason", "Say why it holds no longer.", fields={"lapsed_reason": "Say why."})
    if found.lapsed_at is None:
        found.lapsed_at, found.lapsed_reason = at, reason.strip()
        found.save(update_fields=["lapsed_at", "lapsed_reason"])
        trail.record("qualification.lapse", found, by=by, at=at, reason=found.lapsed_reason)
    return found


def end(scorer: User, factor: Factor, *, reason: str, by: User, at: datetime) -> None:
    """`lapse` what is in force, if there is anything. Refused "own", "no-reason"."""
    refuse_own(scorer, by)
    for found in Qualification.objects.filter(scorer=scorer, factor=factor, lapsed_at=None):
        lapse(found.pk, reason=reason, by=by, at=at)


def refuse_own(scorer: User, by: User | None) -> None:
    if by is not None and by.pk == scorer.pk:
        raise Refused("own", "Nobody decides about themselves. Ask another lead scorer or staff.")
