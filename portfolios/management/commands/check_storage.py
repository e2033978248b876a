"""`manage.py check_storage`: does the place where files are kept do what the portal stands on?

It sends and reads as a browser does, so it must run where the address for browsers can be reached.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from icg_cert.lib import clock
from portfolios import storage
from portfolios.storage.bucket import origin_of, prepare
from portfolios.storage.probing import Finding, probe


class Command(BaseCommand):
    help = "Try the configured store of files out and say, line by line, what holds and what lacks. Leaves nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="first let the portal's pages reach the bucket, and what they leave end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at, store = clock.now(), storage.default()
        self.stdout.write(_place())
        if options["prepare"] and isinstance(store, storage.S3Store):
            prepare(store, settings.BASE_URL)
        findings, origin = [], origin_of(settings.BASE_URL)
        for finding in probe(store, origin=origin, largest=settings.UPLOAD_VIDEO_MAX_BYTES, at=at):
            self.stdout.write(_line(finding))
            self.stdout.flush()
            findings.append(finding)
        missing = sum(finding.check.is_needed and not finding.holds for finding in findings)
        if missing:
            raise CommandError(f"Things that the portal needs and that lack: {missing}.")
        self.stdout.write("Everything the portal needs holds.")


def _place() -> str:
    if not settings.S3_BUCKET:
        return f"Files are kept in {settings.MEDIA_ROOT}."
    own = settings.S3_ENDPOINT_URL or "Amazon"
    return f"Files are kept in the bucket {settings.S3_BUCKET} at {own}; browsers reach it at {settings.S3_PUBLIC_URL}."


def _line(finding: Finding) -> str:
    check = finding.check
    word = "holds" if finding.holds else "LACKS" if check.is_needed else "lacks"
    means = "" if finding.holds else f" {check.lack}"
    trouble = f" ({finding.trouble})" if finding.trouble else ""
    return f"  {word}  {check.what}{means}{trouble}"
