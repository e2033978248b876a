from datetime import timedelta
from typing import Any

import pytest

from candidates.models import Registration, User
from icg_cert.lib.next_step import NextStep
from payments.next_steps import next_step
from tests.factories import MICROSECOND, make_purchase_order, make_registration
from tests.payments.conftest import NOW


@pytest.mark.parametrize(
    ("card", "paypal", "ways"),
    [
        ("", "", "By a purchase order of your district"),
        ("sk_test_words", "", "By card, or a purchase order of your district"),
        ("sk_test_words", "app", "By card, PayPal, or a purchase order of your district"),
    ],
)
def test_next_step_of_who_owes_the_fee_is_to_pay_it(
    unpaid: Registration, settings: Any, card: str, paypal: str, ways: str
) -> None:
    settings.STRIPE_SECRET_KEY, settings.PAYPAL_CLIENT_ID = card, paypal
    assert next_step(unpaid.user, NOW) == NextStep(
        "Pay your certification fee of $400.00 USD",
        f"{ways}. Your registration is complete once the fee is settled.",
        f"/pay/{unpaid.pk}/",
        "Choose how to pay",
        deadline=unpaid.cohort.registration_closes_at,
    )


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        ("unpaid", ("Pay your certification fee of $400.00 USD", "todo")),
        ("partly_paid", ("Pay your certification fee of $400.00 USD", "todo")),
        ("refunded", ("Pay your certification fee of $400.00 USD", "todo")),
        ("pending", ("Your payment is being confirmed", "wait")),
        ("po_requested", ("Your purchase order is being checked", "wait")),
        ("po_committed", None),
        ("paid", None),
        ("overpaid", None),
        ("disputed", None),
    ],
)
def test_next_step_follows_the_payment(unpaid: Registration, payment: str, expected: tuple[str, str] | None) -> None:
    Registration.objects.update(payment_status=payment)
    step = next_step(unpaid.user, NOW)
    assert (step and (step.title, step.kind)) == expected


@pytest.mark.parametrize(("after", "is_there"), [(-MICROSECOND, True), (timedelta(0), False)])
def test_next_step_to_pay_ends_with_the_window(unpaid: Registration, after: timedelta, is_there: bool) -> None:
    step = next_step(unpaid.user, unpaid.cohort.registration_closes_at + after)
    assert (step is not None) == is_there


def test_next_step_of_an_ended_registration_is_nothing(unpaid: Registration) -> None:
    Registration.objects.update(status="withdrawn")
    assert next_step(unpaid.user, NOW) is None


def test_next_step_of_staff_is_to_check_purchase_orders(staff: User, finance: User, scorer: User) -> None:
    assert next_step(staff, NOW) is None
    titles = []
    for _ in range(2):
        make_purchase_order(make_registration(payment_status="po_requested"))
        titles.append(next_step(staff, NOW).title)  # type: ignore[union-attr]
    assert titles == ["1 purchase order waits for you", "2 purchase orders wait for you"]
    assert [next_step(person, NOW) for person in (finance, scorer)] == [None, None]


@pytest.mark.parametrize("rows", [1, 3])
def test_next_step_takes_the_same_number_of_queries(staff: User, rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        make_purchase_order(make_registration(payment_status="po_requested"))
    somebody = User.objects.get(pk=staff.pk)
    with django_assert_num_queries(3):  # own registration, roles, orders that wait
        next_step(somebody, NOW)
