"""`manage.py process_media`: make films ready to be watched, one after the other. Run as many as there are processors.

They share the rows and know nothing of each other. SIGTERM or Ctrl-C ends one cleanly: what it had in hand is taken up
by the next.
"""

import logging
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from icg_cert.lib import clock
from portfolios import processing

logger = logging.getLogger(__name__)
NAP = 0.2


class Command(BaseCommand):
    help = "Make films ready to be watched until told to end; with --once, until none is due (for cron)."
    is_stopping = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when no film is due")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if options["once"]:
            while not self.is_stopping and self._work():
                pass
        while not (options["once"] or self.is_stopping):
            self._work_or_rest()

    def _stop(self, *of: Any) -> None:
        self.is_stopping = True

    def _work(self) -> bool:
        close_old_connections()
        return processing.process_next(now=clock.now, is_stopping=lambda: self.is_stopping)

    def _work_or_rest(self) -> None:
        try:
            worked = self._work()
        except Exception:  # a database that restarts must not end who waits for it
            logger.exception("media worker: no film could be taken")
            worked = False
        for _ in range(0 if worked else round(settings.MEDIA_POLL_SECONDS / NAP)):
            if not self.is_stopping:
                time.sleep(NAP)
