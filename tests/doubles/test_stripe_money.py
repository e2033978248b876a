"""The stand-in for Stripe, held against Stripe's own client: lists, refunds, disputes, and events."""

import json
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.doubles.conftest import NOW, Create, client_of, form, kinds
from tests.doubles.server import Answer, Asked, Double
from tests.doubles.stripe import StripeDouble


class Portal(Double):
    """Takes webhooks."""

    def answer(self, asked: Asked) -> Answer:
        return Answer()


def test_lists_come_by_page_and_newest_first(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    refs = []
    for minute in range(5):
        stripe_double.clock = NOW + timedelta(minutes=minute)
        refs.insert(0, create(expires_at=int((NOW + timedelta(hours=1)).timestamp())).id)
    page = stripe_client.checkout.sessions.list({"limit": 2})
    assert ([each.id for each in page.data], page.has_more) == (refs[:2], True)
    assert [each.id for each in page.auto_paging_iter()] == refs
    since = {"gte": int((NOW + timedelta(minutes=2)).timestamp())}
    assert [each.id for each in stripe_client.checkout.sessions.list({"created": since}).data] == refs[:3]
    last = stripe_client.checkout.sessions.list({"starting_after": refs[3]})
    assert ([each.id for each in last.data], last.has_more) == (refs[4:], False)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_none"}, {"colour": "red"}])
def test_lists_refuse_what_they_do_not_know(stripe_client: Any, wrong: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.checkout.sessions.list(wrong)


def test_lists_are_filtered(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    first, second = create().id, create().id
    charge = stripe_double.pay(first)["id"]
    assert [each.id for each in stripe_client.checkout.sessions.list({"status": "open"}).data] == [second]
    intent = stripe_client.charges.retrieve(charge).payment_intent
    assert [each.id for each in stripe_client.charges.list({"payment_intent": intent}).data] == [charge]
    assert stripe_client.refunds.list({"charge": charge}).data == []


@pytest.mark.parametrize("path", ["colour", "status", "payment_intent.colour"])
def test_only_what_is_a_name_is_expanded(
    create: Create, stripe_client: Any, stripe_double: StripeDouble, path: str
) -> None:
    ref = create().id
    stripe_double.pay(ref)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stripe_client.checkout.sessions.retrieve(ref, {"expand": [path]})


def test_what_is_unknown_is_not_found(stripe_client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        stripe_client.charges.retrieve("ch_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")


# ---- Money that goes back


@pytest.fixture
def charge(create: Create, stripe_double: StripeDouble) -> str:
    return str(stripe_double.pay(create().id)["id"])


def balance(stripe_client: Any) -> list[tuple[str, int]]:
    rows = list(stripe_client.balance_transactions.list({"limit": 2}).auto_paging_iter())
    return [(each.reporting_category, each.amount) for each in reversed(rows)]


def test_refunds_take_what_is_left_and_no_more(charge: str, stripe_client: Any, stripe_double: StripeDouble) -> None:
    part = stripe_client.refunds.create({"charge": charge, "amount": 15000, "metadata": {"key": "x"}})
    assert (part.status, part.metadata["key"]) == ("succeeded", "x")
    for amount in (25001, 0, -1):
        with pytest.raises(stripe.InvalidRequestError):
            stripe_client.refunds.create({"charge": charge, "amount": amount})
    stripe_double.refund(charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_client.refunds.create({"charge": charge})
    assert refused.value.code == "charge_already_refunded"
    told = stripe_client.charges.retrieve(charge, {"expand": ["refunds"]})
    assert (told.amount_refunded, told.refunded) == (40000, True)
    assert [each.amount for each in told.refunds.data] == [25000, 15000]
    assert balance(stripe_client) == [("charge", 40000), ("refund", -15000), ("refund", -25000)]


def test_a_refund_with_a_key_is_made_once(charge: str, stripe_client: Any) -> None:
    params, options = {"charge": charge, "amount": 100}, {"idempotency_key": "r"}
    assert stripe_client.refunds.create(params, options).id == stripe_client.refunds.create(params, options).id
    assert balance(stripe_client) == [("charge", 40000), ("refund", -100)]


def test_a_refund_fails_later(charge: str, stripe_client: Any, stripe_double: StripeDouble) -> None:
    ref = stripe_double.refund(charge, 40000)["id"]
    stripe_double.fail_refund(ref)
    told = stripe_client.refunds.retrieve(ref, {"expand": ["failure_balance_transaction"]})
    assert (told.status, told.failure_reason) == ("failed", "lost_or_stolen_card")
    assert told.failure_balance_transaction.amount == 40000
    assert stripe_client.charges.retrieve(charge).amount_refunded == 0
    assert kinds(stripe_double)[-5:] == [
        "charge.refunded", "refund.created", "refund.failed", "refund.updated", "charge.refund.updated",
    ]  # fmt: skip


def test_a_refund_that_waits_moves_nothing_yet(charge: str, stripe_client: Any, stripe_double: StripeDouble) -> None:
    ref = stripe_double.refund(charge, waits=True)["id"]
    assert (stripe_client.refunds.retrieve(ref).status, balance(stripe_client)) == ("pending", [("charge", 40000)])
    stripe_double.finish_refund(ref)
    assert (stripe_client.refunds.retrieve(ref).status, balance(stripe_client)[1:]) == (
        "succeeded",
        [("refund", -40000)],
    )


@pytest.mark.parametrize(("won", "status", "moved"), [(True, "won", [-40000, 40000]), (False, "lost", [-40000])])
def test_a_dispute(
    charge: str, stripe_client: Any, stripe_double: StripeDouble, won: bool, status: str, moved: list[int]
) -> None:
    ref = stripe_double.dispute(charge, days=9)["id"]
    told = stripe_client.disputes.list({"charge": charge}).data[0]
    assert (told.id, told.status, stripe_client.charges.retrieve(charge).disputed) == (ref, "needs_response", True)
    assert told.evidence_details.due_by == int((NOW + timedelta(days=9)).timestamp())
    stripe_double.close_dispute(ref, won)
    told = stripe_client.disputes.retrieve(ref)
    assert (told.status, [each.amount for each in told.balance_transactions]) == (status, moved)
    if not won:
        with pytest.raises(stripe.InvalidRequestError, match="charged back"):
            stripe_client.refunds.create({"charge": charge})


def test_an_inquiry_takes_nothing_until_it_is_a_dispute(
    charge: str, stripe_client: Any, stripe_double: StripeDouble
) -> None:
    quiet, loud = (stripe_double.dispute(charge, amount, withdrawn=False)["id"] for amount in (100, 200))
    stripe_double.close_dispute(quiet, won=True)
    stripe_double.escalate(loud)
    told = [stripe_client.disputes.retrieve(ref) for ref in (quiet, loud)]
    assert [each.status for each in told] == ["warning_closed", "needs_response"]
    assert [[row.amount for row in each.balance_transactions] for each in told] == [[], [-200]]


def test_the_balance_names_its_sources(charge: str, stripe_client: Any, stripe_double: StripeDouble) -> None:
    stripe_double.refund(charge, 100)
    stripe_double.dispute(charge)
    rows = stripe_client.balance_transactions.list({"expand": ["data.source"]}).data
    assert [row.source.object for row in rows] == ["dispute", "refund", "charge"]


# ---- Events


def test_events_are_signed_as_stripe_signs_them(charge: str, stripe_double: StripeDouble) -> None:
    stripe_double.clock = None  # the client compares with the wall's
    body, headers = stripe_double.signed(stripe_double.events("checkout.session.completed")[0])
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], stripe_double.WEBHOOK_SECRET)
    assert (event.type, event.api_version, event.livemode) == ("checkout.session.completed", "2026-10-28.endive", False)
    assert (event.created, event.data.object["payment_status"]) == (int(NOW.timestamp()), "paid")


def test_events_keep_what_was_true_then(create: Create, stripe_client: Any, stripe_double: StripeDouble) -> None:
    ref = create().id
    stripe_double.submit(ref)
    stripe_double.confirm(ref)
    done = stripe_client.events.list({"type": "checkout.session.completed"}).data
    assert [each.data.object.payment_status for each in done] == ["unpaid"]


def test_webhooks_reach_the_portal_also_again_and_forged() -> None:
    with Portal() as portal, StripeDouble(portal=f"{portal.url}/") as stripe_double:
        charge = stripe_double.pay(client_of(stripe_double).checkout.sessions.create(form() | ahead(stripe_double)).id)
        assert charge["status"] == "succeeded"
        completed = stripe_double.events("checkout.session.completed")[0]
        stripe_double.resend(completed["id"])
        renamed = stripe_double.resend(completed["id"], new_id=True)
        stripe_double.forge(completed["id"])
        assert stripe_double.deliver() == [200] * 7
        arrived = [asked.json()["id"] for asked in portal.asked_for("POST /webhooks/stripe/")]
        assert arrived[-4:] == [completed["id"], completed["id"], renamed["id"], completed["id"]]
        assert [is_genuine(asked, stripe_double) for asked in portal.log] == [True] * 6 + [False]


def ahead(stripe_double: StripeDouble) -> dict[str, Any]:
    return {"expires_at": int(stripe_double.now().timestamp()) + 1920}


def is_genuine(asked: Asked, stripe_double: StripeDouble) -> bool:
    try:
        stripe.Webhook.construct_event(asked.body, asked.header("stripe-signature"), stripe_double.WEBHOOK_SECRET)
    except stripe.SignatureVerificationError:
        return False
    return True


# ---- From outside the process


def turn(stripe_double: StripeDouble, name: str, **said: Any) -> tuple[int, Any]:
    request = urllib.request.Request(f"{stripe_double.url}/_ctl/{name}", json.dumps(said).encode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_knobs_over_http(create: Create, stripe_double: StripeDouble) -> None:
    ref = create().id
    assert turn(stripe_double, "decline", session=ref, code="expired_card")[1]["failure_code"] == "expired_card"
    charge = turn(stripe_double, "pay", session=ref)[1]
    assert turn(stripe_double, "refund", charge=charge["id"], amount=100)[1]["amount"] == 100
    assert turn(stripe_double, "pay", session=ref)[0] == 400
    assert turn(stripe_double, "rob", bank=1)[0] == 404


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
