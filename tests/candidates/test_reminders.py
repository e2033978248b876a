from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates import reminders
from candidates.models import Registration
from icg_cert.mail.models import Message
from tests.factories import MICROSECOND, at, make_registration

CLOSES = at(2027, 2, 1)
REGISTERED = at(2026, 11, 15)


@pytest.mark.parametrize(
    ("instant", "days"),
    [
        (at(2027, 1, 2) - MICROSECOND, None),
        (at(2027, 1, 2), 30),
        (at(2027, 1, 18) - MICROSECOND, 30),
        (at(2027, 1, 18), 14),
        (at(2027, 1, 25), 7),
        (at(2027, 1, 31), 1),
        (CLOSES - MICROSECOND, 1),
        (CLOSES, None),
    ],
)
def test_days_due(instant: datetime, days: int | None) -> None:
    assert reminders.days_due(CLOSES, since=REGISTERED, at=instant) == days


def test_days_due_leaves_out_what_came_before_somebody_began() -> None:
    began = at(2027, 1, 20)
    assert reminders.days_due(CLOSES, since=began, at=at(2027, 1, 20, 1)) is None
    assert reminders.days_due(CLOSES, since=began, at=at(2027, 1, 25)) == 7


def test_days_due_are_days_of_the_wall_over_a_change_of_clocks() -> None:
    """From 10 to 17 March 2027 are seven days of 167 hours."""
    deadline = at(2027, 3, 17)
    assert reminders.days_due(deadline, since=REGISTERED, at=at(2027, 3, 10) - MICROSECOND) == 14
    assert reminders.days_due(deadline, since=REGISTERED, at=at(2027, 3, 10)) == 7


def keys() -> list[str]:
    return list(Message.objects.order_by("key").values_list("key", flat=True))


@pytest.mark.django_db
def test_remind_unpaid_writes_to_whoever_still_has_to_pay_once() -> None:
    payments = Registration.Payment.values
    rows = {payment: make_registration(payment_status=payment) for payment in payments}
    make_registration(payment_status="unpaid", status="withdrawn")
    instant = at(2027, 1, 25)
    assert [reminders.remind_unpaid(instant), reminders.remind_unpaid(instant + timedelta(hours=1))] == [3, 0]
    assert keys() == sorted(
        f"registration_unpaid:{rows[to_pay].pk}:7" for to_pay in ("unpaid", "partly_paid", "refunded")
    )
    mail = Message.objects.get(user=rows["unpaid"].user)
    assert mail.subject == "7 days left to complete your registration"
    assert "the end of 31 January 2027, Central Time" in mail.body_text


@pytest.mark.django_db
def test_remind_unpaid_through_the_whole_window_writes_four_times() -> None:
    row = make_registration(payment_status="unpaid")
    for day in range(95):
        reminders.remind_unpaid(at(2026, 11, 1) + timedelta(days=day, hours=12))
    assert keys() == sorted(f"registration_unpaid:{row.pk}:{days}" for days in (30, 14, 7, 1))


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [1, 3])
def test_remind_unpaid_asks_the_same_when_nothing_is_left(
    rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        make_registration(payment_status="unpaid")
    reminders.remind_unpaid(at(2027, 1, 25))
    with django_assert_num_queries(3):
        assert reminders.remind_unpaid(at(2027, 1, 25)) == 0


@pytest.mark.django_db
def test_remind_looks_again() -> None:
    row = make_registration(payment_status="paid")
    assert reminders.remind(row.pk, at=at(2027, 1, 25)) is False


@pytest.mark.django_db
def test_one_broken_reminder_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    good, broken = make_registration(payment_status="unpaid"), make_registration(payment_status="unpaid")
    Registration.objects.filter(pk=broken.pk).update(currency="XXX")
    assert reminders.remind_unpaid(at(2027, 1, 25)) == 1
    assert keys() == [f"registration_unpaid:{good.pk}:7"]
    assert f"reminder of registration {broken.pk} failed" in caplog.text
