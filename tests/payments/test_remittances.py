from datetime import date, timedelta
from typing import Any

import pytest

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import allocation, ledger, remittances
from payments.models import Allocation, Invoice, LedgerEntry, Refund, Remittance
from tests.factories import make_payer
from tests.payments.conftest import NOW
from tests.payments.districts import account, billed, coach, left, owed, pay, status
from tests.threads import run_at_once

pytestmark = pytest.mark.django_db


def given(remittance: Remittance) -> list[tuple[int, int, bool]]:
    """Seat, amount, whether it still stands."""
    rows = remittance.allocations.order_by("pk").values_list("seat", "amount_minor", "undone_at")
    return [(seat, minor, undone is None) for seat, minor, undone in rows]


def refusal_of(work: Any) -> str:
    with pytest.raises(Refused) as refused:
        work()
    return refused.value.code


def test_a_check_pays_for_the_seats_of_an_invoice(finance: User) -> None:
    ada, ben = coach("Ada Abara"), coach("Ben Borges")
    invoice = billed([ada, ben, None])
    payer = invoice.order.payer
    check = pay(payer, finance, 120000, invoice)
    assert (status(ada), status(ben), owed(invoice.order), left(check)) == ("paid", "paid", [0], 0)
    assert account(ada) == [("transfer", 40000)]
    assert account(payer) == [("po_money", 120000), ("transfer", -40000), ("transfer", -40000)]
    assert {entry.corrects for entry in LedgerEntry.objects.filter(kind="transfer")} == {check.entry}
    told = Message.objects.filter(event="purchase_order_paid").order_by("pk").values_list("to", flat=True)
    assert list(told) == [ada.user.email, ben.user.email]


def test_money_for_a_free_seat_waits_at_the_payer(finance: User) -> None:
    invoice = billed([None])
    pay(invoice.order.payer, finance, 40000, invoice)
    assert (account(invoice.order.payer), owed(invoice.order)) == ([("po_money", 40000)], [0])


def test_without_an_invoice_all_of_it_is_credit(finance: User) -> None:
    invoice = billed([coach()])
    check = pay(invoice.order.payer, finance, 40000)
    assert (left(check), owed(invoice.order), given(check)) == (40000, [40000], [])


@pytest.mark.payment_case(65)
def test_one_check_for_two_invoices(finance: User) -> None:
    ada, ben = coach(), coach()
    first, second = billed([ada]), billed([ben, None])
    check = pay(first.order.payer, finance, 120000, first, second)
    assert (status(ada), status(ben), owed(first.order, second.order), left(check)) == ("paid", "paid", [0, 0], 0)
    assert LedgerEntry.objects.filter(kind="po_money").count() == 1


@pytest.mark.payment_case(66)
def test_a_short_check_pays_the_oldest_lines_and_seats_stay_held(finance: User) -> None:
    ada, ben, cleo = coach(), coach(), coach()
    older, newer = billed([ada, ben]), billed([cleo], decided_at=NOW + timedelta(days=1))
    check = pay(older.order.payer, finance, 50000, newer, older)
    assert [(minor, stands) for _, minor, stands in given(check)] == [(40000, True), (10000, True)]
    assert [status(each) for each in (ada, ben, cleo)] == ["paid", "po_committed", "po_committed"]
    assert (owed(older.order, newer.order), left(check)) == ([30000, 40000], 0)


@pytest.mark.payment_case(66)
def test_a_short_check_pays_the_seats_that_finance_chose(finance: User) -> None:
    ada, ben = coach(), coach()
    invoice = billed([ada, ben])
    chosen = invoice.order.seats.get(registration=ben)
    pay(invoice.order.payer, finance, 40000, invoice, seats=[chosen.pk])
    assert (status(ada), status(ben), owed(invoice.order)) == ("po_committed", "paid", [40000])


@pytest.mark.payment_case(66)
def test_a_second_check_fills_what_the_first_began(finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    pay(invoice.order.payer, finance, 15000, invoice)
    assert (status(ada), owed(invoice.order)) == ("po_committed", [25000])
    pay(invoice.order.payer, finance, 25000, invoice, number="1002")
    assert (status(ada), owed(invoice.order)) == ("paid", [0])
    assert account(ada) == [("transfer", 15000), ("transfer", 25000)]


@pytest.mark.payment_case(67)
def test_excess_is_credit_and_pays_for_no_other_seat(finance: User) -> None:
    ada, ben = coach(), coach()
    first, other = billed([ada]), billed([ben])
    check = pay(first.order.payer, finance, 90000, first)
    assert (left(check), status(ada), status(ben), owed(other.order)) == (50000, "paid", "po_committed", [40000])


@pytest.mark.payment_case(67)
def test_credit_can_be_allocated_later(finance: User) -> None:
    ada, ben = coach(), coach()
    first, other = billed([ada]), billed([ben])
    check = pay(first.order.payer, finance, 90000, first)
    seat = other.order.seats.get()
    allocation.allocate(check.pk, [seat.pk], by=finance, at=NOW)
    assert (left(check), status(ben), owed(other.order)) == (10000, "paid", [0])
    assert refusal_of(lambda: allocation.allocate(check.pk, [seat.pk], by=finance, at=NOW)) == "seat-not-open"


@pytest.mark.payment_case(67)
def test_what_is_asked_back_is_no_credit_any_more(finance: User) -> None:
    invoice, other = billed([coach()]), billed([coach()])
    check = pay(invoice.order.payer, finance, 90000, invoice)
    Refund.objects.create(
        entry=check.entry, amount_minor=30000, currency="USD", reason="x", requested_by=finance, requested_at=NOW
    )
    assert left(check) == 20000
    allocation.allocate(check.pk, [other.order.seats.get().pk], by=finance, at=NOW)
    assert (left(check), owed(other.order)) == (0, [20000])


@pytest.mark.payment_case(26)
def test_another_payer_s_invoices_and_seats_are_refused(finance: User) -> None:
    mine, theirs = billed([coach()]), billed([coach()], payer=make_payer("Hillside"))
    payer = mine.order.payer
    assert refusal_of(lambda: pay(payer, finance, 40000, theirs)) == "invoice-strange"
    seats = [theirs.order.seats.get().pk]
    assert refusal_of(lambda: pay(payer, finance, 40000, mine, seats=seats)) == "seat-not-open"
    assert (Remittance.objects.count(), LedgerEntry.objects.count()) == (0, 0)


@pytest.mark.payment_case(69)
def test_the_same_check_twice_is_one(finance: User) -> None:
    invoice = billed([coach()])
    payer = invoice.order.payer
    once = pay(payer, finance, 40000, invoice, number="00 1001")
    assert pay(payer, finance, 40000, invoice, number="#001001") == once
    assert refusal_of(lambda: pay(payer, finance, 41000, invoice)) == "remittance-known"
    assert refusal_of(lambda: pay(payer, finance, 40000, invoice, received_on=date(2026, 12, 8))) == "remittance-known"
    assert (Remittance.objects.count(), Allocation.objects.count()) == (1, 1)
    other = pay(make_payer("Hillside"), finance, 41000)
    assert (other.number, Remittance.objects.count()) == ("1001", 2)


@pytest.mark.payment_case(69)
@pytest.mark.django_db(transaction=True)
def test_the_same_check_from_two_desks_at_once_is_one(finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    payer = invoice.order.payer
    entered = run_at_once(lambda: pay(payer, finance, 40000, invoice).pk, times=4)
    assert (len(set(entered)), account(ada)) == (1, [("transfer", 40000)])


@pytest.mark.payment_case(69)
@pytest.mark.django_db(transaction=True)
def test_the_same_check_at_once_is_one_where_nothing_was_ordered(finance: User) -> None:
    """No order and no registration to wait for: the payer alone keeps the two apart."""
    payer = make_payer()
    assert len(set(run_at_once(lambda: pay(payer, finance, 40000).pk, times=4))) == 1
    assert account(payer) == [("po_money", 40000)]


@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_never_pay_a_seat_twice(finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    numbers = iter(["1", "2"])
    checks = run_at_once(lambda: pay(invoice.order.payer, finance, 40000, invoice, number=next(numbers)), times=2)
    assert sorted(left(check) for check in checks) == [0, 40000]
    assert (account(ada), status(ada)) == ([("transfer", 40000)], "paid")


@pytest.mark.payment_case(68)
def test_a_bounced_check_is_reversed(finance: User) -> None:
    ada = coach()
    first, second = billed([ada, None]), billed([None])
    payer = first.order.payer
    check = pay(payer, finance, 150000, first, second)
    remittances.reverse(check.pk, reason=" Insufficient funds. ", by=finance, at=NOW)
    check.refresh_from_db()
    assert (check.reversed_by, check.reversed_at, check.reversal_reason) == (finance, NOW, "Insufficient funds.")
    assert account(ada) == [("transfer", 40000), ("transfer", -40000)]
    assert account(payer) == [
        ("po_money", 150000), ("transfer", -40000), ("transfer", 40000), ("reversal", -150000),
    ]  # fmt: skip
    assert (status(ada), owed(first.order, second.order), left(check)) == ("po_committed", [80000, 40000], 0)
    assert [stands for *_, stands in given(check)] == [False, False, False]
    assert ledger.balance(ada) == Money(0)
    assert Event.objects.get(verb="remittance.reverse").reason == "Insufficient funds."


@pytest.mark.payment_case(68)
def test_reversing_twice_is_once_and_only_the_office_of_the_payer_is_told(finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    check = pay(invoice.order.payer, finance, 40000, invoice)
    Message.objects.all().delete()
    for reason in ("No such account.", "Said again."):
        remittances.reverse(check.pk, reason=reason, by=finance, at=NOW)
    assert LedgerEntry.objects.get(kind="reversal").reason == "No such account."
    assert Remittance.objects.get().reversal_reason == "No such account."
    assert list(Message.objects.order_by("pk").values_list("event", "to")) == [
        ("remittance_reversed", invoice.order.payer.email),
        ("remittance_reversed", "connie@example.org"),
    ]
    assert "INV-2026-0001 ($400.00 USD)" in Message.objects.all()[0].body_text


@pytest.mark.payment_case(68)
def test_a_bounced_check_pays_for_nothing_more_and_its_number_is_used(finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    payer = invoice.order.payer
    check = pay(payer, finance, 40000)
    remittances.reverse(check.pk, reason="x", by=finance, at=NOW)
    seat = invoice.order.seats.get().pk
    assert refusal_of(lambda: allocation.allocate(check.pk, [seat], by=finance, at=NOW)) == "remittance-reversed"
    assert refusal_of(lambda: pay(payer, finance, 40000, invoice)) == "remittance-reversed"
    pay(payer, finance, 40000, invoice, number="1001-2")
    assert (status(ada), owed(invoice.order)) == ("paid", [0])


@pytest.mark.payment_case(68)
def test_a_reversal_needs_a_reason_and_no_return_under_way(finance: User) -> None:
    check = pay(make_payer(), finance, 40000)
    assert refusal_of(lambda: remittances.reverse(check.pk, reason="  ", by=finance, at=NOW)) == "reason-missing"
    Refund.objects.create(
        entry=check.entry, amount_minor=40000, currency="USD", reason="x", requested_by=finance, requested_at=NOW
    )
    assert refusal_of(lambda: remittances.reverse(check.pk, reason="x", by=finance, at=NOW)) == "refund-waits"
    assert LedgerEntry.objects.filter(kind="reversal").count() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": " # "}, "number-empty"),
        ({"amount": 0}, "amount-wrong"),
        ({"amount": -1}, "amount-wrong"),
        ({"received_on": date(2026, 12, 11)}, "date-future"),
    ],
)
def test_enter_looks_at_what_is_typed(finance: User, changes: dict[str, Any], code: str) -> None:
    payer = make_payer()
    asked = {"amount": 40000, **changes}
    assert refusal_of(lambda: pay(payer, finance, **asked)) == code
    assert LedgerEntry.objects.count() == 0


def test_a_void_invoice_takes_no_money(finance: User) -> None:
    invoice = billed([coach()])
    Invoice.objects.update(state="void")
    assert refusal_of(lambda: pay(invoice.order.payer, finance, 40000, invoice)) == "invoice-strange"
