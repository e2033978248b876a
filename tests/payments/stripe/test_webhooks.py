"""The door for Stripe's events, and the inbox behind it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.celery import app
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import deliveries, settlement, tasks
from payments.gateways.base import InboundEvent
from payments.models import Attempt, Delivery, LedgerEntry, ProviderRef
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW, only_attempt
from tests.payments.stripe.conftest import Begin, charge, name
from tests.threads import run_all_at_once, run_at_once

URL = "/webhooks/stripe/"
Send = Callable[..., int]


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """A worker that takes every task the moment it is queued, at NOW."""
    app.conf.task_always_eager = True
    clock.jump_to(NOW)
    yield
    clock.reset()
    app.conf.task_always_eager = False


@pytest.fixture
def send(double: StripeDouble) -> Send:
    """Deliver an event as Stripe would, signed over its bytes; the status answered."""

    def post(event: Any, **signing: Any) -> int:
        body, headers = double.signed(event, **signing)
        return Client().post(URL, body, content_type="application/json", headers=headers).status_code

    return post


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def inbox() -> list[tuple[str, str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("type", "state", "tries"))


def mails() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("event", flat=True))


@pytest.mark.payment_case(7)
def test_an_event_settles_before_anybody_came_back(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    assert send(event) == 200
    assert (status(unpaid), inbox(), mails()) == (
        "paid", [("checkout.session.completed", "done", 1)], ["payment_received"],
    )  # fmt: skip
    delivery = Delivery.objects.get()
    body, headers = double.signed(event)
    assert (bytes(delivery.body), delivery.headers) == (body, {"stripe-signature": headers["Stripe-Signature"]})
    assert delivery.attempt == only_attempt(unpaid)


@pytest.mark.payment_case(11)
def test_the_same_event_again_is_the_same_delivery(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    assert [send(event) for _ in range(3)] == [200] * 3
    assert (len(inbox()), LedgerEntry.objects.count(), mails()) == (1, 1, ["payment_received"])


@pytest.mark.payment_case(12)
def test_the_same_fact_under_another_id_is_told_once(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    assert [send(event), send({**event, "id": "evt_another"})] == [200, 200]
    assert (len(inbox()), LedgerEntry.objects.count(), mails()) == (2, 1, ["payment_received"])


@pytest.mark.payment_case(8)
def test_an_event_that_overtakes_our_own_notes_finds_its_attempt(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    ProviderRef.objects.all().delete()
    Attempt.objects.update(state="opening", url="")
    assert send(double.events("checkout.session.completed")[0]) == 200
    assert (status(unpaid), only_attempt(unpaid).state) == ("paid", "paid")


@pytest.mark.payment_case(13)
def test_events_in_any_order_leave_the_same_ledger(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    double.refund(charge(double), 10000)
    double.dispute(charge(double))
    events = double.events()
    assert {send(event) for event in reversed(events)} == {200}
    after = list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_minor"))
    assert after[0] == ("charge", 40000)
    assert sorted(after) == [("charge", 40000), ("dispute_withdrawn", -40000), ("refund", -10000)]
    assert {send(event) for event in events} == {200}
    assert LedgerEntry.objects.count() == 3
    assert status(unpaid) == "disputed"


@pytest.mark.payment_case(14, 15, 16, 17)
@pytest.mark.parametrize(
    "signing", [{"secret": "whsec_other"}, {"at": NOW - timedelta(minutes=6)}, {"at": NOW + timedelta(minutes=6)}]
)
def test_what_is_not_signed_by_our_secret_now_is_refused(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send, signing: Any
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    assert (send(event, **signing), inbox()) == (400, [])
    assert (send(event), len(inbox())) == (200, 1)  # nothing else was wrong with it


@pytest.mark.payment_case(18)
@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        (b"{}", {}, 400),
        (b"\xff\xfe", {"Stripe-Signature": "t=1,v1=00"}, 400),
        (b"{}", {"Stripe-Signature": "t=1,v1=\u00e4"}, 400),
        (b"[]", {"Stripe-Signature": "nothing"}, 400),
        (b"", {"Stripe-Signature": "t=99999999999999999999,v1=00"}, 400),
        (b"x" * (256 * 1024 + 1), {"Stripe-Signature": "t=1,v1=00"}, 413),
    ],
)
def test_what_no_provider_sends_is_never_a_500(
    db: None, double: StripeDouble, body: bytes, headers: dict[str, str], answer: int
) -> None:
    response = Client().post(URL, body, content_type="application/json", headers=headers)
    assert (response.status_code, inbox()) == (answer, [])


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "\u0663", "9" * 5000])
def test_a_length_that_is_none_is_never_a_500(db: None, double: StripeDouble, length: str) -> None:
    assert Client().post(URL, b"{}", content_type="application/json", CONTENT_LENGTH=length).status_code in (400, 413)
    assert inbox() == []


@pytest.mark.payment_case(18)
@pytest.mark.parametrize("event", [[], "text", 7, None, {}, {"id": "evt_1"}, {"id": 1, "type": 2, "data": 3}])
def test_what_is_signed_and_no_event_is_refused(db: None, double: StripeDouble, send: Send, event: Any) -> None:
    assert (send(event), inbox()) == (400, [])


def test_the_door_is_for_posts_of_connected_providers(settings: Any, db: None, double: StripeDouble) -> None:
    assert [Client().get(URL).status_code, Client().post("/webhooks/nobody/").status_code] == [405, 404]
    settings.STRIPE_SECRET_KEY = ""
    assert Client().post(URL).status_code == 404


@pytest.mark.payment_case(27)
def test_an_event_of_the_other_mode_is_kept_and_does_nothing(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    assert send({**event, "livemode": True}) == 200
    assert (status(unpaid), [state for _, state, _ in inbox()]) == ("unpaid", ["ignored"])


def test_an_event_of_another_version_says_so(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    (event,) = double.events("checkout.session.completed")
    send({**event, "api_version": "2019-01-01"})
    assert "2019-01-01" in Delivery.objects.get().note
    assert status(unpaid) == "paid"


def test_what_the_provider_does_not_answer_is_asked_again_and_then_given_up(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send, finance: User
) -> None:
    double.pay(name(pay_by_card()))
    double.fail("GET /v1/checkout/sessions", status=500, times=1000)
    send(double.events("checkout.session.completed")[0])
    waits, when = [], NOW
    for tries in range(2, 8):
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.tries) == ("failed", tries - 1)
        waits.append(delivery.next_try_at - when)
        when = delivery.next_try_at
        clock.jump_to(when - timedelta(seconds=5))
        assert tasks.process_deliveries() == 0
        assert Delivery.objects.get().tries == tries - 1
        clock.jump_to(when)
        tasks.process_deliveries()
        when = Delivery.objects.get().next_try_at if Delivery.objects.get().state == "dead" else when
    assert [round(wait / timedelta(minutes=1)) for wait in waits] == [1, 5, 15, 60, 240, 720]
    assert Delivery.objects.get().state == "dead"
    assert mails() == ["payment_attention"]
    assert "could not be worked off" in Message.objects.get().body_text
    double.faults.clear()
    deliveries.retry(Delivery.objects.get().pk, by=finance, at=when)
    clock.jump_to(when + timedelta(seconds=1))
    assert tasks.process_deliveries() == 1
    assert (status(unpaid), inbox()) == ("paid", [("checkout.session.completed", "done", 1)])
    assert Event.objects.filter(verb="delivery.retry", actor=finance).count() == 1


def test_an_event_about_nothing_of_ours_waits_for_its_attempt(db: None, double: StripeDouble, send: Send) -> None:
    other = {"id": "ch_other", "object": "charge", "metadata": {}, "payment_intent": "pi_other"}
    event = {"id": "evt_9", "object": "event", "type": "charge.refunded", "livemode": False, "created": 1796918400}
    assert send({**event, "api_version": "2026-10-28.endive", "data": {"object": other}}) == 200
    assert inbox() == [("charge.refunded", "failed", 1)]
    assert Delivery.objects.get().note == "It speaks of no attempt that we know."


def test_types_we_have_no_use_for_are_kept_and_ignored(db: None, double: StripeDouble, send: Send) -> None:
    event = {"id": "evt_9", "object": "event", "type": "customer.created", "livemode": False, "created": 1796918400}
    assert send({**event, "api_version": "2026-10-28.endive", "data": {"object": {"object": "customer"}}}) == 200
    assert inbox() == [("customer.created", "ignored", 0)]
    assert tasks.process_deliveries() == 0


def test_without_a_queue_the_next_tick_finds_it(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_queue(*args: Any, **kwargs: Any) -> None:
        raise tasks.process_delivery.OperationalError("connection refused")

    double.pay(name(pay_by_card()))
    monkeypatch.setattr(tasks.process_delivery, "apply_async", no_queue)
    assert send(double.events("checkout.session.completed")[0]) == 200
    assert (status(unpaid), inbox()) == ("unpaid", [("checkout.session.completed", "new", 0)])
    clock.jump_to(NOW + timedelta(minutes=1))
    assert (tasks.process_deliveries(), status(unpaid)) == (1, "paid")


@pytest.mark.payment_case(10)
@pytest.mark.django_db(transaction=True)
def test_return_webhook_and_job_at_once_are_one_row_and_one_mail(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, send: Send
) -> None:
    double.pay(name(pay_by_card()))
    attempt, (event,) = only_attempt(unpaid), double.events("checkout.session.completed")

    def come_back() -> int:
        return settlement.settle(attempt.pk, at=NOW).pk

    run_all_at_once([come_back, partial(send, event), come_back, partial(send, {**event, "id": "evt_b"}), come_back])
    assert (LedgerEntry.objects.count(), mails(), status(unpaid)) == (1, ["payment_received"], "paid")
    assert {state for _, state, _ in inbox()} == {"done"}


@pytest.mark.payment_case(11)
@pytest.mark.django_db(transaction=True)
def test_one_event_sixteen_times_at_once_is_one_delivery() -> None:
    event = InboundEvent("stripe", "evt_1", "checkout.session.completed", None, (), NOW)

    def take(when: datetime = NOW) -> int:
        return deliveries.receive(event, b"{}", {}, at=when)

    assert len(set(run_at_once(take, times=16))) == 1
    assert Delivery.objects.count() == 1
