"""`manage.py purge_media`: delete files that were kept long enough. Exit status 1 when the store failed for some."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat

from icg_cert.lib import clock
from portfolios import purging
from portfolios.retention import Item


class Command(BaseCommand):
    help = "Delete what is due: withdrawn, left out, or kept long enough. The report is kept in the admin, too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = options["dry_run"]
        report = purging.run(is_dry=is_dry, at=clock.now())
        self._table("Would go" if is_dry else "Gone", report.gone)
        self._table("Due, and held back", report.held)
        self._table("Failed, and left to the next run", report.failed)
        if report.failed:
            sys.exit(1)

    def _table(self, title: str, items: list[Item]) -> None:
        files, size = sum(item.files for item in items), sum(item.bytes for item in items)
        self.stdout.write(f"{title}: {len(items)} uploads, {files} files, {filesizeformat(size)}")
        for item in items:
            self.stdout.write(f"  {item.upload.pk}  {item.files:2} files  {item.bytes:>14,} bytes  {item.why}")
