"""`manage.py make_badge_key`: a new key that signs badges from now on. The earlier ones go on verifying theirs."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from scoring.badges import keys


class Command(BaseCommand):
    help = "Make a key that signs badges, and add it to BADGE_KEYS_FILE. Web processes take it up by themselves."
    requires_system_checks: list[str] = []  # the portal that has none yet is refused by them

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BADGE_KEYS_FILE:
            raise CommandError("Set BADGE_KEYS_FILE to where the keys shall be kept, outside the repository.")
        try:
            kid = keys.add()
        except keys.UnreadableKeys as error:
            raise CommandError(f"{error}. Nothing was changed.") from error
        self.stdout.write(f"Key {kid} signs badges from now on. Keep a copy of {settings.BADGE_KEYS_FILE}, in secret.")
