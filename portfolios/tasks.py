"""What happens to files and entries by itself. Each job finds its due rows and calls the verb of each."""

import logging
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from celery import shared_task

from icg_cert.lib import clock
from portfolios import checks, directions, reminders, submission, uploads
from portfolios.models import Entry, Upload

logger = logging.getLogger(__name__)
BATCH = 200


@shared_task
def check_upload(upload_id: str) -> None:
    """Promptly after its upload; the tick's check_uploads finds it too, if this call is lost."""
    at = clock.now()
    checks.check(UUID(upload_id), at=at)


@shared_task
def check_uploads() -> int:
    at = clock.now()
    checks.release_abandoned(at)
    due = Upload.objects.awaiting_check(at).order_by("stored_at").values_list("pk", flat=True)[:BATCH]
    return _each(lambda pk: checks.check(pk, at=clock.now()), list(due))


@shared_task
def expire_uploads() -> int:
    at = clock.now()
    return _each(lambda pk: uploads.expire(pk, at=at), uploads.overdue(at))


@shared_task
def lock_entries() -> int:
    """Closing: of every entry whose cycle is over. An extension holds its own back, in the verb."""
    at = clock.now()
    unlocked = Entry.objects.filter(status__in=[Entry.Status.DRAFT, Entry.Status.SUBMITTED], cycle__closes_at__lte=at)
    return _each(lambda pk: submission.lock_and_auto_submit(pk, at=at), unlocked.values_list("pk", flat=True))


@shared_task
def remind_entries() -> int:
    at = clock.now()
    return _each(lambda pair: reminders.remind(*pair, at=at), list(reminders.due(at)))


@shared_task
def send_directions() -> int:
    at = clock.now()
    return _each(lambda pair: directions.send(*pair, at=at), list(directions.due(at)))


def _each(verb: Callable[[Any], object], keys: Iterable[Any]) -> int:
    """The verb of each row in its own transaction; one failure is logged and keeps no other from its turn."""
    done = 0
    for key in keys:
        try:
            verb(key)
            done += 1
        except Exception:
            logger.exception("%s: %s failed", verb.__qualname__, key)
    return done
