"""The order of a quote: handed in by its contact or by staff, accepted, refused, withdrawn."""

from datetime import date, timedelta

import pytest

from candidates.models import PolicyText, Registration, User
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import purchase_orders
from payments.models import CreditNote, Invoice, Seat
from tests.factories import (
    MICROSECOND,
    make_quote,
    make_registration,
)
from tests.payments.conftest import NOW, hand_in
from tests.payments.districts import owed, status
from tests.payments.seated import codes, letters, states
from tests.payments.test_attempts import refusal_of
from tests.threads import run_at_once


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
@pytest.mark.parametrize("is_candidates", [False, True])
def test_hand_in_from_two_tabs_at_once_is_one_order(unpaid: Registration, is_candidates: bool) -> None:
    quote = make_quote(unpaid if is_candidates else None, cohort=unpaid.cohort)
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
    told = Message.objects.get(event="purchase_order_cancelled")
    assert (told.to, told.context["reason"]) == ("ada@example.org", "Lakeside School District withdrew it.")
    held = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    assert refusal_of(lambda: purchase_orders.cancel(held.pk, by=None, at=NOW)) == "order-accepted"
