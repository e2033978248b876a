from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import closing, ledger, tasks, unmatched
from payments.models import Attempt, LedgerEntry
from payments.settlement import settle
from tests.factories import (
    MICROSECOND,
    make_attempt,
    make_cohort,
    make_ledger_entry,
    make_purchase_order,
    make_registration,
)
from tests.payments.conftest import NOW, Stub, answer, only_attempt

Begin = Callable[..., str]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    clock.reset()


def run_at(when: datetime, job: Callable[[], int]) -> int:
    clock.jump_to(when)
    return job()


def test_settle_unresolved_asks_after_ten_minutes(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    assert run_at(NOW + timedelta(minutes=9), tasks.settle_unresolved) == 0
    assert only_attempt(unpaid).state == "open"
    assert run_at(NOW + timedelta(minutes=11), tasks.settle_unresolved) == 1
    assert run_at(NOW + timedelta(minutes=12), tasks.settle_unresolved) == 0
    assert (only_attempt(unpaid).state, Message.objects.count()) == ("paid", 1)


class Crash(BaseException):
    """The process dies."""


def test_a_crash_after_the_provider_opened_is_settled_by_the_job(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    urls = []

    def die(really: Callable[[], Any]) -> None:
        urls.append(really().url)
        raise Crash

    faulty(open=die)
    with pytest.raises(Crash):
        begin()
    assert (only_attempt(unpaid).state, only_attempt(unpaid).url) == ("opening", "")
    answer(urls[0], "paid")
    faulty()
    assert run_at(NOW + timedelta(minutes=11), tasks.settle_unresolved) == 1
    unpaid.refresh_from_db()
    assert (only_attempt(unpaid).state, unpaid.payment_status) == ("paid", "paid")
    assert [LedgerEntry.objects.count(), Message.objects.count()] == [1, 1]


def test_a_crash_after_opening_lets_the_payer_go_on(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    def die(really: Callable[[], Any]) -> None:
        really()
        raise Crash

    faulty(open=die)
    with pytest.raises(Crash):
        begin()
    faulty()
    run_at(NOW + timedelta(minutes=11), tasks.settle_unresolved)
    assert begin(NOW + timedelta(minutes=12)) == only_attempt(unpaid).url != ""


def test_a_crash_before_the_ledger_is_settled_by_the_job(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    def die(really: Callable[[], Any]) -> None:
        really()
        raise Crash

    answer(begin(), "paid")
    faulty(fetch=die)
    with pytest.raises(Crash):
        settle(only_attempt(unpaid).pk, at=NOW)
    assert LedgerEntry.objects.count() == 0
    faulty()
    run_at(NOW + timedelta(minutes=11), tasks.settle_unresolved)
    assert [LedgerEntry.objects.count(), Message.objects.count()] == [1, 1]


def test_settle_unresolved_of_a_provider_that_is_switched_off_knows_that_it_does_not_know(
    unpaid: Registration, begin: Begin, stranger: User
) -> None:
    broken = make_attempt(make_registration(stranger, payment_status="unpaid"), provider="gone", opened_at=NOW)
    answer(begin(), "paid")
    assert run_at(NOW + timedelta(minutes=11), tasks.settle_unresolved) == 2
    assert only_attempt(unpaid).state == "paid"
    broken.refresh_from_db()
    assert broken.state == "unknown"


def test_close_unpaid_lapses_at_closing_who_never_began(unpaid: Registration) -> None:
    closes_at = unpaid.cohort.registration_closes_at
    assert list(closing.lapsable(closes_at - MICROSECOND)) == []
    assert list(closing.lapsable(closes_at)) == [unpaid]
    assert run_at(closes_at + timedelta(seconds=1), tasks.close_unpaid) == 1
    assert run_at(closes_at + timedelta(minutes=1), tasks.close_unpaid) == 0
    unpaid.refresh_from_db()
    assert unpaid.status == "lapsed"
    assert list(Message.objects.values_list("event", flat=True)) == ["registration_lapsed"]


def test_close_unpaid_lets_what_was_begun_in_time_finish(unpaid: Registration, begin: Begin) -> None:
    closes_at = unpaid.cohort.registration_closes_at
    url = begin(closes_at - MICROSECOND)
    assert run_at(closes_at + timedelta(minutes=5), tasks.close_unpaid) == 0
    answer(url, "paid", closes_at + timedelta(minutes=6))
    run_at(closes_at + timedelta(minutes=11), tasks.settle_unresolved)
    run_at(closes_at + timedelta(days=1), tasks.close_unpaid)
    unpaid.refresh_from_db()
    assert (unpaid.status, unpaid.payment_status) == ("registered", "paid")


def test_close_unpaid_closes_the_page_and_then_lapses(unpaid: Registration, begin: Begin) -> None:
    closes_at = unpaid.cohort.registration_closes_at
    url = begin(closes_at - MICROSECOND)
    assert run_at(closes_at + timedelta(minutes=33), tasks.close_unpaid) == 2
    answer(url, "paid", closes_at + timedelta(minutes=34))
    unpaid.refresh_from_db()
    assert (only_attempt(unpaid).state, unpaid.status) == ("expired", "lapsed")


def test_lapsable_leaves_everybody_who_paid_is_paying_or_has_a_promise(unpaid: Registration) -> None:
    closed_at = unpaid.cohort.registration_closes_at
    cohort = unpaid.cohort

    def another(**fields: Any) -> Registration:
        return make_registration(cohort=cohort, **{"payment_status": "unpaid", **fields})

    make_attempt(another())
    make_attempt(another(payment_status="pending"), state="unknown")
    make_purchase_order(another(payment_status="po_requested"))
    make_purchase_order(another(payment_status="po_committed"), state="accepted")
    for status in ("paid", "overpaid", "disputed", "partly_paid"):
        another(payment_status=status)
    for status in ("withdrawn", "refused", "lapsed"):
        another(status=status)
    make_registration(cohort=make_cohort(2027), payment_status="unpaid")
    refunded = another(payment_status="refunded")
    expired = another()
    make_attempt(expired, state="expired")
    make_purchase_order(expired, state="refused")
    assert {r.pk for r in closing.lapsable(closed_at)} == {unpaid.pk, refunded.pk, expired.pk}


def test_lapse_looks_again_under_the_lock(unpaid: Registration) -> None:
    """Paid a moment ago, and the cache not yet written: the ledger decides."""
    make_ledger_entry(unpaid)
    assert closing.lapse(unpaid.pk, at=unpaid.cohort.registration_closes_at) is False
    unpaid.refresh_from_db()
    assert (unpaid.status, unpaid.payment_status) == ("registered", "paid")


def test_late_attempts_are_of_closed_cohorts_and_past_their_term(unpaid: Registration, begin: Begin) -> None:
    begin()
    attempt = only_attempt(unpaid)
    closes_at = unpaid.cohort.registration_closes_at
    assert list(closing.late_attempts(closes_at - MICROSECOND)) == []
    assert list(closing.late_attempts(closes_at)) == [attempt]
    Attempt.objects.update(expires_at=closes_at + timedelta(minutes=1))
    assert list(closing.late_attempts(closes_at)) == []


def test_who_paid_what_does_not_fit_keeps_their_place_until_somebody_decides(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub], finance: User
) -> None:
    answer(begin(), "paid")
    faulty(fetch=lambda really: replace(really(), amount=Money(39999)))
    settle(only_attempt(unpaid).pk, at=NOW)
    after = unpaid.cohort.registration_closes_at + timedelta(hours=1)
    assert (closing.lapse(unpaid.pk, at=after), Attempt.objects.live().count()) == (False, 0)
    unmatched.match(unmatched.waiting().get().pk, code=unpaid.code, reason="Hers.", by=finance, at=after)
    unpaid.refresh_from_db()
    assert (closing.lapse(unpaid.pk, at=after), unpaid.payment_status) == (False, "paid")
    refund = ledger.post(
        registration=unpaid,
        kind="refund",
        amount=Money(-40000),
        provider="fake",
        txn_ref="r",
        occurred_at=after,
        at=after,
    )
    assert refund[1]
    assert closing.lapse(unpaid.pk, at=after)


@pytest.mark.payment_case(52)
def test_a_page_that_was_open_when_somebody_withdrew_takes_no_money(unpaid: Registration, begin: Begin) -> None:
    url = begin()
    assert (run_at(NOW, tasks.close_unpaid), only_attempt(unpaid).state) == (0, "open")
    Registration.objects.update(status="withdrawn")
    assert (run_at(NOW, tasks.close_unpaid), only_attempt(unpaid).state) == (1, "closed")
    answer(url, "paid")
    assert (settle(only_attempt(unpaid).pk, at=NOW).state, LedgerEntry.objects.count()) == ("closed", 0)
