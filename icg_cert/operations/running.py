"""Running a job so that its row tells of it, and telling staff of those that are late."""

from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db.models import F

from candidates.models import User
from candidates.permissions import STAFF
from icg_cert.celery import JOBS
from icg_cert.mail import outbox
from icg_cert.operations.models import Job


def run(name: str, work: Callable[[], Any], *, now: Callable[[], datetime]) -> Any:
    """What `work` answers, its row written before and after. A number counts as how many rows it moved.

    Two runs at once are harmless: the row tells of the one that ended last.
    """
    began = now()
    know([name], at=began)
    Job.objects.filter(name=name).update(began_at=began)
    try:
        answer = work()
    except Exception as error:
        _failed(name, error, at=now())
        raise
    _ended(name, answer, began, at=now())
    return answer


def know(names: Iterable[str], *, at: datetime) -> None:
    """Make the rows that are not there yet, so that a job that never comes is late one day, too."""
    Job.objects.bulk_create([Job(name=name, known_since=at) for name in names], ignore_conflicts=True)


def _failed(name: str, error: Exception, *, at: datetime) -> None:
    kind = type(error).__name__[:100]
    Job.objects.filter(name=name).update(failed_at=at, failures=F("failures") + 1, error=kind)


def _ended(name: str, answer: Any, began: datetime, *, at: datetime) -> None:
    done = answer if isinstance(answer, int) and not isinstance(answer, bool) else None
    seconds = (at - began).total_seconds()
    Job.objects.filter(name=name).update(ended_at=at, seconds=seconds, done=done, failures=0, error="")


def tell_late(*, wall: datetime, at: datetime) -> int:
    """Write to staff once for each set of jobs that came to a stop; how many jobs that are.

    When all of them stood still this is the first that runs again: then it tells what was late, and until when.
    """
    know(JOBS, at=wall)
    late = list(Job.objects.filter(name__in=JOBS).late(wall))
    if not late:
        return 0
    standstill = sha256(repr([(job.name, job.well_at) for job in late]).encode()).hexdigest()[:32]
    for person in User.objects.filter(groups__name=STAFF, is_active=True).order_by("pk"):
        outbox.queue(
            "jobs_late",
            to=person,
            key=f"jobs-late:{standstill}:{person.pk}",
            at=at,
            jobs=[JOBS[job.name] for job in late],
            since=min(job.well_at for job in late),
            is_all=len(late) >= len(JOBS) - 1,  # this job itself runs
        )
    return len(late)
