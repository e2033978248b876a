"""Money of nobody: found, matched once, and followed by what corrects it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import ledger, refunds, settlement, unmatched
from payments.gateways.base import Txn
from payments.models import LedgerEntry
from tests.payments.conftest import NOW, answer, only_attempt
from tests.threads import run_at_once

WHY = "The payer wrote to us, with the receipt."


def come_in(minor: int = 40000, currency: str = "USD", ref: str = "x1") -> LedgerEntry:
    fact = {"provider": "fake", "txn_ref": ref, "occurred_at": NOW, "at": NOW}
    return ledger.post(registration=None, kind="charge", amount=Money(minor, currency), **fact)[0]


def match(entry: LedgerEntry, registration: Registration, by: User, **changes: str) -> Registration:
    said = {"code": registration.code, "reason": WHY, **changes}
    return unmatched.match(entry.pk, **said, by=by, at=NOW + timedelta(days=1))


def accounts() -> list[tuple[str, int, int | None]]:
    rows = LedgerEntry.objects.order_by("pk").values_list("kind", "amount_minor", "registration")
    return [(kind, minor, pk and 1) for kind, minor, pk in rows]


def test_match_gives_the_money_to_the_registration(unpaid: Registration, finance: User) -> None:
    entry = come_in()
    assert match(entry, unpaid, finance, code=f" {unpaid.code.lower()} ").payment_status == "paid"
    assert accounts() == [("charge", 40000, None), ("transfer", -40000, None), ("transfer", 40000, 1)]
    assert [row.corrects_id for row in LedgerEntry.objects.order_by("pk")] == [None, entry.pk, entry.pk]
    assert list(unmatched.waiting()) == []
    assert list(Message.objects.values_list("event", "to")) == [("payment_received", unpaid.user.email)]
    event = Event.objects.get(verb="payment.match")
    assert (event.actor, event.reason, event.after) == (finance, WHY, {"registration": unpaid.pk, "minor": 40000})


def test_what_went_back_of_it_before_is_not_matched(unpaid: Registration, finance: User) -> None:
    entry = come_in()
    fact = {"provider": "fake", "txn_ref": "r1", "occurred_at": NOW, "at": NOW, "corrects": entry}
    ledger.post(registration=None, kind="refund", amount=Money(-15000), **fact)
    assert [row.left_minor for row in unmatched.waiting()] == [25000]  # type: ignore[attr-defined]
    assert match(entry, unpaid, finance).payment_status == "partly_paid"
    assert ledger.balance(unpaid) == Money(25000)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_match_is_refused_where_it_cannot_be_right(unpaid: Registration, finance: User) -> None:
    entry, euros = come_in(), come_in(currency="EUR", ref="x2")
    assert [
        refusal(lambda: match(entry, unpaid, finance, code="NOBODY22")),
        refusal(lambda: match(entry, unpaid, finance, reason="  ")),
        refusal(lambda: match(euros, unpaid, finance)),
    ] == ["code-unknown", "reason-missing", "currency"]
    match(entry, unpaid, finance)
    assert refusal(lambda: match(entry, unpaid, finance)) == "not-waiting"
    assert ledger.balance(unpaid) == Money(40000)


@pytest.mark.django_db(transaction=True)
def test_match_from_two_desks_at_once_moves_it_once(unpaid: Registration, finance: User) -> None:
    entry = come_in()

    def press() -> str:
        try:
            return match(entry, unpaid, finance).payment_status
        except Refused as refused:
            return refused.code

    assert sorted(run_at_once(press, times=4)) == ["not-waiting"] * 3 + ["paid"]
    assert ledger.balance(unpaid) == Money(40000)


def test_account_of_says_where_the_money_is_by_now(unpaid: Registration, finance: User) -> None:
    entry = come_in()
    assert ledger.account_of(entry) is None
    match(entry, unpaid, finance)
    assert ledger.account_of(entry) == unpaid


@pytest.mark.django_db(transaction=True)
def test_what_comes_after_is_of_the_account_the_money_was_matched_to(
    unpaid: Registration, coach: Callable[..., Registration], finance: User, begin: Callable[..., str], faulty: Any
) -> None:
    """The attempt was Ada's, the money turned out to be Bea's: so is the refund, and Ada hears nothing of it."""
    bea = coach()
    answer(begin(), "paid")
    stub = faulty(fetch=lambda really: replace(really(), amount=Money(39999)))
    attempt = settlement.settle(only_attempt(unpaid).pk, at=NOW)
    match(LedgerEntry.objects.get(), bea, finance)
    Message.objects.all().delete()
    gone = Txn("refund", "r1", Money(-40000), NOW)
    stub.faults["fetch"] = lambda really: replace(really(), amount=Money(39999), txns=(*really().txns, gone))
    settlement.settle(attempt.pk, at=NOW + timedelta(days=2))
    for registration in (unpaid, bea):
        registration.refresh_from_db()
    assert (unpaid.payment_status, bea.payment_status, ledger.balance(bea)) == ("unpaid", "refunded", Money(0))
    assert list(Message.objects.values_list("event", "to")) == [("payment_returned", bea.user.email)]


def test_what_is_on_its_way_back_is_not_matched(unpaid: Registration, begin: Any, faulty: Any, finance: User) -> None:
    answer(begin(), "paid")
    faulty(fetch=lambda really: replace(really(), amount=Money(39999)))
    settlement.settle(only_attempt(unpaid).pk, at=NOW)
    entry = LedgerEntry.objects.get()
    refunds.request(entry.pk, amount=Money(100), reason="Nobody's.", by=finance, at=NOW)
    assert refusal(lambda: match(entry, unpaid, finance)) == "refund-asked"
    assert ledger.balance(unpaid) == Money(0)
