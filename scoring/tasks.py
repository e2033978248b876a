import logging
from datetime import datetime

from celery import shared_task

from icg_cert.lib import clock
from scoring import assignment, release

logger = logging.getLogger(__name__)


@shared_task
def follow_up_due() -> int:
    """Add the readings that final ones ask for and that could not be added with them; how many were."""
    at = clock.now()
    return sum(_follow_up(key, at) for key in assignment.follow_up_due())


def _follow_up(key: int, at: datetime) -> bool:
    try:
        return assignment.follow_up(key, by=None, at=at) is not None
    except Exception:  # one entry's trouble must not keep the others waiting
        logger.exception("follow-up of entry %s failed", key)
        return False


@shared_task
def release_due() -> int:
    at = clock.now()
    return release.release_due(at)


@shared_task
def tell_paid() -> int:
    at = clock.now()
    return release.tell_paid(at)
