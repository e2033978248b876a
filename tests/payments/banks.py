"""Two providers inside the process that keep whole books: pages, charges, refunds, disputes, events, lost answers.

`card` takes money when the payer presses Pay. `wallet` notes that the payer agreed, and takes money when we say so.
What payers and their banks do are methods of `Deal`; whatever happens is an event that somebody may or may not deliver.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from itertools import count
from typing import Any

from icg_cert.lib.money import Money
from payments.gateways.base import (
    BadSignature,
    Checkout,
    Contest,
    Disputed,
    Facts,
    InboundEvent,
    Redirect,
    Ref,
    Rejected,
    Return,
    Standing,
    Txn,
    Unavailable,
)

_numbers = count()


class Deal:
    """One page of a bank, and everything that came of it. A step that cannot be taken changes nothing."""

    def __init__(self, bank: "Bank", checkout: Checkout) -> None:
        self.bank, self.checkout = bank, checkout
        self.status = Standing.OPEN
        self.txns: list[Txn] = []
        self.disputes: list[Disputed] = []
        self.takes_days = False
        self.withdrawn = 0  # by the dispute that is open
        self.number = next(_numbers)
        self.ref = f"{bank.name}_{self.number}"

    @property
    def left(self) -> int:
        """What of its money we still have, in cents."""
        return sum(txn.amount.minor for txn in self.txns)

    def pass_time(self, at: datetime) -> None:
        if self.status in (Standing.OPEN, Standing.APPROVED) and at >= self.checkout.expires_at:
            self._be(Standing.EXPIRED, at)

    def agree(self, at: datetime) -> None:
        """The payer presses Pay."""
        if self.status == Standing.OPEN and self.bank.takes_at_once:
            self.take(at)
        elif self.status == Standing.OPEN:
            self._be(Standing.APPROVED, at)

    def submit(self, at: datetime) -> None:
        """The payer is done, and their bank will take days once the money is asked for."""
        if self.status == Standing.OPEN:
            self.takes_days = True
            self._be(Standing.PROCESSING if self.bank.takes_at_once else Standing.APPROVED, at)

    def clear(self, at: datetime) -> None:
        if self.status == Standing.PROCESSING:
            self.take(at)

    def fail(self, at: datetime) -> None:
        if self.status in (Standing.OPEN, Standing.APPROVED, Standing.PROCESSING):
            self._be(Standing.FAILED, at)

    def close(self, at: datetime) -> None:
        if self.status == Standing.OPEN:
            self._be(Standing.CLOSED, at)

    def finalize(self, at: datetime) -> None:
        """We ask for the money that the payer agreed to."""
        if self.status == Standing.APPROVED and self.takes_days:
            self._be(Standing.PROCESSING, at)
        elif self.status == Standing.APPROVED:
            self.take(at)

    def take(self, at: datetime) -> None:
        self.bank.before_taking(self)
        self._move("charge", self.checkout.amount, at)
        self._be(Standing.PAID, at)

    def give_back(self, minor: int, at: datetime, key: str = "") -> None:
        """Rejected when it is more than we have of it."""
        if not 0 < minor <= self.left or self._is_contested():
            raise Rejected("more than is left")
        self._move("refund", Money(-minor), at, key)
        self._tell(at)

    def bounce(self, at: datetime) -> None:
        """The newest refund comes back: the payer's bank did not take it."""
        failed = {txn.ref for txn in self.txns if txn.kind == "refund_failed"}
        for txn in [each for each in self.txns if each.kind == "refund" and each.ref not in failed][-1:]:
            self.txns.append(Txn("refund_failed", txn.ref, -txn.amount, at))
            self._tell(at)

    def contest(self, at: datetime, *, takes: bool) -> None:
        """The payer's bank questions the charge, and takes the money at once, or asks first."""
        if self.left > 0 and not self._is_contested():
            ref = f"{self.ref}_d{len(self.disputes)}"
            self.disputes.append(Disputed(ref, Contest.OPEN, Money(self.left), at))
            if takes:
                self.withdraw(at)
            self._tell(at, Ref("dispute", ref))

    def withdraw(self, at: datetime) -> None:
        """What was only asked about is taken."""
        if self._is_contested() and self.left > 0 and not self.withdrawn:
            self.withdrawn = self.left
            self._move("dispute_withdrawn", Money(-self.left), at)

    def decide(self, at: datetime, *, won: bool) -> None:
        if self._is_contested():
            standing = Contest.WON if won or not self.withdrawn else Contest.LOST
            self.disputes[-1] = replace(self.disputes[-1], standing=standing)
            if won and self.withdrawn:
                self._move("dispute_reinstated", Money(self.withdrawn), at)
            self.withdrawn = 0
            self._tell(at, Ref("dispute", self.disputes[-1].ref))

    def facts(self, at: datetime) -> Facts:
        names = [Ref("session", self.ref), *(Ref("charge", txn.ref) for txn in self.txns if txn.kind == "charge")]
        return Facts(
            self.status,
            at,
            attempt_id=self.checkout.attempt_id,
            amount=self.checkout.amount,
            txns=tuple(self.txns),
            refs=(*names, *(Ref("dispute", each.ref) for each in self.disputes)),
            disputes=tuple(self.disputes),
            account=self.bank.account,
        )

    def _is_contested(self) -> bool:
        return bool(self.disputes) and self.disputes[-1].standing == Contest.OPEN

    def _be(self, status: Standing, at: datetime) -> None:
        self.status = status
        self._tell(at)

    def _move(self, kind: str, amount: Money, at: datetime, key: str = "") -> None:
        self.txns.append(Txn(kind, f"{self.ref}_t{len(self.txns)}", amount, at, key))

    def _tell(self, at: datetime, *about: Ref) -> None:
        """An event of a dispute names nothing that we chose."""
        own = None if about else self.checkout.attempt_id
        refs = (*about, *(Ref("charge", txn.ref) for txn in self.txns[:1]))
        self.bank.events.append(InboundEvent(self.bank.name, f"e{len(self.bank.events)}", "x", own, refs, at))


def answering(ask: Callable[..., Any]) -> Callable[..., Any]:
    """As the bank's fault of the moment has it: "deaf" does not hear the question, "mute" acts and is not heard."""

    @wraps(ask)
    def answered(bank: "Bank", *args: Any, at: datetime, **more: Any) -> Any:
        fault, bank.fault = bank.fault, ""
        if fault == "deaf":
            raise Unavailable(fault)
        bank.pass_time(at)
        answer = ask(bank, *args, at=at, **more)
        if fault == "mute":
            raise Unavailable(fault)
        return answer

    return answered


@dataclass
class Bank:
    """A gateway, and the provider behind it. `fault` spoils the next answer; `before_taking` sees every charge."""

    name: str
    takes_at_once: bool
    label: str = "For tests"
    hint: str = ""
    livemode: bool = False
    account: str = "test"
    fault: str = ""
    deals: dict[str, Deal] = field(default_factory=dict)
    events: list[InboundEvent] = field(default_factory=list)
    before_taking: Callable[[Deal], None] = lambda deal: None

    def pass_time(self, at: datetime) -> None:
        for deal in self.deals.values():
            deal.pass_time(at)

    @answering
    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        deal = self.deals.setdefault(checkout.key, Deal(self, checkout))
        if (deal.checkout.attempt_id, deal.checkout.amount) != (checkout.attempt_id, checkout.amount):
            raise Rejected("the key was used for something else")
        return Redirect(Ref("session", deal.ref), f"http://bank.example/{deal.ref}/", deal.checkout.expires_at)

    @answering
    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self._facts(checkout, at)

    @answering
    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        self.deals[checkout.key].finalize(at)
        return self._facts(checkout, at)

    @answering
    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        """The wallet knows no closing: its payer may still agree, and only we can leave it at that."""
        if self.takes_at_once and checkout.key in self.deals:
            self.deals[checkout.key].close(at)
        facts = self._facts(checkout, at)
        is_unpaid = facts.status in (Standing.OPEN, Standing.APPROVED)
        return replace(facts, status=Standing.CLOSED) if is_unpaid else facts

    @answering
    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        deal = self.deals[checkout.key]
        if not any(txn.key == back.key for txn in deal.txns):
            deal.give_back(back.amount.minor, at, back.key)
        return self._facts(checkout, at)

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        raise BadSignature("events are handed over by the test")

    @answering
    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        return iter([deal.facts(at) for deal in self.deals.values() if deal.txns])

    def _facts(self, checkout: Checkout, at: datetime) -> Facts:
        deal = self.deals.get(checkout.key)
        return deal.facts(at) if deal else Facts(Standing.NOTHING, at)
