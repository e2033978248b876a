"""What the gateway makes of what Stripe says of a page."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import (
    Checkout,
    Facts,
    Ref,
    Standing,
    Txn,
    Unavailable,
)
from payments.gateways.stripe import StripeGateway
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW
from tests.payments.stripe.conftest import (
    ENDS,
    SECOND,
    new_checkout,
    opened,
    session,
    txns,
)


def test_fetch_tells_the_whole_truth(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.clock = NOW + timedelta(minutes=5)
    made = double.pay(known.ref("session"))
    intent = session(double)["payment_intent"]
    expected = Facts(
        Standing.PAID,
        NOW + timedelta(hours=1),
        attempt_id=checkout.attempt_id,
        amount=Money(40000),
        txns=(Txn("charge", made["id"], Money(40000), NOW + timedelta(minutes=5)),),
        refs=(known.refs[0], Ref("intent", intent), Ref("charge", made["id"])),
    )
    for ask in (gateway.fetch, gateway.finalize, gateway.close):
        assert ask(known, at=NOW + timedelta(hours=1)) == expected
    assert gateway.fetch(checkout, at=NOW + timedelta(hours=1)) == expected  # without knowing its name


@pytest.mark.parametrize("others", [0, 1, 250])
def test_fetch_finds_a_page_whose_name_was_lost(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, others: int
) -> None:
    ref = opened(gateway, checkout).ref("session")
    for number in range(others):
        another = {"id": f"cs_{number}", "client_reference_id": str(uuid4())}
        double.state["sessions"][f"cs_{number}"] = double.state["sessions"][ref] | another
    assert gateway.fetch(checkout, at=NOW).refs == (Ref("session", ref),)
    assert gateway.fetch(new_checkout(), at=NOW) == Facts(Standing.NOTHING, NOW)


def test_fetch_finds_a_page_that_may_be_open_for_the_longest_time(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout
) -> None:
    longest = replace(checkout, expires_at=NOW + timedelta(hours=24))
    ref = gateway.open(longest, at=NOW).ref
    assert gateway.fetch(longest, at=NOW).refs == (ref,)


@pytest.mark.payment_case(28)
def test_an_open_page_has_no_money(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    facts = gateway.fetch(opened(gateway, checkout), at=NOW)
    assert (facts.status, facts.txns, facts.problem) == (Standing.OPEN, (), "")


@pytest.mark.payment_case(42)
def test_declined_and_then_paid(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.decline(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, facts.txns, facts.problem) == (Standing.OPEN, (), "The bank declined the card.")
    double.pay(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, txns(facts), facts.problem) == (Standing.PAID, [("charge", 40000)], "")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("generic_decline", "The bank declined the card."),
        ("insufficient_funds", "There was not enough money in the card's account."),
        ("expired_card", "The card has expired."),
        ("incorrect_cvc", "The card's security code was not right."),
        ("lost_card", "The bank declined the card."),
        ("fraudulent", "The bank declined the card."),
    ],
)
def test_a_decline_is_told_kindly(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, code: str, problem: str
) -> None:
    known = opened(gateway, checkout)
    double.decline(known.ref("session"), code)
    assert gateway.fetch(known, at=NOW).problem == problem


@pytest.mark.payment_case(29)
@pytest.mark.parametrize(
    ("code", "status", "money", "problem"),
    [
        ("", Standing.PAID, [("charge", 40000)], ""),
        ("insufficient_funds", Standing.FAILED, [], "There was not enough money in the card's account."),
    ],
)
def test_completed_is_not_paid(
    gateway: StripeGateway,
    double: StripeDouble,
    checkout: Checkout,
    code: str,
    status: Standing,
    money: list[Any],
    problem: str,
) -> None:
    known = opened(gateway, checkout)
    double.submit(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, facts.txns) == (Standing.PROCESSING, ())
    double.confirm(known.ref("session"), code)
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, txns(facts), facts.problem) == (status, money, problem)


@pytest.mark.payment_case(46)
def test_going_back_leaves_the_page_open(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.cancel(known.ref("session"))
    assert gateway.fetch(known, at=NOW).status == Standing.OPEN


@pytest.mark.payment_case(47)
@pytest.mark.parametrize(("when", "status"), [(ENDS - SECOND, Standing.OPEN), (ENDS, Standing.EXPIRED)])
def test_a_page_expires(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, when: datetime, status: Standing
) -> None:
    known = opened(gateway, checkout)
    double.clock = when
    assert gateway.fetch(known, at=when).status == status


def test_close_ends_the_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    for each in (opened(gateway, checkout), checkout):  # again, and without its name
        assert gateway.close(each, at=NOW).status == Standing.CLOSED
    assert session(double)["status"] == "expired"
    assert gateway.close(new_checkout(), at=NOW) == Facts(Standing.NOTHING, NOW)


@pytest.mark.payment_case(48)
def test_close_finds_it_paid(gateway: StripeGateway, paid: Checkout) -> None:
    facts = gateway.close(paid, at=NOW)
    assert (facts.status, txns(facts)) == (Standing.PAID, [("charge", 40000)])


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize("money", [Money(39999), Money(40001), Money(100), Money(40000, "EUR")], ids=str)
def test_another_amount_is_told_as_it_is(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, money: Money
) -> None:
    known = opened(gateway, checkout)
    other = {"amount_total": money.minor, "currency": money.currency.lower()}
    double.state["sessions"][known.ref("session")] |= other
    double.pay(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.amount, [txn.amount for txn in facts.txns]) == (money, [money])


def test_money_we_have_no_name_for_is_no_crash(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, caplog: pytest.LogCaptureFixture
) -> None:
    double.state["sessions"][paid.ref("session")]["currency"] = "xau"
    with pytest.raises(Unavailable):
        gateway.fetch(paid, at=NOW)
    assert [record.levelname for record in caplog.records if record.name == "payments.gateways.stripe"] == ["ERROR"]


@pytest.mark.parametrize("reference", [None, "", "attempt-7", "x" * 200])
def test_a_page_of_somebody_else_is_not_ours(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, reference: str | None
) -> None:
    double.state["sessions"][paid.ref("session")]["client_reference_id"] = reference
    assert gateway.fetch(paid, at=NOW).attempt_id is None
