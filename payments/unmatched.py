"""Money that came in and belongs to nobody yet: found, and given to the registration it was meant for."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import ledger, notices
from payments.models import LedgerEntry, Refund


def waiting() -> QuerySet[LedgerEntry]:
    """What came in unmatched and has neither been matched nor gone back whole; `left_minor` is what is left of it."""
    nobodys = Q(corrections__registration=None, corrections__payer=None)
    moved = Coalesce(Sum("corrections__amount_minor", filter=nobodys), 0)
    came_in = LedgerEntry.objects.unmatched().filter(corrects=None)
    return came_in.annotate(left_minor=F("amount_minor") + moved).exclude(left_minor=0)


@transaction.atomic
def match(entry_id: int, *, code: str, reason: str, by: Any, at: datetime) -> Registration:
    """Give what is left of unmatched money to the registration with that code.

    Refused when there is no such registration, nothing is left, or the currencies differ.
    """
    pk = Registration.objects.filter(code=code.strip().upper()).values_list("pk", flat=True).first()
    if pk is None:
        message = "There is no registration with this code."
        raise Refused("code-unknown", message, fields={"code": message})
    if not reason.strip():
        message = "Say how you know whose money it is."
        raise Refused("reason-missing", message, fields={"reason": message})
    registration = ledger.lock(pk)
    LedgerEntry.objects.select_for_update().get(pk=entry_id)  # a second click waits here, then finds nothing left
    entry = waiting().filter(pk=entry_id).first()
    if entry is None:
        raise Refused("not-waiting", "This money has been matched or returned already. Nothing was changed.")
    if entry.currency != registration.currency:
        raise Refused("currency", f"The fee is in {registration.currency}. Return this money instead.")
    if entry.refunds.filter(state__in=Refund.LIVE).exists():
        raise Refused("refund-asked", "Somebody asked for the return of this money. Decide about that first.")
    left = Money(entry.left_minor, entry.currency)  # type: ignore[attr-defined]  # annotated
    ledger.transfer(entry, registration, amount=left, ref=f"match:{entry.pk}", by=by, at=at, reason=reason.strip())
    ledger.recompute(registration, at=at, by=by)
    trail.record("payment.match", entry, by=by, at=at, reason=reason, after={"registration": pk, "minor": left.minor})
    notices.received(registration, entry, at=at)
    return registration
