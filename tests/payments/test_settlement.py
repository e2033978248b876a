from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from candidates.models import Registration, User
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import attempts, ledger, settlement
from payments.gateways.base import Contest, Disputed, Facts, Standing, Txn, Unavailable
from payments.models import Attempt, LedgerEntry, ProviderCall
from payments.overview import Overview
from payments.settlement import settle
from tests.payments.conftest import NOW, Stub, answer, only_attempt
from tests.payments.test_attempts import assert_locked
from tests.threads import run_all_at_once, run_at_once

Begin = Callable[..., str]
Faulty = Callable[..., Stub]
SOON = NOW + timedelta(minutes=3)


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def mails() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("event", "to"))


def test_settle_posts_what_the_provider_says(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid", NOW + timedelta(minutes=1))
    attempt = settle(only_attempt(unpaid).pk, at=SOON)
    assert (attempt.state, status(unpaid)) == ("paid", "paid")
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.money, entry.provider, entry.attempt, entry.registration) == (
        "charge", Money(40000), "fake", attempt, unpaid,
    )  # fmt: skip
    assert (entry.occurred_at, entry.recorded_at) == (NOW + timedelta(minutes=1), SOON)
    assert mails() == [("payment_received", "ada@example.org")]


def test_settle_again_changes_nothing(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    for _ in range(3):
        settle(only_attempt(unpaid).pk, at=SOON)
    assert [LedgerEntry.objects.count(), len(mails()), status(unpaid)] == [1, 1, "paid"]


@pytest.mark.parametrize(
    ("pressed", "state", "problem"),
    [("declined", "failed", "The bank declined the card."), ("cancelled", "closed", "")],
)
def test_settle_says_why_there_is_no_money(
    unpaid: Registration, begin: Begin, pressed: str, state: str, problem: str
) -> None:
    answer(begin(), pressed)
    attempt = settle(only_attempt(unpaid).pk, at=SOON)
    assert (attempt.state, attempt.problem, status(unpaid), mails()) == (state, problem, "unpaid", [])


def test_settle_leaves_a_page_that_waits_alone(unpaid: Registration, begin: Begin) -> None:
    begin()
    assert settle(only_attempt(unpaid).pk, at=SOON).state == "open"
    assert settle(only_attempt(unpaid).pk, at=NOW + timedelta(minutes=32)).state == "expired"
    assert (status(unpaid), mails()) == ("unpaid", [])


def test_settle_without_an_answer_is_unknown_until_there_is_one(
    unpaid: Registration, begin: Begin, faulty: Faulty
) -> None:
    def silent(really: Callable[[], Any]) -> None:
        raise Unavailable

    answer(begin(), "paid")
    faulty(fetch=silent)
    assert (settle(only_attempt(unpaid).pk, at=SOON).state, status(unpaid)) == ("unknown", "pending")
    faulty()
    assert (settle(only_attempt(unpaid).pk, at=SOON).state, status(unpaid)) == ("paid", "paid")


def test_settle_tells_who_was_in_doubt_that_nothing_came(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "declined")
    Attempt.objects.update(state="unknown")
    settle(only_attempt(unpaid).pk, at=SOON)
    settle(only_attempt(unpaid).pk, at=SOON)
    assert mails() == [("payment_failed", "ada@example.org")]
    assert "The bank declined the card." in Message.objects.get().body_text


@pytest.mark.parametrize("ended", ["failed", "expired", "closed"])
def test_settle_lets_late_truth_win(unpaid: Registration, begin: Begin, ended: str) -> None:
    answer(begin(), "paid")
    Attempt.objects.update(state=ended, facts_at=SOON + timedelta(days=1))
    assert (settle(only_attempt(unpaid).pk, at=SOON).state, status(unpaid)) == ("paid", "paid")


def test_settle_with_older_facts_moves_nothing_back(unpaid: Registration, begin: Begin, faulty: Faulty) -> None:
    begin()
    processing = faulty(fetch=lambda really: replace(really(), status=Standing.PROCESSING))
    settle(only_attempt(unpaid).pk, at=SOON)
    processing.faults["fetch"] = lambda really: replace(really(), status=Standing.FAILED, fetched_at=NOW)
    assert settle(only_attempt(unpaid).pk, at=NOW).state == "processing"
    assert status(unpaid) == "pending"


OTHER = {
    "a cent less": {"amount": Money(39999)},
    "a cent more": {"amount": Money(40001)},
    "one dollar": {"amount": Money(100)},
    "no amount": {"amount": None},
    "another attempt": {"attempt_id": uuid4()},
    "no attempt": {"attempt_id": None},
    "real money in the demo": {"livemode": True},
    "another account": {"account": "somebody else's"},
    "paid without a charge": {"txns": ()},
}


@pytest.mark.parametrize("wrong", OTHER.values(), ids=OTHER.keys())
def test_settle_puts_money_that_does_not_fit_aside(
    unpaid: Registration, begin: Begin, faulty: Faulty, finance: User, staff: User, wrong: dict[str, Any]
) -> None:
    answer(begin(), "paid")
    faulty(fetch=lambda really: replace(really(), **wrong))
    for _ in range(2):
        settle(only_attempt(unpaid).pk, at=SOON)
    assert status(unpaid) == "unpaid"
    charged = "txns" not in wrong
    assert only_attempt(unpaid).state == ("closed" if charged else "open")
    assert list(LedgerEntry.objects.values_list("registration", "amount_minor")) == [(None, 40000)] * charged
    assert mails() == [("payment_attention", "fay@example.org")] * charged


def test_money_that_did_not_fit_blocks_nobody_once_it_went_back(
    unpaid: Registration, begin: Begin, faulty: Faulty
) -> None:
    url = begin()
    answer(url, "paid")
    stub = faulty(fetch=lambda really: replace(really(), amount=Money(39999)))
    attempt = settle(only_attempt(unpaid).pk, at=SOON)
    assert (attempt.state, Overview(unpaid, SOON).is_in_doubt) == ("closed", True)
    with pytest.raises(Refused, match="being looked at"):
        begin(SOON)
    back = Txn("refund", "r1", Money(-40000), SOON)
    stub.faults["fetch"] = lambda really: replace(really(), amount=Money(39999), txns=(*really().txns, back))
    settle(attempt.pk, at=SOON)
    page = Overview(Registration.objects.get(pk=unpaid.pk), SOON)
    assert (page.is_in_doubt, page.may_begin) == (False, True)
    faulty()
    assert begin(SOON) != url


@pytest.mark.payment_case(23)
@pytest.mark.parametrize("minor", [39999, 40001, 100])
def test_settle_does_not_believe_a_charge_of_another_amount(
    unpaid: Registration, begin: Begin, faulty: Faulty, minor: int
) -> None:
    def other(really: Callable[[], Facts]) -> Facts:
        return replace(really(), txns=(Txn("charge", "c1", Money(minor), NOW),))

    answer(begin(), "paid")
    faulty(fetch=other)
    settle(only_attempt(unpaid).pk, at=SOON)
    assert status(unpaid) == "unpaid"
    assert list(LedgerEntry.objects.values_list("registration", "amount_minor")) == [(None, minor)]


@pytest.mark.payment_case(24)
def test_settle_does_not_believe_a_charge_in_another_currency(
    unpaid: Registration, begin: Begin, faulty: Faulty
) -> None:
    answer(begin(), "paid")
    faulty(fetch=lambda really: replace(really(), txns=(Txn("charge", "c1", Money(40000, "EUR"), NOW),)))
    settle(only_attempt(unpaid).pk, at=SOON)
    assert status(unpaid) == "unpaid"
    assert list(LedgerEntry.objects.values_list("registration", "currency")) == [(None, "EUR")]


@pytest.mark.payment_case(3)
def test_two_attempts_paid_are_two_rows_and_people_are_told(unpaid: Registration, begin: Begin, finance: User) -> None:
    first = begin()
    Attempt.objects.update(state="closed")
    second = begin()
    answer(first, "paid")
    answer(second, "paid")
    for attempt in Attempt.objects.order_by("pk"):
        settle(attempt.pk, at=SOON)
    assert [LedgerEntry.objects.count(), status(unpaid)] == [2, "overpaid"]
    assert mails() == [
        ("payment_received", "ada@example.org"),
        ("payment_received", "ada@example.org"),
        ("payment_attention", "fay@example.org"),
    ]
    assert "more than the fee" in Message.objects.filter(event="payment_received").order_by("-pk")[0].body_text


@pytest.mark.payment_case(52)
def test_money_for_an_ended_registration_is_kept_and_people_are_told(
    unpaid: Registration, begin: Begin, finance: User
) -> None:
    answer(begin(), "paid")
    Registration.objects.update(status="withdrawn")
    settle(only_attempt(unpaid).pk, at=SOON)
    assert status(unpaid) == "paid"
    assert [event for event, _ in mails()] == ["payment_received", "payment_attention"]


def test_refunds_and_disputes_follow_the_money(unpaid: Registration, begin: Begin, faulty: Faulty) -> None:
    def with_more(standing: str, *more: Txn) -> Callable[[Callable[[], Facts]], Facts]:
        dispute = (Disputed("d1", Contest(standing), Money(40000), NOW),) if standing else ()
        return lambda really: replace(really(), txns=(*really().txns, *more), disputes=dispute)

    answer(begin(), "paid")
    lost = Txn("dispute_withdrawn", "d1", Money(-40000), SOON)
    won = Txn("dispute_reinstated", "d1", Money(40000), SOON)
    back = Txn("refund", "r1", Money(-40000), SOON)
    seen = []
    for standing, *more in [("",), ("open",), ("open", lost), ("won", lost, won), ("won", lost, won, back)]:
        faulty(fetch=with_more(standing, *more))
        for _ in range(2):
            settle(only_attempt(unpaid).pk, at=SOON)
        seen.append(status(unpaid))
    assert seen == ["paid", "disputed", "disputed", "paid", "refunded"]
    assert [event for event, _ in mails()] == ["payment_received", "payment_returned"]
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "corrects__kind")) == [
        ("charge", None), ("dispute_withdrawn", "charge"), ("dispute_reinstated", "charge"), ("refund", "charge"),
    ]  # fmt: skip


@pytest.mark.payment_case(53)
@pytest.mark.parametrize(("times", "expected"), [(1, ["disputed", "refunded"]), (2, ["paid", "paid"])])
def test_a_dispute_costs_the_seat_only_where_its_money_was_needed(
    unpaid: Registration, begin: Begin, faulty: Faulty, finance: User, times: int, expected: list[str]
) -> None:
    answer(begin(), "paid")
    if times == 2:
        before = {"provider": "fake", "txn_ref": "c0", "occurred_at": NOW, "at": NOW}
        ledger.post(registration=unpaid, kind="charge", amount=Money(40000), **before)
    settle(only_attempt(unpaid).pk, at=SOON)
    Message.objects.all().delete()
    seen = []
    taken = Txn("dispute_withdrawn", "d1", Money(-40000), SOON)
    for standing in ("open", "lost"):
        dispute = Disputed("d1", Contest(standing), Money(40000), NOW, answer_by=SOON + timedelta(days=7))
        faulty(fetch=lambda really, one=dispute: replace(really(), txns=(*really().txns, taken), disputes=(one,)))
        settle(only_attempt(unpaid).pk, at=SOON)
        seen.append(status(unpaid))
    assert seen == expected
    told = [("payment_attention", "fay@example.org"), ("payment_attention", "fay@example.org")]
    assert mails() == told + [("dispute_lost", "ada@example.org")] * (times == 1)
    assert "until" in Message.objects.order_by("pk")[0].body_text


class TwoSteps:
    """A provider whose payer only approves: the money moves when we ask for it."""

    def __init__(self) -> None:
        self.took = 0

    def fetch(self, really: Callable[[], Facts]) -> Facts:
        facts = really()
        is_approved = facts.status == Standing.PAID and not self.took
        return replace(facts, status=Standing.APPROVED, txns=()) if is_approved else facts

    def finalize(self, really: Callable[[], Facts]) -> Facts:
        self.took += 1
        return really()


def test_settle_takes_approved_money_once_with_a_trace(unpaid: Registration, begin: Begin, faulty: Faulty) -> None:
    steps = TwoSteps()
    faulty(fetch=steps.fetch, finalize=steps.finalize)
    answer(begin(), "paid")
    settle(only_attempt(unpaid).pk, at=SOON)
    settle(only_attempt(unpaid).pk, at=SOON)
    assert [steps.took, status(unpaid)] == [1, "paid"]
    assert list(ProviderCall.objects.order_by("pk").values_list("operation", "outcome")) == [
        ("open", "ok"),
        ("finalize", "ok"),
    ]


@pytest.mark.parametrize("fields", [{"payment_status": "po_committed"}, {"status": "withdrawn"}])
def test_settle_never_takes_approved_money_that_is_not_owed(
    unpaid: Registration, begin: Begin, faulty: Faulty, fields: dict[str, str]
) -> None:
    steps = TwoSteps()
    stub = faulty(
        fetch=steps.fetch, finalize=steps.finalize, close=lambda really: replace(really(), status="closed", txns=())
    )
    answer(begin(), "paid")
    Registration.objects.update(**fields)
    assert settle(only_attempt(unpaid).pk, at=SOON).state == "closed"
    assert (steps.took, stub.calls[-1], LedgerEntry.objects.count()) == (0, "close", 0)


def test_close_finds_that_it_was_paid(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    assert settlement.close(only_attempt(unpaid).pk, at=SOON).state == "paid"
    assert [status(unpaid), len(mails())] == ["paid", 1]


@pytest.mark.django_db(transaction=True)
def test_settle_sixteen_times_at_once_is_one_row_and_one_mail(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    key = only_attempt(unpaid).pk
    states = [attempt.state for attempt in run_at_once(lambda: settle(key, at=SOON), times=16)]
    assert states == ["paid"] * 16
    assert [LedgerEntry.objects.count(), mails()] == [1, [("payment_received", "ada@example.org")]]
    assert status(unpaid) == "paid"


@pytest.mark.django_db(transaction=True)
def test_settle_inside_a_transaction_never_reaches_the_provider(
    unpaid: Registration, begin: Begin, faulty: Faulty
) -> None:
    begin()
    stub = faulty()
    for verb in (settle, settlement.close):
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            verb(only_attempt(unpaid).pk, at=SOON)
    assert stub.calls == []


@pytest.mark.django_db(transaction=True)
def test_two_payments_settled_at_once_are_both_counted(unpaid: Registration, begin: Begin) -> None:
    """Without the lock each would see its own money alone and write "paid"."""
    first = begin()
    Attempt.objects.update(state="closed")
    for url in (first, begin()):
        answer(url, "paid")
    keys = list(Attempt.objects.values_list("pk", flat=True))
    run_all_at_once([partial(settle, key, at=SOON) for key in keys * 4])
    assert [LedgerEntry.objects.count(), status(unpaid)] == [2, "overpaid"]


@pytest.mark.django_db(transaction=True)
def test_settle_waits_for_the_lock_of_the_registration(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    key = only_attempt(unpaid).pk
    assert_locked(unpaid, lambda: settle(key, at=SOON))
    assert LedgerEntry.objects.count() == 0


def test_a_provider_that_was_switched_off_does_not_answer(unpaid: Registration, begin: Begin, settings: Any) -> None:
    """Its attempts are in doubt, and said to be: whoever chose another way is not told to choose another way."""
    begin()
    attempt = only_attempt(unpaid)
    settings.TESTING = False
    assert [settle(attempt.pk, at=SOON).state, settlement.close(attempt.pk, at=SOON).state] == ["unknown", "unknown"]
    with pytest.raises(Unavailable):
        settlement.look(attempt.pk, at=SOON)
    with pytest.raises(Refused, match="being confirmed"):
        attempts.stop(unpaid.pk, by=unpaid.user, at=SOON)
    settings.TESTING = True
    assert settle(attempt.pk, at=SOON).state == "open"
