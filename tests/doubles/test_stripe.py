"""The stand-in for Stripe, held against Stripe's own client: sessions, keys, and the page."""

import urllib.error
import urllib.request
from datetime import timedelta
from http.client import HTTPResponse
from typing import Any

import pytest
import stripe
from bs4 import BeautifulSoup

from tests.doubles.conftest import NOW, SECOND, Create, client_of, kinds, priced
from tests.doubles.stripe import StripeDouble


def test_a_session_repeats_what_it_was_told(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    made = create()
    told = stripe_client.checkout.sessions.retrieve(made.id).to_dict()
    assert told == made.to_dict()
    expected = {
        "amount_total": 40000,
        "client_reference_id": "attempt-1",
        "created": int(NOW.timestamp()),
        "currency": "usd",
        "expires_at": int((NOW + timedelta(minutes=32)).timestamp()),
        "metadata": {"attempt_id": "1"},
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "url": f"{stripe_double.url}/c/pay/{made.id}",
    }
    assert {name: told[name] for name in expected} == expected
    assert [name for name in told if name.startswith("_")] == []


WRONG = {
    "mode": {"mode": "setup"},
    "success_url": {"success_url": "/back/"},
    "cancel_url": {"cancel_url": "javascript:alert(1)"},
    "client_reference_id": {"client_reference_id": "a b"},
    "customer_email": {"customer_email": "ada"},
    "payment_method_types": {"payment_method_types": ["card", "klarna"]},
    "metadata": {"metadata": {"a" * 41: "x"}},
    "line_items": {"line_items": []},
    "line_items[0][price_data][currency]": priced(currency="xxx"),
    "line_items[0][price_data][product_data][name]": priced(product_data={"name": ""}),
    "unit_amount": priced(unit_amount="400.00"),
    "return_to": {"return_to": "x"},
    "payment_intent_data[colour]": {"payment_intent_data": {"colour": "red"}},
}


@pytest.mark.parametrize(("param", "wrong"), WRONG.items(), ids=WRONG.keys())
def test_a_session_refuses_what_stripe_refuses(create: Create, param: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create(**wrong)
    assert (refused.value.http_status, refused.value.param) == (400, param)


@pytest.mark.parametrize(("minor", "is_fine"), [(49, False), (50, True), (99_999_999, True), (100_000_000, False)])
def test_a_session_is_for_a_sensible_amount(create: Create, minor: int, is_fine: bool) -> None:
    if is_fine:
        assert create(**priced(unit_amount=minor)).amount_total == minor
    else:
        with pytest.raises(stripe.InvalidRequestError):
            create(**priced(unit_amount=minor))


@pytest.mark.parametrize(
    ("ahead", "is_fine"),
    [
        (timedelta(minutes=30) - SECOND, False),
        (timedelta(minutes=30), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24) + SECOND, False),
    ],
)
def test_a_session_expires_between_half_an_hour_and_a_day(create: Create, ahead: timedelta, is_fine: bool) -> None:
    expires_at = int((NOW + ahead).timestamp())
    if is_fine:
        assert create(expires_at=expires_at).expires_at == expires_at
    else:
        with pytest.raises(stripe.InvalidRequestError, match="30 minutes"):
            create(expires_at=expires_at)


@pytest.mark.parametrize(
    ("when", "status"), [(timedelta(minutes=32) - SECOND, "open"), (timedelta(minutes=32), "expired")]
)
def test_a_session_expires_by_the_clock(
    create: Create, stripe_client: Any, stripe_double: StripeDouble, when: timedelta, status: str
) -> None:
    ref = create().id
    stripe_double.clock = NOW + when
    assert stripe_client.checkout.sessions.retrieve(ref).status == status
    assert kinds(stripe_double) == ["checkout.session.expired"] * (status == "expired")


def test_a_session_is_expired_by_hand_once(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    ref = create().id
    assert stripe_client.checkout.sessions.expire(ref).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.checkout.sessions.expire(ref)
    assert kinds(stripe_double) == ["checkout.session.expired"]


# ---- Keys


@pytest.mark.parametrize("key", ["sk_test_another", "sk_live_practice_key_no_money"])
def test_another_api_key_is_refused(stripe_double: StripeDouble, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        client_of(stripe_double, key).charges.list()
    assert refused.value.http_status == 401


def test_every_answer_has_a_name(create: Create, stripe_client: Any) -> None:
    names = [create().last_response.request_id, stripe_client.charges.list().last_response.request_id]
    assert [name[:4] for name in names] == ["req_", "req_"]
    assert names[0] != names[1]


def test_the_same_key_gets_the_same_answer(create: Create, stripe_double: StripeDouble) -> None:
    first, second = create("k"), create("k")
    assert first.to_dict() == second.to_dict()
    replayed = [made.last_response.headers.get("Idempotent-Replayed") for made in (first, second)]
    assert (replayed, len(stripe_double.state["sessions"])) == ([None, "true"], 1)


def test_the_same_key_for_something_else_is_refused(create: Create, stripe_client: Any) -> None:
    ref = create("k").id
    for ask in (lambda: create("k", customer_email="ben@example.org"), lambda: expire(stripe_client, ref, "k")):
        with pytest.raises(stripe.IdempotencyError) as refused:
            ask()
        assert refused.value.http_status == 400


def expire(stripe_client: Any, ref: str, key: str) -> Any:
    return stripe_client.checkout.sessions.expire(ref, None, {"idempotency_key": key})


@pytest.mark.parametrize(("later", "count"), [(timedelta(hours=24) - SECOND, 1), (timedelta(hours=24), 2)])
def test_a_key_is_forgotten_after_a_day(
    create: Create, stripe_double: StripeDouble, later: timedelta, count: int
) -> None:
    create("k", expires_at=None)
    stripe_double.clock = NOW + later
    create("k", expires_at=None)
    assert len(stripe_double.state["sessions"]) == count


@pytest.mark.parametrize("acts", [False, True])
def test_a_crash_is_kept_with_its_key(create: Create, stripe_double: StripeDouble, acts: bool) -> None:
    stripe_double.crash("POST /v1/checkout/sessions", acts=acts)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            create("k")
        assert broken.value.http_status == 500
    assert len(stripe_double.state["sessions"]) == acts
    create("another")
    assert len(stripe_double.state["sessions"]) == acts + 1


def test_a_form_that_was_refused_is_not_kept(create: Create) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        create("k", mode="setup")
    assert create("k").status == "open"


# ---- The page


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def browse(url: str, decision: str = "") -> tuple[int, str, str]:
    """Status, where it leads, and what it says."""
    data = f"decision={decision}".encode() if decision else None
    try:
        answer: HTTPResponse = urllib.request.build_opener(Stay).open(url, data, timeout=5)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location", ""), error.read().decode()
    with answer:
        return answer.status, "", answer.read().decode()


def test_the_page_says_what_it_is_for_and_that_it_is_practice(create: Create) -> None:
    status, _, html = browse(create().url)
    soup = BeautifulSoup(html, "html.parser")
    assert (status, soup.h1 and soup.h1.text) == (200, "Fee <2026>")
    assert soup.select_one(".amount").text == "400.00 USD"  # type: ignore[union-attr]
    assert "No account and no card is asked for, and no money moves." in soup.select_one(".practice").text  # type: ignore[union-attr]
    assert [button.text for button in soup.select("form button")] == [
        "Pay 400.00 USD", "Pay with a card that is declined", "Cancel and go back",
    ]  # fmt: skip
    assert soup.script is None


def test_paying_on_the_page(create: Create, stripe_client: Any) -> None:
    made = create()
    assert browse(made.url, "pay")[:2] == (303, f"http://portal/back/?session={made.id}")
    told = stripe_client.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent.latest_charge"]})
    charge = told.payment_intent.latest_charge
    assert (told.status, told.payment_status, told.url) == ("complete", "paid", None)
    assert (charge.amount_captured, charge.metadata["attempt_id"], charge.status) == (40000, "1", "succeeded")
    assert "This payment is finished." in browse(made.url, "pay")[2]


def test_a_declined_card_leaves_the_page_open(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    made = create()
    status, _, html = browse(made.url, "decline")
    assert (status, "The card was declined." in html) == (200, True)
    told = stripe_client.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent"]})
    error = told.payment_intent.last_payment_error
    assert (told.status, error.code, error.decline_code) == ("open", "card_declined", "generic_decline")
    assert browse(made.url, "pay")[0] == 303
    assert kinds(stripe_double) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_going_back_leaves_the_page_open(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    made = create()
    assert browse(made.url, "cancel")[:2] == (303, "http://portal/back/")
    assert (stripe_client.checkout.sessions.retrieve(made.id).status, kinds(stripe_double)) == ("open", [])


def test_an_expired_and_an_unknown_page(create: Create, stripe_double: StripeDouble) -> None:
    made = create()
    stripe_double.clock = NOW + timedelta(hours=1)
    assert "has expired" in browse(made.url, "pay")[2]
    assert browse(f"{stripe_double.url}/c/pay/cs_test_none")[0] == 404


# ---- Money that takes days


@pytest.mark.parametrize(
    ("code", "paid", "intent", "event"),
    [("", "paid", "succeeded", "succeeded"), ("insufficient_funds", "unpaid", "requires_payment_method", "failed")],
)
def test_money_that_takes_days(
    create: Create, stripe_client: Any, stripe_double: StripeDouble, code: str, paid: str, intent: str, event: str
) -> None:
    ref = create().id
    stripe_double.submit(ref)
    told = stripe_client.checkout.sessions.retrieve(ref, {"expand": ["payment_intent"]})
    assert (told.status, told.payment_status, told.payment_intent.status) == ("complete", "unpaid", "processing")
    stripe_double.confirm(ref, code)
    told = stripe_client.checkout.sessions.retrieve(ref, {"expand": ["payment_intent"]})
    assert (told.payment_status, told.payment_intent.status) == (paid, intent)
    assert kinds(stripe_double)[-1] == f"checkout.session.async_payment_{event}"
