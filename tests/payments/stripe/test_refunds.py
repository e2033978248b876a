"""Money that goes back through Stripe: two people, once, whatever happens on the way."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import refunds, settlement, tasks, unmatched
from payments.models import Attempt, Dispute, LedgerEntry, Refund
from tests.doubles.stripe import StripeDouble
from tests.payments.conftest import NOW
from tests.payments.stripe.conftest import Begin, name
from tests.threads import run_at_once

LATER = NOW + timedelta(hours=1)
REFUNDS = "POST /v1/refunds"


@pytest.fixture
def twice(unpaid: Registration, pay_by_card: Begin, double: StripeDouble) -> LedgerEntry:
    """Paid in two tabs, in one of which the page had been given up. The newer of the two charges."""
    urls = [pay_by_card()]
    Attempt.objects.update(state="closed")
    urls.append(pay_by_card(NOW + timedelta(minutes=1)))
    for url in urls:
        double.pay(name(url))
    for attempt in Attempt.objects.order_by("pk"):
        settlement.settle(attempt.pk, at=NOW)
    Message.objects.all().delete()
    return LedgerEntry.objects.order_by("-pk")[0]


def ask(entry: LedgerEntry, by: User, minor: int = 40000) -> Refund:
    return refunds.request(entry.pk, amount=Money(minor), reason="Paid in two tabs.", by=by, at=LATER)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def back() -> list[tuple[str, int]]:
    rows = LedgerEntry.objects.exclude(kind="charge").order_by("pk")
    return list(rows.values_list("kind", "amount_minor"))


@pytest.mark.payment_case(55)
def test_a_duplicate_goes_back_and_the_seat_stays(
    unpaid: Registration, twice: LedgerEntry, finance: User, staff: User, double: StripeDouble
) -> None:
    assert (status(unpaid), refunds.returnable(twice)) == ("overpaid", Money(40000))
    refund = refunds.approve(ask(twice, finance).pk, by=staff, at=LATER)
    assert (refund.state, refund.decided_by, back()) == ("done", staff, [("refund", -40000)])
    assert LedgerEntry.objects.get(kind="refund").corrects == twice
    assert (status(unpaid), refunds.returnable(twice)) == ("paid", Money(0))
    assert list(Message.objects.values_list("event", "to")) == [("payment_returned", unpaid.user.email)]
    assert refund.reference == LedgerEntry.objects.get(kind="refund").txn_ref


def test_the_fee_itself_never_goes_back(unpaid: Registration, twice: LedgerEntry, finance: User) -> None:
    first = LedgerEntry.objects.order_by("pk")[0]
    assert refusal(lambda: ask(twice, finance, 40001)) == "too-much"
    ask(twice, finance, 39999)
    assert [refunds.returnable(entry) for entry in (first, twice)] == [Money(1), Money(1)]
    assert refusal(lambda: ask(first, finance, 2)) == "too-much"
    assert refusal(lambda: refunds.request(first.pk, amount=Money(1), reason=" ", by=finance, at=LATER)) == (
        "reason-missing"
    )


def test_all_of_it_may_go_back_once_the_registration_has_ended(
    unpaid: Registration, twice: LedgerEntry, finance: User
) -> None:
    Registration.objects.update(status="withdrawn")
    first = LedgerEntry.objects.order_by("pk")[0]
    assert [refunds.returnable(entry) for entry in (first, twice)] == [Money(40000), Money(40000)]


@pytest.mark.payment_case(76)
def test_nobody_approves_what_they_asked_for(twice: LedgerEntry, finance: User, staff: User) -> None:
    refund = ask(twice, finance)
    assert refusal(lambda: refunds.approve(refund.pk, by=finance, at=LATER)) == "own-refund"
    assert refusal(lambda: refunds.decline(refund.pk, reason="No.", by=finance, at=LATER)) == "own-refund"
    with pytest.raises(IntegrityError, match="refund_decided_by_another"), transaction.atomic():
        Refund.objects.update(decided_by=finance)
    declined = refunds.decline(refund.pk, reason="It is the only payment.", by=staff, at=LATER)
    assert (declined.state, back()) == ("declined", [])
    assert refusal(lambda: refunds.approve(refund.pk, by=finance, at=LATER)) == "decided"


@pytest.mark.payment_case(56)
@pytest.mark.django_db(transaction=True)
def test_approve_at_once_gives_back_once(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, unpaid: Registration
) -> None:
    refund = ask(twice, finance)
    run_at_once(lambda: refunds.approve(refund.pk, by=staff, at=LATER), times=4)
    assert (back(), len(double.state["refunds"]), status(unpaid)) == ([("refund", -40000)], 1, "paid")


@pytest.mark.payment_case(32)
@pytest.mark.parametrize("fault", [{"does": "act_then_drop"}, {"does": "status", "status": 500}])
def test_a_refund_without_an_answer_is_asked_for_again_with_its_key(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, unpaid: Registration, fault: dict[str, Any]
) -> None:
    double.fail(REFUNDS, **fault, times=3)
    refund = refunds.approve(ask(twice, finance).pk, by=staff, at=LATER)
    assert refund.state == "unknown"
    clock.jump_to(LATER + refunds.PATIENCE + timedelta(seconds=1))
    assert tasks.send_refunds() == 1
    assert tasks.send_refunds() == 0
    refund.refresh_from_db()
    assert (refund.state, back(), len(double.state["refunds"])) == ("done", [("refund", -40000)], 1)
    clock.reset()


@pytest.mark.payment_case(57)
def test_a_refund_that_comes_back_later_is_money_again(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, unpaid: Registration
) -> None:
    refund = refunds.approve(ask(twice, finance).pk, by=staff, at=LATER)
    Message.objects.all().delete()
    double.fail_refund(refund.reference)
    for _ in range(2):
        settlement.settle(twice.attempt_id, at=LATER)
    refund.refresh_from_db()
    assert (refund.state, status(unpaid)) == ("failed", "overpaid")
    assert back() == [("refund", -40000), ("refund_failed", 40000)]
    assert list(Message.objects.values_list("event", "to")) == [("payment_attention", finance.email)]
    assert refunds.returnable(twice) == Money(40000)


def test_a_refund_the_provider_refuses_has_failed(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, unpaid: Registration
) -> None:
    double.fail(REFUNDS, status=400, body='{"error": {"type": "invalid_request_error", "message": "No."}}')
    refund = refunds.approve(ask(twice, finance).pk, by=staff, at=LATER)
    assert (refund.state, back(), status(unpaid)) == ("failed", [], "overpaid")
    assert Message.objects.get().event == "payment_attention"


def test_money_of_nobody_goes_back_whole_or_where_it_was_matched(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble, finance: User, staff: User
) -> None:
    ref = name(pay_by_card())
    double.state["sessions"][ref] |= {"amount_total": 39900}
    double.pay(ref)
    attempt = settlement.settle(Attempt.objects.get().pk, at=NOW)
    entry = unmatched.waiting().get()
    assert refunds.returnable(entry) == Money(39900)
    refunds.approve(ask(entry, finance, 900).pk, by=staff, at=LATER)
    assert [row.left_minor for row in unmatched.waiting()] == [39000]  # type: ignore[attr-defined]
    unmatched.match(entry.pk, code=unpaid.code, reason="Hers.", by=finance, at=LATER)
    assert (status(unpaid), refunds.returnable(entry)) == ("partly_paid", Money(0))
    double.refund(entry.txn_ref, 39000)
    settlement.settle(attempt.pk, at=LATER)
    assert (status(unpaid), list(unmatched.waiting())) == ("refunded", [])


def test_a_refund_that_has_not_left_yet_is_not_done(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it, nothing would stand for it anywhere: the other charge could go back, too, and the fee be gone."""
    monkeypatch.setattr(double, "_give_back", partial(double._give_back, waits=True))
    refund = refunds.approve(ask(twice, finance).pk, by=staff, at=LATER)
    first = LedgerEntry.objects.order_by("pk")[0]
    assert (refund.state, back(), refunds.returnable(first)) == ("unknown", [], Money(0))
    double.finish_refund(next(iter(double.state["refunds"])))
    assert refunds.send(refund.pk, at=LATER) is True
    refund.refresh_from_db()
    assert (refund.state, back(), len(double.state["refunds"])) == ("done", [("refund", -40000)], 1)


def test_what_is_not_too_much_any_more_is_not_approved(
    twice: LedgerEntry, finance: User, staff: User, double: StripeDouble, unpaid: Registration
) -> None:
    """Two people, and days between them: meanwhile the other charge went back in the provider's own pages."""
    refund, first = ask(twice, finance), LedgerEntry.objects.order_by("pk")[0]
    double.refund(first.txn_ref)
    settlement.settle(first.attempt_id, at=LATER)
    assert status(unpaid) == "paid"
    assert refusal(lambda: refunds.approve(refund.pk, by=staff, at=LATER)) == "too-much"
    refund.refresh_from_db()
    assert (refund.state, len(double.state["refunds"])) == ("requested", 1)


def test_what_a_dispute_may_still_take_is_not_given_back(unpaid: Registration, twice: LedgerEntry) -> None:
    """Its bank gives it back already. Returned by us, too, the fee would be gone."""
    said = {"provider": "stripe", "ref": "dp_1", "standing": "open", "amount_minor": 40000, "currency": "USD"}
    Dispute.objects.create(attempt=twice.attempt, opened_at=NOW, **said)
    assert refunds.returnable(twice) == Money(0)
    Registration.objects.update(status="withdrawn")
    first = LedgerEntry.objects.order_by("pk")[0]
    assert [refunds.returnable(entry) for entry in (first, twice)] == [Money(40000), Money(0)]
