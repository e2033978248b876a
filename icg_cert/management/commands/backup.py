"""`manage.py backup FOLDER`: the database and every file it names, as of one instant."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from icg_cert.lib import clock
from icg_cert.operations import backup


class Command(BaseCommand):
    help = "Back up the database and all files. Files that an earlier backup in the folder holds are not copied again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = backup.make(options["folder"].resolve(), at=clock.wall())
        except (backup.Unusable, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"{made.folder}: the database and {made.files} files, {made.copied} of them new.")
        if made.missing:
            raise CommandError(
                f"{len(made.missing)} files are named in the database and were not there; the backup holds all others: "
                + ", ".join(made.missing[:10])
            )
