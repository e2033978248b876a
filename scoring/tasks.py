from datetime import datetime

from celery import shared_task

from icg_cert.lib import clock
from icg_cert.lib.jobs import each_due
from scoring import appeals, assignment, benchmarks, release, watch


@shared_task
def follow_up_due() -> int:
    """Add the readings that final ones ask for and that could not be added with them; how many were."""
    at = clock.now()
    return each_due(_follow_up, assignment.follow_up_due(), at=at)


@shared_task
def follow_up_appeals() -> int:
    """End the appeals whose registration has ended, and give out the readings the others wait for; how many."""
    at = clock.now()
    ended = each_due(appeals.end_with_registration, appeals.ended_due(), at=at)
    return ended + each_due(appeals.follow_up, appeals.follow_up_due(), at=at)


@shared_task
def retire_benchmarks() -> int:
    """End those whose films may not be used for training any more."""
    at = clock.now()
    return each_due(benchmarks.retire_without_consent, benchmarks.without_consent(), at=at)


@shared_task
def pause_drifting() -> int:
    """Pause scorers whose values on benchmarks have moved away."""
    at = clock.now()
    return each_due(watch.pause, watch.drifting(at), at=at)


@shared_task
def read_once_more() -> int:
    """Give what only a paused scorer has read lately to a second reader; how many were given."""
    at = clock.now()
    return each_due(watch.read_once_more, watch.to_read_once_more(at), at=at)


@shared_task
def release_due() -> int:
    at = clock.now()
    return release.release_due(at)


@shared_task
def tell_paid() -> int:
    at = clock.now()
    return release.tell_paid(at)


def _follow_up(key: int, *, at: datetime) -> bool:
    return assignment.follow_up(key, by=None, at=at) is not None
