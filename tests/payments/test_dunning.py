from datetime import date, datetime, timedelta

import pytest
from django.core import mail

from candidates.models import User
from icg_cert.lib import clock
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from payments import dunning, invoices, remittances, tasks
from payments.models import PurchaseOrder
from tests.factories import at
from tests.payments.conftest import NOW
from tests.payments.districts import billed, coach, document_of, pay
from tests.threads import run_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.payment_case(75)]
DUE = at(2027, 1, 9)  # of an invoice of 10 December 2026


def reminders() -> list[tuple[str, str]]:
    rows = Message.objects.filter(event="invoice_reminder").order_by("pk")
    return [(each.to, each.subject) for each in rows]


def remind(when: datetime) -> int:
    return sum(dunning.remind(pk, at=when) for pk in dunning.due(when))


@pytest.mark.parametrize(
    ("on", "days"),
    [
        (date(2027, 1, 1), None),
        (date(2027, 1, 2), -7),
        (date(2027, 1, 8), -7),
        (date(2027, 1, 9), 0),
        (date(2027, 1, 23), 0),
        (date(2027, 1, 24), 15),
        (date(2027, 2, 7), 15),
        (date(2027, 2, 8), 30),
        (date(2028, 2, 8), 30),
    ],
)
def test_the_latest_reminder_is_due(on: date, days: int | None) -> None:
    assert dunning.days_due(date(2027, 1, 9), issued_on=date(2026, 12, 10), on=on) == days


@pytest.mark.parametrize(("issued_on", "days"), [(date(2027, 1, 1), -7), (date(2027, 1, 2), None)])
def test_no_reminder_of_a_day_on_which_the_invoice_itself_came(issued_on: date, days: int | None) -> None:
    assert dunning.days_due(date(2027, 1, 9), issued_on=issued_on, on=date(2027, 1, 3)) == days


def test_each_reminder_is_written_once_to_the_office_and_the_contact() -> None:
    invoice = billed([coach("Ada Abara")])
    when, days = DUE - timedelta(days=10), []
    while when < DUE + timedelta(days=40):
        if remind(when) + remind(when):
            days.append((when.date() - DUE.date()).days)
        when += timedelta(days=1)
    payable, contact = invoice.order.payer.email, "connie@example.org"
    number = "INV-2026-0001"
    subjects = [
        f"Invoice {number} is due on 9 January 2027",
        f"Invoice {number} is due today",
        f"Invoice {number} was due on 9 January 2027",
        f"Invoice {number} was due on 9 January 2027",
    ]
    assert days == [-7, 0, 15, 30]
    assert reminders() == [(to, subject) for subject in subjects for to in (payable, contact)]
    assert [each for each in Message.objects.all() if "Abara" in each.body_text + each.body_html] == []


def test_after_an_outage_only_the_latest_is_written() -> None:
    billed()
    assert remind(DUE + timedelta(days=16)) == 1
    assert {subject for _, subject in reminders()} == {"Invoice INV-2026-0001 was due on 9 January 2027"}


def test_the_reminder_carries_the_invoice_as_it_was_issued() -> None:
    invoice = billed()
    Message.objects.all().delete()
    remind(DUE)
    outbox.send_due(DUE)
    name, content, kind = mail.outbox[0].attachments[0]
    assert (name, content, kind) == ("INV-2026-0001.pdf", document_of(invoice), "application/pdf")


@pytest.mark.parametrize("end", ["paid", "void", "cancelled", "credited"])
def test_no_reminder_of_what_is_not_owed(finance: User, end: str) -> None:
    invoice = billed()
    if end == "paid":
        pay(invoice.order.payer, finance, 40000, invoice)
    if end == "void":
        invoices.void(invoice.order, reason="x", by=None, at=NOW)
    if end == "cancelled":
        PurchaseOrder.objects.update(state="cancelled")
    if end == "credited":
        invoices.credit(invoice.order, invoice.order.seats.all(), reason="x", by=None, at=NOW)
    assert (dunning.due(DUE), dunning.remind(invoice.pk, at=DUE), reminders()) == ([], False, [])


def test_a_partly_paid_invoice_is_reminded_of_what_is_open(finance: User) -> None:
    invoice = billed([None, None])
    pay(invoice.order.payer, finance, 50000, invoice)
    remind(DUE)
    assert "Still open: $300.00 USD of $800.00 USD." in Message.objects.filter(event="invoice_reminder")[0].body_text


def test_a_bounced_check_makes_the_next_reminder_due_again(finance: User) -> None:
    invoice = billed()
    check = pay(invoice.order.payer, finance, 40000, invoice)
    assert remind(DUE) == 0
    remittances.reverse(check.pk, reason="x", by=finance, at=DUE)
    assert (remind(DUE), remind(DUE)) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_write_once() -> None:
    invoice = billed()
    run_at_once(lambda: dunning.remind(invoice.pk, at=DUE), times=4)
    assert len(reminders()) == 2


def test_the_job_reads_the_clock_and_goes_through_what_is_due() -> None:
    billed()
    clock.jump_to(DUE)
    try:
        assert (tasks.remind_invoices(), tasks.remind_invoices()) == (1, 0)
    finally:
        clock.reset()
