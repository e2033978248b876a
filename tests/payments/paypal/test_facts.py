"""What the gateway makes of what PayPal says of an order, and when it takes the money."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from icg_cert.lib.money import Money
from payments.gateways import paypal_answers
from payments.gateways.base import Checkout, Facts, Ref, Rejected, Standing, Txn, Unavailable
from payments.gateways.paypal import PayPalGateway
from tests.doubles.paypal import PayPalDouble
from tests.payments.paypal.conftest import (
    ENDS,
    NOW,
    ORDER,
    ORDERS,
    SECOND,
    capture,
    captures_asked,
    new_checkout,
    opened,
    txns,
)
from tests.threads import run_at_once

DECLINED = "PayPal declined the payment."


def kept_order(double: PayPalDouble) -> dict[str, Any]:
    return next(iter(double.state["orders"].values()))


def kept_unit(double: PayPalDouble) -> dict[str, Any]:
    return kept_order(double)["purchase_units"][0]


def test_fetch_tells_the_whole_truth(gateway: PayPalGateway, double: PayPalDouble, approved: Checkout) -> None:
    double.clock = NOW + timedelta(minutes=5)
    later = NOW + timedelta(hours=1)
    facts = gateway.finalize(approved, at=later)
    expected = Facts(
        Standing.PAID,
        later,
        attempt_id=approved.attempt_id,
        amount=Money(40000),
        txns=(Txn("charge", capture(double), Money(40000), NOW + timedelta(minutes=5)),),
        refs=(approved.refs[0], Ref("capture", capture(double))),
        account=double.MERCHANT_ID,
    )
    assert facts == expected
    for ask in (gateway.fetch, gateway.finalize, gateway.close):
        assert ask(approved, at=later) == expected
    assert len(captures_asked(double)) == 1


def test_agreement_moves_nothing(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    seen = [gateway.fetch(known, at=NOW).status, gateway.finalize(known, at=NOW).status]
    double.approve(known.ref("order"))
    facts = gateway.fetch(known, at=ENDS)
    assert [*seen, facts.status] == [Standing.OPEN, Standing.OPEN, Standing.APPROVED]
    assert (facts.txns, double.state["captures"]) == ((), {})


def test_finalize_at_once_takes_the_money_once(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout
) -> None:
    facts = run_at_once(lambda: gateway.finalize(approved, at=NOW), times=4)
    assert ({each.status for each in facts}, len(double.state["captures"])) == ({Standing.PAID}, 1)
    assert set(captures_asked(double)) == {f"capture-{approved.key}"}


@pytest.mark.payment_case(32)
@pytest.mark.parametrize(
    "fault",
    [{"does": "act_then_drop"}, {"does": "act_then_status", "status": 500}, {"does": "drip", "seconds": 0.2}],
    ids=str,
)
def test_a_lost_answer_to_capture_is_no_second_one(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(f"{ORDERS}/", **fault)
    with pytest.raises(Unavailable):
        gateway.finalize(approved, at=NOW)
    assert gateway.finalize(approved, at=NOW).status == Standing.PAID
    assert (captures_asked(double), len(double.state["captures"])) == ([f"capture-{approved.key}"], 1)


@pytest.mark.payment_case(30)
def test_a_capture_that_never_arrived_is_asked_again_with_the_same_key(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout
) -> None:
    double.fail(f"{ORDERS}/", "drop")
    with pytest.raises(Unavailable):
        gateway.finalize(approved, at=NOW)
    assert gateway.fetch(approved, at=NOW).status == Standing.APPROVED
    assert gateway.finalize(approved, at=NOW).status == Standing.PAID
    assert captures_asked(double) == [f"capture-{approved.key}"] * 2


@pytest.mark.payment_case(33)
def test_captured_under_a_key_that_was_forgotten(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = gateway.fetch(approved, at=NOW)
    gateway.finalize(approved, at=NOW)
    double.clock = NOW + timedelta(hours=7)
    fetch = gateway.fetch
    seen = iter([stale])  # another worker looked before the first one took the money
    monkeypatch.setattr(gateway, "fetch", lambda checkout, at: next(seen, None) or fetch(checkout, at=at))
    facts = gateway.finalize(approved, at=NOW)
    assert (facts.status, txns(facts)) == (Standing.PAID, [("charge", 40000)])
    assert (len(captures_asked(double)), len(double.state["captures"])) == (2, 1)


@pytest.mark.parametrize("fault", [{"status": 403, "body": '{"name": "NOT_AUTHORIZED"}'}, {"status": 500}], ids=str)
def test_taken_but_not_read_is_not_a_no(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, fault: dict[str, Any]
) -> None:
    facts = gateway.fetch(approved, at=NOW)
    double.fail(ORDER, **fault)
    gateway.api.capture(approved.ref("order"), f"capture-{approved.key}")
    with pytest.raises(Unavailable):
        gateway._read(approved, NOW)
    assert (facts.status, gateway.finalize(approved, at=NOW).status) == (Standing.APPROVED, Standing.PAID)


@pytest.mark.payment_case(43)
@pytest.mark.parametrize(
    ("issue", "problem"),
    [
        ("INSTRUMENT_DECLINED", "The card or account that you chose at PayPal was declined."),
        ("TRANSACTION_REFUSED", DECLINED),
        ("PAYER_CANNOT_PAY", DECLINED),
        ("ORDER_NOT_APPROVED", "PayPal no longer has your agreement to the payment."),
    ],
)
def test_a_refused_capture_is_told_kindly(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, issue: str, problem: str
) -> None:
    double.next_capture(issue)
    facts = gateway.finalize(approved, at=NOW)
    assert (facts.status, facts.problem, facts.txns) == (Standing.FAILED, problem, ())
    assert (facts.attempt_id, facts.amount) == (approved.attempt_id, Money(40000))


def test_any_other_refusal_of_a_capture_is_one(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout
) -> None:
    double.next_capture("PAYEE_ACCOUNT_RESTRICTED")
    with pytest.raises(Rejected, match="PAYEE_ACCOUNT_RESTRICTED"):
        gateway.finalize(approved, at=NOW)
    assert double.state["captures"] == {}


@pytest.mark.payment_case(44)
@pytest.mark.parametrize(
    ("end", "status", "money", "problem"),
    [
        ("complete", Standing.PAID, [("charge", 40000)], ""),
        ("deny", Standing.FAILED, [], DECLINED),
    ],
)
def test_money_that_takes_days(
    gateway: PayPalGateway,
    double: PayPalDouble,
    approved: Checkout,
    end: str,
    status: Standing,
    money: list[Any],
    problem: str,
) -> None:
    double.next_capture("PENDING")
    facts = gateway.finalize(approved, at=NOW)
    assert (facts.status, facts.txns, gateway.close(approved, at=NOW)) == (Standing.PROCESSING, (), facts)
    getattr(double, end)(capture(double))
    facts = gateway.fetch(approved, at=NOW)
    assert (facts.status, txns(facts), facts.problem) == (status, money, problem)


@pytest.mark.parametrize("status", ["DECLINED", "FAILED"])
def test_declined_at_once(gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, status: str) -> None:
    double.next_capture("DECLINED")
    gateway.finalize(approved, at=NOW)
    double.state["captures"][capture(double)]["status"] = status
    order = gateway.api.get(approved.ref("order"))
    del order["status"]  # as PayPal does with such orders
    facts = paypal_answers.order_facts(order, [], NOW)
    assert (facts.status, facts.txns, facts.problem) == (Standing.FAILED, (), DECLINED)


@pytest.mark.payment_case(45)
def test_an_agreement_that_was_reversed(gateway: PayPalGateway, double: PayPalDouble, approved: Checkout) -> None:
    double.reverse_approval(approved.ref("order"))
    for ask in (gateway.fetch, gateway.finalize):
        assert ask(approved, at=NOW).status == Standing.OPEN
    assert captures_asked(double) == []


@pytest.mark.payment_case(46)
def test_going_back_leaves_the_page_open(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.cancel(known.ref("order"))
    assert gateway.fetch(known, at=NOW).status == Standing.OPEN


@pytest.mark.payment_case(47)
@pytest.mark.parametrize(("when", "status"), [(ENDS - SECOND, Standing.OPEN), (ENDS, Standing.EXPIRED)])
def test_an_attempt_ends_before_paypals_page(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout, when: datetime, status: Standing
) -> None:
    known = opened(gateway, checkout)
    assert gateway.fetch(known, at=when).status == status


@pytest.mark.parametrize(("when", "is_known"), [(ENDS - SECOND, False), (ENDS, True)])
def test_an_order_that_paypal_forgot_took_nothing(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout, when: datetime, is_known: bool
) -> None:
    known = opened(gateway, checkout)
    double.state["orders"].clear()
    if is_known:
        assert gateway.fetch(known, at=when) == Facts(Standing.NOTHING, when)
    else:
        with pytest.raises(Unavailable):
            gateway.fetch(known, at=when)
    with pytest.raises(Unavailable):  # what once had a capture cannot have been nothing
        gateway.fetch(replace(known, refs=(*known.refs, Ref("capture", "C1"))), at=when)


@pytest.mark.payment_case(4)
def test_close_means_never_to_capture(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    assert gateway.close(known, at=NOW).status == Standing.CLOSED
    double.approve(known.ref("order"))
    assert gateway.close(known, at=NOW).status == Standing.CLOSED
    assert (captures_asked(double), gateway.close(checkout, at=NOW)) == ([], Facts(Standing.NOTHING, NOW))


@pytest.mark.payment_case(48)
def test_close_finds_it_paid(gateway: PayPalGateway, paid: Checkout) -> None:
    facts = gateway.close(paid, at=NOW)
    assert (facts.status, txns(facts)) == (Standing.PAID, [("charge", 40000)])


OTHERS: dict[str, Callable[[PayPalDouble], Any]] = {
    "less": lambda double: kept_unit(double)["amount"].update(value="399.99"),
    "more": lambda double: kept_unit(double)["amount"].update(value="400.01"),
    "little": lambda double: kept_unit(double)["amount"].update(value="1.00"),
    "euros": lambda double: kept_unit(double)["amount"].update(currency_code="EUR"),
    "another attempt": lambda double: kept_unit(double).update(custom_id=str(new_checkout().attempt_id)),
    "nobody's": lambda double: kept_unit(double).update(custom_id="attempt-7"),
    "no name": lambda double: kept_unit(double).pop("custom_id"),
    "another merchant": lambda double: kept_unit(double)["payee"].update(merchant_id="SOMEBODY"),
    "no merchant": lambda double: kept_unit(double).pop("payee"),
}


@pytest.mark.payment_case(23, 24, 25)
@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_not_exactly_ours_is_not_captured(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout, change: Any
) -> None:
    change(double)
    facts = gateway.finalize(approved, at=NOW)
    assert (facts.status, captures_asked(double)) == (Standing.APPROVED, [])
    says = (facts.attempt_id, facts.amount, facts.account)
    assert says != (approved.attempt_id, approved.amount, gateway.account)


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(
    ("value", "currency", "money"),
    [
        ("399.99", "USD", Money(39999)),
        ("400.01", "USD", Money(40001)),
        ("400", "USD", Money(40000)),
        ("400.000", "USD", Money(40000)),
        ("400.00", "EUR", Money(40000, "EUR")),
        ("400", "JPY", Money(400, "JPY")),
    ],
)
def test_another_amount_is_told_as_it_is(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, value: str, currency: str, money: Money
) -> None:
    said = {"value": value, "currency_code": currency}
    double.state["captures"][capture(double)]["amount"] = kept_unit(double)["amount"] = said
    facts = gateway.fetch(paid, at=NOW)
    assert (facts.amount, [txn.amount for txn in facts.txns]) == (money, [money])


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(
    "said",
    [
        {"value": "400.001", "currency_code": "USD"},
        {"value": "400.50", "currency_code": "JPY"},
        {"value": "400.00", "currency_code": "XAU"},
        {"value": 400.0, "currency_code": "USD"},
        {"value": "4e2", "currency_code": "USD"},
        {"value": "NaN", "currency_code": "USD"},
        {"value": "", "currency_code": "USD"},
        {"value": "٤٠٠", "currency_code": "USD"},
        {"currency_code": "USD"},
        None,
    ],
    ids=str,
)
def test_money_that_cannot_be_read_is_no_crash(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, caplog: pytest.LogCaptureFixture, said: Any
) -> None:
    kept_unit(double)["amount"] = said
    with pytest.raises(Unavailable):
        gateway.fetch(paid, at=NOW)
    assert [record.levelname for record in caplog.records if record.name == "payments.gateways.paypal"] == ["ERROR"]


STRANGE: dict[str, Callable[[PayPalDouble], Any]] = {
    "no unit": lambda double: kept_order(double).update(purchase_units=[]),
    "two units": lambda double: kept_order(double).update(purchase_units=[kept_unit(double), kept_unit(double)]),
    "a new kind of capture": lambda double: double.state["captures"][capture(double)].update(status="TELEPORTED"),
    "no time": lambda double: double.state["captures"][capture(double)].update(create_time="lately"),
    "no zone": lambda double: double.state["captures"][capture(double)].update(create_time="2026-12-10T16:00:00"),
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE.keys())
def test_what_is_not_understood_is_asked_again(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, change: Any
) -> None:
    change(double)
    with pytest.raises(Unavailable):
        gateway.fetch(paid, at=NOW)


def test_an_order_in_a_new_state_is_asked_again(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout
) -> None:
    kept_order(double)["status"] = "TELEPORTED"
    with pytest.raises(Unavailable):
        gateway.fetch(approved, at=NOW)
    kept_order(double)["status"] = "VOIDED"
    assert gateway.fetch(approved, at=NOW).status == Standing.CLOSED


def test_whose_money_is_it(gateway: PayPalGateway, paid: Checkout, settings: Any) -> None:
    assert (gateway.livemode, gateway.account) == (False, PayPalDouble.MERCHANT_ID)
    settings.PAYPAL_MERCHANT_ID = ""
    assert (PayPalGateway().account, PayPalGateway().fetch(paid, at=NOW).account) == ("", "")
    modes = {}
    for url in ("https://api-m.paypal.com", "https://api-m.sandbox.paypal.com", "http://127.0.0.1:8432"):
        settings.PAYPAL_API_URL = url
        modes[url] = PayPalGateway().livemode
    assert list(modes.values()) == [True, False, False]


def test_a_feature_that_is_off_hides_no_payment(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, caplog: pytest.LogCaptureFixture
) -> None:
    double.fail("GET /v1/customer/disputes", status=403, body='{"name": "NOT_AUTHORIZED"}')
    assert gateway.fetch(paid, at=NOW).status == Standing.PAID
    assert "Customer disputes" in caplog.text
    double.fail("GET /v1/customer/disputes", status=503)
    with pytest.raises(Unavailable):
        gateway.fetch(paid, at=NOW)
