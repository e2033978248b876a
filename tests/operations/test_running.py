"""Jobs tell how they went; those that stand still are told to staff, once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from candidates.models import User
from icg_cert import celery
from icg_cert.celery import JOBS
from icg_cert.mail.models import Message
from icg_cert.operations import running
from icg_cert.operations.models import Job
from tests.factories import MICROSECOND, at, make_user
from tests.threads import run_at_once

pytestmark = pytest.mark.django_db

NOON, QUARTER = at(2027, 5, 10, 12), timedelta(minutes=15)
SEND, WATCH = "icg_cert.mail.tasks.send_outbox", "icg_cert.operations.tasks.watch_jobs"


def times(*moments: datetime) -> Callable[[], datetime]:
    left = iter(moments)
    return lambda: next(left)


def row(name: str = SEND) -> dict[str, object]:
    [found] = Job.objects.filter(name=name).values(
        "known_since", "began_at", "ended_at", "seconds", "done", "failed_at", "failures", "error"
    )
    return found


def fail() -> None:
    raise ZeroDivisionError("ada@example.org")


def test_job_that_ran_says_when_how_long_and_how_many() -> None:
    assert running.run(SEND, lambda: 7, now=times(NOON, NOON + timedelta(seconds=2))) == 7
    assert row() == {
        "known_since": NOON,
        "began_at": NOON,
        "ended_at": NOON + timedelta(seconds=2),
        "seconds": 2.0,
        "done": 7,
        "failed_at": None,
        "failures": 0,
        "error": "",
    }


def test_job_that_failed_says_how_often_and_nothing_of_what_it_said() -> None:
    running.run(SEND, lambda: 7, now=times(NOON, NOON))
    for minute in (1, 2):
        moment = NOON + timedelta(minutes=minute)
        with pytest.raises(ZeroDivisionError):
            running.run(SEND, fail, now=times(moment, moment))
    late = NOON + timedelta(minutes=2)
    assert row() == {
        "known_since": NOON,
        "began_at": late,
        "ended_at": NOON,
        "seconds": 0.0,
        "done": 7,
        "failed_at": late,
        "failures": 2,
        "error": "ZeroDivisionError",
    }
    running.run(SEND, lambda: None, now=times(late, late))
    assert (row()["ended_at"], row()["failures"], row()["error"], row()["done"]) == (late, 0, "", None)


@pytest.mark.parametrize("answer", [True, None, "all"])
def test_answer_that_is_no_number_counts_nothing(answer: object) -> None:
    assert running.run(SEND, lambda: answer, now=times(NOON, NOON)) == answer
    assert row()["done"] is None


@pytest.mark.parametrize(("after", "is_late"), [(QUARTER - MICROSECOND, False), (QUARTER, True)])
def test_job_is_late_a_quarter_of_an_hour_after_it_did_what_it_should(after: timedelta, is_late: bool) -> None:
    running.run(SEND, lambda: 0, now=times(NOON, NOON))
    assert [job.is_late(NOON + after) for job in Job.objects.all()] == [is_late]
    assert Job.objects.late(NOON + after).exists() == is_late


def test_job_that_never_came_is_late_as_well() -> None:
    running.know([SEND], at=NOON)
    running.know([SEND], at=NOON + QUARTER)
    assert not Job.objects.late(NOON + QUARTER - MICROSECOND).exists()
    assert Job.objects.late(NOON + QUARTER).exists()


def test_every_job_of_a_tick_has_its_row() -> None:
    call_command("tick")
    assert set(Job.objects.filter(ended_at__isnull=False, failures=0).values_list("name", flat=True)) == set(JOBS)


def test_task_that_is_no_job_has_no_row() -> None:
    celery.app.tasks["tests.seventh.plain"].apply(throw=True)
    assert not Job.objects.exists()


@celery.app.task(name="tests.seventh.plain")
def seventh() -> int:
    return 7


def told() -> list[tuple[str, str]]:
    return [(message.to, message.subject) for message in Message.objects.order_by("pk")]


def all_ran(moment: datetime) -> None:
    for name in JOBS:
        running.run(name, lambda: 0, now=times(moment, moment))


def test_nobody_is_told_while_all_run(staff: User) -> None:
    all_ran(NOON)
    assert running.tell_late(wall=NOON + QUARTER - MICROSECOND, at=NOON) == 0
    assert told() == []


def test_nobody_is_told_when_the_portal_is_new(staff: User) -> None:
    assert running.tell_late(wall=NOON, at=NOON) == 0
    assert Job.objects.count() == len(JOBS)


def test_staff_are_told_once_of_a_job_that_stands_still(staff: User, lead: User) -> None:
    make_user("Gone Gray", "staff", is_active=False)
    all_ran(NOON)
    later = NOON + QUARTER
    for name in JOBS.keys() - {SEND}:
        running.run(name, lambda: 0, now=times(later, later))
    for minute in range(3):
        assert running.tell_late(wall=later + timedelta(minutes=minute), at=later) == 1
    assert told() == [(staff.email, "1 of the portal's jobs stands still")]
    [mail] = Message.objects.all()
    assert "- Sends mail\n" in mail.body_text
    assert "10 May 2027, 12:00 p.m. Central Time" in mail.body_text


def test_staff_are_told_anew_of_another_standstill(staff: User) -> None:
    all_ran(NOON)
    later = NOON + 4 * QUARTER
    assert running.tell_late(wall=later, at=later) == len(JOBS)
    all_ran(later)
    assert running.tell_late(wall=later, at=later) == 0
    assert running.tell_late(wall=later + QUARTER, at=later + QUARTER) == len(JOBS)
    assert told() == [(staff.email, "The portal's jobs stood still")] * 2


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_tell_once(staff: User) -> None:
    all_ran(NOON)
    run_at_once(lambda: running.tell_late(wall=NOON + QUARTER, at=NOON), times=2)
    assert len(told()) == 1
