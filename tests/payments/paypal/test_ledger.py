"""From pressing Pay to the ledger, through PayPal's stand-in."""

from datetime import timedelta
from typing import Any

import pytest
from django import db
from django.test import Client
from kombu.exceptions import OperationalError

from candidates.models import Registration
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import attempts, deliveries, reconcile, refunds, settlement, tasks
from payments.models import Attempt, Delivery, LedgerEntry, ProviderCall, Refund
from payments.settlement import settle
from tests.doubles.paypal import PayPalDouble
from tests.payments.conftest import answer, only_attempt
from tests.payments.paypal.conftest import (
    ENDS,
    NOW,
    ORDER,
    ORDERS,
    SECOND,
    VERIFY,
    Begin,
    capture,
    captures_asked,
    order,
)
from tests.threads import run_at_once


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def agree(double: PayPalDouble, url: str) -> str:
    """Press Pay on PayPal's page; the order's name."""
    ref = url.rsplit("=", 1)[-1]
    double.approve(ref)
    return ref


def entries() -> list[tuple[str, int]]:
    return list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount_minor"))


@pytest.fixture
def paid_up(unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble) -> Attempt:
    agree(double, pay_by_paypal())
    return settle(only_attempt(unpaid).pk, at=NOW)


@pytest.mark.payment_case(6, 9)
def test_paid_by_paypal(unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble) -> None:
    agree(double, pay_by_paypal())
    for _ in range(2):
        assert settle(only_attempt(unpaid).pk, at=NOW).state == "paid"
    entry = LedgerEntry.objects.get()
    made = ("charge", Money(40000), "paypal", capture(double))
    assert (entry.kind, entry.money, entry.provider, entry.txn_ref) == made
    assert (entry.occurred_at, status(unpaid), len(captures_asked(double))) == (NOW, "paid", 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.payment_case(10)
def test_settled_from_everywhere_at_once(unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble) -> None:
    agree(double, pay_by_paypal())
    pk = only_attempt(unpaid).pk
    assert run_at_once(lambda: settle(pk, at=NOW).state, times=4) == ["paid"] * 4
    assert (entries(), len(double.state["captures"])) == ([("charge", 40000)], 1)


@pytest.mark.payment_case(4)
def test_agreed_to_after_the_fee_was_paid_another_way(
    unpaid: Registration, pay_by_paypal: Begin, begin: Begin, double: PayPalDouble
) -> None:
    page = pay_by_paypal()
    answer(begin(NOW + SECOND), "paid", NOW + SECOND)
    agree(double, page)
    states = [settle(attempt.pk, at=NOW + SECOND).state for attempt in Attempt.objects.order_by("pk")]
    assert (states, status(unpaid), captures_asked(double)) == (["closed", "paid"], "paid", [])
    assert list(LedgerEntry.objects.values_list("provider", flat=True)) == ["fake"]


@pytest.mark.payment_case(4)
def test_agreed_to_while_the_fee_was_paid_already(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble
) -> None:
    agree(double, pay_by_paypal())
    Registration.objects.filter(pk=unpaid.pk).update(payment_status="paid")
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "closed"
    assert (captures_asked(double), entries()) == ([], [])


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(
    ("value", "currency"), [("399.99", "USD"), ("1.00", "USD"), ("400.01", "USD"), ("400.00", "EUR")]
)
def test_another_amount_is_not_even_taken(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, value: str, currency: str
) -> None:
    ref = agree(double, pay_by_paypal())
    double.state["orders"][ref]["purchase_units"][0]["amount"] = {"value": value, "currency_code": currency}
    settle(only_attempt(unpaid).pk, at=NOW)
    assert (status(unpaid), captures_asked(double), entries()) == ("unpaid", [], [])


@pytest.mark.payment_case(23, 24)
@pytest.mark.parametrize(("value", "currency"), [("399.99", "USD"), ("400.01", "USD"), ("400.00", "EUR")])
def test_another_amount_that_was_taken_confirms_nothing(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, value: str, currency: str
) -> None:
    ref = agree(double, pay_by_paypal())
    double.fail(f"{ORDERS}/", "act_then_drop")
    settle(only_attempt(unpaid).pk, at=NOW)
    double.state["captures"][capture(double)]["amount"] = {"value": value, "currency_code": currency}
    assert settle(only_attempt(unpaid).pk, at=NOW).refs.filter(ref=ref).exists()
    assert status(unpaid) != "paid"
    minor = int(value.replace(".", ""))
    assert list(LedgerEntry.objects.values_list("registration", "amount_minor", "currency")) == [
        (None, minor, currency)
    ]


@pytest.mark.payment_case(25)
def test_another_attempts_order_pays_for_that_one_alone(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble
) -> None:
    first = pay_by_paypal()
    attempts.stop(unpaid.pk, by=unpaid.user, at=NOW)
    agree(double, pay_by_paypal(NOW + SECOND))
    agree(double, first)
    states = [settle(attempt.pk, at=NOW + SECOND).state for attempt in Attempt.objects.order_by("pk")]
    assert (states, len(double.state["captures"])) == (["closed", "paid"], 1)
    assert LedgerEntry.objects.get().attempt == Attempt.objects.order_by("pk").last()


@pytest.mark.payment_case(30, 31)
@pytest.mark.parametrize("does", ["drop", "act_then_drop"])
def test_no_answer_to_pay_is_in_doubt_until_we_look(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, does: str
) -> None:
    double.fail(ORDERS, does)
    with pytest.raises(Refused, match="Do not pay again"):
        pay_by_paypal()
    assert (only_attempt(unpaid).state, status(unpaid)) == ("unknown", "pending")
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "closed"
    agree(double, pay_by_paypal(NOW + SECOND))
    settle(Attempt.objects.latest("pk").pk, at=NOW + SECOND)
    assert (status(unpaid), len(double.state["captures"]), entries()) == ("paid", 1, [("charge", 40000)])


@pytest.mark.payment_case(34)
def test_a_crash_after_the_answer_gives_the_same_page(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: Any, **kwargs: Any) -> str:
        raise db.OperationalError("could not serialize access")

    with monkeypatch.context() as patched:
        patched.setattr(attempts, "_finish_opening", crash)
        with pytest.raises(db.OperationalError):
            pay_by_paypal()
    assert list(ProviderCall.objects.values_list("operation", "outcome")) == [("open", "pending")]
    assert pay_by_paypal(NOW + SECOND).endswith(order(double)["id"])
    assert Attempt.objects.count() == 1


@pytest.mark.payment_case(32, 37, 41)
@pytest.mark.parametrize(
    "fault",
    [{"does": "act_then_drop"}, {"does": "act_then_status", "status": 500}, {"does": "drip", "seconds": 0.2}],
    ids=str,
)
def test_no_answer_to_the_capture_is_in_doubt_until_we_look(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, fault: dict[str, Any]
) -> None:
    agree(double, pay_by_paypal())
    double.fail(f"{ORDERS}/", **fault)
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, status(unpaid)) == ("unknown", "pending")
    double.fail(ORDER, "drop")
    with pytest.raises(Refused, match="Do not pay again"):
        pay_by_paypal(NOW + SECOND)
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, status(unpaid)) == ("paid", "paid")
    assert (len(captures_asked(double)), entries()) == (1, [("charge", 40000)])
    calls = ProviderCall.objects.order_by("pk").values_list("operation", "outcome")
    assert list(calls) == [("open", "ok"), ("finalize", "unknown")]


@pytest.mark.payment_case(33)
def test_a_capture_retried_after_its_key_was_forgotten(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble
) -> None:
    agree(double, pay_by_paypal())
    double.fail(f"{ORDERS}/", "act_then_drop")
    settle(only_attempt(unpaid).pk, at=NOW)
    double.clock = NOW + timedelta(hours=7)
    assert settle(only_attempt(unpaid).pk, at=NOW + timedelta(hours=7)).state == "paid"
    assert (len(double.state["captures"]), entries()) == (1, [("charge", 40000)])


@pytest.mark.payment_case(38, 39, 40, 41)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "body": '{"name": "RATE_LIMIT_REACHED"}'},
        {"status": 401, "times": 2, "body": '{"error": "invalid_token"}'},
        {"does": "html"},
        {"does": "drip", "seconds": 0.2},
    ],
    ids=str,
)
def test_trouble_while_looking_is_in_doubt_and_then_over(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, fault: dict[str, Any]
) -> None:
    agree(double, pay_by_paypal())
    double.fail(ORDER, **fault)
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "unknown"
    double.faults.clear()
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, status(unpaid)) == ("paid", "paid")


@pytest.mark.payment_case(42, 43)
def test_declined_and_then_agreed_to_again(unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble) -> None:
    first = pay_by_paypal()
    agree(double, first)
    double.next_capture("INSTRUMENT_DECLINED")
    attempt = settle(only_attempt(unpaid).pk, at=NOW)
    told = "The card or account that you chose at PayPal was declined."
    assert (attempt.state, attempt.problem, status(unpaid)) == ("failed", told, "unpaid")
    second = pay_by_paypal(NOW + SECOND)
    agree(double, second)
    agree(double, first)  # in the tab that was left open
    states = [settle(each.pk, at=NOW + SECOND).state for each in Attempt.objects.order_by("pk")]
    assert (states, status(unpaid), first != second) == (["failed", "paid"], "paid", True)
    assert (len(double.state["captures"]), entries()) == (1, [("charge", 40000)])


@pytest.mark.payment_case(44)
@pytest.mark.parametrize(("end", "seen"), [("complete", ["pending", "paid"]), ("deny", ["pending", "unpaid"])])
def test_money_that_takes_days(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, end: str, seen: list[str]
) -> None:
    agree(double, pay_by_paypal())
    double.next_capture("PENDING")
    settle(only_attempt(unpaid).pk, at=NOW)
    found = [status(unpaid)]
    getattr(double, end)(capture(double))
    later = NOW + timedelta(days=5)
    double.clock = later
    settle(only_attempt(unpaid).pk, at=later)
    assert [*found, status(unpaid)] == seen


@pytest.mark.payment_case(45, 46, 47)
def test_an_agreement_that_was_reversed_and_a_page_that_expired(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble
) -> None:
    url = pay_by_paypal()
    double.reverse_approval(agree(double, url))
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, pay_by_paypal(NOW + SECOND)) == ("open", url)
    double.cancel(order(double)["id"])
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "open"
    second = pay_by_paypal(ENDS)
    agree(double, url)
    states = [settle(each.pk, at=ENDS).state for each in Attempt.objects.order_by("pk")]
    assert (states, second != url, captures_asked(double)) == (["expired", "open"], True, [])


@pytest.mark.payment_case(48)
def test_giving_up_what_is_paid_is_paid(unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble) -> None:
    agree(double, pay_by_paypal())
    double.fail(f"{ORDERS}/", "act_then_drop")
    settle(only_attempt(unpaid).pk, at=NOW)
    assert settlement.close(only_attempt(unpaid).pk, at=NOW).state == "paid"
    assert status(unpaid) == "paid"


@pytest.mark.payment_case(53, 54, 57)
def test_what_comes_after_follows_the_money(unpaid: Registration, paid_up: Attempt, double: PayPalDouble) -> None:
    seen = [status(unpaid)]

    def look() -> None:
        for _ in range(2):
            settle(paid_up.pk, at=NOW)
        seen.append(status(unpaid))

    dispute = double.dispute(capture(double))["dispute_id"]
    look()
    double.resolve(dispute, won=True)
    look()
    part = double.refund(capture(double), "100.00")["id"]
    look()
    rest = double.refund(capture(double))["id"]
    look()
    for refund in (part, rest):
        double.fail_refund(refund)
    look()
    assert seen == ["paid", "disputed", "paid", "partly_paid", "refunded", "paid"]
    assert sorted(entries()) == [
        ("charge", 40000),
        ("dispute_reinstated", 40000),
        ("dispute_withdrawn", -40000),
        ("refund", -30000),
        ("refund", -10000),
        ("refund_failed", 10000),
        ("refund_failed", 30000),
    ]


@pytest.mark.payment_case(55, 56, 57)
def test_a_refund_of_ours_has_its_name_in_the_ledger(
    unpaid: Registration, paid_up: Attempt, double: PayPalDouble, finance: Any, staff: Any
) -> None:
    Registration.objects.filter(pk=unpaid.pk).update(fee_minor=10000)
    asked = {"amount": Money(30000), "reason": "Paid too much", "by": finance, "at": NOW}
    refund = refunds.request(LedgerEntry.objects.get().pk, **asked)
    double.fail("POST /v2/payments", "act_then_drop")
    assert refunds.approve(refund.pk, by=staff, at=NOW).state == Refund.State.UNKNOWN
    for _ in range(2):
        refunds.send(refund.pk, at=NOW)
    refund.refresh_from_db()
    (made,) = double.state["refunds"].values()
    assert (refund.state, refund.reference, made["invoice_id"]) == ("done", made["id"], str(refund.key))
    assert (entries(), status(unpaid)) == ([("charge", 40000), ("refund", -30000)], "paid")


# ---- Through the door for webhooks


def post(client: Client, body: bytes, headers: dict[str, str]) -> int:
    return client.post("/webhooks/paypal/", body, content_type="application/json", headers=headers).status_code


@pytest.fixture
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the door it is ten o'clock, too, and no queue is there: the next tick finds what was kept."""

    def nobody(*args: Any, **how: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(tasks.process_delivery, "apply_async", nobody)


@pytest.mark.payment_case(6, 19)
def test_a_webhook_settles_what_nobody_came_back_from(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, client: Client, at_ten: None
) -> None:
    double.odd_bytes()
    agree(double, pay_by_paypal())
    (event,) = double.events()
    assert [post(client, *double.signed(event)) for _ in range(2)] == [200, 200]
    deliveries.process(Delivery.objects.get().pk, at=NOW)
    assert (Delivery.objects.get().state, status(unpaid), len(captures_asked(double))) == ("done", "paid", 1)


@pytest.mark.payment_case(53)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_dispute_finds_its_attempt(
    unpaid: Registration, paid_up: Attempt, double: PayPalDouble, client: Client, at_ten: None, is_named: bool
) -> None:
    double.dispute(capture(double))
    (event,) = double.events("CUSTOMER.DISPUTE.CREATED")
    if not is_named:
        del event["resource"]["disputed_transactions"][0]["custom"]
    assert post(client, *double.signed(event)) == 200
    deliveries.process(Delivery.objects.get().pk, at=NOW)
    assert (Delivery.objects.get().attempt, status(unpaid)) == (paid_up, "disputed")


@pytest.mark.payment_case(14, 18, 20, 21)
def test_the_door_answers_what_paypal_can_work_with(
    unpaid: Registration, paid_up: Attempt, double: PayPalDouble, client: Client, at_ten: None
) -> None:
    (event,) = double.events("PAYMENT.CAPTURE.COMPLETED")
    body, headers = double.signed(event)
    elsewhere = headers | {"Paypal-Cert-Url": "https://example.org/cert"}
    wrong = headers | {"Paypal-Transmission-Sig": "AAAA"}
    asked = len(double.asked_for(VERIFY))
    assert [post(client, body, {}), post(client, b"\xff", headers), post(client, body, elsewhere)] == [400] * 3
    assert post(client, b"{}".ljust(1024 * 1024), headers) == 413
    assert len(double.asked_for(VERIFY)) == asked
    double.fail(VERIFY, status=503)
    assert [post(client, body, wrong), post(client, body, wrong), post(client, body, headers)] == [503, 400, 200]
    assert Delivery.objects.count() == 1


# ---- Held against PayPal's own list


@pytest.mark.django_db(transaction=True)
@pytest.mark.payment_case(9, 78)
def test_reconciling_finds_what_we_missed_and_strangers(
    unpaid: Registration, pay_by_paypal: Begin, double: PayPalDouble, settings: Any
) -> None:
    settings.PAYMENT_FAKE_GATEWAY = False
    agree(double, pay_by_paypal())
    double.fail(f"{ORDERS}/", "act_then_drop")
    settle(only_attempt(unpaid).pk, at=NOW)
    (row,) = double.state["moved"]
    other = {**row["transaction_info"], "transaction_id": "T1", "transaction_event_code": "T0000", "custom_field": ""}
    double.state["moved"].append({"transaction_info": other})
    run = reconcile.run(since=NOW - timedelta(days=3), at=NOW)
    assert run is not None
    assert [code for code, _ in run.findings] == ["money-without-row", "orphan"]
    assert status(unpaid) == "paid"
    again = reconcile.run(since=NOW - timedelta(days=3), at=NOW)
    assert again is not None
    assert again.findings == []
