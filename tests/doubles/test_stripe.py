"""The stand-in for Stripe, held against Stripe's own client: what that one cannot read, nobody could."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import stripe
from bs4 import BeautifulSoup

from tests.doubles.server import Answer, Asked, Double
from tests.doubles.stripe import StripeDouble

NOW = datetime(2026, 12, 10, 16, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Create = Callable[..., Any]


class Portal(Double):
    """Takes webhooks."""

    def answer(self, asked: Asked) -> Answer:
        return Answer()


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with StripeDouble() as running:
        running.clock = NOW
        yield running


def client_of(double: StripeDouble, key: str = StripeDouble.API_KEY) -> Any:
    everywhere: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), double.url)
    return stripe.StripeClient(key, base_addresses=everywhere, http_client=stripe.RequestsClient(timeout=5)).v1


@pytest.fixture
def client(double: StripeDouble) -> Any:
    return client_of(double)


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
def create(client: Any) -> Create:
    def ask(key: str = "", **changes: Any) -> Any:
        return client.checkout.sessions.create(form(**changes), {"idempotency_key": key} if key else {})

    return ask


def kinds(double: StripeDouble) -> list[str]:
    return [event["type"] for event in double.events()]


# ---- Sessions


def test_a_session_repeats_what_it_was_told(create: Create, client: Any, double: StripeDouble) -> None:
    made = create()
    told = client.checkout.sessions.retrieve(made.id).to_dict()
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
        "url": f"{double.url}/c/pay/{made.id}",
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


@pytest.mark.parametrize(("when", "status"), [(timedelta(minutes=32) - SECOND, "open"), (timedelta(minutes=32), "expired")])  # fmt: skip
def test_a_session_expires_by_the_clock(
    create: Create, client: Any, double: StripeDouble, when: timedelta, status: str
) -> None:
    ref = create().id
    double.clock = NOW + when
    assert client.checkout.sessions.retrieve(ref).status == status
    assert kinds(double) == ["checkout.session.expired"] * (status == "expired")


def test_a_session_is_expired_by_hand_once(create: Create, client: Any, double: StripeDouble) -> None:
    ref = create().id
    assert client.checkout.sessions.expire(ref).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        client.checkout.sessions.expire(ref)
    assert kinds(double) == ["checkout.session.expired"]


# ---- Keys


@pytest.mark.parametrize("key", ["sk_test_another", "sk_live_practice_key_no_money"])
def test_another_api_key_is_refused(double: StripeDouble, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        client_of(double, key).charges.list()
    assert refused.value.http_status == 401


def test_every_answer_has_a_name(create: Create, client: Any) -> None:
    names = [create().last_response.request_id, client.charges.list().last_response.request_id]
    assert [name[:4] for name in names] == ["req_", "req_"]
    assert names[0] != names[1]


def test_the_same_key_gets_the_same_answer(create: Create, double: StripeDouble) -> None:
    first, second = create("k"), create("k")
    assert first.to_dict() == second.to_dict()
    replayed = [made.last_response.headers.get("Idempotent-Replayed") for made in (first, second)]
    assert (replayed, len(double.state["sessions"])) == ([None, "true"], 1)


def test_the_same_key_for_something_else_is_refused(create: Create, client: Any) -> None:
    ref = create("k").id
    for ask in (lambda: create("k", customer_email="ben@example.org"), lambda: expire(client, ref, "k")):
        with pytest.raises(stripe.IdempotencyError) as refused:
            ask()
        assert refused.value.http_status == 400


def expire(client: Any, ref: str, key: str) -> Any:
    return client.checkout.sessions.expire(ref, None, {"idempotency_key": key})


@pytest.mark.parametrize(("later", "count"), [(timedelta(hours=24) - SECOND, 1), (timedelta(hours=24), 2)])
def test_a_key_is_forgotten_after_a_day(create: Create, double: StripeDouble, later: timedelta, count: int) -> None:
    far = int((NOW + timedelta(hours=24)).timestamp())
    create("k", expires_at=far)
    double.clock = NOW + later
    try:
        create("k", expires_at=far)
    except stripe.InvalidRequestError:  # it was forgotten, so that the form is looked at again, and is too late now
        count -= 1
    assert len(double.state["sessions"]) == 1 == count


@pytest.mark.parametrize("acts", [False, True])
def test_a_crash_is_kept_with_its_key(create: Create, double: StripeDouble, acts: bool) -> None:
    double.crash("POST /v1/checkout/sessions", acts=acts)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            create("k")
        assert broken.value.http_status == 500
    assert len(double.state["sessions"]) == acts
    create("another")
    assert len(double.state["sessions"]) == acts + 1


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
    assert "No card is asked for and no money moves." in soup.select_one(".practice").text  # type: ignore[union-attr]
    assert [button.text for button in soup.select("form button")] == [
        "Pay 400.00 USD", "Pay with a card that is declined", "Cancel and go back",
    ]  # fmt: skip
    assert soup.script is None


def test_paying_on_the_page(create: Create, client: Any) -> None:
    made = create()
    assert browse(made.url, "pay")[:2] == (303, f"http://portal/back/?session={made.id}")
    told = client.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent.latest_charge"]})
    charge = told.payment_intent.latest_charge
    assert (told.status, told.payment_status, told.url) == ("complete", "paid", None)
    assert (charge.amount_captured, charge.metadata["attempt_id"], charge.status) == (40000, "1", "succeeded")
    assert "This payment is finished." in browse(made.url, "pay")[2]


def test_a_declined_card_leaves_the_page_open(create: Create, client: Any, double: StripeDouble) -> None:
    made = create()
    status, _, html = browse(made.url, "decline")
    assert (status, "The card was declined." in html) == (200, True)
    told = client.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent"]})
    error = told.payment_intent.last_payment_error
    assert (told.status, error.code, error.decline_code) == ("open", "card_declined", "generic_decline")
    assert browse(made.url, "pay")[0] == 303
    assert kinds(double) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_going_back_leaves_the_page_open(create: Create, client: Any, double: StripeDouble) -> None:
    made = create()
    assert browse(made.url, "cancel")[:2] == (303, "http://portal/back/")
    assert (client.checkout.sessions.retrieve(made.id).status, kinds(double)) == ("open", [])


def test_an_expired_and_an_unknown_page(create: Create, double: StripeDouble) -> None:
    made = create()
    double.clock = NOW + timedelta(hours=1)
    assert "has expired" in browse(made.url, "pay")[2]
    assert browse(f"{double.url}/c/pay/cs_test_none")[0] == 404


# ---- Money that takes days


@pytest.mark.parametrize(
    ("code", "paid", "intent", "event"),
    [("", "paid", "succeeded", "succeeded"), ("insufficient_funds", "unpaid", "requires_payment_method", "failed")],
)
def test_money_that_takes_days(
    create: Create, client: Any, double: StripeDouble, code: str, paid: str, intent: str, event: str
) -> None:
    ref = create().id
    double.submit(ref)
    told = client.checkout.sessions.retrieve(ref, {"expand": ["payment_intent"]})
    assert (told.status, told.payment_status, told.payment_intent.status) == ("complete", "unpaid", "processing")
    double.confirm(ref, code)
    told = client.checkout.sessions.retrieve(ref, {"expand": ["payment_intent"]})
    assert (told.payment_status, told.payment_intent.status) == (paid, intent)
    assert kinds(double)[-1] == f"checkout.session.async_payment_{event}"


# ---- Lists


def test_lists_come_by_page_and_newest_first(create: Create, client: Any, double: StripeDouble) -> None:
    refs = []
    for minute in range(5):
        double.clock = NOW + timedelta(minutes=minute)
        refs.insert(0, create(expires_at=int((NOW + timedelta(hours=1)).timestamp())).id)
    page = client.checkout.sessions.list({"limit": 2})
    assert ([each.id for each in page.data], page.has_more) == (refs[:2], True)
    assert [each.id for each in page.auto_paging_iter()] == refs
    since = {"gte": int((NOW + timedelta(minutes=2)).timestamp())}
    assert [each.id for each in client.checkout.sessions.list({"created": since}).data] == refs[:3]
    last = client.checkout.sessions.list({"starting_after": refs[3]})
    assert ([each.id for each in last.data], last.has_more) == (refs[4:], False)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_none"}, {"colour": "red"}])
def test_lists_refuse_what_they_do_not_know(client: Any, wrong: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.checkout.sessions.list(wrong)


def test_lists_are_filtered(create: Create, client: Any, double: StripeDouble) -> None:
    first, second = create().id, create().id
    charge = double.pay(first)["id"]
    assert [each.id for each in client.checkout.sessions.list({"status": "open"}).data] == [second]
    assert [each.id for each in client.charges.list({"payment_intent": client.charges.retrieve(charge).payment_intent}).data] == [charge]  # fmt: skip
    assert client.refunds.list({"charge": charge}).data == []


def test_only_what_is_a_name_is_expanded(create: Create, client: Any) -> None:
    for path in ("colour", "status", "payment_intent.colour"):
        with pytest.raises(stripe.InvalidRequestError):
            client.checkout.sessions.retrieve(paid_name(create, client), {"expand": [path]})


def paid_name(create: Create, client: Any) -> str:
    made = create()
    browse(made.url, "pay")
    return str(made.id)


def test_what_is_unknown_is_not_found(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.charges.retrieve("ch_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")


# ---- Money that goes back


@pytest.fixture
def charge(create: Create, double: StripeDouble) -> str:
    return str(double.pay(create().id)["id"])


def balance(client: Any) -> list[tuple[str, int]]:
    rows = list(client.balance_transactions.list({"limit": 2}).auto_paging_iter())
    return [(each.reporting_category, each.amount) for each in reversed(rows)]


def test_refunds_take_what_is_left_and_no_more(charge: str, client: Any, double: StripeDouble) -> None:
    part = client.refunds.create({"charge": charge, "amount": 15000, "metadata": {"key": "x"}})
    assert (part.status, part.metadata["key"]) == ("succeeded", "x")
    for amount in (25001, 0, -1):
        with pytest.raises(stripe.InvalidRequestError):
            client.refunds.create({"charge": charge, "amount": amount})
    double.refund(charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"charge": charge})
    assert refused.value.code == "charge_already_refunded"
    told = client.charges.retrieve(charge, {"expand": ["refunds"]})
    assert (told.amount_refunded, told.refunded, [each.amount for each in told.refunds.data]) == (40000, True, [25000, 15000])  # fmt: skip
    assert balance(client) == [("charge", 40000), ("refund", -15000), ("refund", -25000)]


def test_a_refund_with_a_key_is_made_once(charge: str, client: Any) -> None:
    params, options = {"charge": charge, "amount": 100}, {"idempotency_key": "r"}
    assert client.refunds.create(params, options).id == client.refunds.create(params, options).id
    assert balance(client) == [("charge", 40000), ("refund", -100)]


def test_a_refund_fails_later(charge: str, client: Any, double: StripeDouble) -> None:
    ref = double.refund(charge, 40000)["id"]
    double.fail_refund(ref)
    told = client.refunds.retrieve(ref, {"expand": ["failure_balance_transaction"]})
    assert (told.status, told.failure_reason, told.failure_balance_transaction.amount) == ("failed", "lost_or_stolen_card", 40000)  # fmt: skip
    assert client.charges.retrieve(charge).amount_refunded == 0
    assert kinds(double)[-5:] == [
        "charge.refunded", "refund.created", "refund.failed", "refund.updated", "charge.refund.updated",
    ]  # fmt: skip


def test_a_refund_that_waits_moves_nothing_yet(charge: str, client: Any, double: StripeDouble) -> None:
    ref = double.refund(charge, waits=True)["id"]
    assert (client.refunds.retrieve(ref).status, balance(client)) == ("pending", [("charge", 40000)])
    double.finish_refund(ref)
    assert (client.refunds.retrieve(ref).status, balance(client)[1:]) == ("succeeded", [("refund", -40000)])


@pytest.mark.parametrize(("won", "status", "moved"), [(True, "won", [-40000, 40000]), (False, "lost", [-40000])])
def test_a_dispute(charge: str, client: Any, double: StripeDouble, won: bool, status: str, moved: list[int]) -> None:
    ref = double.dispute(charge, days=9)["id"]
    told = client.disputes.list({"charge": charge}).data[0]
    assert (told.id, told.status, client.charges.retrieve(charge).disputed) == (ref, "needs_response", True)
    assert told.evidence_details.due_by == int((NOW + timedelta(days=9)).timestamp())
    double.close_dispute(ref, won)
    told = client.disputes.retrieve(ref)
    assert (told.status, [each.amount for each in told.balance_transactions]) == (status, moved)
    if not won:
        with pytest.raises(stripe.InvalidRequestError, match="charged back"):
            client.refunds.create({"charge": charge})


def test_an_inquiry_takes_nothing_until_it_is_a_dispute(charge: str, client: Any, double: StripeDouble) -> None:
    quiet, loud = (double.dispute(charge, amount, withdrawn=False)["id"] for amount in (100, 200))
    double.close_dispute(quiet, won=True)
    double.escalate(loud)
    told = [client.disputes.retrieve(ref) for ref in (quiet, loud)]
    assert [each.status for each in told] == ["warning_closed", "needs_response"]
    assert [[row.amount for row in each.balance_transactions] for each in told] == [[], [-200]]


def test_the_balance_names_its_sources(charge: str, client: Any, double: StripeDouble) -> None:
    double.refund(charge, 100)
    double.dispute(charge)
    rows = client.balance_transactions.list({"expand": ["data.source"]}).data
    assert [row.source.object for row in rows] == ["dispute", "refund", "charge"]


# ---- Events


def test_events_are_signed_as_stripe_signs_them(charge: str, double: StripeDouble) -> None:
    double.clock = None  # the client compares with the wall's
    body, headers = double.signed(double.events("checkout.session.completed")[0])
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], double.WEBHOOK_SECRET)
    assert (event.type, event.api_version, event.livemode) == ("checkout.session.completed", "2026-10-28.endive", False)
    assert (event.created, event.data.object["payment_status"]) == (int(NOW.timestamp()), "paid")


def test_events_keep_what_was_true_then(create: Create, client: Any, double: StripeDouble) -> None:
    ref = create().id
    double.submit(ref)
    double.confirm(ref)
    done = client.events.list({"type": "checkout.session.completed"}).data
    assert [each.data.object.payment_status for each in done] == ["unpaid"]


def test_webhooks_reach_the_portal_also_again_and_forged() -> None:
    with Portal() as portal, StripeDouble(portal=f"{portal.url}/") as double:
        charge = double.pay(client_of(double).checkout.sessions.create(form(expires_at=None) | ahead(double)).id)
        assert charge["status"] == "succeeded"
        completed = double.events("checkout.session.completed")[0]
        double.resend(completed["id"])
        renamed = double.resend(completed["id"], new_id=True)
        double.forge(completed["id"])
        assert double.deliver() == [200] * 7
        arrived = [asked.json()["id"] for asked in portal.asked_for("POST /webhooks/stripe/")]
        assert arrived[-4:] == [completed["id"], completed["id"], renamed["id"], completed["id"]]
        assert [is_genuine(asked, double) for asked in portal.log] == [True] * 6 + [False]


def ahead(double: StripeDouble) -> dict[str, Any]:
    return {"expires_at": int(double.now().timestamp()) + 1920}


def is_genuine(asked: Asked, double: StripeDouble) -> bool:
    try:
        stripe.Webhook.construct_event(asked.body, asked.header("stripe-signature"), double.WEBHOOK_SECRET)
    except stripe.SignatureVerificationError:
        return False
    return True


# ---- From outside the process


def turn(double: StripeDouble, name: str, **said: Any) -> tuple[int, Any]:
    request = urllib.request.Request(f"{double.url}/_ctl/{name}", json.dumps(said).encode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_knobs_over_http(create: Create, double: StripeDouble) -> None:
    ref = create().id
    assert turn(double, "decline", session=ref, code="expired_card")[1]["failure_code"] == "expired_card"
    charge = turn(double, "pay", session=ref)[1]
    assert turn(double, "refund", charge=charge["id"], amount=100)[1]["amount"] == 100
    assert turn(double, "pay", session=ref)[0] == 400
    assert turn(double, "rob", bank=1)[0] == 404


def test_state_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "stripe.json"
    with StripeDouble(file=file) as first:
        first.clock = NOW
        ref = client_of(first).checkout.sessions.create(form(), {"idempotency_key": "k"}).id
        charge = first.pay(ref)["id"]
    with StripeDouble(file=file) as second:
        second.clock = NOW
        assert client_of(second).checkout.sessions.create(form(), {"idempotency_key": "k"}).id == ref
        assert client_of(second).charges.retrieve(charge).paid is True
