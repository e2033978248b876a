"""Whatever payers, banks, districts and the office do, in whatever order, lost, late or twice: the books hold.

A sequence is a list of steps, each one thing that somebody does, with two numbers that choose whom or what. What the
portal refuses is no step. After every step, and once more when the jobs had time to put everything right, our books are
held against those of the banks and of the districts. SEQUENCES=5000 tries so many of them, others every time.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import compress, count
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from candidates import registration as registrations
from candidates.models import PolicyText, Registration
from icg_cert.lib import clock
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import (
    acceptance,
    allocation,
    attempts,
    deliveries,
    ledger,
    purchase_orders,
    reconcile,
    refunds,
    remittances,
    seat_codes,
    seats,
    settlement,
    tasks,
)
from payments.gateways import registry
from payments.gateways.base import Rejected
from payments.models import (
    Allocation,
    Attempt,
    Delivery,
    Dispute,
    Invoice,
    LedgerEntry,
    Payer,
    PurchaseOrder,
    Refund,
    Remittance,
    Seat,
)
from tests.factories import make_programme, make_quote, make_registration, make_text, make_user, make_vendor
from tests.payments.banks import Bank, Deal
from tests.payments.conftest import NOW, ORDER, hand_in

SEQUENCES = int(os.environ.get("SEQUENCES", "0"))
FEW = 100  # in each of two lanes
LONGEST = 60  # steps, about half of which a sequence takes
FEE = 40000
PARTS = [FEE, 15000, 1]
CHECKS = [FEE, 2 * FEE, FEE - 1, 3 * FEE + 1, 1]
WAITS = [timedelta(minutes=3), timedelta(minutes=12), timedelta(hours=1), timedelta(days=1), timedelta(days=30)]
JOBS = [
    tasks.process_deliveries, tasks.settle_unresolved, tasks.send_refunds, tasks.reconcile_hourly, tasks.close_unpaid,
    tasks.remind_invoices,
]  # fmt: skip


class Cast:
    """Who is there before anything happens: two coaches, a district with an accepted order for two, an office."""

    def __init__(self) -> None:
        make_programme()
        make_vendor()
        self.text = make_text(PolicyText.Kind.NO_REFUNDS)
        self.staff, self.finance = make_user("Stef Stone", "staff"), make_user("Fay Finch", "finance")
        self.coaches = [make_registration(make_user(name), payment_status="unpaid") for name in ("Ada", "Ben")]
        for coach in self.coaches:
            acceptance.accept_for(coach.pk, self.text.pk, by=coach.user, at=NOW)
        quote = make_quote(cohort=self.coaches[0].cohort, seats=2)
        self.order = purchase_orders.accept(hand_in(quote, amount=Money(2 * FEE)).pk, by=self.staff, at=NOW)


class World:
    """One sequence. Methods of one word or two that take two numbers are its steps."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.at, self.numbers = cast, NOW, count(100)
        self.banks = [Bank("card", takes_at_once=True), Bank("wallet", takes_at_once=False)]
        self.has_written = False
        self.came_back: set[int] = set()  # registrations whose money a bank gave us back unasked
        for bank in self.banks:
            bank.before_taking = self.check_wanted

    def take(self, name: str, a: int, b: int) -> None:
        with suppress(Refused, Rejected):
            getattr(self, name)(a, b)

    def watch(self, execute: Any, sql: str, *rest: Any) -> Any:
        """What wrote nothing needs no look at the books."""
        self.has_written |= sql.startswith(("INSERT", "UPDATE", "DELETE"))
        return execute(sql, *rest)

    # ---- Who and what is meant

    def coach(self, number: int) -> Registration:
        return Registration.objects.select_related("user").get(pk=self.cast.coaches[number % 2].pk)

    @property
    def deals(self) -> list[Deal]:
        """The newest first."""
        return sorted((deal for bank in self.banks for deal in bank.deals.values()), key=lambda deal: -deal.number)

    def attempt(self, deal: Deal) -> Attempt:
        return Attempt.objects.get(public_id=deal.checkout.attempt_id)

    # ---- Payers and their banks

    def pay(self, a: int, b: int) -> None:
        coach = self.coach(a)
        attempts.start(coach.pk, self.banks[b % 2].name, by=coach.user, at=self.at, accepted=self.cast.text.pk)

    def come_back(self, a: int, b: int) -> None:
        for deal in pick(self.deals, a):
            settlement.settle(self.attempt(deal).pk, at=self.at)

    def stop(self, a: int, b: int) -> None:
        attempts.stop(self.coach(a).pk, by=self.coach(a).user, at=self.at)

    def at_the_bank(self, a: int, b: int) -> None:
        for deal in pick(self.deals, a):
            deal.pass_time(self.at)
            [deal.agree, deal.agree, deal.agree, deal.agree, deal.submit, deal.clear, deal.fail][b](self.at)

    def afterwards(self, a: int, b: int) -> None:
        """What the dashboard or the payer's bank does with money that was taken."""
        for deal in pick([each for each in self.deals if each.txns], a):
            before = deal.left
            [
                partial(deal.give_back, PARTS[a % 3]),
                partial(deal.contest, takes=True),
                partial(deal.contest, takes=False),
                deal.withdraw,
                partial(deal.decide, won=True),
                partial(deal.decide, won=False),
                deal.bounce,
            ][b](self.at)
            if deal.left > before:
                self.came_back.add(self.attempt(deal).registration_id)

    def spoil(self, a: int, b: int) -> None:
        """The next question is not heard, or its answer is not."""
        self.banks[a % 2].fault = ["deaf", "mute"][b % 2]

    def deliver(self, a: int, b: int) -> None:
        """Any event, the newest first: others are lost, and the same one may come again. A worker may be away."""
        for event in pick([event for bank in self.banks for event in bank.events][::-1], a):
            pk = deliveries.receive(event, b"{}", {}, at=self.at)
            if b % 3:
                deliveries.process(pk, at=self.at)

    # ---- Districts

    def order(self, a: int, b: int) -> None:
        coach, number = self.coach(a), f"PO-{1 + b % 3}"
        own = replace(ORDER, payer_name=f"District {a % 2}", number=number, amount=Money(FEE + b % 2))
        purchase_orders.submit(coach.pk, own, by=coach.user, at=self.at)

    def order_many(self, a: int, b: int) -> None:
        quote = make_quote(cohort=self.cast.coaches[0].cohort, seats=1 + b % 2)
        hand_in(quote, self.at, number=f"PO-B{a % 3}", amount=Money(2 * FEE))

    def judge(self, a: int, b: int) -> None:
        for order in pick(PurchaseOrder.objects.order_by("-pk"), a):
            if b % 4 == 0:
                purchase_orders.refuse(order.pk, reason="Unsigned.", by=self.cast.staff, at=self.at)
            elif b % 4 == 1:
                taken = b % 2 == 1
                purchase_orders.cancel(
                    order.pk, reason="Sent twice.", by=self.cast.staff, at=self.at, with_taken_seats=taken
                )
            else:
                purchase_orders.accept(order.pk, by=self.cast.staff, at=self.at)

    def claim(self, a: int, b: int) -> None:
        coach = self.coach(a)
        for seat in pick(Seat.objects.exclude(code_sha256=None).order_by("pk"), b):
            seats.claim(coach.pk, seat_codes.shown(seat), by=coach.user, at=self.at)

    def give_up(self, a: int, b: int) -> None:
        seats.give_up(self.coach(a).pk, by=self.coach(a).user, at=self.at)

    def release(self, a: int, b: int) -> None:
        for seat in pick(Seat.objects.order_by("pk"), a):
            by = self.cast.staff if b % 2 else None
            seats.release(seat.pk, reason="Not needed.", by=by, at=self.at)

    def release_free(self, a: int, b: int) -> None:
        for order in pick(PurchaseOrder.objects.order_by("pk"), a):
            seats.release_free(order.pk, reason="", by=None, at=self.at)

    def substitute(self, a: int, b: int) -> None:
        for seat in pick(Seat.objects.order_by("pk"), b):
            seats.substitute(seat.pk, self.coach(a).pk, by=self.cast.staff, at=self.at)

    def check_comes(self, a: int, b: int) -> None:
        for payer in pick(Payer.objects.order_by("pk"), a):
            bills = Invoice.objects.standing().filter(order__payer=payer).values_list("pk", flat=True)
            remittances.enter(
                payer.pk, kind="check", number=str(next(self.numbers)), amount=Money(CHECKS[b % len(CHECKS)]),
                received_on=date(2026, 12, 9), invoices=list(bills)[: b % 3], by=self.cast.finance, at=self.at,
            )  # fmt: skip

    def allocate(self, a: int, b: int) -> None:
        for check in pick(Remittance.objects.order_by("-pk"), a):
            open_ = [line.seat.pk for line in allocation.lines(check.payer)]
            allocation.allocate(check.pk, open_[: 1 + b % 2], by=self.cast.finance, at=self.at)

    def check_bounces(self, a: int, b: int) -> None:
        for check in pick(Remittance.objects.order_by("-pk"), a):
            remittances.reverse(check.pk, reason="No cover.", by=self.cast.finance, at=self.at)

    # ---- The office

    def ask_back(self, a: int, b: int) -> None:
        entries = LedgerEntry.objects.filter(kind__in=["charge", "po_money"]).order_by("-pk")
        for entry in pick([each for each in entries if refunds.returnable(each)], a):
            most = refunds.returnable(entry)
            amount = most if b % 2 else Money(1)
            refunds.request(entry.pk, amount=amount, reason="Too much.", by=self.cast.finance, at=self.at)

    def decide_back(self, a: int, b: int) -> None:
        for refund in pick(Refund.objects.order_by("-pk"), a):
            if b % 4:
                refunds.approve(refund.pk, reference="7001", by=self.cast.staff, at=self.at)
            else:
                refunds.decline(refund.pk, reason="No.", by=self.cast.staff, at=self.at)

    def leave(self, a: int, b: int) -> None:
        if b % 3 == 0:
            registrations.withdraw(self.coach(a).pk, by=self.coach(a).user, at=self.at)

    # ---- Time

    def wait(self, a: int, b: int) -> None:
        self.at += WAITS[a % 4 if b else a % 5]

    def run_jobs(self, a: int, b: int) -> None:
        for job in JOBS:
            job()

    def compare(self, a: int, b: int) -> None:
        reconcile.run(since=NOW - timedelta(days=1), at=self.at)

    def end(self) -> None:
        """Everything that waits has its turn, and nobody spoils an answer any more."""
        for bank in self.banks:
            bank.fault = ""
        for _ in range(2):
            self.at += timedelta(days=1)
            self.run_jobs(0, 0)
            self.compare(0, 0)

    # ---- What holds

    def check_wanted(self, deal: Deal) -> None:
        """Nobody is charged who owes nothing: at the moment of every charge."""
        attempt = self.attempt(deal)
        own = [each for each in self.deals if self.attempt(each).registration_id == attempt.registration_id]
        has = sum(each.left for each in own)
        assert has + attempt.amount_minor <= FEE or attempt.registration_id in self.came_back, "charged twice"
        seated = Seat.objects.claimed().filter(registration=attempt.registration_id, order__state="accepted")
        assert not seated.exists(), "charged, and a district pays"

    def check(self) -> None:
        check_facts(self)
        check_accounts()
        check_statuses(self)
        check_mails(self)
        check_seats()


def pick(things: Any, number: int) -> list[Any]:
    """One of them, if there is any."""
    found = list(things)
    return [found[number % len(found)]] if found else []


def facts_of(bank: Bank) -> dict[tuple[str, str], int]:
    return {(txn.kind, txn.ref): txn.amount.minor for deal in bank.deals.values() for txn in deal.txns}


def entries_of(bank: Bank) -> dict[tuple[str, str], int]:
    rows = LedgerEntry.objects.filter(provider=bank.name).values_list("kind", "txn_ref", "amount_minor")
    return {(kind, ref): minor for kind, ref, minor in rows}


def check_facts(world: World) -> None:
    """What we wrote down of a bank is what it says: nothing else, nothing twice."""
    for bank in world.banks:
        assert entries_of(bank).items() <= facts_of(bank).items()


def sums(rows: Any) -> dict[Any, int]:
    total: dict[Any, int] = {}
    for key, minor in rows:
        total[key] = total.get(key, 0) + minor
    return {key: minor for key, minor in total.items() if minor}


def check_accounts() -> None:
    """Every account holds what came for it, and what moved between accounts left one as it reached the other."""
    rows = list(LedgerEntry.objects.values_list(
        "kind", "provider", "amount_minor", "registration", "payer", "attempt__registration", "corrects__payer"
    ))  # fmt: skip
    given = list(
        Allocation.objects.standing()
        .filter(seat__state=Seat.State.CLAIMED)
        .values_list("seat__registration", "remittance__payer", "amount_minor")
    )
    assert sum(minor for kind, _, minor, *_ in rows if kind == "transfer") == 0
    by_bank = [(owner, minor) for _, provider, minor, _, _, owner, _ in rows if provider != "po"]
    held = sums((registration, minor) for *_, minor, registration, _, _, _ in rows if registration)
    assert held == sums([*by_bank, *((registration, minor) for registration, _, minor in given)])
    checks = list(Remittance.objects.filter(reversed_at=None).values_list("payer", "amount_minor"))
    back = [(payer, minor) for kind, provider, minor, *_, payer in rows if (kind, provider) == ("refund", "po")]
    away = [(payer, -minor) for _, payer, minor in given]
    assert sums((payer, minor) for *_, minor, _, payer, _, _ in rows if payer) == sums([*checks, *back, *away])


def check_statuses(world: World) -> None:
    """The cached status is the computed one, and nobody holds a seat whom neither money nor a promise stands for."""
    rows = list(Registration.objects.all())
    positions = ledger.positions(rows)
    seated = set(Seat.objects.claimed().filter(order__state="accepted").values_list("registration", flat=True))
    disputed = set(Dispute.objects.open().values_list("attempt__registration", flat=True))
    for row in rows:
        assert row.payment_status == ledger.status_of(positions[row.pk])
        has_reason = positions[row.pk].balance.minor >= FEE or row.pk in seated | disputed
        assert has_reason or not row.holds_seat


def check_mails(world: World) -> None:
    """One for every charge and every refund, and none besides."""
    names = [bank.name for bank in world.banks]
    events = {"charge": "payment_received", "refund": "payment_returned"}
    moved = LedgerEntry.objects.filter(kind__in=events, provider__in=names).values_list("kind", "provider", "txn_ref")
    told = Message.objects.filter(event__in=events.values()).values_list("key", flat=True)
    assert sorted(told) == sorted(f"{events[kind]}:{provider}:{ref}" for kind, provider, ref in moved)


def check_seats() -> None:
    """No coach sits twice, no order holds more seats than it covers, and nothing is owed below nothing."""
    live = list(Seat.objects.live().values_list("registration", "order", "price_minor"))
    people = [registration for registration, *_ in live if registration]
    assert len(people) == len(set(people))
    amounts = dict(PurchaseOrder.objects.values_list("pk", "amount_minor"))
    assert all(total <= amounts[order] for order, total in sums((order, price) for _, order, price in live).items())
    for invoice in Invoice.objects.standing().with_sums():
        assert 0 <= invoice.owed.minor <= invoice.amount_minor
    assert all(check.left.minor >= 0 for check in Remittance.objects.filter(reversed_at=None).with_left())


def check_end(world: World) -> None:
    """Our books and the banks' are the same, nothing waits any more, and looking once more finds nothing."""
    for bank in world.banks:
        assert entries_of(bank) == facts_of(bank)
    still = Attempt.objects.live().exclude(state=Attempt.State.PROCESSING)
    assert not still.exists()
    assert not Refund.objects.filter(state__in=[Refund.State.APPROVED, Refund.State.UNKNOWN]).exists()
    assert not Delivery.objects.filter(state__in=Delivery.WAITING).exists()
    run = reconcile.run(since=NOW - timedelta(days=1), at=world.at)
    assert run is not None
    assert [code for code, _ in run.findings if code != "delivery-dead"] == []


# How often, of what: in the one lane mostly payers and banks, in the other everybody.
CARDS = {
    "pay": 6, "at_the_bank": 8, "come_back": 4, "stop": 1, "afterwards": 3, "spoil": 2, "deliver": 2, "claim": 3,
    "ask_back": 1, "decide_back": 2, "leave": 1, "wait": 2, "run_jobs": 1, "compare": 1,
}  # fmt: skip
EVERYBODY = {
    "pay": 3, "at_the_bank": 4, "come_back": 2, "stop": 1, "afterwards": 2, "spoil": 1, "deliver": 1, "order": 2,
    "order_many": 1, "judge": 4, "claim": 4, "give_up": 1, "release": 1, "release_free": 1, "substitute": 2,
    "check_comes": 3, "allocate": 2, "check_bounces": 1, "ask_back": 1, "decide_back": 2, "leave": 1, "wait": 2,
    "run_jobs": 1, "compare": 1,
}  # fmt: skip


@st.composite
def sequences(draw: st.DrawFn, lane: dict[str, int]) -> list[tuple[str, int, int]]:
    """Each another one, which lists drawn step by step are not: they repeat themselves. Shrinking leaves steps out."""
    names, weights = list(lane), list(lane.values())
    chance = Random(draw(st.integers(0, 2**32 - 1)))
    steps = [(name, chance.randrange(7), chance.randrange(7)) for name in chance.choices(names, weights, k=LONGEST)]
    return list(compress(steps, draw(st.lists(st.booleans(), min_size=LONGEST, max_size=LONGEST))))


@pytest.fixture
def play(db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[list[Any]], None]:
    cast = Cast()

    def whole(steps: list[tuple[str, int, int]]) -> None:
        world = World(cast)
        monkeypatch.setattr(clock, "now", lambda: world.at)
        for bank in world.banks:
            monkeypatch.setitem(registry.GATEWAYS, bank.name, (lambda bank=bank: bank, "TESTING"))
        for name, a, b in steps:
            world.has_written = False
            with connection.execute_wrapper(world.watch):
                world.take(name, a, b)
            if world.has_written:
                world.check()
        world.end()
        world.check()
        check_end(world)
        assert [
            record.message for record in caplog.records if record.levelname == "ERROR"
        ] == []  # jobs go on after one

    def undone(steps: list[tuple[str, int, int]]) -> None:
        """By a savepoint: an atomic block of our own would keep the portal's durable ones from beginning."""
        caplog.clear()
        before = transaction.savepoint()
        try:
            whole(steps)
        finally:
            transaction.savepoint_rollback(before)

    return undone


@pytest.mark.payment_case(4, 5, 6, 7, 9, 11, 12, 13, 31, 32, 44, 48, 53, 54, 57, 65, 66, 67, 68, 70)
@pytest.mark.parametrize("lane", [CARDS, EVERYBODY], ids=["cards", "everybody"])
def test_the_books_hold_in_any_order(play: Callable[[list[Any]], None], lane: dict[str, int]) -> None:
    @settings(max_examples=SEQUENCES or FEW, deadline=None, database=None)
    @given(sequences(lane))
    def try_out(steps: list[tuple[str, int, int]]) -> None:
        play(steps)

    (try_out if SEQUENCES else seed(len(lane))(try_out))()  # the same ones every time
