"""The stand-in for PayPal, asked over the wire."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from tests.doubles.paypal import PayPalDouble
from tests.doubles.paypal_webhooks import CERT

NOW = datetime(2026, 12, 10, 16, tzinfo=UTC)
Ask = Callable[..., requests.Response]


@pytest.fixture
def paypal() -> Iterator[PayPalDouble]:
    with PayPalDouble(portal="http://127.0.0.1:9") as running:
        running.clock = NOW
        yield running


@pytest.fixture
def token(paypal: PayPalDouble) -> str:
    return sign_in(paypal)


def sign_in(paypal: PayPalDouble, secret: str = PayPalDouble.CLIENT_SECRET) -> str:
    own = base64.b64encode(f"{paypal.CLIENT_ID}:{secret}".encode()).decode()
    url, form = f"{paypal.url}/v1/oauth2/token", {"grant_type": "client_credentials"}
    return str(
        requests.post(url, form, headers={"Authorization": f"Basic {own}"}, timeout=5).json().get("access_token")
    )


@pytest.fixture
def ask(paypal: PayPalDouble, token: str) -> Ask:
    def send(line: str, body: Any = None, key: str = "", prefer: str = "return=representation") -> requests.Response:
        method, path = line.split(" ")
        headers = {"Authorization": f"Bearer {token}", "Prefer": prefer, "Content-Type": "application/json"}
        headers |= {"PayPal-Request-Id": key} if key else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return requests.request(method, paypal.url + path, data=data, headers=headers, timeout=5)

    return send


def order(value: Any = "400.00", **unit: Any) -> dict[str, Any]:
    page = {"return_url": "http://portal/back/", "cancel_url": "http://portal/back/", "user_action": "PAY_NOW"}
    units = [{"custom_id": "a1", "invoice_id": "a1", "amount": {"currency_code": "USD", "value": value}, **unit}]
    return {"intent": "CAPTURE", "purchase_units": units, "payment_source": {"paypal": {"experience_context": page}}}


@pytest.fixture
def made(ask: Ask) -> dict[str, Any]:
    return dict(ask("POST /v2/checkout/orders", order(), "k1").json())


@pytest.fixture
def taken(ask: Ask, paypal: PayPalDouble, made: dict[str, Any]) -> dict[str, Any]:
    paypal.approve(made["id"])
    said = ask(f"POST /v2/checkout/orders/{made['id']}/capture", {}, "c1").json()
    return dict(said["purchase_units"][0]["payments"]["captures"][0])


def issue(answer: requests.Response) -> tuple[int, str]:
    said = answer.json()
    return answer.status_code, said["details"][0]["issue"] if said["details"] else said["name"]


def kinds(paypal: PayPalDouble) -> list[str]:
    return [event["event_type"] for event in paypal.events()]


def test_it_knows_its_own_client_and_its_tokens_end(paypal: PayPalDouble, ask: Ask) -> None:
    assert sign_in(paypal, "another") == "None"
    assert ask("GET /v2/checkout/orders/X").status_code == 404
    paypal.clock = NOW + timedelta(hours=9)
    assert issue(ask("GET /v2/checkout/orders/X")) == (401, "AUTHENTICATION_FAILURE")


def test_the_same_key_is_the_same_order_for_six_hours(paypal: PayPalDouble, ask: Ask, made: dict[str, Any]) -> None:
    assert ask("POST /v2/checkout/orders", order(), "k1").json() == made
    paypal.clock = NOW + timedelta(hours=6)
    assert ask("POST /v2/checkout/orders", order(), "k1").json()["id"] != made["id"]


@pytest.mark.parametrize("value", [400, "400", "400.0", "400.000", "-1.00", "0.00", "x"])
def test_an_amount_is_a_text_with_two_places(ask: Ask, value: Any) -> None:
    assert ask("POST /v2/checkout/orders", order(value)).status_code in (400, 422)


def test_money_moves_only_when_it_is_captured(paypal: PayPalDouble, ask: Ask, made: dict[str, Any]) -> None:
    path = f"/v2/checkout/orders/{made['id']}"
    assert issue(ask(f"POST {path}/capture", {}, "c1")) == (422, "ORDER_NOT_APPROVED")
    assert paypal.approve(made["id"]) == f"http://portal/back/?token={made['id']}&PayerID=PRETENDPAYER2"
    assert (ask(f"GET {path}").json()["status"], paypal.state["captures"]) == ("APPROVED", {})
    assert [ask(f"POST {path}/capture", {}, "c1").json()["status"] for _ in range(2)] == ["COMPLETED"] * 2
    assert issue(ask(f"POST {path}/capture", {}, "c2")) == (422, "ORDER_ALREADY_CAPTURED")
    assert (len(paypal.state["captures"]), kinds(paypal)) == (
        1, ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"],
    )  # fmt: skip


def test_an_agreement_lapses_after_three_hours(paypal: PayPalDouble, ask: Ask, made: dict[str, Any]) -> None:
    paypal.approve(made["id"])
    paypal.clock = NOW + timedelta(hours=3)
    assert ask(f"GET /v2/checkout/orders/{made['id']}").json()["status"] == "PAYER_ACTION_REQUIRED"


def test_a_declined_instrument_lets_the_payer_agree_again(paypal: PayPalDouble, ask: Ask, made: dict[str, Any]) -> None:
    paypal.approve(made["id"])
    paypal.next_capture("INSTRUMENT_DECLINED")
    path = f"POST /v2/checkout/orders/{made['id']}/capture"
    assert issue(ask(path, {}, "c1")) == (422, "INSTRUMENT_DECLINED")
    paypal.approve(made["id"])
    assert ask(path, {}, "c1").status_code == 201


def test_answers_are_short_unless_the_whole_is_preferred(ask: Ask) -> None:
    assert set(ask("POST /v2/checkout/orders", order(), "k1", prefer="").json()) == {"id", "status", "links"}


def test_refunds_go_as_far_as_the_capture(paypal: PayPalDouble, ask: Ask, taken: dict[str, Any]) -> None:
    path = f"POST /v2/payments/captures/{taken['id']}/refund"
    part = {"amount": {"currency_code": "USD", "value": "150.00"}, "invoice_id": "back-1"}
    first, again = (ask(path, part, "r1").json() for _ in range(2))
    assert (first, first["status"], first["invoice_id"]) == (again, "COMPLETED", "back-1")
    assert issue(ask(path, {"amount": {"currency_code": "USD", "value": "250.01"}}, "r2")) == (
        422, "REFUND_AMOUNT_EXCEEDED",
    )  # fmt: skip
    paypal.refund(taken["id"])
    assert ask(f"GET /v2/payments/captures/{taken['id']}").json()["status"] == "REFUNDED"
    paypal.fail_refund(first["id"])
    assert ask(f"GET /v2/payments/captures/{taken['id']}").json()["status"] == "PARTIALLY_REFUNDED"


def test_disputes_are_listed_by_their_capture(paypal: PayPalDouble, ask: Ask, taken: dict[str, Any]) -> None:
    made = paypal.dispute(taken["id"])
    found = ask(f"GET /v1/customer/disputes?disputed_transaction_id={taken['id']}").json()["items"]
    assert [each["dispute_id"] for each in found] == [made["dispute_id"]]
    paypal.resolve(made["dispute_id"], won=True)
    told = ask(f"GET /v1/customer/disputes/{made['dispute_id']}").json()
    assert [each["type"] for each in told["money_movements"]] == ["DEBIT", "CREDIT"]
    assert told["dispute_outcome"] == {"outcome_code": "RESOLVED_SELLER_FAVOUR"}


def test_everything_that_moved_is_listed_by_pages(paypal: PayPalDouble, ask: Ask, taken: dict[str, Any]) -> None:
    paypal.refund(taken["id"], "100.00")
    span = "start_date=2026-12-01T00:00:00Z&end_date=2026-12-31T00:00:00Z"
    pages = [ask(f"GET /v1/reporting/transactions?{span}&page_size=1&page={n}").json() for n in (1, 2)]
    lines = [line["transaction_info"] for page in pages for line in page["transaction_details"]]
    assert [(line["transaction_event_code"], line["transaction_amount"]["value"]) for line in lines] == [
        ("T0006", "400.00"), ("T1107", "-100.00"),
    ]  # fmt: skip
    too_long = "start_date=2026-11-01T00:00:00Z&end_date=2026-12-31T00:00:00Z"
    assert ask(f"GET /v1/reporting/transactions?{too_long}").status_code == 400


@pytest.mark.parametrize("is_odd", [False, True])
def test_a_webhook_is_verified_over_its_exact_bytes(
    paypal: PayPalDouble, ask: Ask, made: dict[str, Any], is_odd: bool
) -> None:
    paypal.odd_bytes(is_odd)
    paypal.approve(made["id"])
    body, headers = paypal.signed(paypal.events()[0])
    assert json.loads(body) == paypal.events()[0]
    proof = {
        "transmission_id": headers["Paypal-Transmission-Id"],
        "transmission_time": headers["Paypal-Transmission-Time"],
        "transmission_sig": headers["Paypal-Transmission-Sig"],
        "cert_url": CERT,
        "auth_algo": headers["Paypal-Auth-Algo"],
        "webhook_id": paypal.WEBHOOK_ID,
    }

    def verify(event: bytes, **changes: str) -> str:
        told = json.dumps({**proof, **changes}).encode()[:-1] + b', "webhook_event": ' + event + b"}"
        return str(ask("POST /v1/notifications/verify-webhook-signature", told).json()["verification_status"])

    assert verify(body) == "SUCCESS"
    anew = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert [verify(anew), verify(body, webhook_id="another"), verify(body, transmission_id="another")] == [
        "FAILURE"
    ] * 3


def test_the_page_agrees_or_goes_back(paypal: PayPalDouble, made: dict[str, Any]) -> None:
    url = made["links"][1]["href"]
    page = BeautifulSoup(requests.get(url, timeout=5).text, "html.parser")
    assert "no money moves" in page.text
    assert [button["value"] for button in page.select("button")] == ["pay", "cancel"]
    led = [
        requests.post(url, {"decision": decision}, allow_redirects=False, timeout=5).headers.get("Location")
        for decision in ("cancel", "pay")
    ]
    assert led == [f"http://portal/back/?token={made['id']}{rest}" for rest in ("", "&PayerID=PRETENDPAYER2")]
    assert requests.get(f"{paypal.url}/checkoutnow?token=X", timeout=5).status_code == 404


def test_knobs_are_there_over_http(paypal: PayPalDouble, made: dict[str, Any]) -> None:
    url = f"{paypal.url}/_ctl/approve"
    assert requests.post(url, json={"order": made["id"]}, timeout=5).json().startswith("http://portal/back/")
    assert requests.post(url, json={"order": "X"}, timeout=5).status_code == 404
