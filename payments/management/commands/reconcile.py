"""`manage.py reconcile`: our books against the providers'. Exit status 1 when something did not agree, 2 when busy."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from icg_cert.lib import clock
from payments import reconcile


class Command(BaseCommand):
    help = "Hold the ledger against the payment providers and against itself; say what does not agree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=reconcile.DAYS, help="how far back to compare")

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        run = reconcile.run(since=at - timedelta(days=options["days"]), at=at)
        if run is None:
            self.stderr.write("Another reconciliation is under way; nothing was done.")
            sys.exit(2)
        for name, count in run.counts.items():
            self.stdout.write(f"{name}: {count}")
        for code, words in run.findings:
            self.stdout.write(f"{code}: {words}")
        self.stdout.write("Everything agrees." if not run.drift else f"{run.drift} did not agree.")
        if run.drift:
            sys.exit(1)
