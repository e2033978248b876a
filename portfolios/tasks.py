"""What happens to files and entries by itself. Each job finds its due rows and calls the verb of each."""

from uuid import UUID

from celery import shared_task
from django.db.models import F

from icg_cert.lib import clock
from icg_cert.lib.jobs import each_due
from portfolios import (
    checks,
    directions,
    libreoffice,
    previews,
    processing,
    purging,
    reminders,
    submission,
    uploads,
)
from portfolios.models import Entry, Upload

BATCH = 200
PREVIEWS_AT_ONCE = 10  # seconds each; the next tick brings more, and finds other workers free in the meantime


@shared_task
def check_upload(upload_id: str) -> None:
    """Promptly after its upload; the tick's check_uploads finds it too, if this call is lost."""
    at = clock.now()
    checks.check(UUID(upload_id), at=at)


@shared_task
def finish_uploads() -> int:
    """All parts are here, and nobody asks any more for them to be put together."""
    at = clock.now()
    return each_due(uploads.finish, uploads.sent_whole(at), at=at)


@shared_task
def check_uploads() -> int:
    at = clock.now()
    checks.release_abandoned(at)
    never_first = F("checked_at").asc(nulls_first=True)  # files that wait for the malware scanner hold nothing up
    due = Upload.objects.awaiting_check(at).order_by(never_first, "stored_at").values_list("pk", flat=True)[:BATCH]
    return each_due(checks.check, due, at=at)


@shared_task
def prepare_previews() -> int:
    at = clock.now()
    if not libreoffice.is_there():
        return 0
    due = previews.due(at).order_by("processing_tries", "stored_at").values_list("pk", flat=True)[:PREVIEWS_AT_ONCE]
    return each_due(previews.prepare, due, at=at)


@shared_task
def give_up_films() -> int:
    """What took its worker with it in the last try. The films themselves wait for `manage.py process_media`."""
    at = clock.now()
    left = Upload.objects.left_in_processing(at).values_list("pk", flat=True)
    return each_due(processing.release_abandoned, left, at=at)


@shared_task
def expire_uploads() -> int:
    at = clock.now()
    return each_due(uploads.finish_or_expire, uploads.overdue(at), at=at)


@shared_task
def abort_orphans() -> int:
    """Once an hour, for it asks the store for a list; by the wall clock, for the store knows no rehearsal."""
    at = clock.now() - clock.offset()
    return 0 if at.minute else uploads.abort_orphans(at=at)


@shared_task
def revive_entries() -> int:
    """What lapsed at closing and may go on, because an extension was granted since."""
    at = clock.now()
    return each_due(submission.revive, Entry.objects.revivable(at).values_list("pk", flat=True), at=at)


@shared_task
def lock_entries() -> int:
    """Closing: of every entry whose cycle is over. An extension holds its own back, in the verb."""
    at = clock.now()
    unlocked = Entry.objects.filter(status__in=[Entry.Status.DRAFT, Entry.Status.SUBMITTED], cycle__closes_at__lte=at)
    return each_due(submission.lock_and_auto_submit, unlocked.values_list("pk", flat=True), at=at)


@shared_task
def purge_media() -> int:
    """Files that nobody may keep any longer. A film whose consent was withdrawn goes with the next tick."""
    at = clock.now()
    return len(purging.run(is_dry=False, at=at, most=BATCH, always_note=False).gone)


@shared_task
def remind_entries() -> int:
    at = clock.now()
    return each_due(lambda pair, at: reminders.remind(*pair, at=at), reminders.due(at), at=at)


@shared_task
def send_directions() -> int:
    at = clock.now()
    return each_due(lambda pair, at: directions.send(*pair, at=at), directions.due(at), at=at)
