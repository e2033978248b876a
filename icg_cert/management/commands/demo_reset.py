"""`manage.py demo_reset`, which `make demo-reset` calls: forget the demo's data."""

import shutil
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from icg_cert import embedded_postgres
from icg_cert.lib import clock


class Command(BaseCommand):
    help = "Delete the demo's database and files; the next `make run` makes new ones."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL or not settings.DEMO:
            raise CommandError("Only the demo on its embedded database can be reset. Unset DATABASE_URL first.")
        try:
            embedded_postgres.recreate_database(settings.VAR_DIR)
        except psycopg2.errors.ObjectInUse:
            raise CommandError("The portal is running. Stop it with Ctrl-C, then reset it.") from None
        clock.reset()
        for folder in ("media", "mail", "queue", "queue-control", "doubles"):
            shutil.rmtree(settings.VAR_DIR / folder, ignore_errors=True)
        self.stdout.write("The demo is empty. `make run` fills it again.")
