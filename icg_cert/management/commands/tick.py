"""`manage.py tick`: what beat and worker do in a minute, once, without them."""

import logging
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from icg_cert.celery import JOBS, app

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run every job that is due, once, in this process (cron can call it instead of Celery)."

    def handle(self, *args: Any, **options: Any) -> None:
        app.loader.import_default_modules()
        failed = [name for name in JOBS if not self._run(name)]
        if failed:
            raise CommandError(f"{len(failed)} of {len(JOBS)} jobs failed: {', '.join(failed)}")

    def _run(self, name: str) -> bool:
        try:
            done = app.tasks[name].apply(task_id=uuid4().hex, throw=True).result
        except Exception:  # one broken job must not keep the others from their work
            logger.exception("job %s failed", name)
            return False
        self.stdout.write(f"{name}: {done}")
        return True
