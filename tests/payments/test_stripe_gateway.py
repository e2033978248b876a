"""Cards through Stripe, against a stand-in that keeps its own books. The numbers are those of the fault cases."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe
from django.db import OperationalError

from candidates.models import Registration
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import attempts, settlement
from payments.gateways.base import (
    BadSignature,
    Checkout,
    Contest,
    Disputed,
    Facts,
    InboundEvent,
    Ref,
    Rejected,
    Return,
    Standing,
    Txn,
    Unavailable,
)
from payments.gateways.stripe import BODY_LIMIT, StripeGateway
from payments.models import Attempt, LedgerEntry, ProviderCall
from payments.settlement import settle
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW, only_attempt
from tests.threads import run_at_once

ENDS = NOW + timedelta(minutes=32)
SECOND = timedelta(seconds=1)
SESSIONS = "POST /v1/checkout/sessions"
ERROR = json.dumps({"error": {"type": "api_error", "message": "of ada@example.org"}})
Begin = Callable[..., str]


@pytest.fixture
def double(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeDouble]:
    monkeypatch.setattr(stripe.RequestsClient, "INITIAL_DELAY", 0)  # retries follow at once
    monkeypatch.setattr(stripe.RequestsClient, "MAX_DELAY", 0)
    with StripeDouble() as running:
        running.clock = NOW
        settings.STRIPE_SECRET_KEY = running.API_KEY
        settings.STRIPE_WEBHOOK_SECRET = running.WEBHOOK_SECRET
        settings.STRIPE_API_URL = running.url
        settings.PAYMENT_TIMEOUT_SECONDS = 0.3
        yield running


@pytest.fixture
def gateway(double: StripeDouble) -> StripeGateway:
    return StripeGateway()


@pytest.fixture
def checkout() -> Checkout:
    return new_checkout()


def new_checkout() -> Checkout:
    key = uuid4()
    return Checkout(key, f"open-{key}", Money(40000), "Fee, cohort 10", "ada@example.org", "http://portal/back/", ENDS)


def opened(gateway: StripeGateway, checkout: Checkout) -> Checkout:
    """The checkout with the name of its page, as it is stored after opening."""
    return replace(checkout, refs=(gateway.open(checkout, at=NOW).ref,))


def session(double: StripeDouble) -> dict[str, Any]:
    """The only one there is."""
    (found,) = double.state["sessions"].values()
    return dict(found)


@pytest.fixture
def paid(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> Checkout:
    known = opened(gateway, checkout)
    double.pay(known.ref("session"))
    return known


def charge(double: StripeDouble) -> str:
    return str(list(double.state["charges"])[-1])


def txns(facts: Facts) -> list[tuple[str, int]]:
    return [(txn.kind, txn.amount.minor) for txn in facts.txns]


# ---- Opening


def test_open_tells_stripe_everything_it_will_have_to_repeat(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout
) -> None:
    redirect = gateway.open(checkout, at=NOW)
    made, about = session(double), {"attempt_id": str(checkout.attempt_id)}
    assert (redirect.ref, redirect.url, redirect.expires_at) == (Ref("session", made["id"]), made["url"], ENDS)
    expected = {
        "adaptive_pricing": {"enabled": False},
        "amount_total": 40000,
        "cancel_url": "http://portal/back/",
        "client_reference_id": str(checkout.attempt_id),
        "currency": "usd",
        "customer_email": "ada@example.org",
        "expires_at": int(ENDS.timestamp()),
        "metadata": about,
        "payment_method_types": ["card"],
        "success_url": "http://portal/back/?session={CHECKOUT_SESSION_ID}",
        "_intent": {"description": "Fee, cohort 10", "metadata": about},
    }
    assert {name: made[name] for name in expected} == expected
    (asked,) = double.log
    assert (asked.header("idempotency-key"), asked.header("stripe-version")) == (checkout.key, "2026-10-28.endive")
    assert asked.header("x-stripe-client-telemetry") == ""


@pytest.mark.payment_case(2)
def test_open_again_is_the_same_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    first = gateway.open(checkout, at=NOW)
    known = replace(checkout, refs=(first.ref,))
    assert [gateway.open(each, at=NOW + SECOND) for each in (checkout, known)] == [first, first]
    assert len(double.state["sessions"]) == 1


@pytest.mark.payment_case(1)
def test_open_at_once_is_one_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    pages = run_at_once(lambda: gateway.open(checkout, at=NOW), times=4)
    assert (len(set(pages)), len(double.state["sessions"])) == (1, 1)


def test_open_of_a_page_that_ended_is_not_a_refusal(gateway: StripeGateway, paid: Checkout) -> None:
    with pytest.raises(Unavailable):
        gateway.open(paid, at=NOW)


@pytest.mark.parametrize("ends", [NOW + timedelta(minutes=29), NOW + timedelta(days=2)])
def test_open_says_when_stripe_refuses(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, ends: datetime
) -> None:
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, expires_at=ends), at=NOW)
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)


def test_open_with_a_used_key_for_something_else_is_rejected(gateway: StripeGateway, checkout: Checkout) -> None:
    gateway.open(checkout, at=NOW)
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, amount=Money(1000)), at=NOW)


@pytest.mark.payment_case(30)
@pytest.mark.parametrize(
    "fault", [{"does": "drop"}, {"does": "status", "status": 503}, {"does": "status", "status": 409}]
)
def test_what_never_reached_stripe_is_unknown_and_then_nothing(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(SESSIONS, times=3, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    assert [asked.header("idempotency-key") for asked in double.asked_for(SESSIONS)] == [checkout.key] * 3
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)
    assert len(double.asked_for(SESSIONS)) == 3  # looking for it makes none


@pytest.mark.payment_case(31)
@pytest.mark.parametrize("fault", [{"does": "act_then_drop"}, {"does": "act_then_status", "status": 502}, {"does": "drip", "seconds": 0.2}])  # fmt: skip
def test_a_lost_answer_to_open_is_found_again(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, fault: dict[str, Any]
) -> None:
    double.fail(SESSIONS, times=3, **fault)
    with pytest.raises(Unavailable):
        gateway.open(checkout, at=NOW)
    facts = gateway.fetch(checkout, at=NOW)
    double.faults.clear()
    assert (facts.status, facts.refs) == (Standing.OPEN, (Ref("session", session(double)["id"]),))
    assert gateway.open(checkout, at=NOW).ref == facts.refs[0]
    assert len(double.state["sessions"]) == 1


def test_a_hiccup_is_not_even_noticed(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    double.fail(SESSIONS, "act_then_drop", times=2)
    assert gateway.open(checkout, at=NOW).url == session(double)["url"]


@pytest.mark.payment_case(37)
@pytest.mark.parametrize(("acts", "status"), [(False, Standing.NOTHING), (True, Standing.OPEN)])
def test_a_crash_that_is_replayed_for_the_key_is_looked_behind(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, acts: bool, status: Standing
) -> None:
    double.crash(SESSIONS, acts=acts)
    for _ in range(2):
        with pytest.raises(Unavailable):
            gateway.open(checkout, at=NOW)
    facts = gateway.fetch(checkout, at=NOW)
    assert facts.status == status
    if acts:
        assert gateway.open(replace(checkout, refs=facts.refs), at=NOW).url == session(double)["url"]


ASK: dict[str, Callable[[StripeGateway, Checkout], Any]] = {
    "open": lambda gateway, checkout: gateway.open(checkout, at=NOW),
    "fetch": lambda gateway, checkout: gateway.fetch(checkout, at=NOW),
    "finalize": lambda gateway, checkout: gateway.finalize(checkout, at=NOW),
    "close": lambda gateway, checkout: gateway.close(checkout, at=NOW),
    "refund": lambda gateway, checkout: gateway.refund(checkout, Return("r", "ch_1", Money(1)), at=NOW),
    "recent": lambda gateway, checkout: list(gateway.recent(NOW, at=NOW)),
}
asking = pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
FAULTS: dict[str, tuple[int, dict[str, Any]]] = {
    "nobody there": (3, {"does": "drop"}),
    "too many requests": (1, {"does": "status", "status": 429, "body": ERROR}),
    "a page for an answer": (1, {"does": "html"}),
    "an empty answer": (1, {"does": "status", "status": 200}),
    "not an object": (1, {"does": "status", "status": 200, "body": "[]"}),
    "an error that is none": (1, {"does": "status", "status": 400}),
    "a drip": (1, {"does": "drip", "seconds": 0.2}),
}


@pytest.mark.payment_case(38, 40, 41)
@pytest.mark.parametrize(("times", "fault"), FAULTS.values(), ids=FAULTS.keys())
@asking
def test_no_answer_is_never_a_no(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, ask: Any, times: int, fault: dict[str, Any]
) -> None:
    double.fail("", times=99, **fault)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        ask(gateway, checkout)
    assert (len(double.log), time.monotonic() - began < 2) == (times, True)


@pytest.mark.payment_case(39)
@asking
def test_a_wrong_key_is_one_request_and_a_no(
    double: StripeDouble, checkout: Checkout, settings: Any, caplog: pytest.LogCaptureFixture, ask: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_rotated"
    with caplog.at_level(logging.INFO), pytest.raises(Rejected) as refused:
        ask(StripeGateway(), checkout)
    assert len(double.log) == 1
    assert "sk_test" not in caplog.text + str(refused.value)


# ---- What Stripe says


def test_fetch_tells_the_whole_truth(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.clock = NOW + timedelta(minutes=5)
    made = double.pay(known.ref("session"))
    intent = session(double)["payment_intent"]
    expected = Facts(
        Standing.PAID,
        NOW + timedelta(hours=1),
        attempt_id=checkout.attempt_id,
        amount=Money(40000),
        txns=(Txn("charge", made["id"], Money(40000), NOW + timedelta(minutes=5)),),
        refs=(known.refs[0], Ref("intent", intent), Ref("charge", made["id"])),
    )
    for ask in (gateway.fetch, gateway.finalize, gateway.close):
        assert ask(known, at=NOW + timedelta(hours=1)) == expected
    assert gateway.fetch(checkout, at=NOW + timedelta(hours=1)) == expected  # without knowing its name


@pytest.mark.parametrize("others", [0, 1, 250])
def test_fetch_finds_a_page_whose_name_was_lost(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, others: int
) -> None:
    ref = opened(gateway, checkout).ref("session")
    for number in range(others):
        copy = {**session(double)} if number == 0 else {**double.state["sessions"][ref]}
        double.state["sessions"][f"cs_{number}"] = copy | {"id": f"cs_{number}", "client_reference_id": str(uuid4())}
    assert gateway.fetch(checkout, at=NOW).refs == (Ref("session", ref),)
    assert gateway.fetch(new_checkout(), at=NOW) == Facts(Standing.NOTHING, NOW)
    assert max(len(json.dumps(asked.query)) for asked in double.log) < 200


@pytest.mark.payment_case(28)
def test_an_open_page_has_no_money(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    facts = gateway.fetch(opened(gateway, checkout), at=NOW)
    assert (facts.status, facts.txns, facts.problem) == (Standing.OPEN, (), "")


@pytest.mark.payment_case(42)
def test_declined_and_then_paid(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.decline(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, facts.txns, facts.problem) == (Standing.OPEN, (), "The bank declined the card.")
    double.pay(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, txns(facts), facts.problem) == (Standing.PAID, [("charge", 40000)], "")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("generic_decline", "The bank declined the card."),
        ("insufficient_funds", "There was not enough money in the card's account."),
        ("expired_card", "The card has expired."),
        ("incorrect_cvc", "The card's security code was not right."),
        ("lost_card", "The bank declined the card."),
        ("fraudulent", "The bank declined the card."),
    ],
)
def test_a_decline_is_told_kindly(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, code: str, problem: str
) -> None:
    known = opened(gateway, checkout)
    double.decline(known.ref("session"), code)
    assert gateway.fetch(known, at=NOW).problem == problem


@pytest.mark.payment_case(29)
@pytest.mark.parametrize(
    ("code", "status", "money", "problem"),
    [
        ("", Standing.PAID, [("charge", 40000)], ""),
        ("insufficient_funds", Standing.FAILED, [], "There was not enough money in the card's account."),
    ],
)
def test_completed_is_not_paid(
    gateway: StripeGateway,
    double: StripeDouble,
    checkout: Checkout,
    code: str,
    status: Standing,
    money: list[Any],
    problem: str,
) -> None:
    known = opened(gateway, checkout)
    double.submit(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, facts.txns) == (Standing.PROCESSING, ())
    double.confirm(known.ref("session"), code)
    facts = gateway.fetch(known, at=NOW)
    assert (facts.status, txns(facts), facts.problem) == (status, money, problem)


@pytest.mark.payment_case(46)
def test_going_back_leaves_the_page_open(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    known = opened(gateway, checkout)
    double.cancel(known.ref("session"))
    assert gateway.fetch(known, at=NOW).status == Standing.OPEN


@pytest.mark.payment_case(47)
@pytest.mark.parametrize(("when", "status"), [(ENDS - SECOND, Standing.OPEN), (ENDS, Standing.EXPIRED)])
def test_a_page_expires(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, when: datetime, status: Standing
) -> None:
    known = opened(gateway, checkout)
    double.clock = when
    assert gateway.fetch(known, at=when).status == status


def test_close_ends_the_page(gateway: StripeGateway, double: StripeDouble, checkout: Checkout) -> None:
    for each in (opened(gateway, checkout), checkout):  # again, and without its name
        assert gateway.close(each, at=NOW).status == Standing.CLOSED
    assert session(double)["status"] == "expired"
    assert gateway.close(new_checkout(), at=NOW) == Facts(Standing.NOTHING, NOW)


@pytest.mark.payment_case(48)
def test_close_finds_it_paid(gateway: StripeGateway, paid: Checkout) -> None:
    facts = gateway.close(paid, at=NOW)
    assert (facts.status, txns(facts)) == (Standing.PAID, [("charge", 40000)])


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(
    ("minor", "currency", "money"),
    [(39999, "usd", Money(39999)), (40001, "usd", Money(40001)), (100, "usd", Money(100)), (40000, "eur", Money(40000, "EUR"))],
)  # fmt: skip
def test_another_amount_is_told_as_it_is(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout, minor: int, currency: str, money: Money
) -> None:
    known = opened(gateway, checkout)
    double.state["sessions"][known.ref("session")] |= {"amount_total": minor, "currency": currency}
    double.pay(known.ref("session"))
    facts = gateway.fetch(known, at=NOW)
    assert (facts.amount, [txn.amount for txn in facts.txns]) == (money, [money])


def test_money_we_have_no_name_for_is_no_crash(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, caplog: pytest.LogCaptureFixture
) -> None:
    double.state["sessions"][paid.ref("session")]["currency"] = "xau"
    with pytest.raises(Unavailable):
        gateway.fetch(paid, at=NOW)
    assert [record.levelname for record in caplog.records if record.name == "payments.gateways.stripe"] == ["ERROR"]


@pytest.mark.parametrize("reference", [None, "", "attempt-7", "x" * 200])
def test_a_page_of_somebody_else_is_not_ours(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, reference: str | None
) -> None:
    double.state["sessions"][paid.ref("session")]["client_reference_id"] = reference
    assert gateway.fetch(paid, at=NOW).attempt_id is None


# ---- Money that goes back


@pytest.mark.payment_case(54, 57)
def test_refunds_in_the_dashboard(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    part = double.refund(charge(double), 15000)
    waiting = double.refund(charge(double), waits=True)
    seen = [txns(gateway.fetch(paid, at=NOW))]
    double.finish_refund(waiting["id"])
    seen.append(txns(gateway.fetch(paid, at=NOW)))
    double.fail_refund(part["id"])
    facts = gateway.fetch(paid, at=NOW)
    assert seen == [
        [("charge", 40000), ("refund", -15000)],
        [("charge", 40000), ("refund", -25000), ("refund", -15000)],
    ]
    assert txns(facts) == [*seen[1], ("refund_failed", 15000)]
    assert [txn.ref for txn in facts.txns] == [charge(double), waiting["id"], part["id"], part["id"]]
    assert facts.status == Standing.PAID


def test_a_refund_that_failed_before_we_looked_is_both(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    double.fail_refund(double.refund(charge(double))["id"])
    assert txns(gateway.fetch(paid, at=NOW)) == [("charge", 40000), ("refund", -40000), ("refund_failed", 40000)]


@pytest.mark.payment_case(55, 56)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=24)])
def test_refund_twice_is_given_back_once(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, later: timedelta
) -> None:
    back = Return("key-1", charge(double), Money(15000))
    first = gateway.refund(paid, back, at=NOW)
    double.clock = NOW + later
    second = gateway.refund(paid, back, at=NOW)
    assert first == second
    assert txns(first) == [("charge", 40000), ("refund", -15000)]
    (made,) = double.state["refunds"].values()
    assert made["metadata"] == {"attempt_id": str(paid.attempt_id), "key": "key-1"}


@pytest.mark.parametrize("minor", [40001, 50000])
def test_refund_of_more_than_there_is(gateway: StripeGateway, double: StripeDouble, paid: Checkout, minor: int) -> None:
    with pytest.raises(Rejected):
        gateway.refund(paid, Return("key", charge(double), Money(minor)), at=NOW)
    assert double.state["refunds"] == {}


def test_refund_whose_answer_is_lost_is_made_once(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    back = Return("key", charge(double), Money(40000))
    double.fail("POST /v1/refunds", "act_then_drop", times=3)
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    assert txns(gateway.refund(paid, back, at=NOW)) == [("charge", 40000), ("refund", -40000)]


def test_refund_that_cannot_be_read_afterwards_is_not_a_no(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout
) -> None:
    back = Return("key", charge(double), Money(40000))
    error = json.dumps({"error": {"type": "invalid_request_error", "message": "no"}})
    double.fail("GET /v1/checkout/sessions", status=403, body=error)
    with pytest.raises(Unavailable):
        gateway.refund(paid, back, at=NOW)
    assert len(double.state["refunds"]) == 1


@pytest.mark.payment_case(53)
@pytest.mark.parametrize(
    ("won", "standing", "reinstated"), [(True, Contest.WON, [("dispute_reinstated", 40000)]), (False, Contest.LOST, [])]
)
def test_a_dispute_and_its_end(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, won: bool, standing: Contest, reinstated: list[Any]
) -> None:
    double.clock = NOW + timedelta(days=1)
    ref = double.dispute(charge(double), days=9)["id"]
    open_facts = gateway.fetch(paid, at=NOW)
    double.close_dispute(ref, won=won)
    facts = gateway.fetch(paid, at=NOW)
    expected = Disputed(
        ref, Contest.OPEN, Money(40000), NOW + timedelta(days=1), "fraudulent", NOW + timedelta(days=10)
    )
    taken = [("charge", 40000), ("dispute_withdrawn", -40000)]
    assert (open_facts.disputes, txns(open_facts)) == ((expected,), taken)
    assert (facts.disputes, txns(facts)) == ((replace(expected, standing=standing),), taken + reinstated)
    assert facts.refs[-1] == Ref("dispute", ref)
    assert {txn.ref for txn in facts.txns} == {charge(double), *double.state["transactions"]} - {
        double.state["charges"][charge(double)]["balance_transaction"]
    }


@pytest.mark.payment_case(53)
def test_an_inquiry_takes_nothing(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    ref = double.dispute(charge(double), withdrawn=False)["id"]
    facts = gateway.fetch(paid, at=NOW)
    assert ([each.standing for each in facts.disputes], txns(facts)) == ([Contest.OPEN], [("charge", 40000)])
    double.close_dispute(ref, won=True)
    assert [each.standing for each in gateway.fetch(paid, at=NOW).disputes] == [Contest.WON]


# ---- Everything that moved


@pytest.mark.payment_case(78)
def test_recent_tells_of_every_charge_and_of_old_ones_that_moved(
    gateway: StripeGateway, double: StripeDouble, checkout: Checkout
) -> None:
    old, quiet, stranger = checkout, new_checkout(), new_checkout()
    charges = [double.pay(opened(gateway, each).ref("session"))["id"] for each in (old, quiet, stranger)]
    double.state["charges"][charges[2]]["metadata"] = {}
    refund = double.refund(charges[0], 100)["id"]
    assert {(facts.attempt_id, facts.status) for facts in gateway.recent(NOW, at=NOW)} == {
        (old.attempt_id, Standing.PAID), (quiet.attempt_id, Standing.PAID), (None, Standing.PAID),
    }  # fmt: skip
    double.clock = NOW + timedelta(days=40)
    double.fail_refund(refund)
    (facts,) = gateway.recent(NOW + timedelta(days=1), at=NOW + timedelta(days=40))
    assert facts.attempt_id == old.attempt_id
    assert txns(facts) == [("charge", 40000), ("refund", -100), ("refund_failed", 100)]
    assert Ref("charge", charges[0]) in facts.refs
    double.clock = NOW + timedelta(days=50)
    double.dispute(charges[1])
    (facts,) = gateway.recent(NOW + timedelta(days=45), at=NOW + timedelta(days=50))
    assert (facts.attempt_id, txns(facts)[1:]) == (quiet.attempt_id, [("dispute_withdrawn", -40000)])
    assert list(gateway.recent(NOW + timedelta(days=60), at=NOW)) == []


def test_recent_comes_page_by_page(gateway: StripeGateway, double: StripeDouble, paid: Checkout) -> None:
    (row,) = double.state["transactions"].values()
    for number in range(150):
        double.state["transactions"][f"txn_{number}"] = {**row, "id": f"txn_{number}"}
    facts = gateway.recent(NOW, at=NOW)
    next(facts)
    assert len(double.asked_for("GET /v1/balance_transactions")) == 1
    assert len(list(facts)) == 150
    assert len(double.asked_for("GET /v1/balance_transactions")) == 2


def test_recent_passes_over_payouts_and_what_it_cannot_read(
    gateway: StripeGateway, double: StripeDouble, paid: Checkout, caplog: pytest.LogCaptureFixture
) -> None:
    (row,) = double.state["transactions"].values()
    double.state["transactions"]["txn_fee"] = {**row, "id": "txn_fee", "source": None}
    gold = double.pay(opened(gateway, new_checkout()).ref("session"))["id"]
    double.state["charges"][gold]["currency"] = "xau"
    assert [facts.attempt_id for facts in gateway.recent(NOW, at=NOW)] == [paid.attempt_id]
    assert [gold in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [True]


# ---- Events


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


# ---- With the ledger


@pytest.fixture
def pay_by_card(begin: Begin, double: StripeDouble) -> Begin:
    def press(when: datetime = NOW, **changes: Any) -> str:
        return begin(when, provider="stripe", **changes)

    return press


def name(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


@pytest.mark.payment_case(6, 9)
def test_paid_by_card(unpaid: Registration, pay_by_card: Begin, double: StripeDouble) -> None:
    made = double.pay(name(pay_by_card()))
    for _ in range(2):
        assert settle(only_attempt(unpaid).pk, at=NOW).state == "paid"
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.money, entry.provider, entry.txn_ref) == ("charge", Money(40000), "stripe", made["id"])
    assert (entry.occurred_at, status(unpaid)) == (NOW, "paid")


@pytest.mark.payment_case(22, 51)
def test_the_fee_is_what_the_registration_says_whatever_happens_meanwhile(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    url = pay_by_card()
    unpaid.cohort.fee_minor = 50000
    unpaid.cohort.save()
    assert (pay_by_card(), session(double)["amount_total"]) == (url, 40000)
    double.pay(name(url))
    settle(only_attempt(unpaid).pk, at=NOW)
    assert status(unpaid) == "paid"


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(("minor", "currency"), [(39999, "usd"), (40001, "usd"), (40000, "eur")])
def test_another_amount_confirms_nothing(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, minor: int, currency: str
) -> None:
    ref = name(pay_by_card())
    double.state["sessions"][ref] |= {"amount_total": minor, "currency": currency}
    double.pay(ref)
    settle(only_attempt(unpaid).pk, at=NOW)
    assert status(unpaid) == "unpaid"
    assert list(LedgerEntry.objects.values_list("registration", "amount_minor", "currency")) == [
        (None, minor, currency.upper())
    ]


@pytest.mark.payment_case(25)
def test_another_attempts_page_pays_for_that_one_alone(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    first = name(pay_by_card())
    attempts.stop(unpaid.pk, by=unpaid.user, at=NOW)
    double.pay(name(pay_by_card(NOW + SECOND)))
    states = [settle(attempt.pk, at=NOW + SECOND).state for attempt in Attempt.objects.order_by("pk")]
    assert (states, double.state["sessions"][first]["status"]) == (["closed", "paid"], "expired")
    assert LedgerEntry.objects.get().attempt == Attempt.objects.order_by("pk").last()


@pytest.mark.payment_case(28, 46)
def test_coming_back_unpaid_offers_the_same_page(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    url = pay_by_card()
    double.cancel(name(url))
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, pay_by_card(NOW + SECOND)) == ("open", url)
    assert status(unpaid) == "unpaid"


@pytest.mark.payment_case(29)
@pytest.mark.parametrize(("code", "seen"), [("", ["pending", "paid"]), ("insufficient_funds", ["pending", "unpaid"])])
def test_money_that_takes_days(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, code: str, seen: list[str]
) -> None:
    ref = name(pay_by_card())
    double.submit(ref)
    settle(only_attempt(unpaid).pk, at=NOW)
    found = [status(unpaid)]
    double.confirm(ref, code)
    settle(only_attempt(unpaid).pk, at=NOW + SECOND)
    assert [*found, status(unpaid)] == seen


@pytest.mark.payment_case(30, 31)
@pytest.mark.parametrize(("does", "state"), [("drop", "closed"), ("act_then_drop", "open")])
def test_no_answer_to_pay_is_in_doubt_until_we_look(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, does: str, state: str
) -> None:
    double.fail(SESSIONS, does, times=3)
    with pytest.raises(Refused, match="Do not pay again"):
        pay_by_card()
    assert (only_attempt(unpaid).state, status(unpaid)) == ("unknown", "pending")
    assert settle(only_attempt(unpaid).pk, at=NOW).state == state
    url = pay_by_card(NOW + SECOND)
    double.pay(name(url))
    settle(Attempt.objects.latest("pk").pk, at=NOW + SECOND)
    assert (status(unpaid), len(double.state["sessions"]), len(double.state["charges"])) == ("paid", 1, 1)


@pytest.mark.payment_case(8, 34, 36)
@pytest.mark.parametrize("is_paid", [False, True])
def test_a_crash_after_the_answer_repeats_nothing(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, monkeypatch: pytest.MonkeyPatch, is_paid: bool
) -> None:
    def crash(*args: Any, **kwargs: Any) -> str:
        raise OperationalError("could not serialize access")

    with monkeypatch.context() as patched:
        patched.setattr(attempts, "_finish_opening", crash)
        with pytest.raises(OperationalError):
            pay_by_card()
    assert len(double.asked_for(SESSIONS)) == 1
    assert list(ProviderCall.objects.values_list("operation", "outcome")) == [("open", "pending")]
    if is_paid:
        double.pay(session(double)["id"])
        assert settle(only_attempt(unpaid).pk, at=NOW).state == "paid"
    else:
        assert name(pay_by_card(NOW + SECOND)) == session(double)["id"]
    assert (Attempt.objects.count(), len(double.state["sessions"])) == (1, 1)


@pytest.mark.payment_case(37)
def test_a_crash_that_is_replayed_does_not_shut_the_payer_out(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    double.crash(SESSIONS)
    with pytest.raises(Refused):
        pay_by_card()
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "closed"
    assert name(pay_by_card(NOW + SECOND)) == session(double)["id"]


@pytest.mark.payment_case(39)
def test_a_wrong_key_is_a_definite_no(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_rotated"
    with pytest.raises(Refused, match="Nothing was taken"):
        pay_by_card()
    assert (only_attempt(unpaid).state, status(unpaid)) == ("failed", "unpaid")


@pytest.mark.payment_case(47)
def test_a_page_that_expired_makes_room_for_another(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    first = pay_by_card()
    double.clock = ENDS
    second = pay_by_card(ENDS)
    assert first != second
    assert list(Attempt.objects.order_by("pk").values_list("state", flat=True)) == ["expired", "open"]


@pytest.mark.payment_case(48)
def test_giving_up_what_is_paid_is_paid(unpaid: Registration, pay_by_card: Begin, double: StripeDouble) -> None:
    double.pay(name(pay_by_card()))
    assert settlement.close(only_attempt(unpaid).pk, at=NOW).state == "paid"
    assert status(unpaid) == "paid"


@pytest.mark.payment_case(53, 54, 57)
def test_what_comes_after_follows_the_money(unpaid: Registration, pay_by_card: Begin, double: StripeDouble) -> None:
    double.pay(name(pay_by_card()))
    seen = []

    def look() -> None:
        for _ in range(2):
            settle(only_attempt(unpaid).pk, at=NOW)
        seen.append(status(unpaid))

    look()
    dispute = double.dispute(charge(double))["id"]
    look()
    double.close_dispute(dispute, won=True)
    look()
    refund = double.refund(charge(double))["id"]
    look()
    double.fail_refund(refund)
    look()
    assert seen == ["paid", "disputed", "paid", "refunded", "paid"]
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_minor")) == [
        ("charge", 40000),
        ("dispute_withdrawn", -40000),
        ("dispute_reinstated", 40000),
        ("refund", -40000),
        ("refund_failed", 40000),
    ]


def test_ids_are_what_we_think() -> None:
    assert isinstance(new_checkout().attempt_id, UUID)
    assert NOW.astimezone(UTC).hour == 16
