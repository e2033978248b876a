from datetime import date, timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import invoices
from payments.models import CreditNote, Invoice
from tests.factories import make_accepted_order, make_payer, make_vendor
from tests.payments.conftest import NOW
from tests.payments.districts import billed, coach, document_of, owed, pay
from tests.threads import run_at_once

pytestmark = pytest.mark.django_db


def mails() -> list[tuple[str, str, str, bool]]:
    rows = Message.objects.order_by("pk")
    return [(each.event, each.to, each.attachment_name, bool(each.attachment)) for each in rows]


def test_issue_writes_one_line_a_seat_and_mails_it() -> None:
    payer = make_payer(email="payable@lakeside.example")
    invoice = billed([coach("Ada Abara"), None], payer=payer, number="PO 4711")
    assert {
        name: getattr(invoice, name) for name in ("number", "issued_on", "due_on", "amount_minor", "currency", "state")
    } == {
        "number": "INV-2026-0001",
        "issued_on": date(2026, 12, 10),
        "due_on": date(2027, 1, 9),
        "amount_minor": 80000,
        "currency": "USD",
        "state": "issued",
    }
    assert owed(invoice.order) == [80000]
    assert mails() == [
        ("invoice_issued", "payable@lakeside.example", "INV-2026-0001.pdf", True),
        ("invoice_issued", "connie@example.org", "INV-2026-0001.pdf", True),
    ]
    assert [event.verb for event in Event.objects.filter(verb__startswith="invoice.")] == ["invoice.issue"]


def test_content_is_everything_an_office_asks_for() -> None:
    make_payer(email="payable@lakeside.example")
    invoice = billed([coach("Ada Abara"), None], number="PO 4711")
    seats = list(invoice.order.seats.values_list("pk", flat=True))
    fee = "Coach certification fee, cohort 10 (2026)"
    line = {"what": fee, "quantity": 1, "price": "$400.00", "amount": "$400.00"}
    assert invoice.content == {
        "programme": "",
        "vendor": "Instructional Coaching Group",
        "remit_to": "Instructional Coaching Group\nPO Box 100\nSpringfield, KS 66000",
        "ach": "First Bank of Springfield\nRouting 000000000",
        "vendor_email": "billing@example.org",
        "tax_words": "No sales tax is charged.",
        "number": "INV-2026-0001",
        "on": "10 December 2026",
        "due": "9 January 2027",
        "terms": "Net 30 days",
        "order_number": "PO 4711",
        "order_on": "1 December 2026",
        "payer": "Lakeside School District",
        "bill_to": "Accounts Payable\n1 Main Street",
        "payer_email": "payable@lakeside.example",
        "ship_to": "Lakeside Elementary\n12 Lake Road",
        "coaches": ["Ada Abara"],
        "attention": "Connie Contact",
        "contact_email": "connie@example.org",
        "period": "2027 to 2029",
        "lines": [{"seat": seats[0], "coach": "Ada Abara", **line}, {"seat": seats[1], "coach": "", **line}],
        "currency": "USD",
        "subtotal": "$800.00",
        "tax": "$0.00",
        "total": "$800.00 USD",
    }


@pytest.mark.payment_case(61)
@pytest.mark.parametrize(
    ("ordered_on", "issued_on"),
    [
        (date(2026, 12, 9), date(2026, 12, 10)),
        (date(2026, 12, 10), date(2026, 12, 10)),
        (date(2026, 12, 12), date(2026, 12, 12)),  # an order that is dated ahead
    ],
)
def test_an_invoice_is_never_dated_before_its_order(ordered_on: date, issued_on: date) -> None:
    invoice = billed(issued_on=ordered_on)
    assert (invoice.issued_on, invoice.due_on) == (issued_on, issued_on + timedelta(days=30))


@pytest.mark.payment_case(61)
def test_the_day_is_the_programme_s_and_the_year_of_the_number_follows_it() -> None:
    """Half an hour before the new year in Chicago, when it is long 2027 in UTC."""
    make_vendor(terms_days=45)
    late = NOW.replace(year=2026, month=12, day=31, hour=23, minute=30)
    invoice = invoices.issue(make_accepted_order(), by=None, at=late)
    assert (invoice.number, invoice.issued_on, invoice.due_on) == (
        "INV-2026-0001", date(2026, 12, 31), date(2027, 2, 14),
    )  # fmt: skip


def test_the_same_order_twice_is_one_invoice() -> None:
    invoice = billed()
    assert invoices.issue(invoice.order, by=None, at=NOW) == invoice
    assert (Invoice.objects.count(), Message.objects.count()) == (1, 2)


def test_nothing_is_issued_before_we_know_who_we_are() -> None:
    order = make_accepted_order()
    with pytest.raises(Refused) as refused:
        invoices.issue(order, by=None, at=NOW)
    assert (refused.value.code, Invoice.objects.count()) == ("no-vendor", 0)


def test_one_mail_where_the_contact_is_accounts_payable() -> None:
    billed(payer=make_payer(email="one@lakeside.example"), contact_email="one@lakeside.example")
    assert mails() == [("invoice_issued", "one@lakeside.example", "INV-2026-0001.pdf", True)]


def test_mails_name_no_coach() -> None:
    invoice = billed([coach("Ada Abara"), coach("Željko Zed")])
    invoices.credit(invoice.order, invoice.order.seats.all()[:1], reason="Ada Abara left.", by=None, at=NOW)
    said = " ".join(
        each.subject + each.body_text + each.body_html + str(each.context) for each in Message.objects.all()
    )
    assert [name for name in ("Ada", "Abara", "Zed") if name in said] == []


def test_the_document_is_stored_once_with_its_fingerprint() -> None:
    invoice = billed()
    document = document_of(invoice)
    assert document.startswith(b"%PDF-")
    assert sha256(document).hexdigest() == invoice.document_sha256
    assert "INV" not in invoice.document.name  # nobody can guess where it is


@pytest.mark.payment_case(72)
@pytest.mark.django_db(transaction=True)
def test_orders_accepted_at_once_get_numbers_without_a_gap() -> None:
    make_vendor()
    make_payer()
    orders = iter([make_accepted_order() for _ in range(8)])

    def issue() -> str:
        with transaction.atomic():
            return invoices.issue(next(orders), by=None, at=NOW).number

    assert sorted(run_at_once(issue, times=8)) == [f"INV-2026-{n:04}" for n in range(1, 9)]


@pytest.mark.payment_case(72)
def test_a_rolled_back_invoice_leaves_its_number_and_no_mail() -> None:
    make_vendor()
    order = make_accepted_order()
    with transaction.atomic():
        invoices.issue(order, by=None, at=NOW)
        transaction.set_rollback(True)
    assert (Invoice.objects.count(), Message.objects.count()) == (0, 0)
    assert invoices.issue(order, by=None, at=NOW).number == "INV-2026-0001"


@pytest.mark.payment_case(64)
def test_three_of_twelve_seats_are_credited() -> None:
    invoice = billed([*(coach() for _ in range(9)), None, None, None])
    free = list(invoice.order.seats.filter(registration=None))
    note = invoices.credit(invoice.order, free, reason="Not taken in time.", by=None, at=NOW + timedelta(days=60))
    assert note is not None
    assert (note.number, note.issued_on, note.amount_minor, note.reason) == (
        "CN-2027-0001", date(2027, 2, 8), 120000, "Not taken in time.",
    )  # fmt: skip
    assert [line["seat"] for line in note.content["lines"]] == [seat.pk for seat in free]
    assert (note.content["invoice"], note.content["total"]) == ("INV-2026-0001", "$1,200.00 USD")
    assert owed(invoice.order) == [360000]
    assert mails()[2:] == [
        ("invoice_credited", invoice.order.payer.email, "CN-2027-0001.pdf", True),
        ("invoice_credited", "connie@example.org", "CN-2027-0001.pdf", True),
    ]


@pytest.mark.payment_case(64)
def test_a_seat_is_credited_once() -> None:
    invoice = billed([None, None])
    one, both = invoice.order.seats.all()[:1], invoice.order.seats.all()
    assert invoices.credit(invoice.order, one, reason="x", by=None, at=NOW) is not None
    assert invoices.credit(invoice.order, one, reason="x", by=None, at=NOW) is None
    invoices.credit(invoice.order, both, reason="x", by=None, at=NOW)
    assert list(CreditNote.objects.order_by("pk").values_list("number", "amount_minor")) == [
        ("CN-2026-0001", 40000),
        ("CN-2026-0002", 40000),
    ]
    assert owed(invoice.order) == [0]


def test_papers_never_change() -> None:
    invoice = billed()
    note = invoices.credit(invoice.order, invoice.order.seats.all(), reason="x", by=None, at=NOW)
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        CreditNote.objects.filter(pk=note.pk).update(reason="y")  # type: ignore[union-attr]


def test_a_void_invoice_makes_room_for_another() -> None:
    first = billed()
    voided = invoices.void(first.order, reason="Wrong address.", by=None, at=NOW)
    assert voided is not None
    assert (voided.state, voided.voided_at, owed(first.order)) == ("void", NOW, [0])
    assert invoices.issue(first.order, by=None, at=NOW).number == "INV-2026-0002"
    assert owed(first.order) == [40000]
    assert [event for event, *_ in mails()] == ["invoice_issued"] * 2 + ["invoice_void"] * 2 + ["invoice_issued"] * 2


def test_the_database_holds_one_standing_invoice_an_order() -> None:
    invoice = billed()
    invoice.pk, invoice.number = None, "INV-2026-9999"
    with pytest.raises(IntegrityError, match="invoice_one_standing"), transaction.atomic():
        invoice.save(force_insert=True)


@pytest.mark.parametrize("used", ["money", "credit"])
def test_an_invoice_that_was_used_is_not_voided(finance: User, used: str) -> None:
    invoice = billed([None, None])
    if used == "money":
        pay(invoice.order.payer, finance, 40000, invoice)
    else:
        invoices.credit(invoice.order, invoice.order.seats.all()[:1], reason="x", by=None, at=NOW)
    with pytest.raises(Refused) as refused:
        invoices.void(invoice.order, reason="x", by=None, at=NOW)
    assert (refused.value.code, Invoice.objects.get().state) == ("invoice-used", "issued")


def test_nothing_is_owed_without_an_invoice() -> None:
    order = make_accepted_order()
    assert owed(order) == [0]
    assert invoices.void(order, reason="x", by=None, at=NOW) is None
