from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from payments import ledger
from payments.ledger import Position, status_of
from payments.models import LedgerEntry, PurchaseOrder
from tests.payments.conftest import NOW

FEE = Money(40000)
Payment = Registration.Payment
SUBMITTED, ACCEPTED = PurchaseOrder.State.SUBMITTED, PurchaseOrder.State.ACCEPTED


def standing(
    balance: int, *, risk: int | None = None, entries: bool = True, doubt: bool = False, order: str = ""
) -> str:
    """`risk` is what an open dispute may still take; None where there is none."""
    return status_of(Position(FEE, Money(balance), Money(risk or 0), risk is not None, entries, doubt, order))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (standing(0, entries=False), Payment.UNPAID),
        (standing(0, entries=False, doubt=True), Payment.PENDING),
        (standing(0, entries=False, order=SUBMITTED), Payment.PO_REQUESTED),
        (standing(0, entries=False, order=ACCEPTED), Payment.PO_COMMITTED),
        (standing(39999), Payment.PARTLY_PAID),
        (standing(39999, doubt=True), Payment.PENDING),
        (standing(39999, order=SUBMITTED), Payment.PARTLY_PAID),
        (standing(39999, order=ACCEPTED), Payment.PO_COMMITTED),
        (standing(40000), Payment.PAID),
        (standing(40000, doubt=True), Payment.PAID),
        (standing(40000, order=ACCEPTED), Payment.PAID),
        (standing(40001), Payment.OVERPAID),
        (standing(0), Payment.REFUNDED),
        (standing(0, doubt=True), Payment.PENDING),
        (standing(0, risk=0), Payment.DISPUTED),
        (standing(40000, risk=40000), Payment.DISPUTED),
        (standing(40000, risk=1), Payment.DISPUTED),
        (standing(80000, risk=40000), Payment.PAID),
        (standing(80001, risk=40000), Payment.OVERPAID),
        (standing(40000, risk=0), Payment.PAID),
        (standing(0, risk=0, order=ACCEPTED), Payment.DISPUTED),
    ],
)
def test_payment_status_follows_money_then_doubt_then_promises(found: str, expected: str) -> None:
    assert found == expected


def post(registration: Registration | None, minor: int = 40000, ref: str = "c1", kind: str = "charge") -> bool:
    _, is_new = ledger.post(
        registration=registration,
        kind=kind,
        amount=Money(minor),
        provider="fake",
        txn_ref=ref,
        occurred_at=NOW,
        at=NOW + timedelta(seconds=1),
    )
    return is_new


def test_post_of_the_same_fact_twice_is_one_row(unpaid: Registration) -> None:
    assert [post(unpaid), post(unpaid), post(unpaid, ref="c2")] == [True, False, True]
    assert ledger.balance(unpaid) == Money(80000)


def test_recompute_writes_the_cache_and_says_so_once(unpaid: Registration) -> None:
    post(unpaid)
    assert [ledger.recompute(unpaid, at=NOW), ledger.recompute(unpaid, at=NOW)] == ["paid", "paid"]
    unpaid.refresh_from_db()
    assert unpaid.payment_status == "paid"
    events = Event.objects.about(unpaid).values_list("verb", "before", "after", "actor")
    assert list(events) == [
        ("registration.payment_status", {"payment_status": "unpaid"}, {"payment_status": "paid"}, None)
    ]


def test_balance_leaves_out_other_people_and_unmatched_money(unpaid: Registration) -> None:
    post(None)
    assert ledger.balance(unpaid) == Money(0)
    post(unpaid, ref="c2")
    post(unpaid, -15000, "r1", "refund")
    assert ledger.balance(unpaid) == Money(25000)


def test_a_fact_cannot_be_written_twice_by_any_way(unpaid: Registration) -> None:
    post(unpaid)
    entry = LedgerEntry.objects.get()
    entry.pk = None
    with pytest.raises(IntegrityError, match="ledger_fact_once"), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.parametrize(("kind", "minor"), [("charge", -1), ("refund", 1), ("po_money", 0), ("adjustment", 0)])
def test_an_amount_has_the_sign_of_its_kind(unpaid: Registration, kind: str, minor: int) -> None:
    with pytest.raises(IntegrityError, match="ledger_sign_by_kind"), transaction.atomic():
        post(unpaid, minor, kind=kind)


@pytest.mark.payment_case(58)
def test_the_database_refuses_to_change_or_delete_an_entry(unpaid: Registration) -> None:
    post(unpaid)
    with pytest.raises(InternalError, match="append_only"), transaction.atomic():
        LedgerEntry.objects.update(amount_minor=1)
    with pytest.raises(InternalError, match="append_only"), transaction.atomic():
        LedgerEntry.objects.all().delete()
    assert LedgerEntry.objects.get().money == FEE


def test_entries_are_visible_to_their_owner_and_the_office(
    unpaid: Registration, candidate: User, stranger: User, scorer: User, staff: User, finance: User
) -> None:
    post(unpaid)
    seen = [LedgerEntry.objects.visible_to(p).count() for p in (candidate, stranger, scorer, staff, finance)]
    assert seen == [1, 0, 0, 1, 1]
