"""The stand-in for PayPal, asked over the wire: refunds, disputes, the account's list, and webhooks."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.doubles.conftest import NOW, SECOND
from tests.doubles.paypal import PayPalDouble
from tests.doubles.paypal_client import CAPTURES, Client, issue, told
from tests.doubles.paypal_webhooks import CERT
from tests.doubles.server import Answer, Asked, Double

VERIFY = "/v1/notifications/verify-webhook-signature"
LISTED = "/v1/reporting/transactions"
DISPUTES = "/v1/customer/disputes"


class Portal(Double):
    """Takes webhooks."""

    def answer(self, asked: Asked) -> Answer:
        return Answer()


def status(client: Client, capture: str) -> str:
    return str(client.get(f"{CAPTURES}/{capture}").json()["status"])


def moved(paypal: PayPalDouble) -> list[tuple[str, str]]:
    """What the account's list says, without PayPal's numbers."""
    lines = [each["transaction_info"] for each in paypal.state["moved"]]
    return [(line["transaction_event_code"], line["transaction_amount"]["value"]) for line in lines]


# ---- Money that goes back


def test_refunds_take_what_is_left_and_no_more(paypal: PayPalDouble, client: Client, taken: str) -> None:
    answer = client.refund(taken, "150.00", invoice_id="back-1")
    first = answer.json()
    expected = {
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": "150.00"},
        "invoice_id": "back-1",
        "custom_id": "a1",
    }
    assert (answer.status_code, {name: first[name] for name in expected}) == (201, expected)
    assert client.get(f"/v2/payments/refunds/{first['id']}").json() == first
    assert issue(client.refund(taken, "250.01", "r2")) == (422, "REFUND_AMOUNT_EXCEEDED")
    assert status(client, taken) == "PARTIALLY_REFUNDED"
    rest = client.refund(taken, key="r3").json()
    assert (rest["amount"]["value"], rest["invoice_id"], status(client, taken)) == ("250.00", "a1", "REFUNDED")
    assert issue(client.refund(taken, "0.01", "r4")) == (422, "CAPTURE_FULLY_REFUNDED")
    assert moved(paypal) == [("T0006", "400.00"), ("T1107", "-150.00"), ("T1107", "-250.00")]
    assert told(paypal)[2:] == ["PAYMENT.CAPTURE.REFUNDED"] * 2


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        ({"amount": {"currency_code": "EUR", "value": "1.00"}}, (422, "REFUND_CAPTURE_CURRENCY_MISMATCH")),
        ({"amount": {"currency_code": "USD", "value": 1}}, (400, "INVALID_PARAMETER_SYNTAX")),
        ({"amount": {"currency_code": "USD", "value": "1"}}, (422, "DECIMAL_PRECISION")),
        ({"amount": {"currency_code": "USD", "value": "-1.00"}}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
        ({"invoice_id": "x" * 128}, (400, "INVALID_STRING_LENGTH")),
    ],
)
def test_a_refund_refuses_what_paypal_refuses(
    paypal: PayPalDouble, client: Client, taken: str, wished: Any, expected: tuple[int, str]
) -> None:
    assert (issue(client.refund(taken, **wished)), paypal.state["refunds"]) == (expected, {})


@pytest.mark.parametrize(("how", "word"), [("PENDING", "PENDING_CAPTURE"), ("DECLINED", "REFUND_NOT_ALLOWED")])
def test_only_what_came_goes_back(paypal: PayPalDouble, client: Client, agreed: str, how: str, word: str) -> None:
    paypal.next_capture(how)
    client.capture(agreed)
    (capture,) = paypal.state["captures"]
    assert issue(client.refund(capture, "1.00")) == (422, word)


@pytest.mark.parametrize(("later", "count"), [(timedelta(days=45) - SECOND, 1), (timedelta(days=45), 2)])
def test_a_key_gives_back_once_for_45_days(
    paypal: PayPalDouble, client: Client, taken: str, later: timedelta, count: int
) -> None:
    first = client.refund(taken, "100.00", "r1").json()
    paypal.clock = NOW + later
    again = Client(paypal).refund(taken, "100.00", "r1").json()
    assert len({first["id"], again["id"]}) == len(paypal.state["refunds"]) == count


def test_a_refund_fails_later(paypal: PayPalDouble, client: Client, taken: str) -> None:
    ref = paypal.refund(taken)["id"]
    assert status(client, taken) == "REFUNDED"
    paypal.fail_refund(ref)
    found = client.get(f"/v2/payments/refunds/{ref}").json()
    assert (found["status"], status(client, taken)) == ("FAILED", "COMPLETED")
    assert moved(paypal) == [("T0006", "400.00"), ("T1107", "-400.00"), ("T1107", "400.00")]
    assert paypal.refund(taken)["amount"]["value"] == "400.00"  # there is as much to give back as before


def test_paypal_itself_takes_money_back(paypal: PayPalDouble, client: Client, agreed: str, taken: str) -> None:
    back = paypal.reverse(taken, "10.00")
    (event,) = paypal.events("PAYMENT.CAPTURE.REVERSED")
    assert (event["resource"]["id"], event["resource_type"]) == (back["id"], "refund")
    (seen,) = client.order(agreed)["purchase_units"][0]["payments"]["refunds"]
    assert (seen["amount"]["value"], status(client, taken)) == ("10.00", "PARTIALLY_REFUNDED")
    assert moved(paypal)[-1] == ("T1106", "-10.00")


# ---- Disputes


@pytest.mark.parametrize(
    ("won", "outcome", "ways", "booked"),
    [
        (True, "RESOLVED_SELLER_FAVOUR", ["DEBIT", "CREDIT"], [("T1201", "-400.00"), ("T1202", "400.00")]),
        (False, "RESOLVED_BUYER_FAVOUR", ["DEBIT"], [("T1201", "-400.00")]),
    ],
)
def test_a_dispute(
    paypal: PayPalDouble,
    client: Client,
    taken: str,
    won: bool,
    outcome: str,
    ways: list[str],
    booked: list[tuple[str, str]],
) -> None:
    ref = paypal.dispute(taken)["dispute_id"]
    opened = client.get(f"{DISPUTES}/{ref}").json()
    assert (opened["status"], opened["seller_response_due_date"]) == (
        "WAITING_FOR_SELLER_RESPONSE", "2026-12-20T16:00:00Z",
    )  # fmt: skip
    paypal.update_dispute(ref)
    assert client.get(f"{DISPUTES}/{ref}").json()["status"] == "UNDER_REVIEW"
    paypal.resolve(ref, won=won)
    ended = client.get(f"{DISPUTES}/{ref}").json()
    assert (ended["status"], ended["dispute_outcome"]) == ("RESOLVED", {"outcome_code": outcome})
    assert [each["type"] for each in ended["money_movements"]] == ways
    assert moved(paypal)[1:] == booked
    assert told(paypal)[2:] == [f"CUSTOMER.DISPUTE.{word}" for word in ("CREATED", "UPDATED", "RESOLVED")]


def test_an_inquiry_takes_nothing_until_it_is_more(paypal: PayPalDouble, client: Client, taken: str) -> None:
    ref = paypal.dispute(taken, "50.00", stage="INQUIRY")["dispute_id"]
    assert ("money_movements" in client.get(f"{DISPUTES}/{ref}").json(), len(moved(paypal))) == (False, 1)
    paypal.update_dispute(ref, stage="CHARGEBACK")
    paypal.update_dispute(ref, stage="CHARGEBACK")
    assert moved(paypal)[1:] == [("T1201", "-50.00")]


def test_disputes_are_listed_by_their_capture(paypal: PayPalDouble, client: Client, taken: str) -> None:
    refs = [paypal.dispute(taken, "1.00")["dispute_id"] for _ in range(3)]
    path = f"{DISPUTES}?disputed_transaction_id={taken}&page_size=2"
    found = []
    while path:
        page = client.get(path).json()
        found += [each["dispute_id"] for each in page["items"]]
        after = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = after[0].removeprefix(paypal.url) if after else ""
    assert found == refs[::-1]
    assert "items" not in client.get(f"{DISPUTES}?disputed_transaction_id=NONE").json()


# ---- The account's list


def test_everything_that_moved_is_listed_by_pages(paypal: PayPalDouble, client: Client, taken: str) -> None:
    paypal.clock = NOW + timedelta(hours=1)
    paypal.refund(taken, "100.00")
    span = "start_date=2026-12-01T00:00:00Z&end_date=2026-12-31T00:00:00-00:00&page_size=1"
    pages = [client.get(f"{LISTED}?{span}&page={number}").json() for number in (1, 2, 3)]
    assert {(page["total_items"], page["total_pages"]) for page in pages} == {(2, 2)}
    lines = [line["transaction_info"] for page in pages for line in page["transaction_details"]]
    assert [(line["custom_field"], line["transaction_initiation_date"]) for line in lines] == [
        ("a1", "2026-12-10T16:00:00Z"), ("a1", "2026-12-10T17:00:00Z"),
    ]  # fmt: skip
    assert (lines[0]["transaction_id"], lines[1]["paypal_reference_id"]) == (taken, taken)
    assert moved(paypal) == [("T0006", "400.00"), ("T1107", "-100.00")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start_date=2026-12-01T00:00:00Z&end_date=2027-01-01T00:00:00Z", 200),
        ("start_date=2026-12-01T00:00:00Z&end_date=2027-01-01T00:00:01Z", 400),
        ("start_date=2026-12-02T00:00:00Z&end_date=2026-12-01T00:00:00Z", 400),
        ("start_date=2026-12-01T00:00:00&end_date=2026-12-02T00:00:00Z", 400),
        ("start_date=lately&end_date=2026-12-02T00:00:00Z", 400),
        ("start_date=2026-12-01T00:00:00Z", 400),
        ("start_date=2026-12-01T00:00:00Z&end_date=2026-12-02T00:00:00Z&page_size=501", 400),
        ("start_date=2026-12-01T00:00:00Z&end_date=2026-12-02T00:00:00Z&page=0", 400),
    ],
)
def test_the_list_is_asked_for_within_31_days(client: Client, query: str, expected: int) -> None:
    assert client.get(f"{LISTED}?{query}").status_code == expected


# ---- Webhooks


def proof_of(headers: Any, webhook: str = PayPalDouble.WEBHOOK_ID) -> dict[str, str]:
    """What PayPal is asked with, from what came as headers, whatever their case."""
    lower = {name.lower(): text for name, text in headers.items()}
    names = {"id": "transmission_id", "time": "transmission_time", "sig": "transmission_sig"}
    sent = {asked: lower[f"paypal-transmission-{name}"] for name, asked in names.items()}
    return {
        **sent, "cert_url": lower["paypal-cert-url"], "auth_algo": lower["paypal-auth-algo"], "webhook_id": webhook,
    }  # fmt: skip


def verify(client: Client, proof: dict[str, str], event: bytes, before: bytes = b"") -> str:
    """Asked with the event as it is. `before` is what else the request says."""
    told = b"{" + before + json.dumps(proof).encode()[1:-1] + b', "webhook_event": ' + event + b"}"
    return str(client.post(VERIFY, told).json()["verification_status"])


@pytest.mark.parametrize("is_odd", [False, True])
def test_a_webhook_is_verified_over_its_exact_bytes(
    paypal: PayPalDouble, client: Client, made: str, is_odd: bool
) -> None:
    paypal.odd_bytes(is_odd)
    paypal.approve(made)
    (event,) = paypal.events()
    body, headers = paypal.signed(event)
    assert (json.loads(body), verify(client, proof_of(headers), body)) == (event, "SUCCESS")
    anew = [json.dumps(json.loads(body), **how) for how in ({"indent": 2}, {"separators": (",", ":")})]  # type: ignore[arg-type]
    assert [verify(client, proof_of(headers), each.encode()) for each in anew] == ["FAILURE"] * 2
    body, headers = paypal.signed(event, webhook="another")
    assert [verify(client, proof_of(headers, name), body) for name in ("another", paypal.WEBHOOK_ID)] == ["FAILURE"] * 2


def test_odd_bytes_do_not_survive_another_writer(paypal: PayPalDouble, made: str) -> None:
    paypal.odd_bytes()
    paypal.approve(made)
    body, _ = paypal.signed(paypal.events()[0])
    assert [text in body.decode() for text in ('"empty" :  {}', '"rate" :  1.0', "Übungsstraße", r"1\/2")] == [True] * 4
    assert json.dumps(json.loads(body)).encode() != body


def test_the_event_is_found_wherever_it_stands(paypal: PayPalDouble, client: Client, made: str) -> None:
    paypal.approve(made)
    body, headers = paypal.signed(paypal.events()[0])
    decoy = rb'"note": "\"webhook_event\": {}", "more": {"webhook_event": [{}, "}"]} ,'
    assert verify(client, proof_of(headers), b" " + body + b"\n", decoy) == "SUCCESS"


@pytest.mark.parametrize("name", ["transmission_id", "transmission_time", "transmission_sig", "cert_url", "webhook_id"])
def test_a_proof_is_whole(paypal: PayPalDouble, client: Client, made: str, name: str) -> None:
    paypal.approve(made)
    body, headers = paypal.signed(paypal.events()[0])
    proof = proof_of(headers)
    assert verify(client, proof | {name: "anöther"}, body) == "FAILURE"
    del proof[name]
    answer = client.post(VERIFY, proof | {"webhook_event": json.loads(body)})
    assert issue(answer) == (400, "INVALID_PARAMETER_SYNTAX")


def test_webhooks_reach_the_portal_also_again_and_forged() -> None:
    with Portal() as portal, PayPalDouble(portal=f"{portal.url}/") as paypal:
        paypal.clock = NOW
        client = Client(paypal)
        paypal.approve(client.create().json()["id"])
        paypal.replay()
        paypal.replay(new_id=True)
        paypal.forge()
        assert paypal.deliver() == [200] * 4
        came = portal.asked_for("POST /webhooks/paypal/")
        kinds = [json.loads(asked.body)["event_type"] for asked in came]
        ids = [json.loads(asked.body)["id"] for asked in came]
        answers = [verify(client, proof_of(asked.headers), asked.body) for asked in came]
        assert kinds == ["CHECKOUT.ORDER.APPROVED"] * 4
        assert (ids[0] == ids[1] != ids[2] == ids[3], answers) == (True, ["SUCCESS"] * 3 + ["FAILURE"])
        assert {asked.header("paypal-cert-url") for asked in came} == {CERT}
        assert paypal.deliver() == []


def test_events_keep_what_was_true_then(paypal: PayPalDouble, taken: str) -> None:
    paypal.refund(taken)
    (event,) = paypal.events("PAYMENT.CAPTURE.COMPLETED")
    assert (event["resource"]["status"], paypal.state["captures"][taken]["status"]) == ("COMPLETED", "REFUNDED")
