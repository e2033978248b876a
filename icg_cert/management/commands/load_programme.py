"""`manage.py load_programme`: fill an empty portal with icg_cert/programme.json."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from icg_cert import programme
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused


class Command(BaseCommand):
    help = "Add what is missing of the programme file. What staff keep in the admin is never changed, only named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=programme.FILE)

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        try:
            loaded = programme.load(programme.read(options["file"]), by=None, at=at)
        except (OSError, json.JSONDecodeError, KeyError, ValidationError, Refused) as problem:
            raise CommandError(f"{options['file'].name} was not loaded: {problem}") from problem
        for name in loaded.added:
            self.stdout.write(f"added {name}")
        for name in loaded.kept:
            self.stdout.write(f"kept {name}: it differs from the file, and what staff wrote stands")
        if not loaded.added and not loaded.kept:
            self.stdout.write("The programme is loaded already; nothing to add.")
