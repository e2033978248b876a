"""Submission directions go out in advance, to whoever may hand something in, once."""

from datetime import datetime, timedelta

import pytest

from candidates.models import Cycle, Registration
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from portfolios.models import Entry
from portfolios.tasks import send_directions
from tests.factories import (
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_registration,
)

pytestmark = pytest.mark.django_db

A_MONTH_BEFORE = at(2027, 5, 1) - timedelta(days=30)


@pytest.fixture
def cycle() -> Cycle:
    make_factor()
    return make_cycle(2027, directions="Record in landscape.\n\nName nobody.")


def _sent(now: datetime) -> list[str]:
    clock.jump_to(now)
    send_directions()
    return sorted(Message.objects.filter(event="directions").values_list("to", flat=True))


@pytest.mark.parametrize(
    ("now", "is_sent"),
    [
        (A_MONTH_BEFORE - timedelta(seconds=5), False),
        (A_MONTH_BEFORE, True),
        (at(2027, 6, 15, 23, 59), True),
        (at(2027, 6, 16), False),
    ],
)
def test_send_directions_from_a_month_before_until_closing(cycle: Cycle, now: datetime, is_sent: bool) -> None:
    registration = make_registration()
    assert _sent(now) == ([registration.user.email] if is_sent else [])


def test_send_directions_says_the_window_and_what_staff_wrote(cycle: Cycle) -> None:
    make_registration()
    _sent(A_MONTH_BEFORE)
    message = Message.objects.get(event="directions")
    assert message.subject == "How to hand in your entries in 2027"
    for part in (message.body_text, message.body_html):
        assert "Record in landscape." in part
        assert "1 May 2027, 12:00 a.m. Central Time" in part
        assert "the end of 15 June 2027, Central Time" in part


def test_send_directions_once_and_to_who_joins_later(cycle: Cycle) -> None:
    first = make_registration().user.email
    assert _sent(A_MONTH_BEFORE) == [first]
    second = make_registration().user.email
    assert _sent(A_MONTH_BEFORE + timedelta(days=1)) == sorted([first, second])


def test_send_directions_waits_until_staff_have_written_them(cycle: Cycle) -> None:
    registration = make_registration()
    Cycle.objects.update(directions="")
    assert _sent(A_MONTH_BEFORE) == []
    Cycle.objects.update(directions="At last.")
    assert _sent(A_MONTH_BEFORE) == [registration.user.email]


def test_send_directions_only_to_who_takes_part(cycle: Cycle) -> None:
    make_registration(payment_status=Registration.Payment.UNPAID)
    make_registration(status=Registration.Status.WITHDRAWN)
    make_registration(cohort=make_cohort(2023))
    assert _sent(A_MONTH_BEFORE) == []


def test_send_directions_not_to_who_has_nothing_left_to_hand_in(cycle: Cycle) -> None:
    done, to_retake = (make_registration(cohort=make_cohort(year)) for year in (2025, 2024))
    factor = make_factor()
    make_entry(done, factor, make_cycle(2026), status=Entry.Status.LOCKED)
    make_entry(to_retake, factor, make_cycle(2025), status=Entry.Status.LOCKED, outcome=Entry.Outcome.FELL_SHORT)
    assert _sent(A_MONTH_BEFORE) == [to_retake.user.email]
