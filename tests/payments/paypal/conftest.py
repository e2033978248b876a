"""PayPal against a stand-in that keeps its own books, at 10 o'clock on 10 December 2026."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import pytest

from icg_cert.lib.money import Money
from payments.gateways.base import Checkout, Facts
from payments.gateways.paypal import PayPalGateway
from tests.doubles.paypal import PayPalDouble
from tests.payments import conftest as payments

NOW = payments.NOW.astimezone(UTC)  # the stand-in writes instants as it gets them, and calls them UTC
ENDS = NOW + timedelta(minutes=32)
SECOND = timedelta(seconds=1)
TOKEN = "POST /v1/oauth2/token"
ORDERS = "POST /v2/checkout/orders"
ORDER = "GET /v2/checkout/orders/"
VERIFY = "POST /v1/notifications/verify-webhook-signature"
Begin = Callable[..., str]


@pytest.fixture
def double(settings: Any) -> Iterator[PayPalDouble]:
    with PayPalDouble() as running:
        running.clock = NOW
        settings.PAYPAL_CLIENT_ID = running.CLIENT_ID
        settings.PAYPAL_CLIENT_SECRET = running.CLIENT_SECRET
        settings.PAYPAL_WEBHOOK_ID = running.WEBHOOK_ID
        settings.PAYPAL_MERCHANT_ID = running.MERCHANT_ID
        settings.PAYPAL_API_URL = running.url
        settings.PAYMENT_TIMEOUT_SECONDS = 1
        yield running


@pytest.fixture
def gateway(double: PayPalDouble) -> PayPalGateway:
    return PayPalGateway()


@pytest.fixture
def checkout() -> Checkout:
    return new_checkout()


def new_checkout() -> Checkout:
    key = uuid4()
    return Checkout(key, f"open-{key}", Money(40000), "Fee, cohort 10", "ada@example.org", "http://portal/back/", ENDS)


def opened(gateway: PayPalGateway, checkout: Checkout) -> Checkout:
    """The checkout with the name of its order, as it is stored after opening."""
    return replace(checkout, refs=(gateway.open(checkout, at=NOW).ref,))


@pytest.fixture
def approved(gateway: PayPalGateway, double: PayPalDouble, checkout: Checkout) -> Checkout:
    known = opened(gateway, checkout)
    double.approve(known.ref("order"))
    return known


@pytest.fixture
def paid(gateway: PayPalGateway, approved: Checkout) -> Checkout:
    return replace(approved, refs=gateway.finalize(approved, at=NOW).refs)


def order(double: PayPalDouble) -> dict[str, Any]:
    """The only one there is."""
    (found,) = double.state["orders"].values()
    return dict(found)


def capture(double: PayPalDouble) -> str:
    """The name of the last one."""
    return str(list(double.state["captures"])[-1])


def txns(facts: Facts) -> list[tuple[str, int]]:
    return [(txn.kind, txn.amount.minor) for txn in facts.txns]


def captures_asked(double: PayPalDouble) -> list[str]:
    """The keys of all requests to take money."""
    return [asked.header("paypal-request-id") for asked in double.asked_for(ORDERS) if asked.path.endswith("/capture")]


@pytest.fixture
def pay_by_paypal(begin: Begin, double: PayPalDouble) -> Begin:
    def press(when: Any = NOW, **changes: Any) -> str:
        return begin(when, provider="paypal", **changes)

    return press
