"""Whatever people, providers and districts do, in whatever order, lost, late or twice: the books stay whole.

Two providers in the process keep books of their own: one takes money at once, the other when we ask for it. A sequence
is a list of small numbers, each one step of somebody. What is refused is no step. Every sequence ends with the jobs and
a reconciliation, and then everything is counted. SEQUENCES=5000 tries more of them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pytest
from django.db import transaction
from django.db.models import Count, Q, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candidates.models import PolicyText, Registration
from icg_cert.lib.jobs import each_due
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import (
    attempts,
    closing,
    deliveries,
    invoices,
    ledger,
    purchase_orders,
    reconcile,
    refunds,
    remittances,
    seat_codes,
    seats,
    settlement,
    unmatched,
)
from payments.gateways import registry
from payments.gateways.base import Checkout, Contest, Disputed, Facts, InboundEvent, Rejected, Return, Standing, Txn
from payments.models import (
    Attempt,
    Delivery,
    Invoice,
    LedgerEntry,
    Payer,
    PurchaseOrder,
    Refund,
    Remittance,
    Seat,
)
from tests.factories import make_accepted_order, make_programme, make_registration, make_text, make_user, make_vendor
from tests.payments import fake
from tests.payments.conftest import NOW, ORDER

SEQUENCES = int(os.environ.get("SEQUENCES", "250"))
FEE = 40000
LAST = timedelta(days=80)  # well past the closing of 31 January


@dataclass
class Account:
    """What one page led to at its provider."""

    txns: list[Txn] = field(default_factory=list)
    disputes: list[Disputed] = field(default_factory=list)


class Provider(fake.FakeGateway):
    """A provider with refunds, disputes and, where `asks`, a payer's agreement that we have to turn into money."""

    def __init__(self, name: str, asks: bool) -> None:
        self.name, self.asks = name, asks
        self.accounts: dict[str, Account] = {}
        self.taken: set[str] = set()

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self.facts(fake._ref(checkout.key), at)

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        self.taken.add(fake._ref(checkout.key))
        return self.fetch(checkout, at=at)

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        ref = fake._ref(checkout.key)
        page = fake.bank.pages.get(ref)
        if page and page.status == Standing.PAID and self.asks and ref not in self.taken:
            return replace(self.facts(ref, at), status=Standing.CLOSED)
        fake.decide(ref, Standing.CLOSED, at=at)
        return self.fetch(checkout, at=at)

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        ref = fake._ref(checkout.key)
        if not any(txn.key == back.key for txn in self.accounts[ref].txns):
            self.give_back(ref, back.amount.minor, at, back.key)
        return self.fetch(checkout, at=at)

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        for ref in list(self.accounts):
            facts = self.facts(ref, at)
            if facts.txns:
                yield facts

    def facts(self, ref: str, at: datetime) -> Facts:
        facts = fake._facts(fake.bank.pages.get(ref), at)
        if facts.status != Standing.PAID:
            return facts
        if self.asks and ref not in self.taken:
            return replace(facts, status=Standing.APPROVED, txns=())
        account = self.accounts.setdefault(ref, Account())
        return replace(facts, txns=(*facts.txns, *account.txns), disputes=tuple(account.disputes))

    def left(self, ref: str) -> int:
        return FEE + sum(txn.amount.minor for txn in self.accounts[ref].txns) if ref in self.accounts else 0

    def give_back(self, ref: str, minor: int, at: datetime, key: str = "") -> None:
        if not 0 < minor <= self.left(ref):
            raise Rejected("more than is left")
        txns = self.accounts[ref].txns
        txns.append(Txn("refund", f"{ref}-r{len(txns)}", Money(-minor), at, key))

    def contest(self, ref: str, turn: int, at: datetime) -> None:
        """Opened and withdrawn first; then decided."""
        account = self.accounts[ref]
        if not account.disputes and self.left(ref) == FEE:
            account.disputes.append(Disputed(f"{ref}-d", Contest.OPEN, Money(FEE), at))
            account.txns.append(Txn("dispute_withdrawn", f"{ref}-d", Money(-FEE), at))
        elif account.disputes and account.disputes[0].standing == Contest.OPEN:
            won = turn % 2 == 0
            account.disputes[0] = replace(account.disputes[0], standing=Contest.WON if won else Contest.LOST)
            if won:
                account.txns.append(Txn("dispute_reinstated", f"{ref}-d", Money(FEE), at))

    def books(self) -> int:
        return sum(self.left(ref) for ref in self.accounts)


class Step(Protocol):
    def __call__(self, turn: int) -> object: ...


class World:
    """Three coaches, a district with three seats, an office, two providers, and a clock that only goes forward."""

    def __init__(self) -> None:
        make_programme()
        make_vendor()
        self.text = make_text(PolicyText.Kind.NO_REFUNDS)
        self.finance, self.staff = make_user("Fay", "finance"), make_user("Stef", "staff")
        self.coaches = [make_registration(make_user(), payment_status="unpaid") for _ in range(3)]
        self.order = make_accepted_order(coaches=(None, None, None), amount_minor=3 * FEE)
        for seat in self.order.seats.all():
            seat_codes.issue(seat)
            seat.save()
        invoices.issue(self.order, by=None, at=NOW)
        self.providers = [Provider("fake", asks=False), Provider("slow", asks=True)]
        self.at = NOW
        self.events = 0
        steps = [
            self.press_pay, self.press_pay, self.answer, self.answer, self.answer, self.come_back, self.come_back,
            self.send_event, self.send_event, self.repeat_event, self.wait, self.wait, self.do_jobs, self.compare,
            self.give_back_at_provider, self.contest, self.ask_refund, self.decide_refund, self.take_seat,
            self.take_seat, self.give_up_seat, self.release_seat, self.hand_in_order, self.judge_order,
            self.enter_check, self.enter_check, self.bounce_check, self.withdraw, self.close_books,
        ]  # fmt: skip
        self.steps: list[Step] = steps

    def run(self, numbers: list[int]) -> None:
        for number in numbers:
            turn, which = divmod(number, len(self.steps))
            with suppress(Refused, Rejected):
                self.steps[which](turn)
        self.at = max(self.at, NOW) + timedelta(days=1)
        for _ in range(2):
            self.do_jobs(0)
        self.compare(0)

    # ---- Who is meant

    def coach(self, turn: int) -> Registration:
        return Registration.objects.select_related("user", "cohort").get(pk=self.coaches[turn % 3].pk)

    def provider(self, turn: int) -> Provider:
        return self.providers[turn // 3 % 2]

    def page(self, turn: int) -> tuple[Provider, fake.Page] | None:
        pages = list(fake.bank.pages.values())
        if not pages:
            return None
        page = pages[turn % len(pages)]
        name = Attempt.objects.values_list("provider", flat=True).get(public_id=page.checkout.attempt_id)
        return next(each for each in self.providers if each.name == name), page

    def charged(self, turn: int) -> tuple[Provider, str] | None:
        found = [(each, ref) for each in self.providers for ref in each.accounts if each.left(ref) > 0]
        return found[turn % len(found)] if found else None

    # ---- Candidates

    def press_pay(self, turn: int) -> None:
        coach = self.coach(turn)
        attempts.start(coach.pk, self.provider(turn).name, by=coach.user, at=self.at, accepted=self.text.pk)

    def answer(self, turn: int) -> None:
        decisions = [Standing.PAID, Standing.PAID, Standing.PAID, Standing.FAILED, Standing.CLOSED]
        if found := self.page(turn):
            fake.decide(found[1].ref, decisions[turn % 5], at=self.at)

    def come_back(self, turn: int) -> None:
        if found := self.page(turn):
            settlement.settle(Attempt.objects.get(public_id=found[1].checkout.attempt_id).pk, at=self.at)

    def withdraw(self, turn: int) -> None:
        if turn % 4 == 0:
            Registration.objects.filter(pk=self.coach(turn).pk).update(status=Registration.Status.WITHDRAWN)

    def take_seat(self, turn: int) -> None:
        coach, seat = self.coach(turn), self.order.seats.order_by("pk")[turn // 3 % 3]
        seats.claim(coach.pk, seat_codes.shown(seat), by=coach.user, at=self.at)

    def give_up_seat(self, turn: int) -> None:
        coach = self.coach(turn)
        seats.give_up(coach.pk, by=coach.user, at=self.at)

    def hand_in_order(self, turn: int) -> None:
        coach = self.coach(turn)
        order = replace(ORDER, number=f"PO-{turn % 3}-{coach.pk}", amount=Money(FEE))
        purchase_orders.submit(coach.pk, order, by=coach.user, at=self.at)

    # ---- Providers

    def send_event(self, turn: int) -> None:
        if found := self.page(turn):
            self.events += 1
            provider, page = found
            event = InboundEvent(provider.name, f"e{self.events}", "x", page.checkout.attempt_id, (), self.at)
            deliveries.process(deliveries.receive(event, b"{}", {}, at=self.at), at=self.at)

    def repeat_event(self, turn: int) -> None:
        if self.events:
            name = f"e{turn % self.events + 1}"
            for provider in self.providers:
                for pk in Delivery.objects.filter(provider=provider.name, event_id=name).values_list("pk", flat=True):
                    deliveries.process(pk, at=self.at)

    def give_back_at_provider(self, turn: int) -> None:
        if found := self.charged(turn):
            found[0].give_back(found[1], [FEE, 15000][turn % 2], self.at)

    def contest(self, turn: int) -> None:
        if found := self.charged(turn):
            found[0].contest(found[1], turn, self.at)

    # ---- The office

    def ask_refund(self, turn: int) -> None:
        entries = [each for each in LedgerEntry.objects.order_by("pk") if refunds.returnable(each)]
        if entries:
            entry = entries[turn % len(entries)]
            refunds.request(entry.pk, amount=refunds.returnable(entry), reason="Too much.", by=self.finance, at=self.at)

    def decide_refund(self, turn: int) -> None:
        for refund in Refund.objects.filter(state=Refund.State.REQUESTED)[:1]:
            if turn % 3:
                refunds.approve(refund.pk, reference="7001", by=self.staff, at=self.at)
            else:
                refunds.decline(refund.pk, reason="No.", by=self.staff, at=self.at)

    def judge_order(self, turn: int) -> None:
        for order in PurchaseOrder.objects.filter(state=PurchaseOrder.State.SUBMITTED)[:1]:
            if turn % 3:
                purchase_orders.accept(order.pk, by=self.staff, at=self.at)
            else:
                purchase_orders.refuse(order.pk, reason="Unsigned.", by=self.staff, at=self.at)

    def release_seat(self, turn: int) -> None:
        held = Seat.objects.exclude(state=Seat.State.RELEASED).order_by("pk")
        if seat := held[turn % max(1, held.count()) :].first():
            seats.release(seat.pk, reason="Not needed.", by=self.staff, at=self.at)

    def enter_check(self, turn: int) -> None:
        payers = list(Payer.objects.filter(orders__isnull=False).distinct().order_by("pk"))
        payer = payers[turn % len(payers)]
        minor = [FEE, 3 * FEE, FEE - 1, FEE + 1, 5 * FEE][turn % 5]
        bills = Invoice.objects.standing().filter(order__payer=payer).values_list("pk", flat=True)
        fact: dict[str, Any] = {"kind": "check", "number": str(turn), "received_on": date(2026, 12, 9)}
        remittances.enter(payer.pk, amount=Money(minor), invoices=list(bills), by=self.finance, at=self.at, **fact)

    def bounce_check(self, turn: int) -> None:
        for remittance in Remittance.objects.filter(reversed_at=None).order_by("pk")[:1]:
            remittances.reverse(remittance.pk, reason="No cover.", by=self.finance, at=self.at)

    # ---- Time

    def wait(self, turn: int) -> None:
        steps = [timedelta(minutes=5), timedelta(minutes=40), timedelta(days=1), timedelta(days=30)]
        self.at = min(self.at + steps[turn % 4], NOW + LAST)

    def do_jobs(self, turn: int) -> None:
        at = self.at
        for verb, rows in (
            (deliveries.process, Delivery.objects.due(at)),
            (settlement.settle, Attempt.objects.unresolved(at)),
            (refunds.send, refunds.unsent(at)),
            (settlement.close, closing.late_attempts(at)),
            (closing.lapse, closing.lapsable(at)),
        ):
            each_due(verb, rows.values_list("pk", flat=True), at=at)  # type: ignore[attr-defined]

    def close_books(self, turn: int) -> None:
        if turn % 10 == 0:
            self.at = NOW + LAST
            self.do_jobs(0)

    def compare(self, turn: int) -> None:
        reconcile.run(since=NOW - timedelta(days=1), at=self.at)


def total(rows: Any) -> int:
    return rows.aggregate(total=Sum("amount_minor"))["total"] or 0


def check(world: World) -> None:
    moved = LedgerEntry.objects.exclude(kind=LedgerEntry.Kind.TRANSFER)
    for provider in world.providers:
        assert total(moved.filter(provider=provider.name)) == provider.books()
    checks = total(Remittance.objects.filter(reversed_at=None))
    returned = total(Refund.objects.filter(entry__kind="po_money", state=Refund.State.DONE))
    assert total(moved.filter(provider="po")) == checks - returned
    assert total(LedgerEntry.objects.filter(kind=LedgerEntry.Kind.TRANSFER)) == 0
    assert list(unmatched.waiting()) == []
    for registration in Registration.objects.all():
        position = ledger.position(registration)
        assert registration.payment_status == ledger.status_of(position)
        safe, promised = position.balance - position.at_risk, position.order == PurchaseOrder.State.ACCEPTED
        assert not registration.holds_seat or safe.minor >= FEE or position.is_disputed or promised
    charges = LedgerEntry.objects.filter(kind="charge").values_list("provider", "txn_ref")
    told = Message.objects.filter(event="payment_received").values_list("key", flat=True)
    assert sorted(told) == sorted(f"payment_received:{provider}:{ref}" for provider, ref in charges)
    back = LedgerEntry.objects.filter(kind="refund", attempt__isnull=False)
    assert Message.objects.filter(event="payment_returned").count() == back.count()
    live = Seat.objects.live().filter(registration__isnull=False).values("registration").annotate(n=Count("pk"))
    assert not live.filter(n__gt=1).exists()
    for order in PurchaseOrder.objects.filter(state=PurchaseOrder.State.ACCEPTED):
        held = order.seats.filter(~Q(state=Seat.State.RELEASED))
        assert sum(seat.price_minor for seat in held) <= order.amount_minor
    for invoice in Invoice.objects.standing().select_related("order"):
        assert invoices.owed(invoice.order).minor >= 0
    assert not Attempt.objects.live().filter(expires_at__lt=world.at - timedelta(hours=1)).exists()


@pytest.fixture
def try_out(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], None]:
    def one(numbers: list[int]) -> None:
        monkeypatch.setattr(fake, "bank", fake.Bank())
        undone = transaction.atomic()
        undone._from_testcase = True  # type: ignore[attr-defined]  # durable blocks may stand in it, as in any test's
        with undone:
            world = World()
            for provider in world.providers:
                monkeypatch.setitem(registry.GATEWAYS, provider.name, (lambda it=provider: it, "TESTING"))
            world.run(numbers)
            check(world)
            transaction.set_rollback(True)

    return one


@pytest.mark.payment_case(1, 2, 3, 4, 5, 11, 12, 13, 44, 52, 53, 54, 65, 66, 67, 68, 70)
@pytest.mark.parametrize("part", [1, 2])  # so that two cores share the work
@settings(
    max_examples=SEQUENCES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
    derandomize="SEQUENCES" not in os.environ,  # a build tries the same ones each time, a search does not
)
@given(numbers=st.lists(st.integers(0, 29 * 60), min_size=3, max_size=25))
def test_the_books_stay_whole_in_any_order(try_out: Callable[[list[int]], None], part: int, numbers: list[int]) -> None:
    try_out([number + part for number in numbers])
