"""`manage.py prepare`: what must have happened before web, worker and beat start. Safe to repeat."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from portfolios import storage
from portfolios.storage import bucket
from scoring.badges import keys


class Command(BaseCommand):
    help = "Migrate, load the programme, and in the demo its people, whose sign-ins it prints. Refuses what is unsafe."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in ("queue", "queue-control", "media", "mail", "static"):
            (settings.VAR_DIR / folder).mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        call_command("load_programme", stdout=StringIO())
        self._prepare_bucket(storage.default())
        if settings.DEMO:
            self._make_badge_key()
            call_command("load_demo", stdout=self.stdout)

    def _make_badge_key(self) -> None:
        """For the demo, once; a real portal's keys are made by a person, who keeps a copy."""
        if keys.signing_key() is None:
            keys.add()

    def _prepare_bucket(self, store: storage.Store) -> None:
        """Where our keys may not, its owner sets it up; `check_storage` says what is missing."""
        if isinstance(store, storage.S3Store):
            try:
                bucket.prepare(store, settings.BASE_URL)
            except storage.Unavailable as error:
                self.stderr.write(f"The bucket was not set up for the portal's pages: {error}")
