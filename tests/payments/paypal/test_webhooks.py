"""The door for PayPal's events: PayPal itself is asked whether they are its own, over the bytes as they came."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from candidates.models import Registration
from icg_cert.celery import app
from icg_cert.lib import clock
from payments.models import Delivery, LedgerEntry
from tests.doubles.paypal import PayPalDouble
from tests.payments.conftest import only_attempt
from tests.payments.paypal.conftest import NOW, VERIFY

Send = Callable[..., int]


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """A worker that takes every task the moment it is queued, at NOW."""
    app.conf.task_always_eager = True
    clock.jump_to(NOW)
    yield
    clock.reset()
    app.conf.task_always_eager = False


@pytest.fixture
def send(double: PayPalDouble) -> Send:
    def post(event: Any, **headers: str) -> int:
        body, proof = double.signed(event)
        told = {**proof, **headers}
        return Client().post("/webhooks/paypal/", body, content_type="application/json", headers=told).status_code

    return post


@pytest.fixture
def agreed(unpaid: Registration, begin: Callable[..., str], double: PayPalDouble) -> dict[str, Any]:
    """The event that somebody agreed to pay, and never came back to tell us."""
    double.approve(begin(provider="paypal").rpartition("=")[2])
    (event,) = double.events("CHECKOUT.ORDER.APPROVED")
    return event


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


@pytest.mark.payment_case(6, 19)
@pytest.mark.parametrize("is_odd", [False, True])
def test_an_event_takes_the_money_that_was_agreed_to(
    unpaid: Registration, agreed: dict[str, Any], double: PayPalDouble, send: Send, is_odd: bool
) -> None:
    double.odd_bytes(is_odd)
    assert [send(agreed), send(agreed)] == [200, 200]
    assert (status(unpaid), only_attempt(unpaid).state) == ("paid", "paid")
    assert (LedgerEntry.objects.count(), len(double.state["captures"])) == (1, 1)
    assert bytes(Delivery.objects.get().body) == double.signed(agreed)[0]


@pytest.mark.payment_case(20)
def test_while_paypal_cannot_be_asked_it_shall_deliver_again(
    unpaid: Registration, agreed: dict[str, Any], double: PayPalDouble, send: Send
) -> None:
    double.fail(VERIFY, status=500, times=1)
    assert (send(agreed), Delivery.objects.count(), status(unpaid)) == (503, 0, "unpaid")
    assert (send(agreed), status(unpaid)) == (200, "paid")


@pytest.mark.payment_case(14, 15, 21)
@pytest.mark.parametrize(
    "headers",
    [
        {"Paypal-Cert-Url": "https://paypal.com.example.org/cert"},
        {"Paypal-Cert-Url": "http://api.paypal.com/cert"},
        {"Paypal-Transmission-Sig": "bm90IGl0"},
        {"Paypal-Transmission-Id": ""},
    ],
)
def test_what_paypal_did_not_send_is_refused(
    unpaid: Registration, agreed: dict[str, Any], double: PayPalDouble, send: Send, headers: dict[str, str]
) -> None:
    assert (send(agreed, **headers), Delivery.objects.count(), status(unpaid)) == (400, 0, "unpaid")
    asked = bool(double.asked_for(VERIFY))
    assert asked == ("Paypal-Transmission-Sig" in headers)  # the others were seen through without asking
