"""Reminding people of a deadline 30, 14, 7 and 1 days before it: only who still has something to do, once each."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from candidates.models import Cohort, Registration
from candidates.registration import locked
from icg_cert.mail import outbox
from icg_cert.mail.models import Message

logger = logging.getLogger(__name__)

DAYS_BEFORE = (30, 14, 7, 1)
TO_PAY = [Registration.Payment.UNPAID, Registration.Payment.PARTLY_PAID, Registration.Payment.REFUNDED]
EVENT = "registration_unpaid"


def days_due(deadline: datetime, *, since: datetime, at: datetime) -> int | None:
    """Which reminder is due at `at`: its days before the deadline, or None.

    The latest only, so that a job late by weeks writes once; and none whose time had come before `since`, when the
    person began, for they knew. Days are those of the programme's calendar, whatever the clocks do in between.
    """
    if at >= deadline:
        return None
    local = deadline.astimezone(ZoneInfo(settings.TIME_ZONE))
    reached = [days for days in DAYS_BEFORE if local - timedelta(days=days) <= at]
    if not reached or local - timedelta(days=min(reached)) <= since:
        return None
    return min(reached)


def remind_unpaid(at: datetime) -> int:
    """Remind everybody who registered and did not pay, before their cohort's registration closes; how many it wrote."""
    return sum(_try(pk, at) for cohort in Cohort.objects.open(at) for pk in _due(cohort, at))


def _due(cohort: Cohort, at: datetime) -> list[int]:
    rows = cohort.registrations.standing().filter(payment_status__in=TO_PAY)
    keys = {
        _key(pk, days): pk
        for pk, since in rows.values_list("pk", "registered_at")
        if (days := days_due(cohort.registration_closes_at, since=since, at=at))
    }
    written = set(Message.objects.filter(key__in=keys).values_list("key", flat=True))
    return [pk for key, pk in keys.items() if key not in written]


def _key(registration_id: int, days: int) -> str:
    return f"{EVENT}:{registration_id}:{days}"


def _try(registration_id: int, at: datetime) -> bool:
    try:
        return remind(registration_id, at=at)
    except Exception:  # one person's broken mail must not keep the others from theirs
        logger.exception("reminder of registration %s failed", registration_id)
        return False


@transaction.atomic
def remind(registration_id: int, *, at: datetime) -> bool:
    """Write one person's due reminder; False when there is nothing to pay, or nothing due, any more."""
    registration = locked(registration_id)
    deadline = registration.cohort.registration_closes_at
    days = days_due(deadline, since=registration.registered_at, at=at)
    if days is None or not registration.is_standing or registration.payment_status not in TO_PAY:
        return False
    key = _key(registration.pk, days)
    outbox.queue(EVENT, to=registration.user, key=key, at=at, registration=registration, deadline=deadline, days=days)
    return True
