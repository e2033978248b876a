#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it starts the embedded PostgreSQL that the command then uses."""

import os
import sys

from django.core.management import execute_from_command_line

from icg_cert import embedded_postgres

WITHOUT_DATABASE = {"help", "version", "--help", "--version", "collectstatic", "startapp"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "icg_cert.settings")
    if not WITHOUT_DATABASE.intersection(sys.argv[1:2]):
        embedded_postgres.ensure_unless_configured()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
