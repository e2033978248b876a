"""A crash between any two steps leaves nothing that the jobs, or the same click again, do not bring to the same end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from candidates.models import PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.mail.models import Message
from payments import attempts, deliveries, reconcile, refunds, settlement, tasks
from payments.gateways import registry
from payments.models import Attempt, Delivery, LedgerEntry, Refund
from tests.doubles.stripe import StripeDouble
from tests.factories import make_programme, make_registration, make_user
from tests.payments.conftest import NOW, only_attempt
from tests.payments.crashing import survives
from tests.payments.stripe.conftest import double, name

__all__ = ["double"]  # the fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.payment_case(34, 35)]
SINCE, LATER = NOW - timedelta(days=1), NOW + timedelta(hours=1)
JOBS = [
    tasks.process_deliveries, tasks.settle_unresolved, tasks.send_refunds, tasks.reconcile_hourly, tasks.close_unpaid,
    tasks.remind_invoices,
]  # fmt: skip
Books = dict[str, Any]
Work = Callable[[], object]
UNPAID: Books = {
    "status": "unpaid", "attempts": [], "ledger": [], "refunds": [], "deliveries": [], "mails": [], "charges": [],
    "returned": [],
}  # fmt: skip
PAID = UNPAID | {
    "status": "paid", "attempts": ["paid"], "ledger": [("charge", 40000)], "mails": ["payment_received"],
    "charges": [("succeeded", 40000)],
}  # fmt: skip
RETURNED = PAID | {
    "status": "refunded", "ledger": [("charge", 40000), ("refund", -40000)], "refunds": ["done"],
    "mails": ["payment_received", "payment_returned"], "returned": [("succeeded", 40000)],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _portal(double: StripeDouble) -> Iterator[None]:
    make_programme()
    yield
    clock.reset()


class Case:
    """One registration of its own, and what its candidate does."""

    def __init__(self, double: StripeDouble, policy: PolicyText) -> None:
        double.clock = NOW
        self.double, self.policy = double, policy
        self.registration = make_registration(make_user(), payment_status="unpaid")

    @property
    def press(self) -> Callable[[], str]:
        user = self.registration.user
        return partial(attempts.start, self.registration.pk, "stripe", by=user, at=NOW, accepted=self.policy.pk)

    def pay(self) -> None:
        self.double.pay(name(self.press()))

    @property
    def attempt(self) -> Attempt:
        return only_attempt(self.registration)

    def is_about(self, event: dict[str, Any]) -> bool:
        return bool(event["data"]["object"]["client_reference_id"] == str(self.attempt.public_id))

    def books(self) -> Books:
        """Ours and the provider's, of this registration."""
        registration = Registration.objects.get(pk=self.registration.pk)
        sessions = self._of("sessions", "customer_email", [registration.user.email])
        charges = self._of("charges", "payment_intent", [each["payment_intent"] for each in sessions])
        returned = self._of("refunds", "charge", [each["id"] for each in charges])
        ledger = LedgerEntry.objects.filter(registration=registration).order_by("pk")
        return {
            "status": registration.payment_status,
            "attempts": [attempt.state for attempt in Attempt.objects.filter(registration=registration)],
            "ledger": list(ledger.values_list("kind", "amount_minor")),
            "deliveries": [row.state for row in Delivery.objects.filter(attempt__registration=registration)],
            "refunds": [refund.state for refund in Refund.objects.filter(entry__registration=registration)],
            "mails": list(
                Message.objects.filter(user=registration.user).order_by("pk").values_list("event", flat=True)
            ),
            "charges": [(each["status"], each["amount_captured"]) for each in charges],
            "returned": [(each["status"], each["amount"]) for each in returned],
        }

    def _of(self, kind: str, name: str, values: list[Any]) -> list[dict[str, Any]]:
        return [each for each in self.double.state[kind].values() if each[name] and each[name] in values]


Begin = Callable[[], Case]


@pytest.fixture
def begin(double: StripeDouble, policy: PolicyText) -> Begin:
    return lambda: Case(double, policy)


@pytest.fixture
def begin_paid(begin: Begin) -> Begin:
    """Paid on the provider's page, of which nobody has told us."""

    def make() -> Case:
        case = begin()
        case.pay()
        return case

    return make


def an_hour_later(double: StripeDouble) -> None:
    """Everything that the portal does by itself."""
    double.clock = LATER
    clock.jump_to(LATER)
    for job in JOBS:
        job()
    reconcile.run(since=SINCE, at=LATER)
    again = reconcile.run(since=SINCE, at=LATER)
    assert again is not None
    assert again.findings == []


def walk(begin: Callable[[], Case], doing: Callable[[Case], Work], then: Callable[[Case], object]) -> list[Books]:
    """Kill what is done before each of its steps in turn, until it survives; how every case ended.

    Whatever happened to the process, `then` follows, and an hour.
    """
    ends: list[Books] = []
    for number in count():
        case = begin()
        is_whole = survives(doing(case), dies_before=number)
        then(case)
        an_hour_later(case.double)
        ends.append(case.books())
        if is_whole:
            return ends
    raise AssertionError


def nothing(case: Case) -> None:
    """Nobody does anything about it."""


def test_pressing_pay(begin: Begin) -> None:
    """Whoever saw an error presses again, and pays on the page they get."""
    assert walk(begin, lambda case: case.press, Case.pay) == [PAID] * 4


def test_pressing_pay_and_going_away(begin: Begin) -> None:
    """A page that nobody opened, or nobody came back to, ends by itself."""
    ends: list[list[str]] = [[], ["closed"], ["expired"], ["expired"]]
    assert walk(begin, lambda case: case.press, nothing) == [UNPAID | {"attempts": states} for states in ends]


def test_coming_back(begin_paid: Begin) -> None:
    assert walk(begin_paid, lambda case: partial(settlement.settle, case.attempt.pk, at=NOW), nothing) == [PAID] * 5


def test_giving_up_a_page(begin: Begin) -> None:
    """It takes no money afterwards. Whether it was we who closed it or its time was over is all that may differ."""

    def opened() -> Case:
        case = begin()
        case.press()
        return case

    ends = walk(opened, lambda case: partial(settlement.close, case.attempt.pk, at=NOW), nothing)
    states = ["expired"] * 6 + ["closed"]
    assert ends == [UNPAID | {"attempts": [state]} for state in states]


def take(body: bytes, headers: dict[str, str]) -> None:
    """What the door of webhooks does, and then the worker."""
    event = registry.get("stripe").authenticate(body, headers, at=NOW)
    deliveries.process(deliveries.receive(event, body, headers, at=NOW), at=NOW)


def webhook(case: Case) -> Work:
    (event,) = (each for each in case.double.events("checkout.session.completed") if case.is_about(each))
    return partial(take, *case.double.signed(event))


def test_a_webhook(begin_paid: Begin) -> None:
    """The provider sends again what was not answered, and may send again what was."""

    def delivered_again(case: Case) -> None:
        webhook(case)()

    assert walk(begin_paid, webhook, delivered_again) == [PAID | {"deliveries": ["done"]}] * 7


def test_a_webhook_that_comes_once(begin_paid: Begin) -> None:
    ends = walk(begin_paid, webhook, nothing)
    assert ends == [PAID] + [PAID | {"deliveries": ["done"]}] * 6


def test_a_refund(begin_paid: Begin, finance: User, staff: User) -> None:
    """Approved again where the approval was lost; sent once."""

    def asked() -> Case:
        case = begin_paid()
        settlement.settle(case.attempt.pk, at=NOW)
        Registration.objects.filter(pk=case.registration.pk).update(status="withdrawn")
        entry = case.attempt.ledger.get()
        refunds.request(entry.pk, amount=Money(40000), reason="They withdrew.", by=finance, at=NOW)
        return case

    def approve(case: Case) -> Work:
        return partial(refunds.approve, Refund.objects.get(entry__attempt=case.attempt).pk, by=staff, at=NOW)

    def approved_again(case: Case) -> None:
        if Refund.objects.get(entry__attempt=case.attempt).state == Refund.State.REQUESTED:
            approve(case)()

    assert walk(asked, approve, approved_again) == [RETURNED] * 10


def test_reconciling(begin_paid: Begin) -> None:
    """Money of which nobody told us, found by a run that dies; the next one goes on."""
    run = partial(reconcile.run, since=SINCE, at=NOW + timedelta(minutes=30))
    ends = walk(begin_paid, lambda case: run, nothing)
    assert ends == [PAID] * len(ends)
    assert len(ends) > 5
