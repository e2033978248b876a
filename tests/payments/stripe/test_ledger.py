"""From pressing Pay to the ledger, through Stripe's stand-in."""

from typing import Any

import pytest
from django.db import OperationalError

from candidates.models import Registration
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import attempts, settlement
from payments.models import Attempt, LedgerEntry, ProviderCall
from payments.settlement import settle
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW, only_attempt
from tests.payments.stripe.conftest import ENDS, SECOND, SESSIONS, Begin, charge, name, session


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
