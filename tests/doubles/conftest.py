"""The stand-ins for Stripe and PayPal at work, Stripe's own client asking the one, and somebody asking the other."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from tests.doubles.paypal import PayPalDouble
from tests.doubles.paypal_client import Client, capture_in
from tests.doubles.stripe import StripeDouble

NOW = datetime(2026, 12, 10, 16, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Create = Callable[..., Any]


@pytest.fixture
def stripe_double() -> Iterator[StripeDouble]:
    with StripeDouble() as running:
        running.clock = NOW
        yield running


def client_of(double: StripeDouble, key: str = StripeDouble.API_KEY) -> Any:
    everywhere: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), double.url)
    return stripe.StripeClient(key, base_addresses=everywhere, http_client=stripe.RequestsClient(timeout=5)).v1


@pytest.fixture
def stripe_client(stripe_double: StripeDouble) -> Any:
    return client_of(stripe_double)


def form(**changes: Any) -> dict[str, Any]:
    price = {"currency": "usd", "unit_amount": 40000, "product_data": {"name": "Fee <2026>"}}
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [{"quantity": 1, "price_data": price}],
        "customer_email": "ada@example.org",
        "client_reference_id": "attempt-1",
        "metadata": {"attempt_id": "1"},
        "payment_intent_data": {"metadata": {"attempt_id": "1"}, "description": "Fee"},
        "success_url": "http://portal/back/?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://portal/back/",
        "expires_at": int((NOW + timedelta(minutes=32)).timestamp()),
        **changes,
    }


def priced(**changes: Any) -> dict[str, Any]:
    item: dict[str, Any] = form()["line_items"][0]
    return {"line_items": [{**item, "price_data": {**item["price_data"], **changes}}]}


@pytest.fixture
def create(stripe_client: Any) -> Create:
    def ask(key: str = "", **changes: Any) -> Any:
        return stripe_client.checkout.sessions.create(form(**changes), {"idempotency_key": key} if key else {})

    return ask


def kinds(double: StripeDouble) -> list[str]:
    return [event["type"] for event in double.events()]


@pytest.fixture
def paypal() -> Iterator[PayPalDouble]:
    with PayPalDouble() as running:
        running.clock = NOW
        yield running


@pytest.fixture
def client(paypal: PayPalDouble) -> Client:
    return Client(paypal)


@pytest.fixture
def made(client: Client) -> str:
    """An order that waits for its payer."""
    return str(client.create().json()["id"])


@pytest.fixture
def agreed(paypal: PayPalDouble, made: str) -> str:
    paypal.approve(made)
    return made


@pytest.fixture
def taken(client: Client, agreed: str) -> str:
    """The capture of an order of 400.00."""
    return str(capture_in(client.capture(agreed))["id"])
