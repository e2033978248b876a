from celery import shared_task

from icg_cert.lib import clock
from icg_cert.mail import outbox


@shared_task
def send_outbox() -> int:
    at = clock.now()
    return outbox.send_due(at)
