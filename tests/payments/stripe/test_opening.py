"""Opening a page, and every way in which the answer may not come."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import (
    Checkout,
    Facts,
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
    ENDS,
    SECOND,
    SESSIONS,
    session,
)
from tests.threads import run_at_once

ERROR = json.dumps({"error": {"type": "api_error", "message": "of ada@example.org"}})


def test_open_tells_stripe_everything_it_will_have_to_repeat(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout
) -> None:
    redirect = gateway.open(checkout, at=NOW)
    made, about = session(double), {"attempt_id": str(checkout.attempt_id)}
    assert (redirect.ref, redirect.url, redirect.expires_at) == (Ref("session", made["id"]), made["url"], ENDS)
    expected = {
        "adaptive_pricing": {"enabled": False},
        "amount_total": 40000,
        "cancel_url": "http://portal/back/",
        "client_reference_id": str(checkout.attempt_id),
        "currency": "usd",
        "customer_email": "ada@example.org",
        "expires_at": int(ENDS.timestamp()),
        "metadata": about,
        "payment_method_types": ["card"],
        "success_url": "http://portal/back/?session={CHECKOUT_SESSION_ID}",
        "_intent": {"description": "Fee, cohort 10", "metadata": about},
    }
    assert {name: made[name] for name in expected} == expected
    (asked,) = double.log
    assert (asked.header("idempotency-key"), asked.header("stripe-version")) == (checkout.key, "2026-10-28.endive")
    assert asked.header("x-stripe-client-telemetry") == ""


@pytest.mark.payment_case(2)
def test_open_again_is_the_same_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    first = gateway.open(checkout, at=NOW)
    known = replace(checkout, refs=(first.ref,))
    assert [gateway.open(each, at=NOW + SECOND) for each in (checkout, known)] == [first, first]
    assert len(double.state["sessions"]) == 1


@pytest.mark.payment_case(1)
def test_open_at_once_is_one_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    pages = run_at_once(lambda: gateway.open(checkout, at=NOW), times=4)
    assert (len(set(pages)), len(double.state["sessions"])) == (1, 1)


def test_open_of_a_page_that_ended_is_not_a_refusal(gateway: StripeGateway, paid: Checkout) -> None:
    with pytest.raises(Unavailable):
        gateway.open(paid, at=NOW)


@pytest.mark.parametrize("ends", [NOW + timedelta(minutes=29), NOW + timedelta(days=2)])
def test_open_says_when_stripe_refuses(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, ends: datetime
) -> None:
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, expires_at=ends), at=NOW)
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)


def test_open_with_a_used_key_for_something_else_is_rejected(gateway: StripeGateway, checkout: Checkout) -> None:
    gateway.open(checkout, at=NOW)
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, amount=Money(1000)), at=NOW)


@pytest.mark.payment_case(30)
@pytest.mark.parametrize(
    "fault", [{"does": "drop"}, {"does": "status", "status": 503}, {"does": "status", "status": 409}]
)
def test_what_never_reached_stripe_is_unknown_and_then_nothing(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(SESSIONS, times=3, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    assert [asked.header("idempotency-key") for asked in double.asked_for(SESSIONS)] == [checkout.key] * 3
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)
    assert len(double.asked_for(SESSIONS)) == 3  # looking for it makes none


@pytest.mark.payment_case(31)
@pytest.mark.parametrize("fault", [{"does": "act_then_drop"}, {"does": "act_then_status", "status": 502}], ids=str)
def test_a_lost_answer_to_open_is_found_again(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(SESSIONS, times=3, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    facts = gateway.fetch(checkout, at=NOW)
    double.faults.clear()
    assert (facts.status, facts.refs) == (Standing.OPEN, (Ref("session", session(double)["id"]),))
    assert gateway.open(checkout, at=NOW).ref == facts.refs[0]
    assert len(double.state["sessions"]) == 1


def test_a_hiccup_is_not_even_noticed(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    double.fail(SESSIONS, "act_then_drop", times=2)
    assert gateway.open(checkout, at=NOW).url == session(double)["url"]


@pytest.mark.payment_case(37)
@pytest.mark.parametrize(("acts", "status"), [(False, Standing.NOTHING), (True, Standing.OPEN)])
def test_a_crash_that_is_replayed_for_the_key_is_looked_behind(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, acts: bool, status: Standing
) -> None:
    double.crash(SESSIONS, acts=acts)
    for _ in range(2):
        with pytest.raises(Unavailable):
            gateway.open(checkout, at=NOW)
    facts = gateway.fetch(checkout, at=NOW)
    assert facts.status == status
    if acts:
        assert gateway.open(replace(checkout, refs=facts.refs), at=NOW).url == session(double)["url"]


ASK: dict[str, Callable[[StripeGateway, Checkout], Any]] = {
    "open": lambda gateway, checkout: gateway.open(checkout, at=NOW),
    "fetch": lambda gateway, checkout: gateway.fetch(checkout, at=NOW),
    "finalize": lambda gateway, checkout: gateway.finalize(checkout, at=NOW),
    "close": lambda gateway, checkout: gateway.close(checkout, at=NOW),
    "refund": lambda gateway, checkout: gateway.refund(checkout, Return("r", "ch_1", Money(1)), at=NOW),
    "recent": lambda gateway, checkout: list(gateway.recent(NOW, at=NOW)),
}
asking = pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
FAULTS: dict[str, tuple[int, dict[str, Any]]] = {
    "nobody there": (3, {"does": "drop"}),
    "too many requests": (1, {"does": "status", "status": 429, "body": ERROR}),
    "a page for an answer": (1, {"does": "html"}),
    "an empty answer": (1, {"does": "status", "status": 200}),
    "not an object": (1, {"does": "status", "status": 200, "body": "[]"}),
    "an error that is none": (1, {"does": "status", "status": 400}),
}


@pytest.mark.payment_case(38, 40)
@pytest.mark.parametrize(("times", "fault"), FAULTS.values(), ids=FAULTS.keys())
@asking
def test_no_answer_is_never_a_no(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, ask: Any, times: int, fault: dict[str, Any]
) -> None:
    double.fail("", times=99, **fault)
    with pytest.raises(Unavailable):
        ask(gateway, checkout)
    assert len(double.log) == times


@pytest.mark.payment_case(30, 41)
@pytest.mark.parametrize(
    ("fault", "status"),
    [({"does": "hang", "seconds": 60}, Standing.NOTHING), ({"does": "drip", "seconds": 0.3}, Standing.OPEN)],
    ids=str,
)
def test_a_slow_answer_is_not_waited_for(
    double: StripeDouble, checkout: Checkout, settings: Any, fault: dict[str, Any], status: Standing
) -> None:
    settings.PAYMENT_TIMEOUT_SECONDS = 0.5
    double.fail(SESSIONS, times=3, **fault)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        StripeGateway().open(checkout, at=NOW)
    assert time.monotonic() - began < 10
    settings.PAYMENT_TIMEOUT_SECONDS = 5
    assert StripeGateway().fetch(checkout, at=NOW).status == status


@pytest.mark.payment_case(39)
@asking
def test_a_wrong_key_is_one_request_and_a_no(
    double: StripeDouble, checkout: Checkout, settings: Any, caplog: pytest.LogCaptureFixture, ask: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_rotated"
    with caplog.at_level(logging.INFO), pytest.raises(Rejected) as refused:
        ask(StripeGateway(), checkout)
    assert len(double.log) == 1
    assert "sk_test" not in caplog.text + str(refused.value)
