"""Who sent it, when, and what it is about."""

import json
from datetime import timedelta
from typing import Any

import pytest
import stripe

from payments.gateways.base import (
    BadSignature,
    Checkout,
    InboundEvent,
    Ref,
)
from payments.gateways.stripe import BODY_LIMIT, StripeGateway
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW
from tests.payments.stripe.conftest import (
    charge,
    session,
)


def signed(double: StripeDouble, **changes: Any) -> tuple[bytes, dict[str, str]]:
    event = double.events("checkout.session.completed")[0]
    return double.signed(event | changes)


def test_authenticate_reads_the_event(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    body, headers = signed(double)
    event = double.events("checkout.session.completed")[0]
    expected = InboundEvent(
        "stripe",
        event["id"],
        "checkout.session.completed",
        paid.attempt_id,
        (paid.refs[0], Ref("intent", session(double)["payment_intent"])),
        NOW,
    )
    assert gateway.authenticate(body, headers, at=NOW) == expected
    lower = {name.lower(): text for name, text in headers.items()}
    assert gateway.authenticate(body, lower, at=NOW) == expected


def test_authenticate_knows_what_every_event_is_about(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    double.fail_refund(double.refund(charge(double), 100)["id"])
    double.close_dispute(double.dispute(charge(double))["id"], won=True)
    about = {}
    for event in double.events():
        read = gateway.authenticate(*double.signed(event), at=NOW)
        about[event["type"]] = (read.is_relevant, read.attempt_id, {ref.kind for ref in read.refs})
    ours = paid.attempt_id
    assert about == {
        "payment_intent.created": (False, ours, {"intent"}),
        "charge.succeeded": (False, ours, {"charge", "intent"}),
        "payment_intent.succeeded": (False, ours, {"intent"}),
        "checkout.session.completed": (True, ours, {"session", "intent"}),
        "charge.refunded": (True, ours, {"charge", "intent"}),
        "refund.created": (True, None, {"charge", "intent"}),
        "refund.failed": (True, None, {"charge", "intent"}),
        "refund.updated": (True, None, {"charge", "intent"}),
        "charge.refund.updated": (True, None, {"charge", "intent"}),
        "charge.dispute.created": (True, None, {"dispute", "charge", "intent"}),
        "charge.dispute.funds_withdrawn": (True, None, {"dispute", "charge", "intent"}),
        "charge.dispute.funds_reinstated": (True, None, {"dispute", "charge", "intent"}),
        "charge.dispute.closed": (True, None, {"dispute", "charge", "intent"}),
    }


@pytest.mark.payment_case(27)
def test_authenticate_of_another_mode_is_not_for_us(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, settings: Any
) -> None:
    assert not gateway.authenticate(*signed(double, livemode=True), at=NOW).is_relevant
    for prefix in ("sk_live_", "rk_live_"):
        settings.STRIPE_SECRET_KEY = f"{prefix}x"
        assert StripeGateway().livemode
        assert not StripeGateway().authenticate(*signed(double), at=NOW).is_relevant
        assert StripeGateway().authenticate(*signed(double, livemode=True), at=NOW).is_relevant


@pytest.mark.parametrize(
    ("version", "note"),
    [
        ("2026-10-28.endive", ""),
        ("2020-08-27", "Sent in API version 2020-08-27; we expect 2026-10-28.endive."),
        (None, "Sent in API version None; we expect 2026-10-28.endive."),
    ],
)
def test_authenticate_notes_another_version(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, version: Any, note: str
) -> None:
    assert gateway.authenticate(*signed(double, api_version=version), at=NOW).note == note


@pytest.mark.payment_case(16, 17)
@pytest.mark.parametrize(
    ("age", "is_fine"),
    [
        (timedelta(seconds=301), False),
        (timedelta(seconds=300), True),
        (timedelta(seconds=-300), True),
        (timedelta(seconds=-301), False),
    ],
)
def test_authenticate_by_the_clock_of_the_request(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, age: timedelta, is_fine: bool
) -> None:
    body, headers = signed(double)
    if is_fine:
        assert gateway.authenticate(body, headers, at=NOW + age).is_relevant
    else:
        with pytest.raises(BadSignature):
            gateway.authenticate(body, headers, at=NOW + age)


@pytest.mark.payment_case(14, 15)
def test_authenticate_refuses_what_was_not_signed_for_us(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, settings: Any
) -> None:
    event = double.events()[0]
    body, headers = double.signed(event)
    _, forged = double.signed(event, secret="whsec_somebody_else")
    for attempt in [(body, forged), (body + b" ", headers), (body.replace(b"40000", b"10000"), headers)]:
        with pytest.raises(BadSignature):
            gateway.authenticate(*attempt, at=NOW)
    settings.STRIPE_WEBHOOK_SECRET = ""
    with pytest.raises(BadSignature):
        gateway.authenticate(body, headers, at=NOW)


def test_authenticate_takes_one_right_signature_of_several(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    """While a secret is replaced Stripe signs with both."""
    body, headers = signed(double)
    stamp, right = headers["Stripe-Signature"].split(",")
    for header in (f"{stamp},v1={'0' * 64},{right},v0=abc", headers["Stripe-Signature"]):
        assert gateway.authenticate(body, {"Stripe-Signature": header}, at=NOW).is_relevant
    with pytest.raises(BadSignature):
        gateway.authenticate(body, {"Stripe-Signature": f"{stamp},{right.replace('v1', 'v0')}"}, at=NOW)


STAMP = int(NOW.timestamp())
HEADERS = {
    "none": {},
    "empty": {"Stripe-Signature": ""},
    "not ASCII": {"Stripe-Signature": f"t={STAMP},v1=é"},
    "no time": {"Stripe-Signature": "v1=00"},
    "no signature": {"Stripe-Signature": f"t={STAMP}"},
    "a word for a time": {"Stripe-Signature": "t=now,v1=00"},
    "an endless time": {"Stripe-Signature": f"t={'9' * 400},v1=00"},
    "endless": {"Stripe-Signature": f"t={STAMP}" + ",v1=00" * 100_000},
}


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
def test_authenticate_refuses_strange_headers(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, headers: dict[str, str]
) -> None:
    with pytest.raises(BadSignature):
        gateway.authenticate(signed(double)[0], headers, at=NOW)


EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.refunded",
    "api_version": None,
    "created": STAMP,
    "livemode": False,
    "data": {"object": {"object": "charge", "id": "ch_1"}},
}
BODIES = {
    "nothing": b"",
    "not UTF-8": b"\xff\xfe",
    "not JSON": b"{",
    "a list": b"[]",
    "a word": b'"event"',
    "null": b"null",
    "deep": b"[" * 100_000,
    **{f"without {name}": json.dumps({k: v for k, v in EVENT.items() if k != name}).encode() for name in EVENT},
    "a number for a name": json.dumps({**EVENT, "id": 1}).encode(),
    "a name too long": json.dumps({**EVENT, "id": "e" * 201}).encode(),
    "a name with a zero": json.dumps({**EVENT, "id": "e\0"}).encode(),
    "no object inside": json.dumps({**EVENT, "data": {"object": None}}).encode(),
    "a thin event": json.dumps({**EVENT, "object": "v2.core.event"}).encode(),
    "far in the future": json.dumps({**EVENT, "created": 10**20}).encode(),
}


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_authenticate_refuses_strange_bodies_even_signed(
    gateway: StripeGateway, double: StripeDouble, body: bytes
) -> None:
    text = body.decode("utf-8", "replace")
    header = stripe.WebhookSignature.generate_signature_header(text, double.WEBHOOK_SECRET, STAMP)
    with pytest.raises(BadSignature):
        gateway.authenticate(body, {"Stripe-Signature": header}, at=NOW)


@pytest.mark.payment_case(18)
@pytest.mark.parametrize(("length", "is_fine"), [(BODY_LIMIT, True), (BODY_LIMIT + 1, False)])
def test_authenticate_takes_so_much_of_a_body(
    gateway: StripeGateway, double: StripeDouble, length: int, is_fine: bool
) -> None:
    body = json.dumps(EVENT).encode().ljust(length)
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), double.WEBHOOK_SECRET, STAMP)
    if is_fine:
        assert gateway.authenticate(body, {"Stripe-Signature": header}, at=NOW).event_id == "evt_1"
    else:
        with pytest.raises(BadSignature):
            gateway.authenticate(body, {"Stripe-Signature": header}, at=NOW)


def test_authenticate_asks_nobody(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    before = len(double.log)
    gateway.authenticate(*signed(double), at=NOW)
    assert len(double.log) == before
