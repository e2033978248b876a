"""Reminders: the marks to the microsecond, only who has something to do, once; and the jobs as the tick runs them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates.models import Extension, Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from portfolios import reminders, submission, tasks
from portfolios.models import Entry, Upload
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_registration,
    make_requirement,
    make_user,
)
from tests.portfolios.handing_in import hand_in

CLOSES = at(2027, 6, 16)


@pytest.mark.parametrize(
    ("before", "days"),
    [
        (timedelta(days=30, microseconds=1), None),
        (timedelta(days=30), 30),
        (timedelta(days=14, microseconds=1), 30),
        (timedelta(days=14), 14),
        (timedelta(days=7), 7),
        (timedelta(days=1), 1),
        (MICROSECOND, 1),
        (timedelta(0), None),
    ],
)
def test_marks(before: timedelta, days: int | None) -> None:
    assert reminders.mark(CLOSES, CLOSES - before) == days


def run(when: datetime) -> list[str]:
    """What one tick sends, by address."""
    before = set(Message.objects.values_list("pk", flat=True))
    for pair in list(reminders.due(when)):
        reminders.remind(*pair, at=when)
    return sorted(Message.objects.exclude(pk__in=before).values_list("to", flat=True))


@pytest.fixture
def candidates(candidate: User, stranger: User) -> list[Registration]:
    """Ada has a draft; Ben has submitted; Dee has not paid; Eve is in her second year with nothing handed in."""
    make_cycle(2027)
    make_requirement()
    ada, ben = make_registration(candidate), make_registration(stranger)
    make_entry(ada)
    make_entry(ben, status=Entry.Status.SUBMITTED)
    make_registration(make_user(email="dee@example.org"), payment_status="unpaid")
    make_registration(make_user(email="eve@example.org"), make_cohort(2025))
    return [ada, ben]


def test_who_has_something_to_do_is_reminded_once_a_mark(candidates: list[Registration]) -> None:
    both = ["ada@example.org", "eve@example.org"]
    instants = [CLOSES - timedelta(days=days) for days in (30, 14, 7, 1)]
    assert run(instants[0] - MICROSECOND) == []
    assert [run(when) for when in instants] == [both] * 4
    assert [list(reminders.due(when + timedelta(minutes=1))) for when in instants] == [[]] * 4
    assert run(CLOSES) == []


def test_late_tick_sends_the_latest_mark_alone(candidates: list[Registration]) -> None:
    assert run(CLOSES - timedelta(days=5)) == ["ada@example.org", "eve@example.org"]
    assert {message.subject for message in Message.objects.all()} == {"7 days to hand in your entries"}


def test_reminder_names_what_is_open(candidates: list[Registration]) -> None:
    run(CLOSES - timedelta(days=1))
    told = Message.objects.get(to="ada@example.org")
    assert told.subject == "1 day to hand in your entries"
    assert "- 1. Factor 1" in told.body_text
    assert "15 June 2027" in told.body_text


def test_submitting_ends_the_reminders(candidates: list[Registration]) -> None:
    Entry.objects.filter(registration=candidates[0]).delete()
    make_entry(candidates[0], status=Entry.Status.SUBMITTED)
    assert run(CLOSES - timedelta(days=7)) == ["eve@example.org"]


def test_second_year_ends_when_all_factors_are_handed_in(candidates: list[Registration]) -> None:
    eve = Registration.objects.get(user__email="eve@example.org")
    make_entry(eve, cycle=make_cycle(2026), status=Entry.Status.LOCKED)
    assert run(CLOSES - timedelta(days=7)) == ["ada@example.org"]


def test_third_year_reminds_of_retakes(candidates: list[Registration]) -> None:
    fay = make_registration(make_user(email="fay@example.org"), make_cohort(2024))
    assert "fay@example.org" not in run(CLOSES - timedelta(days=30))
    make_entry(fay, cycle=make_cycle(2025), status=Entry.Status.LOCKED, outcome=Entry.Outcome.FELL_SHORT)
    assert "fay@example.org" in run(CLOSES - timedelta(days=7))


def test_extension_moves_the_marks_of_one_person(candidates: list[Registration], staff: User) -> None:
    Extension.objects.create(
        registration=candidates[0],
        cycle=make_cycle(2027),
        closes_at=CLOSES + timedelta(days=10),
        reason="Outage",
        granted_by=staff,
        granted_at=CLOSES,
    )
    assert run(CLOSES - timedelta(days=1)) == ["ada@example.org", "eve@example.org"]
    assert "14 days" in Message.objects.get(to="ada@example.org").subject
    assert run(CLOSES + timedelta(days=9)) == ["ada@example.org"]


def test_looking_for_the_due_costs_the_same_for_many(
    candidates: list[Registration], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    when = CLOSES - timedelta(days=7)
    with django_assert_num_queries(5):
        assert len(list(reminders.due(when))) == 2
    for _ in range(2):
        make_registration(make_user())
    with django_assert_num_queries(5):
        assert len(list(reminders.due(when))) == 4


# ---- The jobs


def test_jobs_carry_a_cycle_over_its_closing(candidate: User, noon: datetime) -> None:
    make_requirement()
    entry = make_entry(make_registration(candidate))
    hand_in(entry, make_requirement(), noon)
    clock.jump_to(CLOSES + timedelta(days=1))
    assert [tasks.check_uploads(), tasks.expire_uploads(), tasks.lock_entries()] == [1, 0, 1]
    entry.refresh_from_db()
    assert (entry.status, entry.was_auto_submitted) == ("locked", True)
    assert [tasks.check_uploads(), tasks.expire_uploads(), tasks.lock_entries()] == [0, 0, 0]


def test_job_expires_what_was_not_finished(entry: Entry, noon: datetime, candidate: User) -> None:
    upload = Upload.objects.create(
        owner=candidate,
        entry=entry,
        requirement=make_requirement(),
        extension=".pdf",
        size=10,
        part_size=10,
        storage_key="uploads/x",
        created_at=noon,
    )
    clock.jump_to(noon + timedelta(days=2))
    assert tasks.expire_uploads() == 1
    upload.refresh_from_db()
    assert upload.state == "expired"


def test_one_failure_keeps_no_other_from_its_turn(
    candidate: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [make_entry(make_registration(user), make_factor()) for user in (candidate, stranger)]
    lock = submission.lock_and_auto_submit

    def sometimes(pk: int, **kwargs: Any) -> str:
        if pk == entries[0].pk:
            raise RuntimeError("a defect")
        return lock(pk, **kwargs)

    monkeypatch.setattr(submission, "lock_and_auto_submit", sometimes)
    clock.jump_to(CLOSES + timedelta(days=1))
    assert tasks.lock_entries() == 1
    assert sorted(Entry.objects.values_list("status", flat=True)) == ["draft", "lapsed"]


def test_reminding_as_the_tick_does_it(candidates: list[Registration]) -> None:
    clock.jump_to(CLOSES - timedelta(days=1) + timedelta(minutes=1))
    assert tasks.remind_entries() == 2
    assert Message.objects.filter(event="reminder_entries").count() == 2
