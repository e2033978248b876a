"""Refunds, disputes, and everything that moved lately."""

import json
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import (
    Checkout,
    Contest,
    Disputed,
    Ref,
    Rejected,
    Return,
    Standing,
    Unavailable,
)
from payments.gateways.stripe import StripeGateway
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW
from tests.payments.stripe.conftest import (
    charge,
    new_checkout,
    opened,
    txns,
)
from tests.threads import run_at_once


@pytest.mark.payment_case(54, 57)
def test_refunds_in_the_dashboard(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    part = double.refund(charge(double), 15000)
    waiting = double.refund(charge(double), waits=True)
    seen = [txns(gateway.fetch(paid, at=NOW))]
    double.finish_refund(waiting["id"])
    seen.append(txns(gateway.fetch(paid, at=NOW)))
    double.fail_refund(part["id"])
    facts = gateway.fetch(paid, at=NOW)
    assert seen == [
        [("charge", 40000), ("refund", -15000)],
        [("charge", 40000), ("refund", -25000), ("refund", -15000)],
    ]
    assert txns(facts) == [*seen[1], ("refund_failed", 15000)]
    assert [txn.ref for txn in facts.txns] == [charge(double), waiting["id"], part["id"], part["id"]]
    assert facts.status == Standing.PAID


def test_a_refund_that_failed_before_we_looked_is_both(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    double.fail_refund(double.refund(charge(double))["id"])
    assert txns(gateway.fetch(paid, at=NOW)) == [("charge", 40000), ("refund", -40000), ("refund_failed", 40000)]


@pytest.mark.payment_case(55, 56)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=24)])
def test_refund_twice_is_given_back_once(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, later: timedelta
) -> None:
    back = Return("key-1", charge(double), Money(15000))
    first = gateway.refund(paid, back, at=NOW)
    double.clock = NOW + later
    second = gateway.refund(paid, back, at=NOW)
    assert first == second
    assert txns(first) == [("charge", 40000), ("refund", -15000)]
    (made,) = double.state["refunds"].values()
    assert made["metadata"] == {"attempt_id": str(paid.attempt_id), "key": "key-1"}


@pytest.mark.payment_case(56)
def test_refund_at_once_is_given_back_once(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    """Nobody sees another's refund before making their own: the key alone holds them together."""
    back, seen = Return("key", charge(double), Money(100)), Barrier(4)
    refunds = gateway._refunds

    def wait(ref: str) -> list[dict[str, Any]]:
        found = refunds(ref)
        if not double.state["refunds"]:
            seen.wait(10)
        return found

    gateway._refunds = wait  # type: ignore[method-assign]
    facts = run_at_once(lambda: gateway.refund(paid, back, at=NOW), times=4)
    assert [txns(each) for each in facts] == [[("charge", 40000), ("refund", -100)]] * 4
    assert [asked.header("idempotency-key") for asked in double.asked_for("POST /v1/refunds")] == ["key"] * 4


@pytest.mark.parametrize("minor", [40001, 50000])
def test_refund_of_more_than_there_is(gateway: StripeGateway, double: StripeDouble, paid: Checkout, minor: int) -> None:
    with pytest.raises(Rejected):
        gateway.refund(paid, Return("key", charge(double), Money(minor)), at=NOW)
    assert double.state["refunds"] == {}


def test_refund_whose_answer_is_lost_is_made_once(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    back = Return("key", charge(double), Money(40000))
    double.fail("POST /v1/refunds", "act_then_drop", times=3)
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    assert txns(gateway.refund(paid, back, at=NOW)) == [("charge", 40000), ("refund", -40000)]


def test_refund_that_cannot_be_read_afterwards_is_not_a_no(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    back = Return("key", charge(double), Money(40000))
    error = json.dumps({"error": {"type": "invalid_request_error", "message": "no"}})
    double.fail("GET /v1/checkout/sessions", status=403, body=error)
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    assert len(double.state["refunds"]) == 1


@pytest.mark.payment_case(53)
@pytest.mark.parametrize(
    ("won", "standing", "reinstated"), [(True, Contest.WON, [("dispute_reinstated", 40000)]), (False, Contest.LOST, [])]
)
def test_a_dispute_and_its_end(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, won: bool, standing: Contest, reinstated: list[Any]
) -> None:
    double.clock = NOW + timedelta(days=1)
    ref = double.dispute(charge(double), days=9)["id"]
    open_facts = gateway.fetch(paid, at=NOW)
    double.close_dispute(ref, won=won)
    facts = gateway.fetch(paid, at=NOW)
    expected = Disputed(
        ref, Contest.OPEN, Money(40000), NOW + timedelta(days=1), "fraudulent", NOW + timedelta(days=10)
    )
    taken = [("charge", 40000), ("dispute_withdrawn", -40000)]
    assert (open_facts.disputes, txns(open_facts)) == ((expected,), taken)
    assert (facts.disputes, txns(facts)) == ((replace(expected, standing=standing),), taken + reinstated)
    assert facts.refs[-1] == Ref("dispute", ref)
    assert {txn.ref for txn in facts.txns} == {charge(double), *double.state["transactions"]} - {
        double.state["charges"][charge(double)]["balance_transaction"]
    }


@pytest.mark.payment_case(53)
def test_an_inquiry_takes_nothing(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    ref = double.dispute(charge(double), withdrawn=False)["id"]
    facts = gateway.fetch(paid, at=NOW)
    assert ([each.standing for each in facts.disputes], txns(facts)) == ([Contest.OPEN], [("charge", 40000)])
    double.close_dispute(ref, won=True)
    assert [each.standing for each in gateway.fetch(paid, at=NOW).disputes] == [Contest.WON]


@pytest.mark.payment_case(78)
def test_recent_tells_of_every_charge_and_of_old_ones_that_moved(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout
) -> None:
    old, quiet, stranger = checkout, new_checkout(), new_checkout()
    charges = [double.pay(opened(gateway, each).ref("session"))["id"] for each in (old, quiet, stranger)]
    double.state["charges"][charges[2]]["metadata"] = {}
    refund = double.refund(charges[0], 100)["id"]
    assert {(facts.attempt_id, facts.status) for facts in gateway.recent(NOW, at=NOW)} == {
        (old.attempt_id, Standing.PAID), (quiet.attempt_id, Standing.PAID), (None, Standing.PAID),
    }  # fmt: skip
    double.clock = NOW + timedelta(days=40)
    double.fail_refund(refund)
    (facts,) = gateway.recent(NOW + timedelta(days=1), at=NOW + timedelta(days=40))
    assert facts.attempt_id == old.attempt_id
    assert txns(facts) == [("charge", 40000), ("refund", -100), ("refund_failed", 100)]
    assert Ref("charge", charges[0]) in facts.refs
    double.clock = NOW + timedelta(days=50)
    double.dispute(charges[1])
    (facts,) = gateway.recent(NOW + timedelta(days=45), at=NOW + timedelta(days=50))
    assert (facts.attempt_id, txns(facts)[1:]) == (quiet.attempt_id, [("dispute_withdrawn", -40000)])
    assert list(gateway.recent(NOW + timedelta(days=60), at=NOW)) == []


def test_recent_comes_page_by_page(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    (row,) = double.state["transactions"].values()
    for number in range(150):
        double.state["transactions"][f"txn_{number}"] = {**row, "id": f"txn_{number}"}
    facts = gateway.recent(NOW, at=NOW)
    next(facts)
    assert len(double.asked_for("GET /v1/balance_transactions")) == 1
    assert len(list(facts)) == 150
    assert len(double.asked_for("GET /v1/")) == 2  # and nothing more is asked of charges that nothing happened to


def test_recent_passes_over_payouts_and_what_it_cannot_read(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, caplog: pytest.LogCaptureFixture
) -> None:
    (row,) = double.state["transactions"].values()
    double.state["transactions"]["txn_fee"] = {**row, "id": "txn_fee", "source": None}
    gold = double.pay(opened(gateway, new_checkout()).ref("session"))["id"]
    double.state["charges"][gold]["currency"] = "xau"
    assert [facts.attempt_id for facts in gateway.recent(NOW, at=NOW)] == [paid.attempt_id]
    assert [gold in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [True]
