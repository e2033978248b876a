"""Seats taken with a code, alone and at once, and money by card for a seat that an order holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from candidates.models import PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import acceptance, ledger, purchase_orders, seats, settlement
from payments.models import Attempt, CreditNote, LedgerEntry, PurchaseOrder, Seat
from tests.factories import (
    MICROSECOND,
    make_cohort,
    make_ledger_entry,
)
from tests.payments.conftest import NOW, ORDER, answer, only_attempt
from tests.payments.districts import owed, pay, status
from tests.payments.seated import Coach, claim, codes, letters, states
from tests.payments.test_attempts import Begin, refusal_of
from tests.threads import run_all_at_once


def test_claim_seats_the_coach_and_tells_both(unpaid: Registration, bulk: PurchaseOrder, coach: Coach) -> None:
    somebody, code = coach(), codes(bulk)[0]
    for _ in range(2):
        seat = claim(somebody, code)
    assert (seat.state, seat.registration, seat.claimed_at) == ("claimed", somebody, NOW)
    assert (status(somebody), states(bulk)) == ("po_committed", ["claimed", "free", "free"])
    assert letters("seat_claimed") == [somebody.user.email]
    assert letters("district_seat_taken") == ["connie@example.org"]
    assert somebody.user.name not in Message.objects.get(event="district_seat_taken").body_text
    assert list(Event.objects.about(seat).values_list("verb", "actor")) == [("seat.claim", somebody.user.pk)]


@pytest.mark.parametrize(
    ("edge", "after", "code"),
    [
        ("opens_at", -MICROSECOND, "window-not-open"),
        ("opens_at", timedelta(0), ""),
        ("closes_at", -MICROSECOND, ""),
        ("closes_at", timedelta(0), "window-closed"),
    ],
)
def test_claim_keeps_to_the_window(bulk: PurchaseOrder, coach: Coach, edge: str, after: timedelta, code: str) -> None:
    somebody, given = coach(), codes(bulk)[0]
    when = getattr(bulk.cohort.window, edge) + after
    assert refusal_of(lambda: claim(somebody, given, when)) == code


@pytest.mark.payment_case(62)
@pytest.mark.django_db(transaction=True)
def test_claim_of_one_code_by_many_at_once_has_one_winner(bulk: PurchaseOrder, coach: Coach) -> None:
    people, code = [coach() for _ in range(4)], codes(bulk)[0]
    answers = run_all_at_once([lambda who=who: refusal_of(lambda: claim(who, code)) for who in people])
    assert sorted(answers) == ["", "code-unknown", "code-unknown", "code-unknown"]
    assert sorted(map(status, people)) == ["po_committed", "unpaid", "unpaid", "unpaid"]
    assert states(bulk) == ["claimed", "free", "free"]


@pytest.mark.payment_case(62)
@pytest.mark.django_db(transaction=True)
def test_claim_of_two_codes_by_one_person_at_once_takes_one_seat(bulk: PurchaseOrder, coach: Coach) -> None:
    somebody, given = coach(), codes(bulk)[:2]
    answers = run_all_at_once([lambda code=code: refusal_of(lambda: claim(somebody, code)) for code in given])
    assert sorted(answers) == ["", "already-held"]
    assert sorted(states(bulk)) == ["claimed", "free", "free"]


@pytest.mark.django_db(transaction=True)
def test_claim_of_different_codes_at_once_succeeds_for_all(bulk: PurchaseOrder, coach: Coach) -> None:
    people = [coach() for _ in range(3)]
    works = [
        lambda who=who, code=code: refusal_of(lambda: claim(who, code))
        for who, code in zip(people, codes(bulk), strict=True)
    ]
    assert run_all_at_once(works) == ["", "", ""]
    assert (states(bulk), [status(who) for who in people]) == (["claimed"] * 3, ["po_committed"] * 3)


@pytest.mark.payment_case(63)
def test_claim_with_a_code_that_opens_nothing_gets_one_answer(
    bulk: PurchaseOrder, coach: Coach, staff: User, unpaid: Registration
) -> None:
    used, back, good = codes(bulk)
    claim(coach(), used)
    seats.release(bulk.seats.order_by("pk")[1].pk, reason="", by=None, at=NOW)
    next_year = coach(cohort=make_cohort(2027))
    somebody = coach()
    for code in (used, back, "ABCD-EFGH-JKLM", "", "x" * 500, "\0"):
        assert refusal_of(lambda: claim(somebody, code)) == "code-unknown"  # noqa: B023
    assert refusal_of(lambda: claim(next_year, good, next_year.cohort.registration_opens_at)) == "code-unknown"
    assert (status(somebody), states(bulk)) == ("unpaid", ["claimed", "released", "free"])


def test_claim_is_for_the_owner_of_a_fee_that_is_owed(
    bulk: PurchaseOrder, coach: Coach, stranger: User, unpaid: Registration
) -> None:
    code, somebody = codes(bulk)[0], coach()
    assert refusal_of(lambda: claim(somebody, code, by=stranger)) == "not-yours"
    assert refusal_of(lambda: claim(unpaid, code)) == "not-accepted"
    for changes, expected in (
        ({"status": "withdrawn"}, "not-standing"),
        ({"payment_status": "paid"}, "already-held"),
    ):
        other = coach()
        Registration.objects.filter(pk=other.pk).update(**changes)
        assert refusal_of(lambda: claim(other, code)) == expected  # noqa: B023
    assert states(bulk) == ["free"] * 3


def test_claim_while_an_own_order_is_checked_is_refused(
    bulk: PurchaseOrder, unpaid: Registration, policy: PolicyText
) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    own = replace(ORDER, number="77", amount=Money(40000))
    purchase_orders.submit(unpaid.pk, own, by=unpaid.user, at=NOW)
    assert refusal_of(lambda: claim(unpaid, codes(bulk)[0])) == "order-known"


def test_claim_of_a_seat_at_another_price_is_refused(bulk: PurchaseOrder, coach: Coach) -> None:
    assert refusal_of(lambda: claim(coach(fee_minor=50000), codes(bulk)[0])) == "price-differs"


def test_claim_closes_the_payment_that_was_begun(bulk: PurchaseOrder, unpaid: Registration, begin: Begin) -> None:
    url = begin()
    claim(unpaid, codes(bulk)[0])
    assert (only_attempt(unpaid).state, status(unpaid)) == ("closed", "po_committed")
    answer(url, "paid")
    assert settlement.settle(only_attempt(unpaid).pk, at=NOW).state == "closed"


def test_claim_with_a_bad_code_leaves_the_payment_that_was_begun(
    bulk: PurchaseOrder, unpaid: Registration, begin: Begin
) -> None:
    begin()
    assert refusal_of(lambda: claim(unpaid, "ABCD-EFGH-JKLM")) == "code-unknown"
    assert only_attempt(unpaid).state == "open"


def test_claim_when_the_card_was_paid_meanwhile_is_refused(
    bulk: PurchaseOrder, unpaid: Registration, begin: Begin
) -> None:
    answer(begin(), "paid")
    assert refusal_of(lambda: claim(unpaid, codes(bulk)[0])) == "already-paid"
    assert (status(unpaid), states(bulk)) == ("paid", ["free"] * 3)


def test_claim_takes_the_money_that_came_for_the_seat(bulk: PurchaseOrder, coach: Coach, finance: User) -> None:
    pay(bulk.payer, finance, 60000, bulk.invoices.get())
    first, second = coach(), coach()
    claim(first, codes(bulk)[0])
    claim(second, codes(bulk)[0])
    assert [(status(who), ledger.balance(who).minor) for who in (first, second)] == [
        ("paid", 40000), ("po_committed", 20000),
    ]  # fmt: skip


@pytest.mark.payment_case(5)
def test_money_by_card_for_a_held_seat_leaves_both_facts_and_tells_finance(
    bulk: PurchaseOrder, unpaid: Registration, finance: User, begin: Begin
) -> None:
    url = begin()
    Attempt.objects.update(state="closed")  # given up here, and still open at the provider
    claim(unpaid, codes(bulk)[0])
    answer(url, "paid")
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    seat = bulk.seats.get(registration=unpaid)
    assert (status(unpaid), seat.state, owed(bulk)) == ("paid", "claimed", [120000])
    assert list(LedgerEntry.objects.values_list("kind", "amount_minor")) == [("charge", 40000)]
    attention = Message.objects.get(event="payment_attention")
    assert (attention.to, attention.context["what"]) == ("fay@example.org", "promised")
    pay(bulk.payer, finance, 120000, bulk.invoices.get())
    assert status(unpaid) == "overpaid"


@pytest.mark.payment_case(5)
def test_the_seat_of_who_paid_by_card_can_be_given_back(
    bulk: PurchaseOrder, unpaid: Registration, staff: User, policy: PolicyText
) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    claim(unpaid, codes(bulk)[0])
    make_ledger_entry(unpaid)
    seats.release(bulk.seats.get(registration=unpaid).pk, reason="You paid yourself.", by=staff, at=NOW)
    assert (status(unpaid), owed(bulk)) == ("paid", [80000])


@pytest.mark.payment_case(70)
def test_give_up_frees_the_coach_to_pay_and_credits_the_district(
    bulk: PurchaseOrder, unpaid: Registration, begin: Begin, policy: PolicyText
) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    claim(unpaid, codes(bulk)[0])
    assert refusal_of(begin) == "order-accepted"
    for _ in range(2):
        seats.give_up(unpaid.pk, by=unpaid.user, at=NOW)
    assert (status(unpaid), states(bulk), owed(bulk)) == ("unpaid", ["released", "free", "free"], [80000])
    assert [note.money for note in CreditNote.objects.all()] == [Money(40000)]
    assert letters("district_seat_released") == ["connie@example.org"]
    answer(begin(), "paid")
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    assert status(unpaid) == "paid"


@pytest.mark.payment_case(70)
def test_give_up_is_the_owners_in_time_and_before_the_money(
    bulk: PurchaseOrder, unpaid: Registration, stranger: User, finance: User, policy: PolicyText
) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    claim(unpaid, codes(bulk)[0])
    closes_at = unpaid.cohort.registration_closes_at
    give_up = lambda **who: seats.give_up(unpaid.pk, **{"by": unpaid.user, "at": NOW, **who})  # noqa: E731
    assert refusal_of(lambda: give_up(by=stranger)) == "not-yours"
    assert refusal_of(lambda: give_up(at=closes_at)) == "window-closed"
    pay(bulk.payer, finance, 1, bulk.invoices.get())
    assert refusal_of(give_up) == "seat-paid"
    assert status(unpaid) == "po_committed"


def test_give_up_of_the_only_seat_ends_the_order(unpaid: Registration, staff: User, policy: PolicyText) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    own = purchase_orders.submit(unpaid.pk, replace(ORDER, amount=Money(40000)), by=unpaid.user, at=NOW)
    purchase_orders.accept(own.pk, by=staff, at=NOW)
    seats.give_up(unpaid.pk, by=unpaid.user, at=NOW)
    own.refresh_from_db()
    assert (own.state, own.decided_by, owed(own), status(unpaid)) == ("cancelled", staff, [0], "unpaid")


def test_seats_are_visible_to_who_sits_on_them_and_the_office(
    bulk: PurchaseOrder,
    unpaid: Registration,
    policy: PolicyText,
    stranger: User,
    scorer: User,
    staff: User,
    finance: User,
) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    claim(unpaid, codes(bulk)[0])
    people = (unpaid.user, stranger, scorer, staff, finance)
    assert [Seat.objects.visible_to(person).count() for person in people] == [1, 0, 0, 3, 3]
    assert [PurchaseOrder.objects.visible_to(person).count() for person in people] == [0, 0, 0, 1, 1]
