"""After the registration window, and after somebody left: pages that take money are closed, seats are given up."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from candidates import registration as registrations
from candidates.models import Registration
from payments import ledger, unmatched
from payments.models import Attempt, Seat

Payment = Registration.Payment
# Money that came in keeps a registration alive until people have decided about it.
NOTHING_HELD = [Payment.UNPAID, Payment.REFUNDED]


def late_attempts(at: datetime) -> QuerySet[Attempt]:
    """Live attempts of cohorts that have closed, whose own term is over too: begun in time, not finished in time."""
    return Attempt.objects.live().filter(registration__cohort__registration_closes_at__lte=at, expires_at__lte=at)


def stranded_attempts() -> QuerySet[Attempt]:
    """Live attempts of registrations that have ended: withdrawn, or refused, while a page was open."""
    return Attempt.objects.live().exclude(registration__in=Registration.objects.standing())


def lapsable(at: datetime) -> QuerySet[Registration]:
    """Registrations of closed cohorts that nobody paid for, is paying for, or promised to pay for.

    Not those whose money came in and does not fit: a person decides about it first.
    """
    return Registration.objects.standing().filter(
        ~Exists(Attempt.objects.live().filter(registration=OuterRef("pk"))),
        ~Exists(Seat.objects.claimed().filter(registration=OuterRef("pk"))),
        ~Q(attempts__in=unmatched.waiting().filter(attempt__isnull=False).values("attempt")),
        cohort__registration_closes_at__lte=at,
        payment_status__in=NOTHING_HELD,
    )


@transaction.atomic
def lapse(registration_id: int, *, at: datetime) -> bool:
    """Lapse one registration, if it still never completed when looked at under its lock."""
    registration = ledger.lock(registration_id)
    ledger.recompute(registration, at=at)
    if not lapsable(at).filter(pk=registration_id).exists():
        return False
    registrations.lapse(registration_id, by=None, at=at)
    return True
