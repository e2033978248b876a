from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from tests.factories import make_attempt, make_ledger_entry, make_purchase_order, make_quote, make_registration
from tests.payments.conftest import NOW

LISTS = ["purchaseorder", "seat", "quote", "payer", "ledgerentry", "attempt", "account"]


@pytest.fixture(autouse=True)
def _office(db: None) -> Iterator[None]:
    grant_roles()
    clock.jump_to(NOW)
    yield
    clock.reset()


@pytest.fixture
def desk() -> Callable[[User], Client]:
    def of(person: User) -> Client:
        client = Client()
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return of


@pytest.mark.parametrize("name", LISTS)
def test_lists_can_be_looked_at_and_not_changed(desk: Any, staff: User, finance: User, name: str) -> None:
    for person in (staff, finance):
        assert desk(person).get(reverse(f"admin:payments_{name}_changelist")).status_code == 200
        assert desk(person).get(reverse(f"admin:payments_{name}_add")).status_code == 403


def test_balance_shows_everything_about_one_account(desk: Any, finance: User, unpaid: Registration) -> None:
    make_ledger_entry(unpaid, attempt=make_attempt(unpaid, state="paid"), txn_ref="charge_77")
    page = desk(finance).get(reverse("admin:payments_account_change", args=[unpaid.pk]))
    assert page.status_code == 200
    for part in (b"charge_77", b"$400.00 USD", b"Paid"):
        assert part in page.content


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("purchaseorder", 9),
        ("seat", 7),
        ("quote", 9),
        ("ledgerentry", 9),
        ("attempt", 9),
        ("account", 7),
    ],
)
def test_lists_take_the_same_number_of_queries(
    desk: Any, finance: User, rows: int, name: str, queries: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        registration = make_registration(payment_status="po_requested")
        make_purchase_order(registration)
        make_quote(registration)
        make_ledger_entry(registration, attempt=make_attempt(registration))
    client = desk(finance)
    url = reverse(f"admin:payments_{name}_changelist")
    client.get(url)
    with django_assert_num_queries(queries):
        client.get(url)
