from celery import shared_task

from icg_cert.lib import clock
from icg_cert.operations import running


@shared_task
def watch_jobs() -> int:
    at = clock.now()
    return running.tell_late(wall=clock.wall(), at=at)
