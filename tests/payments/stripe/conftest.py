"""Cards against a stand-in for Stripe that keeps its own books, at 10 o'clock on 10 December 2026."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import stripe

from icg_cert.lib.money import Money
from payments.gateways.base import Checkout, Facts
from payments.gateways.stripe import StripeGateway
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW

ENDS = NOW + timedelta(minutes=32)
SECOND = timedelta(seconds=1)
SESSIONS = "POST /v1/checkout/sessions"
Begin = Callable[..., str]


@pytest.fixture
def double(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeDouble]:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)  # retries follow at once
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0)
    with StripeDouble() as running:
        running.clock = NOW
        settings.STRIPE_SECRET_KEY = running.API_KEY
        settings.STRIPE_WEBHOOK_SECRET = running.WEBHOOK_SECRET
        settings.STRIPE_API_URL = running.url
        settings.PAYMENT_TIMEOUT_SECONDS = 5
        yield running


@pytest.fixture
def gateway(double: StripeDouble) -> StripeGateway:
    return StripeGateway()


@pytest.fixture
def checkout() -> Checkout:
    return new_checkout()


def new_checkout() -> Checkout:
    key = uuid4()
    return Checkout(key, f"open-{key}", Money(40000), "Fee, cohort 10", "ada@example.org", "http://portal/back/", ENDS)


def opened(gateway: StripeGateway, checkout: Checkout) -> Checkout:
    """The checkout with the name of its page, as it is stored after opening."""
    return replace(checkout, refs=(gateway.open(checkout, at=NOW).ref,))


def session(double: StripeDouble) -> dict[str, Any]:
    """The only one there is."""
    (found,) = double.state["sessions"].values()
    return dict(found)


@pytest.fixture
def paid(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> Checkout:
    known = opened(gateway, checkout)
    double.pay(known.ref("session"))
    return known


def charge(double: StripeDouble) -> str:
    return str(list(double.state["charges"])[-1])


def txns(facts: Facts) -> list[tuple[str, int]]:
    return [(txn.kind, txn.amount.minor) for txn in facts.txns]


@pytest.fixture
def pay_by_card(begin: Begin, double: StripeDouble) -> Begin:
    def press(when: datetime = NOW, **changes: Any) -> str:
        return begin(when, provider="stripe", **changes)

    return press


def name(url: str) -> str:
    return url.rsplit("/", 1)[-1]
