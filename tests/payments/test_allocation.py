from datetime import timedelta

import pytest
from django.db import transaction

from candidates.models import User
from icg_cert.lib.money import Money
from payments import allocation, ledger, remittances
from payments.models import Allocation, Seat
from tests.payments.conftest import NOW
from tests.payments.districts import account, billed, coach, left, owed, pay, status, take
from tests.threads import run_all_at_once

pytestmark = pytest.mark.django_db


def test_money_follows_whoever_takes_the_seat(finance: User) -> None:
    ada, invoice = coach("Ada Abara"), billed([None])
    pay(invoice.order.payer, finance, 40000, invoice)
    seat = take(invoice.order.seats.get(), ada)
    for _ in range(2):
        allocation.follow(seat, by=ada.user, at=NOW)
    assert (account(ada), status(ada)) == ([("transfer", 40000)], "paid")
    assert account(invoice.order.payer) == [("po_money", 40000), ("transfer", -40000)]


def test_nothing_follows_where_nothing_came() -> None:
    ada, invoice = coach(), billed([None])
    allocation.follow(take(invoice.order.seats.get(), ada), by=ada.user, at=NOW)
    assert (account(ada), status(ada)) == ([], "po_committed")


def test_a_seat_given_back_makes_its_money_the_payer_s(finance: User, staff: User) -> None:
    ada = coach()
    invoice = billed([ada])
    check = pay(invoice.order.payer, finance, 40000, invoice)
    seat = invoice.order.seats.get()
    seat.state = Seat.State.RELEASED
    seat.save()
    for _ in range(2):
        allocation.take_back(seat, by=staff, at=NOW)
    assert account(ada) == [("transfer", 40000), ("transfer", -40000)]
    assert (left(check), Allocation.objects.standing().count()) == (40000, 0)
    assert ledger.balance(ada) == Money(0)


def test_who_never_paid_themselves_was_not_refunded(finance: User, staff: User) -> None:
    """What a district gave and took again leaves the fee as it was before: not paid."""
    ada = coach()
    invoice = billed([ada])
    pay(invoice.order.payer, finance, 40000, invoice)
    seat = invoice.order.seats.get()
    seat.state = Seat.State.RELEASED
    seat.save()
    allocation.take_back(seat, by=staff, at=NOW)
    assert status(ada) == "unpaid"


def test_a_seat_that_is_free_again_keeps_its_money_for_the_next(finance: User, staff: User) -> None:
    ada, ben = coach(), coach()
    invoice = billed([ada])
    check = pay(invoice.order.payer, finance, 40000, invoice)
    seat = invoice.order.seats.get()
    seat.state, seat.registration = Seat.State.FREE, None
    seat.save()
    allocation.take_back(seat, by=staff, at=NOW)
    assert (owed(invoice.order), left(check), account(ben)) == ([0], 0, [])
    allocation.follow(take(seat, ben), by=staff, at=NOW)
    assert account(ada) == [("transfer", 40000), ("transfer", -40000)]
    assert (account(ben), status(ben)) == ([("transfer", 40000)], "paid")


def test_lines_are_what_is_open_oldest_order_first(finance: User) -> None:
    older, newer = billed([coach(), None]), billed([None], decided_at=NOW + timedelta(days=1))
    pay(older.order.payer, finance, 50000, older)
    released = newer.order.seats.create(price_minor=40000, currency="USD", state="released", released_at=NOW)
    lines = allocation.lines(older.order.payer)
    open_ = [(line.seat.order, line.open) for line in lines]
    assert open_ == [(older.order, Money(30000)), (newer.order, Money(40000))]
    assert released not in [line.seat for line in lines]


@pytest.mark.payment_case(65)
@pytest.mark.django_db(transaction=True)
def test_a_check_and_its_reversal_at_once_leave_whole_accounts(finance: User) -> None:
    ada, ben = coach(), coach()
    invoice = billed([ada, ben])
    payer = invoice.order.payer
    first = pay(payer, finance, 40000, invoice, number="1")
    run_all_at_once(
        [
            lambda: pay(payer, finance, 80000, invoice, number="2"),
            lambda: remittances.reverse(first.pk, reason="x", by=finance, at=NOW),
        ]
    )
    with transaction.atomic():
        open_seats = [line.seat.pk for line in allocation.lines(payer)]
    balances = [ledger.balance(each).minor for each in (ada, ben)]
    paid = [sum(a.amount_minor for a in seat.allocations.standing()) for seat in invoice.order.seats.order_by("pk")]
    assert balances == paid
    assert sum(amount for _, amount in account(payer)) + sum(balances) == 80000
    assert len(open_seats) == sum(amount == 0 for amount in paid)
