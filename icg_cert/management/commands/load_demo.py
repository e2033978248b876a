"""`manage.py load_demo`: people, files and a history for the demo, once; and how to sign in."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from candidates.models import Programme, User
from icg_cert.audit import trail
from icg_cert.audit.models import Event
from icg_cert.demo import cast, providers, story
from icg_cert.lib import clock

MARK = "demo.load"


class Command(BaseCommand):
    help = "Make the demo's world unless it is there, and print one sign-in per role."

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        if not settings.DEMO:
            raise CommandError("The demo's people share a printed password; they have no place in a real portal.")
        if not Event.objects.filter(verb=MARK).exists():
            if User.objects.exists():
                raise CommandError("This database holds people already. `make demo-reset` starts the demo afresh.")
            providers.refuse_silence()
            call_command("load_programme", stdout=StringIO())
            with connection.cursor() as cursor:  # a thousand small commits, and a crash here loses nothing of value
                cursor.execute("SET synchronous_commit TO off")
            story.tell(cast.make(), at=at)
            trail.record(MARK, Programme.objects.get(), by=None, at=at)
        self.stdout.write(cast.sign_ins())
