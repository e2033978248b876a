"""A process killed between any two steps of paying, coming back, an event or a refund ends in the same books as none.

What is killed is a real process (`tests/payments/killed.py`), at every commit and every request to the provider in
turn, each time for a registration of its own. Afterwards the jobs run as they would, an hour and a half later.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from candidates.models import PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import attempts, reconcile, refunds, settlement, tasks
from payments.models import Attempt, LedgerEntry, Refund
from tests.doubles.stripe import StripeDouble
from tests.factories import make_registration, make_user
from tests.payments.conftest import NOW
from tests.payments.stripe.conftest import double, name

__all__ = ["double"]  # the fixture
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.payment_case(34, 35)]
ROOT = Path(__file__).parent.parent.parent
LATER = NOW + timedelta(minutes=90)
MOST_STEPS = 60
Run = Callable[..., str]


@pytest.fixture(scope="module")
def processes() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "tests.payments.killed"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as made:
        yield made
        assert made.stdin is not None
        made.stdin.close()


@pytest.fixture
def run(processes: subprocess.Popen[str], double: StripeDouble, settings: Settings) -> Run:
    """Let a process do something and be killed at a step; what became of it."""
    names = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_URL", "PAYMENT_TIMEOUT_SECONDS")

    def one(act: str, steps: int, **told: Any) -> str:
        told |= {"settings": {each: getattr(settings, each) for each in names}, "at": NOW.isoformat()}
        told |= {"database": connection.settings_dict["NAME"], "act": act, "steps": steps}
        assert processes.stdin is not None
        assert processes.stdout is not None
        processes.stdin.write(json.dumps(told) + "\n")
        processes.stdin.flush()
        return processes.stdout.readline().strip()

    return one


def to_the_end(once: Callable[[int], str]) -> int:
    """Kill at each step in turn until nothing is left to be killed; how many there were."""
    for step in range(MOST_STEPS):
        ended = once(step)
        if ended == "survived":
            return step
        assert ended == "killed"
    raise AssertionError("it never ended")


def afterwards() -> None:
    """What happens by itself, twice, and the comparison with the provider."""
    for minutes in (0, 11):
        clock.jump_to(LATER + timedelta(minutes=minutes))
        for job in (tasks.process_deliveries, tasks.settle_unresolved, tasks.send_refunds):
            job()
        reconcile.run(since=NOW - timedelta(days=1), at=clock.now())
    clock.reset()


def new_coach() -> Registration:
    return make_registration(make_user(), payment_status="unpaid")


def begun(registration: Registration, policy: PolicyText) -> tuple[Attempt, str]:
    """An attempt with its page open, and the page's name at Stripe."""
    url = attempts.start(registration.pk, "stripe", by=registration.user, at=NOW, accepted=policy.pk)
    return Attempt.objects.get(registration=registration, state="open"), name(url)


def books(registration: Registration) -> tuple[str, list[tuple[str, int]], list[str]]:
    """Status, movements, and mails of one registration."""
    registration.refresh_from_db()
    moved = registration.ledger.order_by("pk").values_list("kind", "amount_minor")
    told = Message.objects.filter(user=registration.user).order_by("pk").values_list("event", flat=True)
    return registration.payment_status, list(moved), list(told)


PAID = ("paid", [("charge", 40000)], ["payment_received"])


def test_killed_while_the_page_is_opened(
    run: Run, double: StripeDouble, unpaid: Registration, policy: PolicyText
) -> None:
    coaches = []

    def once(step: int) -> str:
        coaches.append(new_coach())
        return run("pay", step, registration=coaches[-1].pk, accepted=policy.pk)

    assert to_the_end(once) == 6  # two commits and a request, before and after each
    # Whoever was at the browser presses Pay again, and pays. The page of the killed process is never paid.
    for coach in coaches:
        url = attempts.start(coach.pk, "stripe", by=coach.user, at=NOW, accepted=policy.pk)
        double.pay(name(url))
        settlement.settle(Attempt.objects.get(registration=coach, state="open").pk, at=NOW)
    afterwards()
    assert [books(coach) for coach in coaches] == [PAID] * len(coaches)
    assert len(double.state["charges"]) == len(coaches)


def test_killed_after_the_page_was_opened_and_nobody_comes_back(
    run: Run, double: StripeDouble, unpaid: Registration, policy: PolicyText
) -> None:
    coaches = []

    def once(step: int) -> str:
        coaches.append(new_coach())
        return run("pay", step, registration=coaches[-1].pk, accepted=policy.pk)

    to_the_end(once)
    double.clock = LATER
    afterwards()
    assert [books(coach) for coach in coaches] == [("unpaid", [], [])] * len(coaches)
    assert Attempt.objects.live().count() == 0


def test_killed_while_somebody_comes_back(
    run: Run, double: StripeDouble, unpaid: Registration, policy: PolicyText
) -> None:
    coaches = []

    def once(step: int) -> str:
        coaches.append(new_coach())
        attempt, page = begun(coaches[-1], policy)
        double.pay(page)
        return run("come_back", step, attempt=attempt.pk)

    assert to_the_end(once) >= 6
    afterwards()
    assert [books(coach) for coach in coaches] == [PAID] * len(coaches)


def test_killed_while_an_event_is_taken(
    run: Run, double: StripeDouble, unpaid: Registration, policy: PolicyText
) -> None:
    coaches = []

    def once(step: int) -> str:
        coaches.append(new_coach())
        _, page = begun(coaches[-1], policy)
        double.pay(page)
        body, headers = double.signed(double.events("checkout.session.completed")[-1])
        return run("take_event", step, body=body.decode(), headers=headers)

    assert to_the_end(once) >= 10
    afterwards()
    assert [books(coach) for coach in coaches] == [PAID] * len(coaches)


def test_killed_while_money_goes_back(
    run: Run, double: StripeDouble, unpaid: Registration, policy: PolicyText, finance: User, staff: User
) -> None:
    coaches = []

    def once(step: int) -> str:
        coaches.append(coach := new_coach())
        attempt, page = begun(coach, policy)
        double.pay(page)
        settlement.settle(attempt.pk, at=NOW)
        Registration.objects.filter(pk=coach.pk).update(status="withdrawn")
        entry = LedgerEntry.objects.get(registration=coach)
        asked = refunds.request(entry.pk, amount=Money(40000), reason="Ended.", by=finance, at=NOW)
        return run("approve", step, refund=asked.pk, by=staff.pk)

    assert to_the_end(once) >= 10
    # Where the approval itself was lost, the second person finds the refund still waiting, and approves it again.
    for coach in coaches:
        refund = LedgerEntry.objects.get(registration=coach, kind="charge").refunds.get()
        if refund.state == "requested":
            refunds.approve(refund.pk, by=staff, at=NOW)
    afterwards()
    returned = ("refunded", [("charge", 40000), ("refund", -40000)], ["payment_received", "payment_returned"])
    assert [books(coach) for coach in coaches] == [returned] * len(coaches)
    assert len(double.state["refunds"]) == len(coaches)
    assert set(Refund.objects.values_list("state", flat=True)) == {"done"}
