"""Refunds, disputes, and everything that moved lately."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import Checkout, Contest, Disputed, Ref, Rejected, Return, Standing, Txn, Unavailable
from payments.gateways.paypal import PayPalGateway
from tests.doubles.paypal import PayPalDouble
from tests.payments.paypal.conftest import NOW, ORDER, SECOND, capture, new_checkout, opened, txns
from tests.threads import run_at_once

REFUND = "POST /v2/payments/captures/"
DAY = timedelta(days=1)


def one_refund(double: PayPalDouble) -> dict[str, Any]:
    (found,) = double.state["refunds"].values()
    return dict(found)


@pytest.mark.payment_case(54, 57)
def test_refunds_in_paypals_own_pages(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    part = double.refund(capture(double), "150.00")["id"]
    seen = [gateway.fetch(paid, at=NOW)]
    double.clock = NOW + DAY
    rest = double.refund(capture(double))["id"]
    seen.append(gateway.fetch(paid, at=NOW))
    double.fail_refund(part)
    seen.append(gateway.fetch(paid, at=NOW))
    charge = Txn("charge", capture(double), Money(40000), NOW)
    first, second = Txn("refund", part, Money(-15000), NOW), Txn("refund", rest, Money(-25000), NOW + DAY)
    assert [facts.txns for facts in seen] == [
        (charge, first),
        (charge, first, second),
        (charge, first, Txn("refund_failed", part, Money(15000), NOW + DAY), second),
    ]
    assert {facts.status for facts in seen} == {Standing.PAID}


@pytest.mark.parametrize(
    ("status", "moved"), [("PENDING", []), ("CANCELLED", [("refund", -40000), ("refund_failed", 40000)])]
)
def test_a_refund_that_waits_or_never_came(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, status: str, moved: list[Any]
) -> None:
    ref = double.refund(capture(double))["id"]
    double.state["refunds"][ref]["status"] = status
    assert txns(gateway.fetch(paid, at=NOW)) == [("charge", 40000), *moved]


@pytest.mark.payment_case(55, 56)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=46)])
def test_refund_twice_is_given_back_once(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, later: timedelta
) -> None:
    back = Return("key-1", capture(double), Money(15000))
    first = gateway.refund(paid, back, at=NOW)
    double.clock = NOW + later
    second = gateway.refund(paid, back, at=NOW)
    made = one_refund(double)
    assert first == second
    assert first.txns[1:] == (Txn("refund", made["id"], Money(-15000), NOW, "key-1"),)
    assert (made["custom_id"], made["invoice_id"]) == (str(paid.attempt_id), "key-1")
    assert made["amount"] == {"currency_code": "USD", "value": "150.00"}


@pytest.mark.payment_case(56)
def test_refund_at_once_is_given_back_once(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    back = Return("key-1", capture(double), Money(15000))
    facts = run_at_once(lambda: gateway.refund(paid, back, at=NOW), times=4)
    assert [txns(each) for each in facts] == [[("charge", 40000), ("refund", -15000)]] * 4
    assert one_refund(double)["invoice_id"] == "key-1"


@pytest.mark.parametrize("minor", [40001, 50000])
def test_refund_of_more_than_there_is(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, minor: int) -> None:
    with pytest.raises(Rejected):
        gateway.refund(paid, Return("key", capture(double), Money(minor)), at=NOW)
    assert double.state["refunds"] == {}


def test_refund_of_what_was_never_paid(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    with pytest.raises(Rejected):
        gateway.refund(checkout, Return("key", "C1", Money(1)), at=NOW)
    assert double.log == []


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=46)])
def test_refund_whose_answer_is_lost_is_made_once(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, later: timedelta
) -> None:
    back = Return("key", capture(double), Money(40000))
    double.fail(REFUND, "act_then_drop")
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    double.clock = NOW + later
    assert txns(gateway.refund(paid, back, at=NOW)) == [("charge", 40000), ("refund", -40000)]
    assert one_refund(double)["invoice_id"] == "key"


def test_refund_that_cannot_be_read_afterwards_is_not_a_no(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout
) -> None:
    back = Return("key", capture(double), Money(40000))
    double.fail("GET /v1/customer", status=422, body='{"name": "UNPROCESSABLE_ENTITY"}')
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    assert one_refund(double)["status"] == "COMPLETED"


@pytest.mark.payment_case(57)
def test_a_refund_of_ours_that_came_back(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    back = Return("key", capture(double), Money(40000))
    gateway.refund(paid, back, at=NOW)
    double.fail_refund(one_refund(double)["id"])
    facts = gateway.refund(paid, back, at=NOW)  # asking again gives nothing back anew
    assert txns(facts) == [("charge", 40000), ("refund", -40000), ("refund_failed", 40000)]
    assert [txn.key for txn in facts.txns] == ["", "key", ""]
    assert len(double.state["refunds"]) == 1


@pytest.mark.payment_case(53)
@pytest.mark.parametrize(
    ("won", "standing", "reinstated"), [(True, Contest.WON, [("dispute_reinstated", 40000)]), (False, Contest.LOST, [])]
)
def test_a_dispute_and_its_end(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, won: bool, standing: Contest, reinstated: list[Any]
) -> None:
    double.clock = NOW + DAY
    ref = double.dispute(capture(double))["dispute_id"]
    open_facts = gateway.fetch(paid, at=NOW)
    double.clock = NOW + 2 * DAY
    double.resolve(ref, won=won)
    facts = gateway.fetch(paid, at=NOW)
    expected = Disputed(ref, Contest.OPEN, Money(40000), NOW + DAY, "unauthorised", NOW + timedelta(days=11))
    taken = [("charge", 40000), ("dispute_withdrawn", -40000)]
    assert (open_facts.disputes, txns(open_facts)) == ((expected,), taken)
    assert (facts.disputes, txns(facts)) == ((replace(expected, standing=standing),), taken + reinstated)
    assert (facts.refs[-1], facts.status) == (Ref("dispute", ref), Standing.PAID)
    assert facts.txns[:2] == open_facts.txns  # by the same names
    assert len({txn.ref for txn in facts.txns}) == len(facts.txns)


@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        ("CANCELED_BY_BUYER", Contest.WON),
        ("RESOLVED_WITH_PAYOUT", Contest.WON),
        ("DENIED", Contest.WON),
        ("ACCEPTED", Contest.LOST),
        ("NONE", Contest.OPEN),
    ],
)
def test_how_a_dispute_may_end(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, outcome: str, standing: Contest
) -> None:
    ref = double.dispute(capture(double))["dispute_id"]
    double.resolve(ref, won=True)
    double.state["disputes"][ref]["dispute_outcome"]["outcome_code"] = outcome
    assert [each.standing for each in gateway.fetch(paid, at=NOW).disputes] == [standing]


@pytest.mark.payment_case(53)
def test_an_inquiry_and_fees_take_nothing_of_the_payment(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout
) -> None:
    first, second = (double.dispute(capture(double))["dispute_id"] for _ in range(2))
    del double.state["disputes"][first]["money_movements"]
    (held,) = double.state["disputes"][second]["money_movements"]
    others = [{"reason": "CHARGEBACK_FEE"}, {"reason": "DISPUTE_FEE"}, {"affected_party": "BUYER"}]
    double.state["disputes"][second]["money_movements"] = [{**held, **other} for other in others]
    facts = gateway.fetch(paid, at=NOW)
    assert (len(facts.disputes), txns(facts)) == (2, [("charge", 40000)])


# ---- Everything that moved


def pay(gateway: PayPalGateway, double: PayPalDouble) -> Checkout:
    known = opened(gateway, new_checkout())
    double.approve(known.ref("order"))
    return replace(known, refs=gateway.finalize(known, at=NOW).refs)


@pytest.mark.payment_case(78)
def test_recent_tells_of_every_payment_and_of_old_ones_that_moved(gateway: PayPalGateway, double: PayPalDouble) -> None:
    old, quiet, stranger = (pay(gateway, double) for _ in range(3))
    double.state["moved"][2]["transaction_info"].pop("custom_field")
    found = list(gateway.recent(NOW - SECOND, at=NOW))
    assert [facts.attempt_id for facts in found] == [old.attempt_id, quiet.attempt_id, None]
    assert found[0] == replace(gateway.fetch(old, at=NOW), refs=(Ref("capture", old.ref("capture")),))
    assert txns(found[2]) == [("charge", 40000)]
    assert found[2].refs == (Ref("capture", stranger.ref("capture")),)
    double.clock = NOW + 40 * DAY
    double.fail_refund(double.refund(old.ref("capture"), "100.00")["id"])
    double.dispute(quiet.ref("capture"))
    later = list(gateway.recent(NOW + DAY, at=NOW + 41 * DAY))
    assert later == [gateway.fetch(each, at=NOW + 41 * DAY) for each in (old, old, quiet)]
    assert txns(later[0]) == [("charge", 40000), ("refund", -10000), ("refund_failed", 10000)]
    assert txns(later[2]) == [("charge", 40000), ("dispute_withdrawn", -40000)]
    assert list(gateway.recent(NOW + 50 * DAY, at=NOW + 50 * DAY)) == []


def test_recent_comes_page_by_page(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    (row,) = double.state["moved"]
    double.state["moved"] *= 250
    double.log.clear()
    facts = gateway.recent(NOW - SECOND, at=NOW)
    next(facts)
    assert len(double.log) == 1
    assert (len(list(facts)), row["transaction_info"]["transaction_id"]) == (249, capture(double))
    assert len(double.log) == 3  # and nothing more is asked of payments that nothing happened to


def moved(double: PayPalDouble, **changes: Any) -> None:
    (row,) = double.state["moved"]
    double.state["moved"] = [{"transaction_info": {**row["transaction_info"], **changes}}]


OUTSIDE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "a payment on another way": (
        {"transaction_id": "T1", "transaction_event_code": "T0000"},
        [("charge", "T1", 40000)],
    ),
    "and taken back": ({"transaction_id": "T1", "transaction_status": "V"}, [("charge", "T1", 40000)]),
    "a refund of one": (
        {
            "transaction_id": "T2",
            "transaction_event_code": "T1107",
            "paypal_reference_id": "T1",
            "paypal_reference_id_type": "TXN",
            "transaction_amount": {"currency_code": "USD", "value": "-400.00"},
        },
        [("refund", "T2", -40000)],
    ),
    "a refund that came back": (
        {"transaction_id": "T3", "transaction_event_code": "T1107"},
        [("refund_failed", "T3", 40000)],
    ),
    "a chargeback of one": (
        {
            "transaction_id": "T4",
            "transaction_event_code": "T1201",
            "transaction_amount": {"currency_code": "EUR", "value": "-1.00"},
        },
        [("dispute_withdrawn", "T4", -100)],
    ),
    "a reversal of that": (
        {"transaction_id": "T5", "transaction_event_code": "T1202"},
        [("dispute_reinstated", "T5", 40000)],
    ),
}


@pytest.mark.payment_case(78)
@pytest.mark.parametrize(("changes", "money"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_recent_tells_of_money_that_no_order_knows(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, changes: dict[str, Any], money: list[Any]
) -> None:
    moved(double, custom_field="INV 7", **changes)
    (facts,) = gateway.recent(NOW - SECOND, at=NOW)
    assert (facts.attempt_id, facts.status) == (None, Standing.PAID)
    assert [(txn.kind, txn.ref, txn.amount.minor) for txn in facts.txns] == money
    assert facts.txns[0].occurred_at == NOW


NOTHING: dict[str, dict[str, Any]] = {
    "a withdrawal": {"transaction_event_code": "T0400"},
    "a fee": {"transaction_event_code": "T0100"},
    "a fee that came back": {"transaction_event_code": "T1108"},
    "money we sent": {"transaction_amount": {"currency_code": "USD", "value": "-5.00"}},
    "money that waits": {"transaction_status": "P"},
    "money that was denied": {"transaction_status": "D"},
}


@pytest.mark.parametrize("changes", NOTHING.values(), ids=NOTHING.keys())
def test_recent_passes_over_what_is_no_payment(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, changes: dict[str, Any]
) -> None:
    moved(double, **changes)
    assert list(gateway.recent(NOW - SECOND, at=NOW)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_amount": {"currency_code": "XAU", "value": "1.00"}},
        {"transaction_initiation_date": "lately"},
        {"transaction_event_code": None},
    ],
    ids=str,
)
def test_recent_passes_over_what_it_cannot_read(
    gateway: PayPalGateway,
    double: PayPalDouble,
    paid: Checkout,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
) -> None:
    (row,) = double.state["moved"]
    odd = {"transaction_info": {**row["transaction_info"], **changes}}
    double.fail("GET /v1/reporting", status=200, body=json.dumps({"transaction_details": [odd, row], "total_pages": 1}))
    assert [facts.attempt_id for facts in gateway.recent(NOW - SECOND, at=NOW)] == [paid.attempt_id]
    assert [record.levelname for record in caplog.records if record.name == "payments.gateways.paypal"] == ["ERROR"]


def test_recent_says_when_it_may_not_look(gateway: PayPalGateway, double: PayPalDouble) -> None:
    double.fail("GET /v1/reporting", status=403, body='{"name": "NOT_AUTHORIZED"}')
    with pytest.raises(Rejected):
        list(gateway.recent(NOW - SECOND, at=NOW))


def test_recent_stops_where_an_order_cannot_be_read(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout
) -> None:
    double.refund(paid.ref("capture"))
    double.fail(ORDER, status=500)
    found = gateway.recent(NOW - SECOND, at=NOW)
    assert next(found).attempt_id == paid.attempt_id
    with pytest.raises(Unavailable):
        next(found)
