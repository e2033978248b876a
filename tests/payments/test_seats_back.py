"""Seats given back and handed on, one by one and with their order."""

import pytest

from candidates.models import Registration, User
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import ledger, purchase_orders, seat_codes, seats
from payments.models import CreditNote, PurchaseOrder
from tests.factories import (
    MICROSECOND,
    make_quote,
)
from tests.payments.conftest import NOW, hand_in
from tests.payments.districts import owed, pay, status
from tests.payments.seated import Coach, claim, codes, letters, states
from tests.payments.test_attempts import Begin, refusal_of
from tests.threads import run_all_at_once


def test_release_of_a_free_seat_by_the_contact_credits_it(bulk: PurchaseOrder) -> None:
    seat = bulk.seats.order_by("pk")[0]
    for _ in range(2):
        seats.release(seat.pk, reason="", by=None, at=NOW)
    assert (states(bulk), owed(bulk)) == (["released", "free", "free"], [80000])
    assert [note.money for note in CreditNote.objects.all()] == [Money(40000)]


def test_release_by_the_contact_is_for_free_seats_that_nobody_paid(
    bulk: PurchaseOrder, coach: Coach, finance: User
) -> None:
    first, second, third = bulk.seats.order_by("pk")
    claim(coach(), seat_codes.shown(first))
    pay(bulk.payer, finance, 80000, bulk.invoices.get())
    release = lambda seat: refusal_of(lambda: seats.release(seat.pk, reason="", by=None, at=NOW))  # noqa: E731
    assert [release(first), release(second), release(third)] == ["seat-taken", "seat-paid", ""]


def test_release_of_a_taken_seat_by_staff_needs_a_reason_and_tells_the_coach(
    bulk: PurchaseOrder, coach: Coach, staff: User, finance: User
) -> None:
    somebody = coach()
    seat = claim(somebody, codes(bulk)[0])
    pay(bulk.payer, finance, 40000, bulk.invoices.get())
    release = lambda reason: seats.release(seat.pk, reason=reason, by=staff, at=NOW)  # noqa: E731
    assert refusal_of(lambda: release(" ")) == "reason-missing"
    seat = release("Your district named somebody else.")
    assert (seat.state, seat.registration, seat.release_reason) == (
        "released", somebody, "Your district named somebody else.",
    )  # fmt: skip
    assert (status(somebody), ledger.balance(somebody)) == ("unpaid", Money(0))
    assert "Your district named somebody else." in Message.objects.get(event="seat_released").body_text
    assert letters("district_seat_released") == ["connie@example.org"]


def test_release_needs_an_accepted_order(unpaid: Registration, staff: User) -> None:
    seat = hand_in(make_quote(unpaid)).seats.order_by("pk")[1]
    assert refusal_of(lambda: seats.release(seat.pk, reason="x", by=staff, at=NOW)) == "order-not-accepted"


@pytest.mark.django_db(transaction=True)
def test_release_and_claim_of_one_seat_at_once_is_one_of_both(bulk: PurchaseOrder, coach: Coach) -> None:
    somebody, seat = coach(), bulk.seats.order_by("pk")[0]
    code = seat_codes.shown(seat)
    taken, back = run_all_at_once(
        [
            lambda: refusal_of(lambda: claim(somebody, code)),
            lambda: refusal_of(lambda: seats.release(seat.pk, reason="", by=None, at=NOW)),
        ]
    )
    assert (taken, back) in {("", "seat-taken"), ("", "changed-meanwhile"), ("code-unknown", "")}
    assert (status(somebody) == "po_committed") == (taken == "")
    assert owed(bulk) == [120000 if taken == "" else 80000]


@pytest.mark.payment_case(64)
def test_a_bulk_order_of_twelve_gives_back_the_three_that_nobody_took(
    unpaid: Registration, coach: Coach, staff: User
) -> None:
    order = hand_in(make_quote(cohort=unpaid.cohort, seats=12), amount=Money(480000))
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    people = [coach() for _ in range(9)]
    for somebody, code in zip(people, codes(order), strict=False):
        claim(somebody, code)
    assert [seats.release_free(order.pk, reason="", by=staff, at=NOW) for _ in range(2)] == [3, 0]
    assert (states(order).count("claimed"), states(order).count("released")) == (9, 3)
    assert [note.money for note in CreditNote.objects.all()] == [Money(120000)]
    assert (owed(order), {status(who) for who in people}) == ([360000], {"po_committed"})


@pytest.mark.payment_case(64)
def test_cancel_gives_back_taken_seats_only_where_staff_say_so(bulk: PurchaseOrder, coach: Coach, staff: User) -> None:
    somebody = coach()
    claim(somebody, codes(bulk)[0])
    cancel = lambda **how: purchase_orders.cancel(bulk.pk, reason="They took it back.", by=staff, at=NOW, **how)  # noqa: E731
    assert refusal_of(cancel) == "seats-taken"
    assert states(bulk) == ["claimed", "free", "free"]
    for _ in range(2):
        assert cancel(with_taken_seats=True).state == "cancelled"
    assert (states(bulk), owed(bulk), status(somebody)) == (["released"] * 3, [0], "unpaid")
    assert [note.money for note in CreditNote.objects.all()] == [Money(120000)]
    assert letters("purchase_order_cancelled") == [somebody.user.email]


def test_cancel_of_an_order_that_nobody_sits_on_needs_no_second_word(bulk: PurchaseOrder, staff: User) -> None:
    order = purchase_orders.cancel(bulk.pk, reason="They took it back.", by=staff, at=NOW)
    assert (order.state, states(bulk), owed(bulk)) == ("cancelled", ["released"] * 3, [0])


def test_substitute_gives_seat_and_money_to_somebody_else(
    bulk: PurchaseOrder, coach: Coach, staff: User, finance: User
) -> None:
    old, new = coach(), coach()
    seat = claim(old, codes(bulk)[0])
    pay(bulk.payer, finance, 40000, bulk.invoices.get())
    for _ in range(2):
        seat = seats.substitute(seat.pk, new.pk, by=staff, at=NOW)
    assert (seat.registration, [status(who) for who in (old, new)]) == (new, ["unpaid", "paid"])
    assert [ledger.balance(who).minor for who in (old, new)] == [0, 40000]
    assert (letters("seat_released"), letters("seat_claimed")) == ([old.user.email], [old.user.email, new.user.email])
    assert CreditNote.objects.count() == 0


def test_substitute_gives_a_free_seat_to_a_named_coach(bulk: PurchaseOrder, coach: Coach, staff: User) -> None:
    new = coach()
    seats.substitute(bulk.seats.order_by("pk")[0].pk, new.pk, by=staff, at=NOW)
    assert (status(new), states(bulk)) == ("po_committed", ["claimed", "free", "free"])


def test_substitute_needs_a_registration_that_wants_the_seat_in_time(
    bulk: PurchaseOrder, coach: Coach, staff: User, unpaid: Registration, begin: Begin
) -> None:
    seat = claim(coach(), codes(bulk)[0])
    closes_at = bulk.cohort.registration_closes_at
    begin()
    for registration, when, code in (
        (coach(), closes_at, "window-closed"),
        (coach(), closes_at - MICROSECOND, ""),
        (coach(status="withdrawn"), NOW, "not-standing"),
        (coach(payment_status="paid"), NOW, "already-held"),
        (coach(fee_minor=1), NOW, "other-cohort"),
        (unpaid, NOW, "in-doubt"),
    ):
        assert refusal_of(lambda: seats.substitute(seat.pk, registration.pk, by=staff, at=when)) == code  # noqa: B023
