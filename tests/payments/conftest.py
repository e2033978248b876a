"""Ada, registered in the cohort of 2026 and not yet paid, on 10 December 2026, inside the window."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage

from candidates.models import PolicyText, Registration, User
from icg_cert.lib.money import Money
from payments import acceptance, attempts, purchase_orders
from payments.gateways import registry
from payments.gateways.base import Checkout, Facts, Redirect, Standing
from payments.models import Attempt, PurchaseOrder, Quote
from payments.purchase_orders import Order
from tests.factories import at, make_programme, make_quote, make_registration, make_text, make_vendor
from tests.payments import fake

NOW = at(2026, 12, 10, 10)
LATER = timedelta(minutes=11)
ORDER = Order(
    payer_name="Lakeside School District",
    payer_email="payable@lakeside.example.org",
    number="PO-0042",
    issued_on=date(2026, 12, 1),
    amount=Money(120000),
    document=b"%PDF-1.7 the order",
    bill_to="Accounts Payable",
)
ANSWERS = {"paid": Standing.PAID, "declined": Standing.FAILED, "cancelled": Standing.CLOSED}


@pytest.fixture
def policy(db: None) -> PolicyText:
    return make_text(PolicyText.Kind.NO_REFUNDS, body="The fee is not refundable.")


@pytest.fixture
def unpaid(candidate: User, policy: PolicyText) -> Registration:
    make_programme()
    make_vendor()
    return make_registration(candidate, payment_status=Registration.Payment.UNPAID)


@pytest.fixture
def begin(unpaid: Registration, policy: PolicyText) -> Callable[..., str]:
    """Press Pay: the address of the provider's page."""

    def press(when: datetime = NOW, registration: Registration = unpaid, **changes: Any) -> str:
        asked = {"by": registration.user, "at": when, "accepted": policy.pk, **changes}
        return attempts.start(registration.pk, asked.pop("provider", "fake"), **asked)

    return press


def answer(url: str, decision: str, when: datetime = NOW) -> None:
    """What the payer pressed on the provider's page."""
    fake.decide(url.rstrip("/").rsplit("/", 1)[-1], ANSWERS[decision], at=when)


def hand_in(quote: Quote, when: datetime = NOW, by: User | None = None, **changes: Any) -> PurchaseOrder:
    """The order that a quote led to."""
    return purchase_orders.hand_in(quote.pk, replace(ORDER, **changes), by=by, at=when)


@pytest.fixture
def bulk(unpaid: Registration, staff: User) -> PurchaseOrder:
    """An accepted order of Lakeside for three coaches, nobody of them named."""
    return purchase_orders.accept(hand_in(make_quote(cohort=unpaid.cohort)).pk, by=staff, at=NOW)


@pytest.fixture
def coach(policy: PolicyText) -> Callable[..., Registration]:
    """Another registration that owes its fee and accepted the policy."""

    def make(**fields: Any) -> Registration:
        registration = make_registration(**{"payment_status": "unpaid", **fields})
        acceptance.accept_for(registration.pk, policy.pk, by=registration.user, at=NOW)
        return registration

    return make


def only_attempt(registration: Registration) -> Attempt:
    return Attempt.objects.get(registration=registration)


@pytest.fixture
def no_files_left() -> Iterator[None]:
    yield
    if default_storage.exists("purchase-orders"):
        for name in default_storage.listdir("purchase-orders")[1]:
            default_storage.delete(f"purchase-orders/{name}")


class Stub(fake.FakeGateway):
    """The fake provider with a fault: whatever a test puts in place of one of its answers."""

    def __init__(self, **faults: Callable[..., Any]) -> None:
        super().__init__()
        self.faults = faults
        self.calls: list[str] = []

    def _do(self, operation: str, checkout: Checkout, at: datetime) -> Any:
        self.calls.append(operation)
        real = getattr(super(), operation)
        fault = self.faults.get(operation)
        return fault(lambda: real(checkout, at=at)) if fault else real(checkout, at=at)

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        return self._do("open", checkout, at)  # type: ignore[no-any-return]

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self._do("fetch", checkout, at)  # type: ignore[no-any-return]

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self._do("finalize", checkout, at)  # type: ignore[no-any-return]

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self._do("close", checkout, at)  # type: ignore[no-any-return]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stub]:
    """Put a provider with faults in the place of the fake one."""

    def install(**faults: Callable[..., Any]) -> Stub:
        stub = Stub(**faults)
        monkeypatch.setitem(registry.GATEWAYS, "fake", (lambda: stub, "TESTING"))
        return stub

    return install
