"""The Celery app, and JOBS: the only list of what the portal does by itself.

Beat sends one tick a minute; the tick sends each job. `manage.py tick` runs the same list here and now. A job finds
its due rows by the clock, so a tick that comes late, twice or in parallel does no harm, and one that never comes loses
nothing.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "icg_cert.settings")

# What it does, in the order of a portal's day: what closes, what follows from it, what is told, what is sent.
JOBS: dict[str, str] = {
    "icg_cert.operations.tasks.watch_jobs": "Notices when jobs stand still, and tells staff",
    "payments.tasks.process_deliveries": "Works off what payment providers reported",
    "payments.tasks.settle_unresolved": "Asks providers about payments under way",
    "payments.tasks.send_refunds": "Sends refunds that two people agreed on",
    "payments.tasks.reconcile_hourly": "Holds the books against the providers, every hour",
    "payments.tasks.close_unpaid": "Closes registrations that were never paid",
    "payments.tasks.remind_invoices": "Reminds accounts payable of invoices",
    "candidates.tasks.remind_unpaid": "Reminds candidates who have not paid",
    "portfolios.tasks.finish_uploads": "Completes uploads whose every part is here",
    "portfolios.tasks.check_uploads": "Checks files that arrived",
    "portfolios.tasks.prepare_previews": "Makes documents readable for scorers",
    "portfolios.tasks.give_up_films": "Takes films from workers that died",
    "portfolios.tasks.expire_uploads": "Gives up uploads that can no longer finish",
    "portfolios.tasks.abort_orphans": "Clears what nobody finished from the store",
    "portfolios.tasks.revive_entries": "Opens lapsed entries again where staff granted time",
    "portfolios.tasks.lock_entries": "Locks and submits entries at closing",
    "portfolios.tasks.purge_media": "Deletes files whose time is over",
    "portfolios.tasks.send_directions": "Sends the submission directions",
    "portfolios.tasks.remind_entries": "Reminds candidates before a deadline",
    "scoring.tasks.retire_benchmarks": "Ends benchmarks whose films may not be used for training",
    "scoring.tasks.pause_drifting": "Pauses scorers whose values have moved away",
    "scoring.tasks.read_once_more": "Gives what a paused scorer read to a second reader",
    "scoring.tasks.follow_up_due": "Adds the readings that scores ask for",
    "scoring.tasks.follow_up_appeals": "Takes appeals to their next step",
    "scoring.tasks.release_due": "Releases results at their instant",
    "scoring.tasks.tell_paid": "Tells results that waited for the fee",
    "icg_cert.mail.tasks.send_outbox": "Sends mail",
}


app = Celery("icg_cert", task_cls="icg_cert.operations.task:Job")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"tick": {"task": "icg_cert.celery.tick", "schedule": 60, "options": {"expires": 55}}}
app.autodiscover_tasks()


@app.task
def tick() -> None:
    """Send every job. One that waited longer than until the next tick is dropped: that tick sends it again."""
    for name in JOBS:
        app.send_task(name, expires=55)
