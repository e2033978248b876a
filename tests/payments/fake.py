"""A provider inside the test's own process, for tests of what we do with answers: no wire, no page, no money.

It behaves like a real one where that matters. It keeps its books outside our database, so that our rollback or crash
does not undo what "the bank" did; opening is idempotent by key; `fetch` tells the truth. `OFFER` registers it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from threading import Lock

from payments.gateways.base import (
    BadSignature,
    Checkout,
    Facts,
    InboundEvent,
    Redirect,
    Ref,
    Rejected,
    Return,
    Standing,
    Txn,
)

DECLINED = "The bank declined the card."


@dataclass(frozen=True, slots=True)
class Page:
    """One hosted page, and what became of it."""

    ref: str
    checkout: Checkout
    opened_at: datetime
    status: Standing = Standing.OPEN
    changed_at: datetime | None = None

    def standing(self, at: datetime) -> Standing:
        return Standing.EXPIRED if self.status == Standing.OPEN and at >= self.checkout.expires_at else self.status


@dataclass
class Bank:
    """Every page of the test under way."""

    pages: dict[str, Page] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


bank = Bank()


class FakeGateway:
    name = "fake"
    label = "Card"
    hint = "For tests."
    livemode = False
    account = "test"

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        ref = _ref(checkout.key)
        with bank.lock:
            page = bank.pages.setdefault(ref, Page(ref, checkout, at))
        known = page.checkout
        if (known.attempt_id, known.amount) != (checkout.attempt_id, checkout.amount):
            raise Rejected("the key was used for something else")
        return Redirect(Ref("session", ref), f"http://bank.example/{ref}/", known.expires_at)

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        return _facts(bank.pages.get(_ref(checkout.key)), at)

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self.fetch(checkout, at=at)

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        return _facts(decide(_ref(checkout.key), Standing.CLOSED, at=at), at)

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        raise Rejected("this provider gives nothing back")

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        raise BadSignature("this provider sends no events")

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        for page in list(bank.pages.values()):
            if page.standing(at) == Standing.PAID and (page.changed_at or page.opened_at) >= since:
                yield _facts(page, at)


OFFER = (FakeGateway, "TESTING")


def decide(ref: str, status: Standing, *, at: datetime) -> Page | None:
    """What the payer (or we, closing) decided on an open page; a page already decided or expired stays as it is."""
    with bank.lock:
        page = bank.pages.get(ref)
        if page is not None and page.standing(at) == Standing.OPEN:
            bank.pages[ref] = page = replace(page, status=status, changed_at=at)
        return page


def _ref(key: str) -> str:
    """Derived from the key, so that asking again finds the same page."""
    return sha256(key.encode()).hexdigest()[:32]


def _facts(page: Page | None, at: datetime) -> Facts:
    if page is None:
        return Facts(Standing.NOTHING, at)
    status, checkout = page.standing(at), page.checkout
    charge = Txn("charge", f"charge_{page.ref}", checkout.amount, page.changed_at or page.opened_at)
    return Facts(
        status,
        at,
        attempt_id=checkout.attempt_id,
        amount=checkout.amount,
        txns=(charge,) if status == Standing.PAID else (),
        refs=(Ref("session", page.ref),),
        account=FakeGateway.account,
        problem=DECLINED if status == Standing.FAILED else "",
    )
