"""What tests of a district's money share: an invoiced order, a check, and how everything then stands."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.files.storage import default_storage

from candidates.models import Registration, User
from icg_cert.lib.money import Money
from payments import invoices, remittances
from payments.models import CreditNote, Invoice, LedgerEntry, Payer, PurchaseOrder, Remittance, Seat
from tests.factories import make_accepted_order, make_registration, make_user, make_vendor
from tests.payments.conftest import NOW

FEE = 40000


def coach(name: str = "") -> Registration:
    return make_registration(make_user(name), payment_status="po_committed")


def billed(coaches: Sequence[Registration | None] = (None,), **fields: Any) -> Invoice:
    """The invoice of an accepted order with one seat for each coach."""
    make_vendor()
    return invoices.issue(make_accepted_order(coaches=coaches, **fields), by=None, at=NOW)


def pay(payer: Payer, by: User, amount: int, *orders: Invoice, number: str = "1001", **fields: Any) -> Remittance:
    """A check of so many cents for these invoices."""
    asked: dict[str, Any] = {"kind": "check", "received_on": date(2026, 12, 9), "at": NOW, **fields}
    chosen = [invoice.pk for invoice in orders]
    return remittances.enter(payer.pk, number=number, amount=Money(amount), invoices=chosen, by=by, **asked)


def take(seat: Seat, registration: Registration) -> Seat:
    """Somebody's from now on, without the rules of taking one."""
    seat.state, seat.registration = Seat.State.CLAIMED, registration
    seat.save(update_fields=["state", "registration"])
    return seat


def account(of: Registration | Payer) -> list[tuple[str, int]]:
    """What moved on an account, oldest first."""
    own = {"registration": of} if isinstance(of, Registration) else {"payer": of}
    return list(LedgerEntry.objects.filter(**own).order_by("pk").values_list("kind", "amount_minor"))


def status(registration: Registration) -> str:
    return Registration.objects.get(pk=registration.pk).payment_status


def owed(*orders: PurchaseOrder) -> list[int]:
    return [invoices.owed(order).minor for order in orders]


def left(remittance: Remittance) -> int:
    return Remittance.objects.with_left().get(pk=remittance.pk).left.minor


def document_of(row: Invoice | CreditNote) -> bytes:
    with default_storage.open(row.document.name) as file:
        return file.read()  # type: ignore[no-any-return]
