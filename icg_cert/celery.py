"""The Celery app, and JOBS: the only list of what the portal does by itself.

Beat sends one tick a minute; the tick sends each job. `manage.py tick` runs the same list here and now. A job finds
its due rows by the clock, so a tick that comes late, twice or in parallel does no harm, and one that never comes loses
nothing.
"""

import os
from typing import Any

from celery import Celery, Task

from icg_cert.lib import request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "icg_cert.settings")

# In the order of a portal's day: what closes, what follows from it, what is told, what is sent.
JOBS: list[str] = [
    "payments.tasks.process_deliveries",
    "payments.tasks.settle_unresolved",
    "payments.tasks.send_refunds",
    "payments.tasks.reconcile_hourly",
    "payments.tasks.close_unpaid",
    "payments.tasks.remind_invoices",
    "candidates.tasks.remind_unpaid",
    "portfolios.tasks.check_uploads",
    "portfolios.tasks.prepare_previews",
    "portfolios.tasks.give_up_films",
    "portfolios.tasks.expire_uploads",
    "portfolios.tasks.abort_orphans",
    "portfolios.tasks.revive_entries",
    "portfolios.tasks.lock_entries",
    "portfolios.tasks.purge_media",
    "portfolios.tasks.send_directions",
    "portfolios.tasks.remind_entries",
    "scoring.tasks.retire_benchmarks",
    "scoring.tasks.pause_drifting",
    "scoring.tasks.read_once_more",
    "scoring.tasks.follow_up_due",
    "scoring.tasks.release_due",
    "scoring.tasks.tell_paid",
    "icg_cert.mail.tasks.send_outbox",
]


class Job(Task):  # type: ignore[type-arg]
    """A task whose log lines and audit events carry its id."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = request_id.current.set(self.request.id or "")
        try:
            return super().__call__(*args, **kwargs)
        finally:
            request_id.current.reset(token)


app = Celery("icg_cert", task_cls=Job)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"tick": {"task": "icg_cert.celery.tick", "schedule": 60, "options": {"expires": 55}}}
app.autodiscover_tasks()


@app.task
def tick() -> None:
    """Send every job. One that waited longer than until the next tick is dropped: that tick sends it again."""
    for name in JOBS:
        app.send_task(name, expires=55)
