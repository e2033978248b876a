"""`manage.py prepare`: what must have happened before web, worker and beat start. Safe to repeat."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate, load the programme, and in the demo its people, whose sign-ins it prints. Refuses what is unsafe."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in ("queue", "queue-control", "media", "mail", "static"):
            (settings.VAR_DIR / folder).mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        call_command("load_programme", stdout=StringIO())
        if settings.DEMO:
            call_command("load_demo", stdout=self.stdout)
