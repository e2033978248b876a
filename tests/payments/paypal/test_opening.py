"""Opening a page, and every way in which an answer may not come."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import Checkout, Facts, Ref, Rejected, Return, Standing, Unavailable
from payments.gateways.paypal import PayPalGateway
from tests.doubles.paypal import PayPalDouble
from tests.payments.paypal.conftest import ENDS, NOW, ORDER, ORDERS, SECOND, TOKEN, new_checkout, opened, order
from tests.threads import run_at_once


def test_open_tells_paypal_everything_it_will_have_to_repeat(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout
) -> None:
    redirect = gateway.open(checkout, at=NOW)
    made, ours = order(double), str(checkout.attempt_id)
    page = f"{double.url}/checkoutnow?token={made['id']}"
    assert (redirect.ref, redirect.url, redirect.expires_at) == (Ref("order", made["id"]), page, ENDS)
    asked = double.asked_for(ORDERS)[0]
    assert asked.header("paypal-request-id") == checkout.key
    assert asked.json() == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "custom_id": ours,
                "invoice_id": ours,
                "description": "Fee, cohort 10",
                "amount": {"currency_code": "USD", "value": "400.00"},
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "return_url": "http://portal/back/",
                    "cancel_url": "http://portal/back/",
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                }
            }
        },
    }


@pytest.mark.parametrize(
    ("money", "value"),
    [(Money(1), "0.01"), (Money(40000), "400.00"), (Money(123456789), "1234567.89"), (Money(10, "EUR"), "0.10")],
    ids=str,
)
def test_open_tells_the_exact_amount(gateway: PayPalGateway, double: PayPalDouble, money: Money, value: str) -> None:
    gateway.open(replace(new_checkout(), amount=money, description="x" * 200), at=NOW)
    (unit,) = order(double)["purchase_units"]
    assert (unit["amount"], len(unit["description"])) == ({"currency_code": money.currency, "value": value}, 127)


def test_open_again_is_the_same_page(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    first = gateway.open(checkout, at=NOW)
    known = replace(checkout, refs=(first.ref,))
    assert [gateway.open(each, at=NOW + SECOND) for each in (checkout, known)] == [first, first]
    assert len(double.state["orders"]) == 1


def test_open_at_once_is_one_page(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    pages = run_at_once(lambda: gateway.open(checkout, at=NOW), times=4)
    assert (len(set(pages)), len(double.state["orders"]), len(double.asked_for(TOKEN))) == (1, 1, 1)


def test_open_of_a_page_that_was_agreed_to_is_not_a_refusal(gateway: PayPalGateway, approved: Checkout) -> None:
    with pytest.raises(Unavailable):
        gateway.open(approved, at=NOW)


def test_open_says_when_paypal_refuses(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> None:
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, return_url=""), at=NOW)
    assert (gateway.fetch(checkout, at=NOW), double.state["orders"]) == (Facts(Standing.NOTHING, NOW), {})


@pytest.mark.payment_case(30)
@pytest.mark.parametrize("fault", [{"does": "drop"}, {"status": 503}, {"status": 409}], ids=str)
def test_what_never_reached_paypal_is_unknown_and_then_nothing(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(ORDERS, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    assert (gateway.fetch(checkout, at=NOW), double.state["orders"]) == (Facts(Standing.NOTHING, NOW), {})
    assert len(double.asked_for("")) == 2  # a token, the order: looking for it asks nobody


@pytest.mark.payment_case(31, 37, 41)
@pytest.mark.parametrize(
    "fault",
    [{"does": "act_then_drop"}, {"does": "act_then_status", "status": 500}, {"does": "drip", "seconds": 0.2}],
    ids=str,
)
def test_a_lost_answer_to_open_is_given_again(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(ORDERS, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    # Nobody has the link of this order: whatever becomes of it, no money can.
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)
    assert gateway.open(checkout, at=NOW).ref == Ref("order", order(double)["id"])


ASK: dict[str, Callable[[PayPalGateway, Checkout], Any]] = {
    "open": lambda gateway, checkout: gateway.open(replace(checkout, refs=()), at=NOW),
    "open again": lambda gateway, checkout: gateway.open(checkout, at=NOW),
    "fetch": lambda gateway, checkout: gateway.fetch(checkout, at=NOW),
    "finalize": lambda gateway, checkout: gateway.finalize(checkout, at=NOW),
    "close": lambda gateway, checkout: gateway.close(checkout, at=NOW),
    "refund": lambda gateway, checkout: gateway.refund(checkout, Return("r", "C1", Money(1)), at=NOW),
    "recent": lambda gateway, checkout: list(gateway.recent(NOW - SECOND, at=NOW)),
}
asking = pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
FAULTS: dict[str, dict[str, Any]] = {
    "nobody there": {"does": "drop"},
    "too many requests": {"status": 429, "body": '{"name": "RATE_LIMIT_REACHED"}'},
    "a page for an answer": {"does": "html"},
    "an empty answer": {"status": 200, "body": ""},
    "an empty object": {"status": 200},
    "not an object": {"status": 200, "body": "[]"},
    "an error that is none": {"status": 400},
    "a hang": {"does": "hang", "seconds": 5},
    "a drip": {"does": "drip", "seconds": 0.2},
}


@pytest.mark.payment_case(38, 40, 41)
@pytest.mark.parametrize("on", ["POST /v1/oauth2", ""], ids=["token", "all"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@asking
def test_no_answer_is_never_a_no(
    gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout, ask: Any, fault: dict[str, Any], on: str
) -> None:
    known = replace(checkout, refs=(Ref("order", "O1"),))
    if not on:
        gateway.fetch(opened(gateway, new_checkout()), at=NOW)
        double.log.clear()
    double.fail(on, times=99, **fault)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        ask(gateway, known)
    assert (len(double.log) <= 1, time.monotonic() - began < 2) == (True, True)


@pytest.mark.payment_case(39)
@asking
def test_a_wrong_secret_is_one_request_and_a_no(
    double: PayPalDouble, checkout: Checkout, settings: Any, caplog: pytest.LogCaptureFixture, ask: Any
) -> None:
    settings.PAYPAL_CLIENT_SECRET = "rotated-secret"
    with caplog.at_level(logging.DEBUG), pytest.raises(Rejected) as refused:
        ask(PayPalGateway(), replace(checkout, refs=(Ref("order", "O1"),)))
    assert len(double.log) == 1
    assert "rotated-secret" not in caplog.text + str(refused.value)


@pytest.mark.payment_case(39)
def test_revoked_tokens_are_replaced(gateway: PayPalGateway, double: PayPalDouble, approved: Checkout) -> None:
    double.revoke_tokens()
    assert gateway.finalize(approved, at=NOW).status == Standing.PAID
    assert len(double.asked_for(TOKEN)) == 2


@pytest.mark.payment_case(39)
def test_a_token_that_is_never_taken_is_asked_for_twice(
    gateway: PayPalGateway, double: PayPalDouble, approved: Checkout
) -> None:
    double.log.clear()
    double.fail(ORDER, status=401, times=99, body='{"error": "invalid_token"}')
    with pytest.raises(Rejected):
        gateway.fetch(approved, at=NOW)
    assert (len(double.asked_for(ORDER)), len(double.asked_for(TOKEN))) == (2, 1)


def test_a_lost_name_is_found_by_its_capture(gateway: PayPalGateway, checkout: Checkout, paid: Checkout) -> None:
    capture = Ref("capture", paid.ref("capture"))
    later = NOW + timedelta(days=1)
    assert gateway.fetch(replace(checkout, refs=(capture,)), at=later) == gateway.fetch(paid, at=later)
