"""Seats from the order of a quote: claimed by code, given up, given back, handed on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from candidates.models import PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import acceptance, ledger, purchase_orders, seat_codes, seats, settlement
from payments.models import Attempt, CreditNote, Invoice, LedgerEntry, PurchaseOrder, Quote, Seat
from payments.purchase_orders import Order
from tests.factories import (
    MICROSECOND,
    make_accepted_order,
    make_cohort,
    make_ledger_entry,
    make_quote,
    make_registration,
)
from tests.payments.conftest import NOW, answer, only_attempt
from tests.payments.districts import owed, pay, status
from tests.payments.test_attempts import Begin, refusal_of
from tests.threads import run_all_at_once, run_at_once

ORDER = Order(
    payer_name="Lakeside School District",
    payer_email="payable@lakeside.example.org",
    number="PO-0042",
    issued_on=date(2026, 12, 1),
    amount=Money(120000),
    document=b"%PDF-1.7 the order",
    bill_to="Accounts Payable",
)


def hand_in(quote: Quote, when: Any = NOW, by: Any = None, **changes: Any) -> PurchaseOrder:
    return purchase_orders.hand_in(quote.pk, replace(ORDER, **changes), by=by, at=when)


@pytest.fixture
def bulk(unpaid: Registration, staff: User) -> PurchaseOrder:
    """An accepted order of Lakeside for three coaches, nobody of them named."""
    return purchase_orders.accept(hand_in(make_quote(cohort=unpaid.cohort)).pk, by=staff, at=NOW)


@pytest.fixture
def coach(policy: PolicyText) -> Callable[..., Registration]:
    """Another registration that owes its fee and accepted the policy."""

    def make(**fields: Any) -> Registration:
        registration = make_registration(**{"payment_status": "unpaid", **fields})
        acceptance.accept_for(registration.pk, policy.pk, by=registration.user, at=NOW)
        return registration

    return make


Coach = Callable[..., Registration]


def codes(order: PurchaseOrder) -> list[str]:
    return [seat_codes.shown(seat) for seat in order.seats.filter(state="free").order_by("pk")]


def claim(registration: Registration, code: str, when: Any = NOW, by: Any = None) -> Seat:
    return seats.claim(registration.pk, code, by=by or registration.user, at=when)


def states(order: PurchaseOrder) -> list[str]:
    return list(order.seats.order_by("pk").values_list("state", flat=True))


def letters(event: str) -> list[str]:
    return list(Message.objects.filter(event=event).order_by("pk").values_list("to", flat=True))


# ---- Handing in the order of a quote


def test_hand_in_by_the_contact_makes_every_seat(unpaid: Registration) -> None:
    quote = make_quote(cohort=unpaid.cohort)
    order = hand_in(quote)
    assert (order.quote, order.submitted_by, order.contact_email, order.money) == (
        quote, None, "connie@example.org", Money(120000),
    )  # fmt: skip
    assert (states(order), codes(order)) == (["free"] * 3, [""] * 3)
    assert list(Message.objects.values_list("event", "to")) == [("district_submitted", "connie@example.org")]


def test_hand_in_for_a_candidate_s_quote_seats_them_first(unpaid: Registration) -> None:
    order = hand_in(make_quote(unpaid))
    assert list(order.seats.order_by("pk").values_list("state", "registration")) == [
        ("claimed", unpaid.pk), ("free", None), ("free", None),
    ]  # fmt: skip
    assert status(unpaid) == "po_requested"
    assert letters("purchase_order_submitted") == ["ada@example.org"]


@pytest.mark.parametrize("changes", [{"payment_status": "paid"}, {"status": "withdrawn"}])
def test_hand_in_leaves_the_first_seat_free_where_its_coach_needs_none(
    unpaid: Registration, changes: dict[str, str]
) -> None:
    Registration.objects.update(**changes)
    assert states(hand_in(make_quote(unpaid))) == ["free"] * 3


@pytest.mark.payment_case(59)
@pytest.mark.parametrize(("minor", "code"), [(119999, "amount-short"), (120000, ""), (999999, "")])
def test_hand_in_needs_an_amount_for_every_seat_and_more_buys_none(unpaid: Registration, minor: int, code: str) -> None:
    quote = make_quote(cohort=unpaid.cohort)
    assert refusal_of(lambda: hand_in(quote, amount=Money(minor))) == code
    assert Seat.objects.count() == (0 if code else 3)


@pytest.mark.payment_case(71)
@pytest.mark.parametrize(
    ("edge", "after", "code"),
    [
        ("opens_at", -MICROSECOND, "window-not-open"),
        ("opens_at", timedelta(0), ""),
        ("closes_at", -MICROSECOND, ""),
        ("closes_at", timedelta(0), "window-closed"),
    ],
)
def test_hand_in_keeps_to_the_window(unpaid: Registration, edge: str, after: timedelta, code: str) -> None:
    quote = make_quote(cohort=unpaid.cohort, valid_until=unpaid.cohort.registration_closes_at)
    when = getattr(unpaid.cohort.window, edge) + after
    assert refusal_of(lambda: hand_in(quote, when, issued_on=date(2026, 10, 1))) == code


@pytest.mark.parametrize(("after", "code"), [(-MICROSECOND, ""), (timedelta(0), "quote-expired")])
def test_hand_in_needs_a_quote_that_still_holds(unpaid: Registration, after: timedelta, code: str) -> None:
    quote = make_quote(cohort=unpaid.cohort, valid_until=NOW)
    assert refusal_of(lambda: hand_in(quote, NOW + after)) == code


@pytest.mark.django_db(transaction=True)
def test_hand_in_from_two_tabs_at_once_is_one_order(unpaid: Registration) -> None:
    quote = make_quote(unpaid)
    first, second = run_at_once(lambda: hand_in(quote), times=2)
    assert (first, Seat.objects.count()) == (second, 3)
    assert refusal_of(lambda: hand_in(quote, number="43")) == "order-known"


@pytest.mark.payment_case(76)
def test_hand_in_by_staff_is_accepted_by_somebody_else(unpaid: Registration, staff: User, other_staff: User) -> None:
    order = hand_in(make_quote(cohort=unpaid.cohort), by=staff)
    for verb in (purchase_orders.accept, lambda pk, **who: purchase_orders.refuse(pk, reason="x", **who)):
        assert refusal_of(lambda: verb(order.pk, by=staff, at=NOW)) == "own-order"  # noqa: B023
    assert purchase_orders.accept(order.pk, by=other_staff, at=NOW).decided_by == other_staff


@pytest.mark.payment_case(76)
def test_nobody_accepts_an_order_that_seats_them(staff: User, policy: PolicyText, unpaid: Registration) -> None:
    own = make_registration(staff, payment_status="unpaid")
    order = hand_in(make_quote(own))
    assert refusal_of(lambda: purchase_orders.accept(order.pk, by=staff, at=NOW)) == "own-order"


# ---- Accepting it


def test_accept_gives_free_seats_their_codes_and_invoices_all(unpaid: Registration, staff: User) -> None:
    order = hand_in(make_quote(unpaid))
    for _ in range(2):
        order = purchase_orders.accept(order.pk, by=staff, at=NOW)
    assert (states(order), len(set(codes(order)))) == (["claimed", "free", "free"], 2)
    assert order.seats.get(state="claimed").code_sha256 is None
    assert (status(unpaid), Invoice.objects.get().money, owed(order)) == ("po_committed", Money(120000), [120000])
    assert letters("district_accepted") == ["connie@example.org"]
    for message in Message.objects.all():
        assert not any(code in message.body_text + message.body_html + message.subject for code in codes(order))
        assert not any(code in str(message.context) for code in codes(order))


@pytest.mark.parametrize("changes", [{"payment_status": "paid"}, {"status": "withdrawn"}])
def test_accept_frees_the_seat_of_who_needs_it_no_more(
    unpaid: Registration, staff: User, changes: dict[str, str]
) -> None:
    order = hand_in(make_quote(unpaid))
    Registration.objects.update(**changes)
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    assert (states(order), len(set(codes(order)))) == (["free"] * 3, 3)


def test_accept_after_closing_holds_what_was_taken_and_bills_no_more(unpaid: Registration, staff: User) -> None:
    order = hand_in(make_quote(unpaid))
    purchase_orders.accept(order.pk, by=staff, at=unpaid.cohort.registration_closes_at)
    assert (states(order), Invoice.objects.get().money) == (["claimed", "released", "released"], Money(40000))
    assert CreditNote.objects.count() == 0


def test_accept_after_closing_of_an_order_that_seats_nobody_is_refused(unpaid: Registration, staff: User) -> None:
    order, late = hand_in(make_quote(cohort=unpaid.cohort)), unpaid.cohort.registration_closes_at
    assert refusal_of(lambda: purchase_orders.accept(order.pk, by=staff, at=late)) == "nobody-to-seat"
    assert states(order) == ["free"] * 3


def test_refuse_gives_every_seat_back_and_the_quote_takes_another(unpaid: Registration, staff: User) -> None:
    quote = make_quote(unpaid)
    order = hand_in(quote)
    purchase_orders.refuse(order.pk, reason="It is not signed.", by=staff, at=NOW)
    assert (states(order), status(unpaid)) == (["released"] * 3, "unpaid")
    assert "It is not signed." in Message.objects.get(event="district_refused").body_text
    assert hand_in(quote, document=b"%PDF-1.7 signed").state == "submitted"


def test_cancel_by_the_contact_only_while_it_is_checked(unpaid: Registration, staff: User) -> None:
    quote = make_quote(unpaid)
    order = purchase_orders.cancel(hand_in(quote).pk, by=None, at=NOW)
    assert (order.state, status(unpaid), letters("district_cancelled")) == (
        "cancelled", "unpaid", ["connie@example.org"],
    )  # fmt: skip
    held = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    assert refusal_of(lambda: purchase_orders.cancel(held.pk, by=None, at=NOW)) == "order-accepted"


# ---- Codes


def test_a_code_is_made_of_nonce_and_key_and_found_however_typed(bulk: PurchaseOrder) -> None:
    seat = bulk.seats.order_by("pk").first()
    assert seat is not None
    code = seat_codes.shown(seat)
    assert [len(part) for part in code.split("-")] == [4, 4, 4]
    for typed in (code, code.lower(), code.replace("-", " "), code.replace("-", ""), code.replace("O", "0")):
        assert seat_codes.fingerprint(typed) == seat.code_sha256


def test_codes_outlive_a_change_of_the_key(bulk: PurchaseOrder, coach: Coach, settings: Any) -> None:
    before, old = codes(bulk), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [old]
    assert codes(bulk) == before
    settings.SECRET_KEY_FALLBACKS = []
    assert codes(bulk) == ["", "", ""]
    assert claim(coach(), before[0]).order == bulk


# ---- Claiming


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


# ---- Card money for a seat that an order holds


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


# ---- Giving back


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


# ---- Handing on


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


def test_the_factory_s_order_is_like_an_accepted_one(unpaid: Registration) -> None:
    assert list(make_accepted_order(coaches=[unpaid, None]).seats.values_list("state", "registration")) == [
        ("claimed", unpaid.pk), ("free", None),
    ]  # fmt: skip
