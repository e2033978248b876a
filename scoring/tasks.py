from celery import shared_task

from icg_cert.lib import clock
from scoring import release


@shared_task
def release_due() -> int:
    at = clock.now()
    return release.release_due(at)


@shared_task
def tell_paid() -> int:
    at = clock.now()
    return release.tell_paid(at)
