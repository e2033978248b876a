from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Model

from candidates.models import PolicyText, Registration, User
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import attempts, ledger, settlement
from payments.gateways import registry
from payments.gateways.base import Rejected, Standing, Unavailable
from payments.models import Attempt, LedgerEntry, PolicyAcceptance, ProviderCall, ProviderRef
from tests.factories import MICROSECOND, make_registration, make_text
from tests.payments.conftest import NOW, Stub, answer, only_attempt
from tests.threads import run_all_at_once, run_at_once, run_behind

Begin = Callable[..., str]


def test_start_freezes_the_request_and_leads_to_the_page(unpaid: Registration, begin: Begin) -> None:
    url = begin()
    attempt = only_attempt(unpaid)
    assert (attempt.state, attempt.provider, attempt.money, attempt.url) == ("open", "fake", Money(40000), url)
    assert attempt.expires_at == NOW + timedelta(minutes=32)
    assert attempt.request == {
        "description": f"Certification fee, cohort 10, 2026-{unpaid.pk:05}",
        "email": "ada@example.org",
        "return_url": f"http://localhost:8000/pay/return/{attempt.public_id}/{attempts.return_token(attempt.public_id)}/",
        "expires_at": (NOW + timedelta(minutes=32)).isoformat(),
    }
    assert list(attempt.refs.values_list("kind", "ref")) == [("session", url.split("/")[-2])]
    assert list(attempt.calls.values_list("operation", "outcome")) == [("open", "ok")]
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "unpaid"


def test_start_stores_the_accepted_text_once(unpaid: Registration, begin: Begin, policy: PolicyText) -> None:
    begin()
    begin(NOW + timedelta(minutes=1))
    assert list(PolicyAcceptance.objects.values_list("registration", "text", "accepted_at")) == [
        (unpaid.pk, policy.pk, NOW)
    ]


def test_start_takes_the_fee_of_the_registration_not_of_the_cohort(unpaid: Registration, begin: Begin) -> None:
    unpaid.cohort.fee_minor = 99900
    unpaid.cohort.save()
    begin()
    assert only_attempt(unpaid).money == Money(40000)


def test_start_asks_for_what_is_left_of_the_fee(unpaid: Registration, begin: Begin) -> None:
    LedgerEntry.objects.create(
        registration=unpaid, kind="adjustment", amount_minor=10000, currency="USD", provider="office", txn_ref="a1",
        occurred_at=NOW, recorded_at=NOW,
    )  # fmt: skip
    begin()
    assert only_attempt(unpaid).money == Money(30000)


@pytest.mark.parametrize(
    ("edge", "after", "code"),
    [
        ("opens_at", -MICROSECOND, "window-not-open"),
        ("opens_at", timedelta(0), ""),
        ("closes_at", -MICROSECOND, ""),
        ("closes_at", timedelta(0), "window-closed"),
        ("closes_at", timedelta(days=9), "window-closed"),
    ],
)
@pytest.mark.payment_case(50)
def test_start_keeps_to_the_window_to_the_microsecond(
    unpaid: Registration, begin: Begin, edge: str, after: timedelta, code: str
) -> None:
    moment = getattr(unpaid.cohort.window, edge) + after
    assert refusal_of(lambda: begin(moment)) == code
    assert Attempt.objects.count() == (0 if code else 1)


def refusal_of(work: Callable[[], Any]) -> str:
    try:
        work()
    except Refused as refusal:
        return refusal.code
    return ""


@pytest.mark.payment_case(49)
def test_start_after_closing_goes_on_with_what_was_begun_in_time(unpaid: Registration, begin: Begin) -> None:
    closes_at = unpaid.cohort.registration_closes_at
    url = begin(closes_at - timedelta(minutes=5))
    assert begin(closes_at + timedelta(minutes=5)) == url
    assert refusal_of(lambda: begin(closes_at + timedelta(minutes=28))) == "window-closed"
    assert only_attempt(unpaid).state == "expired"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "withdrawn"}, "not-standing"),
        ({"status": "refused"}, "not-standing"),
        ({"status": "lapsed"}, "not-standing"),
        ({"status": "evidence_requested"}, ""),
    ],
)
def test_start_needs_a_standing_registration(
    unpaid: Registration, begin: Begin, fields: dict[str, str], code: str
) -> None:
    Registration.objects.update(**fields)
    assert refusal_of(begin) == code


def test_start_by_somebody_else_is_refused(begin: Begin, stranger: User, staff: User) -> None:
    assert [refusal_of(partial(begin, by=person)) for person in (stranger, staff)] == ["not-yours", "not-yours"]
    assert Attempt.objects.count() == 0


def test_start_needs_the_current_text_accepted(begin: Begin, policy: PolicyText) -> None:
    newer = make_text(PolicyText.Kind.NO_REFUNDS, version=2)
    codes = [refusal_of(partial(begin, accepted=accepted)) for accepted in (None, policy.pk, newer.pk)]
    assert codes == ["not-accepted", "text-changed", ""]
    assert PolicyAcceptance.objects.get().text == newer


def test_start_with_a_method_that_is_off_is_refused(begin: Begin, settings: Any) -> None:
    assert refusal_of(lambda: begin(provider="stripe")) == "method-off"
    settings.TESTING = False
    assert refusal_of(begin) == "method-off"


def test_start_when_paid_is_refused(unpaid: Registration, begin: Begin) -> None:
    answer(begin(), "paid")
    assert refusal_of(begin) == "already-paid"
    assert Attempt.objects.count() == 1


def test_start_again_gives_the_same_page(begin: Begin) -> None:
    assert begin(NOW + timedelta(minutes=2)) == begin(NOW + timedelta(minutes=3))
    assert [Attempt.objects.count(), ProviderCall.objects.count()] == [1, 1]


def test_start_after_a_decline_is_a_new_attempt_and_may_be_paid(unpaid: Registration, begin: Begin) -> None:
    first = begin()
    answer(first, "declined")
    second = begin(NOW + timedelta(minutes=1))
    answer(second, "paid", NOW + timedelta(minutes=2))
    attempts.look_again(unpaid.pk, at=NOW + timedelta(minutes=3))
    assert first != second
    assert list(unpaid.attempts.order_by("pk").values_list("state", "problem")) == [
        ("failed", "The bank declined the card."),
        ("paid", ""),
    ]
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "paid"


def test_start_without_an_answer_is_unknown_and_nobody_pays_again(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    def lost(really: Callable[[], Any]) -> None:
        really()
        raise Unavailable

    faulty(open=lost, fetch=lambda really: (_ for _ in ()).throw(Unavailable()))
    assert [refusal_of(begin), refusal_of(begin)] == ["in-doubt", "in-doubt"]
    assert only_attempt(unpaid).state == "unknown"
    assert list(ProviderCall.objects.values_list("operation", "outcome")) == [("open", "unknown")]
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "pending"
    faulty()
    url = begin(NOW + timedelta(minutes=1))
    assert (only_attempt(unpaid).state, only_attempt(unpaid).url) == ("open", url)


def test_start_that_never_arrived_can_be_repeated(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    def down(really: Callable[[], Any]) -> None:
        raise Unavailable

    faulty(open=down)
    assert refusal_of(begin) == "in-doubt"
    faulty()
    begin(NOW + timedelta(minutes=1))
    assert list(unpaid.attempts.order_by("pk").values_list("state", flat=True)) == ["closed", "open"]


def test_start_that_the_provider_rejects_ends_the_attempt(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub]
) -> None:
    def no(really: Callable[[], Any]) -> None:
        raise Rejected("no such account")

    faulty(open=no)
    assert refusal_of(begin) == "not-opened"
    assert only_attempt(unpaid).state == "failed"
    assert ProviderCall.objects.get().outcome == "error"
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "unpaid"


def test_start_leaves_a_trace_before_the_call(begin: Begin, faulty: Callable[..., Stub]) -> None:
    seen = []

    def look(really: Callable[[], Any]) -> Any:
        seen.append(list(ProviderCall.objects.values_list("operation", "outcome")))
        return really()

    faulty(open=look)
    begin()
    assert seen == [[("open", "pending")]]


@pytest.mark.django_db(transaction=True)
def test_start_calls_the_provider_outside_any_transaction(begin: Begin, faulty: Callable[..., Stub]) -> None:
    inside = []

    def look(really: Callable[[], Any]) -> Any:
        inside.append(connection.in_atomic_block)
        return really()

    faulty(open=look, fetch=look)
    answer(begin(), "paid")
    settlement.settle(Attempt.objects.get().pk, at=NOW)
    assert inside == [False, False]
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        begin()


@pytest.mark.django_db(transaction=True)
def test_start_from_two_tabs_at_once_is_one_attempt_and_one_payment(unpaid: Registration, begin: Begin) -> None:
    urls = run_at_once(begin, times=2)
    assert urls[0] == urls[1]
    run_at_once(lambda: answer(urls[0], "paid"), times=2)
    run_at_once(lambda: attempts.look_again(unpaid.pk, at=NOW), times=2)
    assert [Attempt.objects.count(), LedgerEntry.objects.count(), Message.objects.count()] == [1, 1, 1]
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "paid"


@pytest.mark.django_db(transaction=True)
def test_start_from_eight_tabs_at_once_is_one_attempt(begin: Begin) -> None:
    assert len(set(run_at_once(begin, times=8))) == 1
    assert [Attempt.objects.count(), ProviderRef.objects.count()] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_start_another_way_in_the_same_moment_opens_no_second_page(
    unpaid: Registration, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked before either began; the second finds an attempt that is not of its provider."""
    other = Stub()
    monkeypatch.setitem(registry.GATEWAYS, "other", (lambda: other, "TESTING"))

    def press(provider: str) -> str:
        try:
            return begin(provider=provider)
        except Refused as refused:
            return refused.code

    works = [partial(press, "fake"), partial(press, "other")]
    url, refused = run_behind(lambda: ledger.lock(unpaid.pk), works)
    attempt = only_attempt(unpaid)
    assert (url, refused, other.calls) == (attempt.url, "begun-elsewhere", [])
    assert (attempt.provider, attempt.state) == ("fake", "open")


@pytest.mark.django_db(transaction=True)
def test_start_waits_for_the_lock_of_the_registration(unpaid: Registration, begin: Begin) -> None:
    assert_locked(unpaid, begin)


def assert_locked(row: Model, work: Callable[[], Any]) -> None:
    """The work does not get past a row that another connection holds, however weakly.

    A key share lock lets foreign keys and updates of other columns through: only a lock of the work's own is stopped.
    """

    def impatient() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        work()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {row._meta.db_table} WHERE id = %s FOR KEY SHARE", [row.pk])  # noqa: S608
        with pytest.raises(OperationalError, match="lock timeout"):
            run_all_at_once([impatient])


def test_the_database_allows_one_live_attempt(unpaid: Registration, begin: Begin) -> None:
    begin()
    attempt = only_attempt(unpaid)
    twin = Attempt(registration=unpaid, provider="fake", amount_minor=1, currency="USD", idem_key="x", opened_at=NOW)
    with pytest.raises(Exception, match="attempt_one_live"), transaction.atomic():
        twin.save()
    assert attempt.state == "open"


def test_stop_closes_the_page_and_says_when_it_was_paid(unpaid: Registration, begin: Begin) -> None:
    first = begin()
    attempts.stop(unpaid.pk, by=unpaid.user, at=NOW)
    answer(first, "paid")
    assert [only_attempt(unpaid).state, LedgerEntry.objects.count()] == ["closed", 0]
    answer(begin(), "paid")
    assert refusal_of(lambda: attempts.stop(unpaid.pk, by=unpaid.user, at=NOW)) == "already-paid"
    assert LedgerEntry.objects.count() == 1


def test_stop_of_another_person_does_nothing(unpaid: Registration, begin: Begin, stranger: User) -> None:
    begin()
    attempts.stop(unpaid.pk, by=stranger, at=NOW)
    assert only_attempt(unpaid).state == "open"


def test_returned_needs_the_token_of_its_own_attempt(unpaid: Registration, begin: Begin, stranger: User) -> None:
    begin()
    other = make_registration(stranger, payment_status="unpaid")
    begin(registration=other)
    mine, theirs = unpaid.attempts.get(), other.attempts.get()
    assert attempts.returned(mine.public_id, attempts.return_token(mine.public_id)) == mine
    for token in (attempts.return_token(theirs.public_id), "", "x"):
        with pytest.raises(Attempt.DoesNotExist):
            attempts.returned(mine.public_id, token)


@pytest.mark.parametrize("now", Attempt.State.values)
@pytest.mark.parametrize("status", list(Standing))
def test_facts_move_an_attempt_only_along_its_map(
    unpaid: Registration, begin: Begin, faulty: Callable[..., Stub], now: str, status: Standing
) -> None:
    """Whatever a provider says, an attempt goes where NEXT leads or stays."""
    url = begin()
    Attempt.objects.update(state=now)
    if status == Standing.PAID:
        answer(url, "paid")
    else:
        faulty(fetch=lambda really: replace(really(), status=status, fetched_at=NOW, txns=()))
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    target = settlement.STATES[status]
    became = only_attempt(unpaid).state
    is_legal = target == now or target in Attempt.NEXT[now]
    assert became == (target if is_legal else now)
