from celery import shared_task

from candidates import reminders
from icg_cert.lib import clock


@shared_task
def remind_unpaid() -> int:
    at = clock.now()
    return reminders.remind_unpaid(at)
