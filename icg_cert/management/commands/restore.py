"""`manage.py restore BACKUP`: bring a backup into an empty database; `--only-verify` looks whether one is whole."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from icg_cert.operations import backup


class Command(BaseCommand):
    help = "Verify a backup byte by byte, then bring it into an empty database and the store. Run `prepare` afterwards."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="The folder named by day and time")
        parser.add_argument("--only-verify", action="store_true", help="Change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["backup"].resolve()
        try:
            if options["only_verify"]:
                contents = backup.verify(source)
                self.stdout.write(f"Whole: the database and {len(contents['files'])} files of {contents['made_at']}.")
            else:
                self.stdout.write(f"Restored: the database and {backup.restore(source)} files.")
        except (backup.Unusable, OSError) as error:
            raise CommandError(str(error)) from error
