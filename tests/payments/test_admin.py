from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from payments.models import LedgerEntry, PurchaseOrder
from tests.factories import make_attempt, make_ledger_entry, make_purchase_order, make_registration
from tests.payments.conftest import NOW

LISTS = ["purchaseorder", "ledgerentry", "attempt", "remittance", "account"]


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


@pytest.fixture
def order(unpaid: Registration) -> PurchaseOrder:
    Registration.objects.update(payment_status="po_requested")
    return make_purchase_order(unpaid)


def address(order: PurchaseOrder, name: str) -> str:
    return reverse(f"admin:payments_purchaseorder_{name}", args=[order.pk])


def buttons(response: HttpResponse) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [link.get_text(strip=True) for link in page.select(".object-tools a")]


@pytest.mark.parametrize("name", LISTS)
def test_lists_can_be_looked_at_and_not_changed(
    desk: Any, staff: User, finance: User, order: PurchaseOrder, name: str
) -> None:
    for person in (staff, finance):
        page = desk(person).get(reverse(f"admin:payments_{name}_changelist"))
        assert page.status_code == 200
        assert desk(person).get(reverse(f"admin:payments_{name}_add")).status_code == 403


def test_order_offers_what_the_person_may_do(desk: Any, staff: User, finance: User, order: PurchaseOrder) -> None:
    seen = []
    for state in ("submitted", "accepted", "refused"):
        PurchaseOrder.objects.update(state=state)
        seen.append([buttons(desk(person).get(address(order, "change")))[:-2] for person in (staff, finance)])
    assert seen == [
        [["Accept", "Refuse", "Cancel"], []],
        [["Cancel"], ["Enter money"]],
        [[], []],
    ]


def test_accept_asks_first_and_then_holds_the_seat(
    desk: Any, staff: User, unpaid: Registration, order: PurchaseOrder
) -> None:
    assert b"The seat is held from now on" in desk(staff).get(address(order, "accept")).content
    assert PurchaseOrder.objects.get().state == "submitted"
    desk(staff).post(address(order, "accept"), {"asked": "1"})
    unpaid.refresh_from_db()
    assert (PurchaseOrder.objects.get().decided_by, unpaid.payment_status) == (staff, "po_committed")


def test_refuse_needs_a_reason(desk: Any, staff: User, order: PurchaseOrder) -> None:
    response = desk(staff).post(address(order, "refuse"), {"reason": ""})
    assert b"Say why, in words the candidate can act on." in response.content
    assert PurchaseOrder.objects.get().state == "submitted"
    desk(staff).post(address(order, "refuse"), {"reason": "Not signed."})
    assert (PurchaseOrder.objects.get().state, PurchaseOrder.objects.get().reason) == ("refused", "Not signed.")


@pytest.mark.parametrize("name", ["accept", "refuse", "cancel"])
def test_finance_does_not_judge_orders(desk: Any, finance: User, order: PurchaseOrder, name: str) -> None:
    assert desk(finance).post(address(order, name), {"reason": "x", "asked": "1"}).status_code == 403
    assert PurchaseOrder.objects.get().state == "submitted"


MONEY = {"kind": "ach", "number": "T-9", "amount": "400.00", "received_on": "2026-12-09"}


def test_finance_enters_money_and_staff_do_not(
    desk: Any, staff: User, finance: User, unpaid: Registration, order: PurchaseOrder
) -> None:
    PurchaseOrder.objects.update(state="accepted", decided_by=staff)
    assert desk(staff).post(address(order, "money"), MONEY).status_code == 403
    desk(finance).post(address(order, "money"), MONEY)
    unpaid.refresh_from_db()
    assert (LedgerEntry.objects.get().actor, unpaid.payment_status) == (finance, "paid")


def test_a_refused_entry_keeps_what_was_typed(desk: Any, staff: User, finance: User, order: PurchaseOrder) -> None:
    PurchaseOrder.objects.update(state="accepted", decided_by=staff)
    response = desk(finance).post(address(order, "money"), {**MONEY, "received_on": "2027-12-09"})
    page = BeautifulSoup(response.content, "html.parser")
    assert page.select_one("[name=number]")["value"] == "T-9"  # type: ignore[index]
    assert "This date has not come yet." in page.get_text()
    assert LedgerEntry.objects.count() == 0


@pytest.mark.parametrize("person", ["candidate", "scorer", "lead"])
def test_nobody_else_gets_in(desk: Any, order: PurchaseOrder, person: str, request: pytest.FixtureRequest) -> None:
    client = desk(request.getfixturevalue(person))
    assert [client.get(address(order, name)).status_code for name in ("change", "accept", "money")] == [302, 302, 302]


def test_accept_of_several_says_which_were_not(
    desk: Any, staff: User, order: PurchaseOrder, unpaid: Registration
) -> None:
    short = make_purchase_order(make_registration(payment_status="po_requested"), number="9", amount_minor=1)
    posted = {"action": "accept_selected", "_selected_action": [order.pk, short.pk]}
    response = desk(staff).post(reverse("admin:payments_purchaseorder_changelist"), posted, follow=True)
    assert b"accepted. The candidate is told." in response.content
    assert b"must cover the whole fee" in response.content
    assert list(PurchaseOrder.objects.order_by("pk").values_list("state", flat=True)) == ["accepted", "submitted"]


def test_balance_shows_everything_about_one_account(desk: Any, finance: User, unpaid: Registration) -> None:
    make_ledger_entry(unpaid, attempt=make_attempt(unpaid, state="paid"), txn_ref="charge_77")
    page = desk(finance).get(reverse("admin:payments_account_change", args=[unpaid.pk]))
    assert page.status_code == 200
    for part in (b"charge_77", b"$400.00 USD", b"Paid"):
        assert part in page.content


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("name", "queries"), [("purchaseorder", 10), ("ledgerentry", 9), ("attempt", 9), ("account", 7)]
)
def test_lists_take_the_same_number_of_queries(
    desk: Any, finance: User, rows: int, name: str, queries: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        registration = make_registration(payment_status="po_requested")
        make_purchase_order(registration)
        make_ledger_entry(registration, attempt=make_attempt(registration))
    client = desk(finance)
    url = reverse(f"admin:payments_{name}_changelist")
    client.get(url)
    with django_assert_num_queries(queries):
        client.get(url)
