"""What the portal needs to be of use: its database, its broker, its store, its jobs. One word or one sentence each."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from django.db import connection

from icg_cert.celery import JOBS, app
from icg_cert.operations.models import Job
from portfolios import storage

OK = "ok"
NO_SUCH_FILE = "readiness/no-such-file"


def report(at: datetime) -> dict[str, str]:
    """Each part and "ok", or what is wrong with it. Asks all of them, whichever fails; what they said stays here."""
    checks: dict[str, Callable[[datetime], str]] = {
        "database": _database,
        "broker": _broker,
        "store": _store,
        "jobs": _jobs,
    }
    return {part: _asked(check, at) for part, check in checks.items()}


def _asked(check: Callable[[datetime], str], at: datetime) -> str:
    try:
        return check(at)
    except Exception as error:  # whatever it is that does not answer, the others are asked
        return f"does not answer ({type(error).__name__})"


def _database(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _broker(at: datetime) -> str:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return OK


def _store(at: datetime) -> str:
    """A file that is not there: a store in order says just that."""
    with suppress(storage.Missing):
        storage.default().size(NO_SUCH_FILE)
    return OK


def _jobs(at: datetime) -> str:
    known = Job.objects.filter(name__in=JOBS)
    if not known.exists():
        return "none has run yet"
    late = list(known.late(at).values_list("name", flat=True))
    return f"late: {', '.join(late)}" if late else OK
