"""What payments do by themselves: each job finds its rows by the clock, one failure is logged and skipped."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task

from icg_cert.lib import clock
from payments import closing, settlement
from payments.models import Attempt

logger = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=10)


@shared_task
def settle_unresolved() -> int:
    """Ask about attempts that nobody came back from: a closed browser, a lost answer, a crash of ours."""
    at = clock.now()
    return _each(Attempt.objects.unresolved(at - PATIENCE).values_list("pk", flat=True), settlement.settle, at)


@shared_task
def close_unpaid() -> int:
    """After a cohort's window: close pages that still take money, then lapse who never completed."""
    at = clock.now()
    closed = _each(closing.late_attempts(at).values_list("pk", flat=True), settlement.close, at)
    return closed + _each(closing.lapsable(at).values_list("pk", flat=True), closing.lapse, at)


def _each(keys: Iterable[int], verb: Callable[..., Any], at: datetime) -> int:
    done = 0
    for key in list(keys):
        try:
            done += bool(verb(key, at=at))
        except Exception:
            logger.exception("%s of %s failed", verb.__name__, key)
    return done
