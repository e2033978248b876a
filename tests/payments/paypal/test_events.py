"""Who sent it, when, and what it is about."""

import json
from datetime import timedelta
from typing import Any

import pytest

from payments.gateways.base import BadSignature, Checkout, InboundEvent, Ref, VerifierUnavailable
from payments.gateways.paypal import BODY_LIMIT, PayPalGateway
from tests.doubles.paypal import PayPalDouble
from tests.payments.paypal.conftest import NOW, VERIFY, capture

CAPTURED = "PAYMENT.CAPTURE.COMPLETED"


def signed(double: PayPalDouble, **changes: Any) -> tuple[bytes, dict[str, str]]:
    (event,) = double.events(CAPTURED)
    return double.signed(event | changes)


def with_header(headers: dict[str, str], name: str, text: str) -> dict[str, str]:
    assert name in {known.lower() for known in headers}
    return {known: text if known.lower() == name else other for known, other in headers.items()}


def refused(gateway: PayPalGateway, double: PayPalDouble, body: bytes, headers: dict[str, str]) -> bool:
    """BadSignature, and nobody was asked anything."""
    before = len(double.log)
    with pytest.raises(BadSignature):
        gateway.authenticate(body, headers, at=NOW)
    return len(double.log) == before


def test_authenticate_reads_the_event(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    body, headers = signed(double)
    (event,) = double.events(CAPTURED)
    named = (Ref("order", paid.ref("order")), Ref("capture", capture(double)))
    expected = InboundEvent("paypal", event["id"], CAPTURED, paid.attempt_id, named, NOW)
    assert gateway.authenticate(body, headers, at=NOW) == expected
    lower = {name.lower(): text for name, text in headers.items()}
    assert gateway.authenticate(body, lower, at=NOW) == expected


def test_authenticate_knows_what_every_event_is_about(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout
) -> None:
    double.refund(capture(double), "100.00")
    double.resolve(double.dispute(capture(double))["dispute_id"], won=True)
    about = {}
    other = {**double.events(CAPTURED)[0], "event_type": "PAYMENT.SALE.COMPLETED"}
    for event in [*double.events(), other]:
        read = gateway.authenticate(*double.signed(event), at=NOW)
        about[event["event_type"]] = (read.is_relevant, read.attempt_id, {ref.kind for ref in read.refs})
    ours = paid.attempt_id
    assert about == {
        "CHECKOUT.ORDER.APPROVED": (True, ours, {"order"}),
        "PAYMENT.CAPTURE.COMPLETED": (True, ours, {"order", "capture"}),
        "PAYMENT.CAPTURE.REFUNDED": (True, ours, {"capture"}),
        "CUSTOMER.DISPUTE.CREATED": (True, ours, {"dispute", "capture"}),
        "CUSTOMER.DISPUTE.RESOLVED": (True, ours, {"dispute", "capture"}),
        "PAYMENT.SALE.COMPLETED": (False, ours, set()),
    }


@pytest.mark.payment_case(19)
def test_authenticate_asks_about_the_exact_bytes(gateway: PayPalGateway, double: PayPalDouble, paid: Checkout) -> None:
    (event,) = double.events(CAPTURED)
    odd = {**event, "summary": "Zoë paid ☃", "empty": {}, "list": [], "part": 1.0}
    body = json.dumps(odd, ensure_ascii=False, indent=3, separators=(" , ", " :  ")).encode()
    headers = double._proof(body, NOW)
    assert gateway.authenticate(body, headers, at=NOW).attempt_id == paid.attempt_id
    assert body in double.asked_for(VERIFY)[-1].body
    with pytest.raises(BadSignature):
        gateway.authenticate(json.dumps(odd).encode(), headers, at=NOW)


@pytest.mark.payment_case(14, 15)
def test_authenticate_refuses_what_is_not_for_us(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, settings: Any
) -> None:
    body, headers = signed(double)
    forged = with_header(headers, "paypal-transmission-sig", "AAAA")
    other = with_header(headers, "paypal-transmission-id", "another")
    for attempt in [
        (body, forged),
        (body, other),
        (b"{ " + body[1:], headers),
        (body.replace(b"400.00", b"1.00"), headers),
    ]:
        with pytest.raises(BadSignature):
            gateway.authenticate(*attempt, at=NOW)
    settings.PAYPAL_WEBHOOK_ID = "WH-SOMEBODY-ELSE"
    with pytest.raises((BadSignature, VerifierUnavailable)):
        gateway.authenticate(body, headers, at=NOW)
    settings.PAYPAL_WEBHOOK_ID = ""
    assert refused(gateway, double, body, headers)


@pytest.mark.payment_case(16, 17)
@pytest.mark.parametrize(
    ("age", "is_fine"),
    [
        (timedelta(days=4, seconds=1), False),
        (timedelta(days=4), True),
        (timedelta(0), True),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, seconds=-1), False),
    ],
)
def test_authenticate_by_the_clock_of_the_request(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, age: timedelta, is_fine: bool
) -> None:
    body, headers = signed(double)
    if is_fine:
        assert gateway.authenticate(body, headers, at=NOW + age).is_relevant
    else:
        with pytest.raises(BadSignature):
            gateway.authenticate(body, headers, at=NOW + age)
        assert double.asked_for(VERIFY) == []


NAMES = ["transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo"]


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("text", [None, "", "é", "\n", "x" * 2001])
@pytest.mark.parametrize("name", [f"paypal-{name}" for name in NAMES])
def test_authenticate_asks_nobody_about_strange_headers(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, name: str, text: str | None
) -> None:
    body, headers = signed(double)
    strange = with_header(headers, name, text or "")
    if text is None:
        strange = {known: other for known, other in headers.items() if known.lower() != name}
    assert refused(gateway, double, body, strange)


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("time", ["now", "2026-12-10", "2026-12-10T16:00:00", "99999-01-01T00:00:00Z", "1e9"])
def test_authenticate_asks_nobody_about_strange_times(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, time: str
) -> None:
    body, headers = signed(double)
    assert refused(gateway, double, body, with_header(headers, "paypal-transmission-time", time))


@pytest.mark.payment_case(21)
@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://paypal.com.example.org/cert",
        "https://evilpaypal.com/cert",
        "https://example.org/?x=.paypal.com",
        "https://api.paypal.com@example.org/cert",
        "https://example.org#.paypal.com",
        "https://example.org\\.paypal.com/cert",
        "https://api.paypal.com:8443/cert",
        "https://[::1].paypal.com/",
        "//api.paypal.com/cert",
        "file:///etc/passwd",
    ],
)
def test_authenticate_lets_nobody_fetch_a_foreign_certificate(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, url: str
) -> None:
    body, headers = signed(double)
    assert refused(gateway, double, body, with_header(headers, "paypal-cert-url", url))


BODIES = {
    "nothing": b"",
    "not UTF-8": b'{"id": "\xff"}',
    "UTF-16": '{"id": "1"}'.encode("utf-16"),
    "not JSON": b"{",
    "a list": b"[]",
    "a word": b'"event"',
    "null": b"null",
    "two": b"{}{}",
    "no number": b'{"id": NaN}',
    "out of its place": b'{}, "webhook_id": "WH-EVIL"',
    "deep": b'{"a":' * 20_000,
    "too long": b"{}".ljust(BODY_LIMIT + 1),
}


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_authenticate_asks_nobody_about_strange_bodies(
    gateway: PayPalGateway, double: PayPalDouble, body: bytes
) -> None:
    assert refused(gateway, double, body, double._proof(body, NOW))


EVENT: dict[str, Any] = {
    "id": "WH-1",
    "event_type": CAPTURED,
    "create_time": "2026-12-10T16:00:00Z",
    "resource": {"id": "1"},
}
ODD: dict[str, dict[str, Any]] = {
    **{f"without {name}": {k: v for k, v in EVENT.items() if k != name} for name in EVENT},
    "a number for a name": {**EVENT, "id": 1},
    "a name too long": {**EVENT, "id": "e" * 201},
    "a name with a zero": {**EVENT, "id": "e\0"},
    "a number for a type": {**EVENT, "event_type": 1},
    "no object inside": {**EVENT, "resource": None},
    "a list inside": {**EVENT, "resource": []},
    "a strange unit": {**EVENT, "resource": {"purchase_units": 7}},
    "a strange link": {**EVENT, "resource": {"links": [7]}},
    "a dispute of nothing": {**EVENT, "event_type": "CUSTOMER.DISPUTE.CREATED"},
    "no time": {**EVENT, "create_time": "now"},
    "a time without a zone": {**EVENT, "create_time": "2026-12-10T16:00:00"},
}


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("event", ODD.values(), ids=ODD.keys())
def test_authenticate_refuses_strange_events_even_signed(
    gateway: PayPalGateway, double: PayPalDouble, event: dict[str, Any]
) -> None:
    with pytest.raises(BadSignature):
        gateway.authenticate(*double.signed(event), at=NOW)


@pytest.mark.payment_case(18)
def test_authenticate_takes_so_much_of_a_body(gateway: PayPalGateway, double: PayPalDouble) -> None:
    body = b"{".ljust(BODY_LIMIT - len(json.dumps(EVENT)) + 1) + json.dumps(EVENT).encode()[1:]
    assert gateway.authenticate(body, double._proof(body, NOW), at=NOW).event_id == "WH-1"


@pytest.mark.payment_case(20, 38, 39, 40, 41)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 429},
        {"status": 401, "body": '{"error": "invalid_token"}', "times": 2},
        {"status": 403, "body": '{"name": "NOT_AUTHORIZED"}'},
        {"status": 404, "body": '{"name": "INVALID_RESOURCE_ID"}'},
        {"status": 200, "body": "{}"},
        {"does": "drop"},
        {"does": "html"},
        {"does": "hang", "seconds": 5},
        {"does": "drip", "seconds": 0.2},
    ],
    ids=str,
)
def test_authenticate_when_paypal_cannot_tell(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(VERIFY, **fault)
    body, headers = signed(double)
    with pytest.raises(VerifierUnavailable):
        gateway.authenticate(body, headers, at=NOW)
    double.faults.clear()
    assert gateway.authenticate(body, headers, at=NOW).attempt_id == paid.attempt_id  # it comes again


def test_authenticate_of_what_paypal_calls_malformed(
    gateway: PayPalGateway, double: PayPalDouble, paid: Checkout
) -> None:
    double.fail(VERIFY, status=400, body='{"name": "VALIDATION_ERROR"}')
    with pytest.raises(BadSignature):
        gateway.authenticate(*signed(double), at=NOW)
