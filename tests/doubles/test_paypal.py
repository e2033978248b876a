"""The stand-in for PayPal, asked over the wire: tokens, orders, keys, captures, and the page."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from tests.doubles.conftest import NOW, SECOND
from tests.doubles.paypal import PayPalDouble
from tests.doubles.paypal_client import BACK, ORDERS, Client, capture_in, issue, order, sign_in, told
from tests.threads import run_all_at_once

AGREED, REVERSED = "CHECKOUT.ORDER.APPROVED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED"
REFUSED = (401, "AUTHENTICATION_FAILURE")

# ---- Tokens


def test_a_token_lasts_nine_hours(paypal: PayPalDouble, client: Client, made: str) -> None:
    said = sign_in(paypal).json()
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 9 * 60 * 60)
    paypal.clock = NOW + timedelta(hours=9) - SECOND
    assert client.get(f"{ORDERS}/{made}").status_code == 200
    paypal.clock = NOW + timedelta(hours=9)
    assert issue(client.get(f"{ORDERS}/{made}")) == REFUSED


def test_a_token_is_for_its_own_client_only(paypal: PayPalDouble) -> None:
    refused = [sign_in(paypal, "another secret"), sign_in(paypal, grant_type="password")]
    assert [(answer.status_code, answer.json()["error"]) for answer in refused] == [
        (401, "invalid_client"), (400, "unsupported_grant_type"),
    ]  # fmt: skip


def test_tokens_are_revoked(paypal: PayPalDouble, client: Client, made: str) -> None:
    paypal.revoke_tokens()
    assert issue(client.get(f"{ORDERS}/{made}")) == REFUSED
    assert Client(paypal).get(f"{ORDERS}/{made}").status_code == 200


# ---- Orders


def test_an_order_repeats_what_it_was_told(paypal: PayPalDouble, client: Client) -> None:
    answer = client.create()
    made, here = answer.json(), f"{paypal.url}{ORDERS}/{answer.json()['id']}"
    assert (answer.status_code, client.order(made["id"])) == (200, made)
    assert made == {
        "id": made["id"],
        "intent": "CAPTURE",
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": {}},
        "purchase_units": [
            {
                "reference_id": "default",
                "custom_id": "a1",
                "invoice_id": "a1",
                "description": "Fee <2026>",
                "amount": {"currency_code": "USD", "value": "400.00"},
                "payee": {"merchant_id": paypal.MERCHANT_ID},
            }
        ],
        "create_time": "2026-12-10T16:00:00Z",
        "links": [
            {"href": here, "rel": "self", "method": "GET"},
            {"href": f"{paypal.url}/checkoutnow?token={made['id']}", "rel": "payer-action", "method": "GET"},
            {"href": f"{here}/capture", "rel": "capture", "method": "POST"},
        ],
    }


def test_an_order_without_a_way_to_pay_is_just_created(paypal: PayPalDouble, client: Client) -> None:
    asked = order()
    asked["application_context"] = asked.pop("payment_source")["paypal"]["experience_context"]
    answer = client.post(ORDERS, asked)  # such a one needs no key
    said = answer.json()
    assert (answer.status_code, said["status"], said["links"][1]["rel"]) == (201, "CREATED", "approve")
    paypal.approve(said["id"])
    assert client.capture(said["id"]).json()["status"] == "COMPLETED"


def test_answers_are_short_unless_the_whole_is_preferred(client: Client, agreed: str) -> None:
    for path, key in ((ORDERS, "short"), (f"{ORDERS}/{agreed}/capture", "c1")):
        assert set(client.post(path, order(), key, Prefer="return=minimal").json()) == {"id", "status", "links"}


WRONG: dict[str, tuple[Any, tuple[int, str]]] = {
    "a number": ({"value": 400}, (400, "INVALID_PARAMETER_SYNTAX")),
    "no number": ({"value": "4e2"}, (400, "INVALID_PARAMETER_SYNTAX")),
    "digits of another script": ({"value": "４００.00"}, (400, "INVALID_PARAMETER_SYNTAX")),
    "no places": ({"value": "400"}, (422, "DECIMAL_PRECISION")),
    "one place": ({"value": "400.0"}, (422, "DECIMAL_PRECISION")),
    "three places": ({"value": "400.000"}, (422, "DECIMAL_PRECISION")),
    "nothing": ({"value": "0.00"}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
    "less than nothing": ({"value": "-1.00"}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
    "no such currency": ({"currency": "XXX"}, (422, "INVALID_CURRENCY_CODE")),
    "a currency without places": ({"currency": "JPY"}, (422, "DECIMALS_NOT_SUPPORTED")),
    "no currency": ({"currency": None}, (400, "INVALID_PARAMETER_SYNTAX")),
    "no amount": ({"amount": None}, (400, "MISSING_REQUIRED_PARAMETER")),
    "a long name": ({"custom_id": "x" * 128}, (400, "INVALID_STRING_LENGTH")),
    "no name": ({"invoice_id": ""}, (400, "INVALID_STRING_LENGTH")),
    "nowhere to return": ({"page": {"cancel_url": BACK}}, (400, "MISSING_REQUIRED_PARAMETER")),
    "nowhere to cancel": ({"page": {"return_url": BACK}}, (400, "MISSING_REQUIRED_PARAMETER")),
    "a script": ({"page": {"return_url": "javascript:x", "cancel_url": BACK}}, (400, "INVALID_PARAMETER_SYNTAX")),
}


@pytest.mark.parametrize(("changes", "expected"), WRONG.values(), ids=WRONG.keys())
def test_an_order_refuses_what_paypal_refuses(
    paypal: PayPalDouble, client: Client, changes: Any, expected: tuple[int, str]
) -> None:
    assert (issue(client.create(**changes)), paypal.state["orders"]) == (expected, {})


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', "{}".encode("utf-16")])
def test_an_order_is_json(client: Client, body: bytes) -> None:
    assert issue(client.post(ORDERS, body, "k1")) == (400, "MALFORMED_REQUEST_JSON")


def test_what_else_is_refused(client: Client, made: str) -> None:
    answers = [
        client.post(ORDERS, order(), "k2", **{"Content-Type": "text/plain"}),
        client.post(ORDERS, order()),
        client.post(ORDERS, order() | {"intent": "AUTHORIZE"}, "k2"),
        client.post(ORDERS, order() | {"purchase_units": []}, "k2"),
        client.get(f"{ORDERS}/NONE"),
        client.post(f"{ORDERS}/{made}/steal", {}, "k2"),
        client.get("/v2/checkout"),
    ]
    assert [issue(answer) for answer in answers] == [
        (415, "UNSUPPORTED_MEDIA_TYPE"),
        (400, "PAYPAL_REQUEST_ID_REQUIRED"),
        (400, "INVALID_PARAMETER_VALUE"),
        (400, "MISSING_REQUIRED_PARAMETER"),
        (404, "INVALID_RESOURCE_ID"),
        (404, "INVALID_RESOURCE_ID"),
        (404, "INVALID_RESOURCE_ID"),
    ]


# ---- Keys


@pytest.mark.parametrize(("later", "count"), [(timedelta(hours=6) - SECOND, 1), (timedelta(hours=6), 2)])
def test_a_key_makes_one_order_for_six_hours(
    paypal: PayPalDouble, client: Client, later: timedelta, count: int
) -> None:
    first = client.create("k")
    paypal.clock = NOW + later
    again = client.create("k")
    assert (again.status_code, len({first.json()["id"], again.json()["id"]})) == (200, count)


def test_a_key_gets_what_it_made_as_it_is_by_now(paypal: PayPalDouble, client: Client, agreed: str) -> None:
    assert client.create("k1").json()["status"] == "APPROVED"
    paypal.pend_next()
    waiting = capture_in(client.capture(agreed, "c1"))
    paypal.complete(waiting["id"])
    again = client.capture(agreed, "c1")
    assert (again.status_code, capture_in(again)["status"], waiting["status"]) == (200, "COMPLETED", "PENDING")


def test_what_was_refused_is_not_kept(client: Client) -> None:
    assert client.create("k", value="x").status_code == 400
    assert client.create("k").status_code == 200


@pytest.mark.parametrize(
    ("key", "later", "expected"),
    [
        ("c1", timedelta(hours=6) - SECOND, (200, "COMPLETED")),
        ("c1", timedelta(hours=6), (422, "ORDER_ALREADY_CAPTURED")),
        ("c2", timedelta(0), (422, "ORDER_ALREADY_CAPTURED")),
    ],
)
def test_money_is_taken_once(
    paypal: PayPalDouble, client: Client, agreed: str, key: str, later: timedelta, expected: tuple[int, str]
) -> None:
    assert client.capture(agreed, "c1").status_code == 201
    paypal.clock = NOW + later
    again = client.capture(agreed, key)
    said = (again.status_code, again.json()["status"]) if again.ok else issue(again)
    assert (said, len(paypal.state["captures"])) == (expected, 1)


@pytest.mark.parametrize("keys", [["c1"] * 4, ["c1", "c2", "c3", "c4"]])
def test_money_is_taken_once_also_at_once(paypal: PayPalDouble, client: Client, agreed: str, keys: list[str]) -> None:
    answers = run_all_at_once([lambda key=key: client.capture(agreed, key) for key in keys])  # type: ignore[misc]
    assert [answer.status_code for answer in answers].count(201) == 1
    assert (len(paypal.state["captures"]), told(paypal)) == (1, [AGREED, "PAYMENT.CAPTURE.COMPLETED"])


# ---- From agreement to money


def test_agreement_moves_nothing_and_capture_does(paypal: PayPalDouble, client: Client, made: str) -> None:
    assert issue(client.capture(made)) == (422, "ORDER_NOT_APPROVED")
    assert paypal.approve(made) == paypal.approve(made) == f"{BACK}&token={made}&PayerID=PRETENDPAYER2"
    assert (client.order(made)["status"], paypal.state["captures"], told(paypal)) == ("APPROVED", {}, [AGREED])
    answer = client.capture(made)
    taken = capture_in(answer)
    assert (answer.status_code, answer.json()["status"]) == (201, "COMPLETED")
    assert client.get(f"/v2/payments/captures/{taken['id']}").json() == taken
    expected = {
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": "400.00"},
        "custom_id": "a1",
        "invoice_id": "a1",
        "final_capture": True,
        "supplementary_data": {"related_ids": {"order_id": made}},
        "seller_receivable_breakdown": {
            "gross_amount": {"currency_code": "USD", "value": "400.00"},
            "paypal_fee": {"currency_code": "USD", "value": "14.45"},
            "net_amount": {"currency_code": "USD", "value": "385.55"},
        },
    }
    assert {name: taken[name] for name in expected} == expected
    assert [name for name in taken if name.startswith("_")] == []


def test_an_agreement_lapses_after_three_hours(paypal: PayPalDouble, client: Client, agreed: str) -> None:
    paypal.clock = NOW + timedelta(hours=3) - SECOND
    assert client.order(agreed)["status"] == "APPROVED"
    paypal.clock = NOW + timedelta(hours=3)
    assert issue(client.capture(agreed)) == (422, "ORDER_NOT_APPROVED")
    assert (client.order(agreed)["status"], told(paypal)) == ("PAYER_ACTION_REQUIRED", [AGREED, REVERSED])
    paypal.approve(agreed)
    assert client.capture(agreed).status_code == 201


def test_an_agreement_is_reversed(paypal: PayPalDouble, client: Client, agreed: str) -> None:
    paypal.reverse_approval(agreed)
    assert issue(client.capture(agreed)) == (422, "ORDER_NOT_APPROVED")
    assert paypal.events(REVERSED)[0]["resource"] == {
        "order_id": agreed, "purchase_units": client.order(agreed)["purchase_units"],
    }  # fmt: skip


def test_a_declined_instrument_lets_the_payer_agree_again(paypal: PayPalDouble, client: Client, agreed: str) -> None:
    paypal.decline_next()
    declined = client.capture(agreed)
    page = f"{paypal.url}/checkoutnow?token={agreed}"
    assert issue(declined) == (422, "INSTRUMENT_DECLINED")
    assert declined.json()["links"] == [{"href": page, "rel": "redirect", "method": "GET"}]
    assert (client.order(agreed)["status"], paypal.state["captures"]) == ("PAYER_ACTION_REQUIRED", {})
    paypal.approve(agreed)
    assert client.capture(agreed).status_code == 201


@pytest.mark.parametrize(
    ("knob", "status", "event", "moved"),
    [("complete", "COMPLETED", "COMPLETED", ["T0006"]), ("deny", "DECLINED", "DENIED", [])],
)
def test_money_that_takes_days(
    paypal: PayPalDouble, client: Client, agreed: str, knob: str, status: str, event: str, moved: list[str]
) -> None:
    paypal.pend_next()
    waiting = capture_in(client.capture(agreed))
    assert (waiting["status"], waiting["status_details"], paypal.state["moved"]) == (
        "PENDING", {"reason": "PENDING_REVIEW"}, [],
    )  # fmt: skip
    paypal.clock = NOW + timedelta(days=3)
    getattr(paypal, knob)(waiting["id"])
    now = Client(paypal).get(f"/v2/payments/captures/{waiting['id']}").json()
    assert (now["status"], now["update_time"], "status_details" in now) == (status, "2026-12-13T16:00:00Z", False)
    assert told(paypal)[1:] == ["PAYMENT.CAPTURE.PENDING", f"PAYMENT.CAPTURE.{event}"]
    assert [each["transaction_info"]["transaction_event_code"] for each in paypal.state["moved"]] == moved
    assert requests.post(f"{paypal.url}/_ctl/{knob}", json={"capture": waiting["id"]}, timeout=5).status_code == 422


# ---- The page


def browse(paypal: PayPalDouble, order: str, decision: str = "") -> tuple[int, str, BeautifulSoup]:
    """Status, where it leads, and what it says."""
    url = f"{paypal.url}/checkoutnow?token={order}"
    answer = requests.request(
        "POST" if decision else "GET", url, data={"decision": decision}, allow_redirects=False, timeout=5
    )
    return answer.status_code, answer.headers.get("Location", ""), BeautifulSoup(answer.text, "html.parser")


def test_the_page_says_what_it_is_for_and_that_it_is_practice(paypal: PayPalDouble, made: str) -> None:
    status, _, soup = browse(paypal, made)
    assert (status, soup.h1 and soup.h1.text, soup.script) == (200, "Fee <2026>", None)
    assert soup.select_one(".amount").text == "400.00 USD"  # type: ignore[union-attr]
    assert "No account and no card is asked for, and no money moves." in soup.select_one(".practice").text  # type: ignore[union-attr]
    assert [button.text for button in soup.select("form button")] == ["Agree and pay 400.00 USD", "Cancel and go back"]


def test_agreeing_on_the_page(paypal: PayPalDouble, client: Client, made: str) -> None:
    assert browse(paypal, made, "pay")[:2] == (303, f"{BACK}&token={made}&PayerID=PRETENDPAYER2")
    assert (client.order(made)["status"], paypal.state["captures"]) == ("APPROVED", {})
    assert "You have agreed" in browse(paypal, made, "pay")[2].text
    client.capture(made)
    assert "This payment is finished." in browse(paypal, made, "cancel")[2].text


def test_going_back_leaves_the_page_open(paypal: PayPalDouble, client: Client, made: str) -> None:
    assert browse(paypal, made, "cancel")[:2] == (303, f"{BACK}&token={made}")
    assert (client.order(made)["status"], told(paypal)) == ("PAYER_ACTION_REQUIRED", [])


def test_what_is_pressed_otherwise_and_a_page_that_is_none(paypal: PayPalDouble, made: str) -> None:
    assert (browse(paypal, made, "rob")[0], browse(paypal, "NONE")[0], told(paypal)) == (200, 404, [])


def test_a_page_that_lapsed_can_be_agreed_to_again(paypal: PayPalDouble, client: Client, agreed: str) -> None:
    paypal.clock = NOW + timedelta(hours=3)
    assert browse(paypal, agreed, "pay")[0] == 303
    assert client.order(agreed)["status"] == "APPROVED"


# ---- From outside the process


def test_knobs_over_http(paypal: PayPalDouble, client: Client, made: str) -> None:
    def turn(name: str, **said: Any) -> requests.Response:
        return requests.post(f"{paypal.url}/_ctl/{name}", json=said or None, timeout=5)

    assert turn("approve", order=made).json() == f"{BACK}&token={made}&PayerID=PRETENDPAYER2"
    assert [turn(name).json() for name in ("decline_next", "revoke_tokens")] == [None, None]
    assert issue(client.capture(made)) == REFUSED
    assert issue(Client(paypal).capture(made)) == (422, "INSTRUMENT_DECLINED")
    assert [turn("approve", order="NONE").status_code, turn("rob", bank=1).status_code] == [404, 404]


def test_state_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "paypal.json"
    with PayPalDouble(file=file) as first:
        first.clock = NOW
        client = Client(first)
        ref = client.create("k").json()["id"]
        first.approve(ref)
        client.capture(ref)
    with PayPalDouble(file=file) as second:
        second.clock = NOW
        client.url = second.url
        assert client.create("k").json()["id"] == ref
        assert (client.order(ref)["status"], client.capture(ref).status_code) == ("COMPLETED", 200)
        assert len(second.state["captures"]) == 1
