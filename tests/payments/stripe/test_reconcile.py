"""Our books against Stripe's, both ways."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import ledger, reconcile, refunds, settlement, tasks, unmatched
from payments.gateways.stripe import StripeGateway
from payments.models import Attempt, LedgerEntry, Reconciliation
from tests.doubles.stripe import StripeDouble
from tests.factories import make_ledger_entry, make_registration
from tests.payments.conftest import NOW, only_attempt
from tests.payments.stripe.conftest import Begin, charge, name, new_checkout
from tests.threads import run_at_once

LATER = NOW + timedelta(hours=1)
SINCE = NOW - timedelta(days=3)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    clock.jump_to(LATER)
    yield
    clock.reset()


def codes() -> list[str]:
    run = reconcile.run(since=SINCE, at=LATER)
    assert run is not None
    assert run.drift == len(run.findings)
    return [code for code, _ in run.findings]


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def test_where_everything_agrees_nothing_is_found(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    double.pay(name(pay_by_card()))
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    assert codes() == []
    run = Reconciliation.objects.get()
    assert run.counts == {
        "attempts asked about": 0, "refunds sent again": 0, "webhooks worked off": 0, "stripe payments": 1,
        "registrations": 1,
    }  # fmt: skip


@pytest.mark.payment_case(9)
def test_a_payment_nobody_told_us_of_is_settled(unpaid: Registration, pay_by_card: Begin, double: StripeDouble) -> None:
    double.pay(name(pay_by_card()))
    assert codes() == []
    assert (status(unpaid), LedgerEntry.objects.count()) == ("paid", 1)


def test_money_without_a_row_is_written_down_and_reported_once(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    double.pay(name(pay_by_card()))
    Attempt.objects.update(state="closed")  # nobody asks about it by itself any more
    assert (codes(), status(unpaid)) == (["money-without-row"], "paid")
    assert codes() == []


@pytest.mark.payment_case(54)
def test_a_refund_made_in_the_dashboard_is_found(
    unpaid: Registration, pay_by_card: Begin, double: StripeDouble
) -> None:
    double.pay(name(pay_by_card()))
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    double.refund(charge(double), 15000)
    assert (codes(), status(unpaid), ledger.balance(unpaid)) == (["money-without-row"], "partly_paid", Money(25000))
    double.refund(charge(double))
    assert (codes(), status(unpaid)) == (["money-without-row"], "refunded")
    assert codes() == []


@pytest.mark.payment_case(78)
def test_a_charge_that_is_nobodys_is_kept_and_told_to_finance(
    gateway: StripeGateway, double: StripeDouble, finance: User
) -> None:
    double.pay(gateway.open(new_checkout(), at=NOW).ref.ref)  # as if our database had been set back since
    assert codes() == ["orphan"]
    assert codes() == []
    entry = LedgerEntry.objects.get()
    assert (entry.registration, entry.attempt, entry.money) == (None, None, Money(40000))
    assert list(Message.objects.values_list("event", "to")) == [("payment_attention", finance.email)]


def test_what_comes_after_a_charge_of_nobody_follows_it(
    unpaid: Registration, gateway: StripeGateway, double: StripeDouble, finance: User
) -> None:
    double.pay(gateway.open(new_checkout(), at=NOW).ref.ref)
    assert codes() == ["orphan"]
    entry = LedgerEntry.objects.get()
    double.refund(charge(double), 10000)
    assert codes() == ["orphan"]
    assert [(row.pk, row.left_minor) for row in unmatched.waiting()] == [(entry.pk, 30000)]  # type: ignore[attr-defined]
    unmatched.match(entry.pk, code=unpaid.code, reason="Hers.", by=finance, at=LATER)
    assert (status(unpaid), ledger.balance(unpaid)) == ("partly_paid", Money(30000))
    double.refund(charge(double))
    assert (codes(), status(unpaid), list(unmatched.waiting())) == (["orphan"], "refunded", [])
    assert codes() == []


def test_what_no_attempt_of_ours_brought_cannot_be_sent_back_by_us(
    gateway: StripeGateway, double: StripeDouble, finance: User
) -> None:
    double.pay(gateway.open(new_checkout(), at=NOW).ref.ref)
    assert codes() == ["orphan"]
    with pytest.raises(Refused, match="own pages"):
        refunds.request(LedgerEntry.objects.get().pk, amount=Money(40000), reason="Whose?", by=finance, at=LATER)


def test_a_row_without_money_is_reported_every_time(unpaid: Registration, double: StripeDouble) -> None:
    make_ledger_entry(unpaid, provider="stripe", txn_ref="ch_invented", occurred_at=NOW)
    ledger.recompute(unpaid, at=NOW)
    assert [codes(), codes()] == [["row-without-money"]] * 2


def test_a_cached_status_that_is_wrong_is_put_right(unpaid: Registration, double: StripeDouble) -> None:
    other = make_registration()
    make_ledger_entry(other, provider="po", kind="po_money", occurred_at=NOW)
    Registration.objects.update(payment_status="paid")
    assert (codes(), status(unpaid), status(other)) == (["status"], "unpaid", "paid")
    assert codes() == []


def test_a_provider_that_does_not_answer_is_a_finding(unpaid: Registration, double: StripeDouble) -> None:
    double.fail("GET /v1/balance_transactions", status=500, times=10)
    assert codes() == ["provider-silent"]


def test_the_command_says_it_by_its_exit_status(unpaid: Registration, double: StripeDouble) -> None:
    said = StringIO()
    call_command("reconcile", stdout=said)
    assert said.getvalue().endswith("Everything agrees.\n")
    Registration.objects.update(payment_status="paid")
    with pytest.raises(SystemExit) as ended:
        call_command("reconcile", stdout=said)
    assert (ended.value.code, said.getvalue().splitlines()[-1]) == (1, "1 did not agree.")


@pytest.mark.payment_case(77)
@pytest.mark.django_db(transaction=True)
def test_one_run_at_a_time(unpaid: Registration, double: StripeDouble) -> None:
    double.fail("GET /v1/balance_transactions", "hang", seconds=0.2)
    runs = run_at_once(lambda: reconcile.run(since=SINCE, at=LATER), times=3)
    assert sum(run is not None for run in runs) >= 1
    assert Reconciliation.objects.count() == sum(run is not None for run in runs)
    assert reconcile.run(since=SINCE, at=LATER) is not None


@pytest.mark.payment_case(77)
@pytest.mark.django_db(transaction=True)
def test_a_second_run_does_nothing_while_one_is_under_way(unpaid: Registration, double: StripeDouble) -> None:
    with reconcile._alone() as is_alone:
        assert is_alone
        (answer,) = run_at_once(lambda: reconcile.run(since=SINCE, at=LATER), times=1)
        assert answer is None
    assert Reconciliation.objects.count() == 0


def test_the_job_runs_once_an_hour(unpaid: Registration, double: StripeDouble) -> None:
    done = []
    for minutes in (0, 1, 59, 61, 62):
        clock.jump_to(LATER + timedelta(minutes=minutes, seconds=1))
        assert tasks.reconcile_hourly() == 0
        done.append(Reconciliation.objects.count())
    assert done == [1, 1, 1, 2, 2]
