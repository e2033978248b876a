"""What the old client does wrong, and that ours does not: against a server that only counts and misbehaves."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import paypalrestsdk
import pytest
import requests
from paypalrestsdk import exceptions

from payments.gateways.base import Unavailable
from payments.gateways.paypal_transport import Refusal, RestPayPal
from tests.doubles.server import Answer, Asked, Double
from tests.payments.conftest import NOW
from tests.threads import run_at_once

SECRET = "a-secret-of-the-app"
TOKEN = "POST /v1/oauth2/token"
ORDER = "GET /v2/checkout/orders/1"
NO = json.dumps({"name": "RESOURCE_NOT_FOUND", "details": [], "message": "of ada@example.org"})


class Wire(Double):
    """Hands out tokens by number, takes the newest alone, and answers with what it was asked."""

    lasts: Any = 32400

    def empty(self) -> dict[str, Any]:
        return {"tokens": 0}

    def answer(self, asked: Asked) -> Answer:
        if asked.line == TOKEN:
            self.state["tokens"] += 1
            kind, length = asked.header("content-type"), self.lasts
            if kind != "application/x-www-form-urlencoded" or not asked.header("authorization").startswith("Basic "):
                return Answer.json({"error": "invalid_client"}, 401)
            return Answer.json(
                {"access_token": f"token-{self.state['tokens']}", "token_type": "Bearer", "expires_in": length}
            )
        if asked.header("authorization") != f"Bearer token-{self.state['tokens']}":
            return Answer.json({"error": "invalid_token"}, 401)
        return Answer.json({"id": "1", "body": asked.body.decode()})


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as running:
        yield running


@pytest.fixture
def paypal(wire: Wire, patience: Any) -> RestPayPal:
    return RestPayPal(wire.url, "an-app", SECRET, patience)


@pytest.fixture
def original(wire: Wire) -> Any:
    return paypalrestsdk.Api(mode="sandbox", endpoint=wire.url, client_id="an-app", client_secret=SECRET)


def lines(wire: Wire) -> list[str]:
    return [asked.line for asked in wire.log]


# ---- Tokens


def test_a_token_is_fetched_once_for_all(wire: Wire, paypal: RestPayPal) -> None:
    answers = run_at_once(lambda: paypal.get("1"), times=4)
    assert [answer["id"] for answer in answers] == ["1"] * 4
    assert lines(wire) == [TOKEN, *[ORDER] * 4]


@pytest.mark.payment_case(39)
def test_a_rotated_token_is_replaced_once(wire: Wire, paypal: RestPayPal) -> None:
    paypal.get("1")
    wire.state["tokens"] += 1
    paypal.create({}, "a-key")
    assert lines(wire) == [TOKEN, ORDER, "POST /v2/checkout/orders", TOKEN, "POST /v2/checkout/orders"]
    assert [asked.header("paypal-request-id") for asked in wire.asked_for("POST /v2")] == ["a-key", "a-key"]


@pytest.mark.payment_case(39)
def test_a_token_that_is_never_taken_is_not_fetched_for_ever(wire: Wire, paypal: RestPayPal) -> None:
    wire.fail(ORDER, status=401, times=99, body=json.dumps({"error": "invalid_token"}))
    with pytest.raises(Refusal, match="401 invalid_token"):
        paypal.get("1")
    assert lines(wire) == [TOKEN, ORDER, TOKEN, ORDER]


def test_the_original_would_ask_for_ever(wire: Wire, original: Any) -> None:
    wire.fail(ORDER, status=401, times=20)
    original.get("/v2/checkout/orders/1")
    assert len(wire.asked_for(ORDER)) == 21


def test_a_wrong_secret_is_one_request(wire: Wire, paypal: RestPayPal) -> None:
    wire.fail(TOKEN, status=401, body=json.dumps({"error": "invalid_client"}))
    with pytest.raises(Refusal, match="401 invalid_client"):
        paypal.get("1")
    assert lines(wire) == [TOKEN]


def test_no_header_of_a_caller_goes_with_the_request_for_a_token(wire: Wire, paypal: RestPayPal, original: Any) -> None:
    leaking = {"PayPal-Request-Id": "a-key", "Content-Type": "application/json"}
    with pytest.raises(exceptions.UnauthorizedAccess):
        original.get("/v2/checkout/orders/1", headers=leaking)
    assert wire.log[0].header("paypal-request-id") == "a-key"
    wire.log.clear()
    paypal.create({}, "a-key")
    assert [asked.header("paypal-request-id") for asked in wire.log] == ["", "a-key"]
    paypal.oauth.token_hash = None
    paypal.oauth.get_access_token(headers=leaking)
    assert wire.log[-1].header("paypal-request-id") == ""


@pytest.mark.parametrize(("lasts", "tokens"), [(60, 2), (90, 1), ("90", 1), (0, 2)])
def test_a_token_is_given_up_a_minute_before_its_end(wire: Wire, paypal: RestPayPal, lasts: Any, tokens: int) -> None:
    wire.lasts = lasts
    for _ in range(2):
        paypal.get("1")
    assert len(wire.asked_for(TOKEN)) == tokens


def test_the_original_uses_a_token_to_its_last_second(wire: Wire, original: Any) -> None:
    wire.lasts = 60
    for _ in range(2):
        original.get("/v2/checkout/orders/1")
    assert len(wire.asked_for(TOKEN)) == 1


@pytest.mark.parametrize("said", [{}, {"expires_in": 3600}, {"expires_in": 3600, "access_token": "x"}, []])
def test_what_is_no_token_is_not_kept(wire: Wire, paypal: RestPayPal, said: Any) -> None:
    wire.fail(TOKEN, status=200, body=json.dumps(said))
    with pytest.raises(Unavailable):
        paypal.get("1")
    assert paypal.get("1")["id"] == "1"


# ---- Answers


@pytest.mark.payment_case(41)
@pytest.mark.parametrize("fault", [{"does": "hang", "seconds": 5}, {"does": "drip", "seconds": 0.2}], ids=str)
@pytest.mark.parametrize("line", [TOKEN, ORDER])
def test_an_answer_has_so_much_time_as_a_whole(
    wire: Wire, paypal: RestPayPal, line: str, fault: dict[str, Any]
) -> None:
    wire.fail(line, **fault)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        paypal.get("1")
    assert time.monotonic() - began < 2


def test_the_original_has_no_limit(original: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(requests, "request", lambda *args, **how: asked.append(how.get("timeout")))
    with pytest.raises(AttributeError):
        original.http_call("http://portal.invalid/", "GET")
    assert asked == [None]


def test_the_original_returns_a_no_as_if_it_were_the_order(wire: Wire, original: Any) -> None:
    wire.fail(ORDER, status=400, body=NO)
    assert original.get("/v2/checkout/orders/1") == {"error": json.loads(NO)}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_no_of_paypal_is_a_refusal(wire: Wire, paypal: RestPayPal, status: int) -> None:
    wire.fail(ORDER, status=status, times=2, body=NO)
    with pytest.raises(Refusal) as refused:
        paypal.get("1")
    assert (refused.value.status, refused.value.issue, str(refused.value)) == (
        status,
        "RESOURCE_NOT_FOUND",
        f"{status} RESOURCE_NOT_FOUND",
    )


def test_a_refusal_names_the_issue_rather_than_its_class(wire: Wire, paypal: RestPayPal) -> None:
    said = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "INSTRUMENT_DECLINED"}, {"issue": "OTHER"}]}
    wire.fail(ORDER, status=422, body=json.dumps(said))
    with pytest.raises(Refusal, match="422 INSTRUMENT_DECLINED"):
        paypal.get("1")


def issue(word: str) -> str:
    return json.dumps({"name": "X", "details": [{"issue": word}]})


UNCLEAR = {
    "a conflict": (409, NO),
    "too many": (429, NO),
    "an error of theirs": (500, NO),
    "not there": (503, ""),
    "still under way": (422, issue("PREVIOUS_REQUEST_IN_PROGRESS")),
    "another request takes the money": (422, issue("ORDER_COMPLETION_IN_PROGRESS")),
    "a page of a firewall": (403, "<h1>Access denied</h1>"),
    "nobody's no": (400, "{}"),
    "a word that is none": (400, issue("<b>no</b>")),
    "a strange list": (400, '{"details": 7}'),
    "no object": (400, "[]"),
    "moved": (307, NO),
    "moved for good": (308, NO),
    "not JSON": (200, "<h1>Welcome</h1>"),
    "no object in JSON": (200, "[]"),
    "nothing": (200, ""),
    "not modified": (304, ""),
}


@pytest.mark.payment_case(38, 40)
@pytest.mark.parametrize(("status", "body"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_whatever_else_is_no_answer(wire: Wire, paypal: RestPayPal, status: int, body: str) -> None:
    wire.fail(ORDER, status=status, body=body)
    with pytest.raises(Unavailable):
        paypal.get("1")
    assert lines(wire) == [TOKEN, ORDER]


def test_nobody_there(wire: Wire, paypal: RestPayPal) -> None:
    wire.fail(ORDER, "drop")
    with pytest.raises(Unavailable, match="ConnectionError"):
        paypal.get("1")


class Elsewhere(Wire):
    def answer(self, asked: Asked) -> Answer:
        return Answer.to(f"{self.url}/elsewhere") if asked.line == ORDER else super().answer(asked)


def test_no_redirect_is_followed() -> None:
    with Elsewhere() as wire:
        original = paypalrestsdk.Api(endpoint=wire.url, client_id="an-app", client_secret=SECRET)
        original.get("/v2/checkout/orders/1")
        assert lines(wire) == [TOKEN, ORDER, "GET /elsewhere"]
        wire.log.clear()
        with pytest.raises(Unavailable, match="Redirection"):
            RestPayPal(wire.url, "an-app", SECRET, 1).get("1")
        assert lines(wire) == [TOKEN, ORDER]


# ---- Requests


def test_a_get_has_no_body(wire: Wire, paypal: RestPayPal, original: Any) -> None:
    assert original.get("/v2/checkout/orders/1")["body"] == "null"
    assert paypal.get("1")["body"] == ""


def test_names_cannot_lead_elsewhere(wire: Wire, paypal: RestPayPal) -> None:
    paypal.get("../../v1/oauth2?x#y")
    assert lines(wire)[1:] == ["GET /v2/checkout/orders/..%2F..%2Fv1%2Foauth2%3Fx%23y"]


@pytest.mark.payment_case(19)
def test_what_is_verified_leaves_byte_by_byte(wire: Wire, paypal: RestPayPal) -> None:
    event = '{ "id":"WH-1",\n "amount": 1.0, "empty": {}, "name": "Ærøskøbing\\u00e9" }'.encode()
    wire.fail("POST /v1/notifications", status=200, body='{"verification_status": "SUCCESS"}')
    assert paypal.verify({"webhook_id": "WH", "transmission_id": "ü"}, event) == "SUCCESS"
    body = wire.log[-1].body
    assert body.endswith(b', "webhook_event": ' + event + b"}")
    assert json.loads(body) == {"webhook_id": "WH", "transmission_id": "ü", "webhook_event": json.loads(event)}


def test_no_secret_is_written_to_the_log(
    wire: Wire, paypal: RestPayPal, original: Any, caplog: pytest.LogCaptureFixture
) -> None:
    basic = original.basic_auth()
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="paypalrestsdk"):
        original.get("/v2/checkout/orders/1")
        assert basic in caplog.text
        assert "token-1" in caplog.text
        caplog.clear()
        paypal.get("1")
        wire.fail(ORDER, status=422, body=NO)
        with pytest.raises(Refusal):
            paypal.get("1")
    assert [word for word in (basic, SECRET, "token-", "ada@") if word in caplog.text] == []


class Reports(Wire):
    """Three pages of a list for every span."""

    def answer(self, asked: Asked) -> Answer:
        if not asked.path.startswith("/v1/reporting"):
            return super().answer(asked)
        about = {name: asked.query[name] for name in ("start_date", "end_date", "page")}
        return Answer.json({"transaction_details": [about], "total_pages": 2, "total_items": 2})


def test_transactions_come_page_by_page_of_a_month_at_most() -> None:
    """No span is short either: PayPal refuses one that begins in the hours or days its list is behind."""
    with Reports() as wire:
        paypal = RestPayPal(wire.url, "an-app", SECRET, 1)
        found = paypal.transactions(NOW - timedelta(days=33), NOW)
        first = next(found)
        assert len(wire.asked_for("GET /v1/reporting")) == 1
        half, end = "2026-11-24T04:00:00Z", "2026-12-10T16:00:00Z"
        assert [first, *found] == [
            {"start_date": "2026-11-07T16:00:00Z", "end_date": half, "page": "1"},
            {"start_date": "2026-11-07T16:00:00Z", "end_date": half, "page": "2"},
            {"start_date": half, "end_date": end, "page": "1"},
            {"start_date": half, "end_date": end, "page": "2"},
        ]
        assert list(paypal.transactions(NOW, NOW)) == []
        wire.log.clear()
        assert len(list(paypal.transactions(NOW - timedelta(days=31), NOW))) == 2
