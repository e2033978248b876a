"""The office's pages of invoices, checks and transfers, payers' balances and our own details."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from payments import balances, invoices, refunds, remittance_file, remittances
from payments.models import Invoice, LedgerEntry, Payer, Refund, Remittance, Vendor
from tests.factories import (
    make_accepted_order,
    make_attempt,
    make_ledger_entry,
    make_payer,
    make_registration,
    make_user,
    make_vendor,
)
from tests.payments.conftest import NOW
from tests.payments.districts import billed, coach, left, owed, pay, status
from tests.portfolios.files import pdf

LISTS = ["invoice", "creditnote", "remittance", "payer", "vendor"]


@pytest.fixture(autouse=True)
def _office(db: None) -> Iterator[None]:
    grant_roles()
    clock.jump_to(NOW)
    yield
    clock.reset()


@pytest.fixture
def desk() -> Callable[[User], Client]:
    def of(person: User) -> Client:
        client = Client()
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return of


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:payments_{name}", args=args)


def cells(response: HttpResponse, column: str) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [cell.get_text(strip=True) for cell in page.select(f"#result_list .field-{column}")]


def buttons(response: HttpResponse) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [
        link.get_text(strip=True) for link in page.select(".object-tools a") if link.get_text(strip=True) != "History"
    ]


def said(response: HttpResponse) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


def world(finance: User) -> list[Invoice]:
    """A paid invoice, an open one, a void one, one that was credited, and one that is overdue."""
    paid, opened, void, credited = (billed([coach()]) for _ in range(4))
    pay(paid.order.payer, finance, 45000, paid)
    invoices.void(void.order, reason="x", by=finance, at=NOW)
    invoices.credit(credited.order, credited.order.seats.all(), reason="x", by=finance, at=NOW)
    early = make_accepted_order(coaches=[coach()], issued_on=date(2026, 11, 2))
    late = invoices.issue(early, by=None, at=NOW - timedelta(days=31))
    return [paid, opened, void, credited, late]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("name", "queries"), [("invoice", 9), ("creditnote", 8), ("remittance", 9), ("payer", 6), ("vendor", 7)]
)
def test_lists_take_the_same_number_of_queries(
    desk: Any, finance: User, rows: int, name: str, queries: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        invoice = billed([coach(), None], payer=make_payer(f"District {number}"))
        pay(invoice.order.payer, finance, 50000, invoice)
        invoices.credit(invoice.order, invoice.order.seats.all()[1:], reason="x", by=finance, at=NOW)
    client = desk(finance)
    client.get(address(f"{name}_changelist"))
    with django_assert_num_queries(queries):
        client.get(address(f"{name}_changelist"))


def test_invoices_say_how_they_stand(desk: Any, staff: User, finance: User) -> None:
    world(finance)
    page = desk(staff).get(address("invoice_changelist") + "?o=1")
    columns = zip(cells(page, "number"), cells(page, "standing"), cells(page, "owed"), strict=True)
    assert (
        list(columns)
        == [
            ("INV-2026-0001", "Paid", "$0.00 USD"),
            ("INV-2026-0002", "Open", "$400.00 USD"),
            ("INV-2026-0003", "Void", "$0.00 USD"),
            ("INV-2026-0004", "Credited", "$0.00 USD"),
            ("INV-2026-0005", "Open", "$400.00 USD"),
        ]
        or "Overdue by 1 day"
    )


@pytest.mark.parametrize(
    ("choice", "numbers"), [("open", [2, 5]), ("overdue", [5]), ("paid", [1, 4]), ("void", [3]), ("", [1, 2, 3, 4, 5])]
)
def test_invoices_are_found_by_how_they_stand(desk: Any, finance: User, choice: str, numbers: list[int]) -> None:
    world(finance)
    page = desk(finance).get(address("invoice_changelist") + f"?o=1&standing={choice}")
    assert cells(page, "number") == [f"INV-2026-{number:04}" for number in numbers]


def test_invoices_are_exported_and_no_cell_is_a_formula(desk: Any, finance: User) -> None:
    paid = billed([coach()], payer=make_payer("=cmd|' /C calc'!A0"), number="PO 1")
    pay(paid.order.payer, finance, 10000, paid)
    chosen = {"action": "export", "_selected_action": [paid.pk]}
    response = desk(finance).post(address("invoice_changelist"), chosen)
    assert response["Content-Disposition"] == 'attachment; filename="invoices-2026-12-10.csv"'
    assert response.getvalue().decode().splitlines() == [
        "number,payer,purchase order,issued,due,currency,amount,credited,paid,owed,state",
        "INV-2026-0001,'=cmd|' /C calc'!A0,PO 1,2026-12-10,2027-01-09,USD,400.00,0.00,100.00,300.00,Open",
    ]


def test_an_invoice_offers_what_the_person_may_do(desk: Any, staff: User, finance: User) -> None:
    paid, opened, void, *_ = world(finance)
    seen = {
        person.name: [buttons(desk(person).get(address("invoice_change", row.pk))) for row in (opened, paid, void)]
        for person in (staff, finance)
    }
    assert seen == {
        "Stef Stone": [["Download"]] * 3,
        "Fay Finch": [["Download", "Enter money", "Void and issue again"], ["Download"], ["Download"]],
    }


def test_reissue_takes_other_addresses(desk: Any, staff: User, finance: User) -> None:
    invoice = billed([coach()])
    typed = {"bill_to": "Accounts Payable\r\n2 New Street", "ship_to": "", "reason": "They moved."}
    assert desk(staff).post(address("invoice_reissue", invoice.pk), typed).status_code == 403
    for _ in range(2):
        desk(finance).post(address("invoice_reissue", invoice.pk), typed)
    first, second = Invoice.objects.order_by("number")
    assert (first.state, second.state, second.content["bill_to"]) == (
        "void",
        "issued",
        "Accounts Payable\r\n2 New Street",
    )
    assert Event.objects.get(verb="invoice.void").reason == "They moved."


def test_payers_show_how_they_stand(desk: Any, staff: User, finance: User) -> None:
    ada = coach()
    invoice = billed([ada, None, None])
    payer = invoice.order.payer
    pay(payer, finance, 40000, invoice)
    check = pay(payer, finance, 90000, number="2")
    bounced = pay(payer, finance, 1000, number="3")
    remittances.reverse(bounced.pk, reason="x", by=finance, at=NOW)
    page = desk(staff).get(address("payer_changelist"))
    row = BeautifulSoup(page.content, "html.parser").select("#result_list tbody tr")[0]
    shown = [cell.get_text(strip=True) for cell in row.select("th, td")]
    assert shown[:6] == [
        payer.name, "$800.00 USD", "$1,310.00 USD", "$10.00 USD", "$400.00 USD", "$900.00 USD",
    ]  # fmt: skip
    assert left(check) == 90000
    Refund.objects.create(
        entry=check.entry, amount_minor=30000, currency="USD", reason="x", requested_by=finance, requested_at=NOW
    )
    assert cells(desk(staff).get(address("payer_changelist") + "?standing=credit"), "name") == [payer.name]
    assert balances.of_payers(Payer.objects.all()).values_list("unapplied_minor", flat=True)[0] == left(check) == 60000


@pytest.mark.parametrize(("choice", "found"), [("owes", ["Owing"]), ("credit", ["Rich"]), ("", ["Owing", "Rich"])])
def test_payers_are_found_by_how_they_stand(desk: Any, finance: User, choice: str, found: list[str]) -> None:
    billed([None], payer=make_payer("Owing"))
    pay(make_payer("Rich"), finance, 100)
    assert cells(desk(finance).get(address("payer_changelist") + f"?standing={choice}"), "name") == found


MONEY = {"kind": "check", "number": "1001", "amount": "400.00", "received_on": "2026-12-09"}


def test_finance_enters_money_in_two_steps_and_staff_do_not(desk: Any, staff: User, finance: User) -> None:
    ada = coach("Ada Abara")
    invoice = billed([ada, None])
    payer = invoice.order.payer
    steps = [address("remittance_choose"), address("payer_money", payer.pk)]
    assert [desk(staff).get(step).status_code for step in steps] == [403, 403]
    step = desk(finance).get(address("remittance_choose"), {"payer": payer.pk})
    assert step["Location"] == address("payer_money", payer.pk)
    page = said(desk(finance).get(step["Location"]))
    assert "INV-2026-0001 for" in page
    assert "$800.00 USD open" in page
    assert "INV-2026-0001: Ada Abara, $400.00 USD" in page
    assert "INV-2026-0001: a free seat, $400.00 USD" in page
    desk(finance).post(step["Location"], {**MONEY, "invoices": [invoice.pk]})
    assert (LedgerEntry.objects.get(kind="po_money").actor, status(ada)) == (finance, "paid")


@pytest.mark.payment_case(69)
def test_a_check_entered_again_says_that_it_was_there(desk: Any, finance: User) -> None:
    there = address("payer_money", make_payer().pk)
    told = [desk(finance).post(there, MONEY, follow=True).content.decode() for _ in range(2)]
    assert ["done, and written down" in page for page in told] == [True, False]
    assert "was entered before. Nothing was posted again." in told[1]
    assert LedgerEntry.objects.count() == 1


def test_who_approves_a_refund_reads_whose_money_it_is(desk: Any, finance: User, staff: User) -> None:
    registration = make_registration(make_user("Ida Iverson"), status="withdrawn")
    entry = make_ledger_entry(registration, attempt=make_attempt(registration, state="paid"))
    refund = refunds.request(entry.pk, amount=entry.money, reason="She withdrew.", by=finance, at=NOW)
    page = said(desk(staff).get(address("refund_approve", refund.pk)))
    assert f"$400.00 USD go back to Ida Iverson ({registration.code}, withdrawn), because: She withdrew." in page


def test_a_refused_check_keeps_what_was_typed(desk: Any, finance: User) -> None:
    payer = make_payer()
    response = desk(finance).post(address("payer_money", payer.pk), {**MONEY, "received_on": "2027-12-09"})
    page = BeautifulSoup(response.content, "html.parser")
    assert page.select_one("[name=number]")["value"] == "1001"  # type: ignore[index]
    assert "This date has not come yet." in page.get_text()
    assert Remittance.objects.count() == 0


@pytest.mark.payment_case(26)
def test_another_payer_s_seat_cannot_be_posted(desk: Any, finance: User) -> None:
    theirs = billed([coach()], payer=make_payer("Hillside"))
    sent = {**MONEY, "seats": [theirs.order.seats.get().pk], "invoices": [theirs.pk]}
    response = desk(finance).post(address("payer_money", make_payer().pk), sent)
    assert (response.status_code, Remittance.objects.count()) == (200, 0)


def test_credit_is_used_later(desk: Any, staff: User, finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    check = pay(invoice.order.payer, finance, 50000)
    assert buttons(desk(finance).get(address("remittance_change", check.pk))) == ["Use the credit", "It came back"]
    assert buttons(desk(staff).get(address("remittance_change", check.pk))) == []
    sent = {"seats": [invoice.order.seats.get().pk]}
    assert desk(staff).post(address("remittance_allocate", check.pk), sent).status_code == 403
    desk(finance).post(address("remittance_allocate", check.pk), sent)
    assert (status(ada), left(check), owed(invoice.order)) == ("paid", 10000, [0])


@pytest.mark.payment_case(68)
def test_finance_reverses_a_bounced_check(desk: Any, staff: User, finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    check = pay(invoice.order.payer, finance, 40000, invoice)
    reverse_page = address("remittance_reverse", check.pk)
    assert desk(staff).post(reverse_page, {"reason": "x", "asked": "1"}).status_code == 403
    assert b"Say what the bank said" in desk(finance).post(reverse_page, {"reason": "", "asked": "1"}).content
    desk(finance).post(reverse_page, {"reason": "Closed account.", "asked": "1"})
    assert (status(ada), Remittance.objects.get().reversal_reason) == ("po_committed", "Closed account.")
    assert buttons(desk(finance).get(address("remittance_change", check.pk))) == []


def file_of(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("money.csv", text.encode(), content_type="text/csv")


@pytest.mark.payment_case(69)
def test_a_file_is_tried_and_then_the_same_is_entered(desk: Any, finance: User) -> None:
    ada = coach()
    invoice = billed([ada])
    text = (
        "payer,kind,number,amount,received_on,invoices\n"
        f"{invoice.order.payer},check,1,400.00,2026-12-09,{invoice.number}\n"
        "Nowhere,check,2,400.00,2026-12-09,\n"
    )
    client, to = desk(finance), address("remittance_file")
    page = client.post(to, {"file": file_of(text)})
    assert "$400.00 USD for INV-2026-0001." in said(page)
    assert "Not entered Nowhere" in said(page)
    assert Remittance.objects.count() == 0
    kept = BeautifulSoup(page.content, "html.parser").select_one("[name=text]")["value"]  # type: ignore[index]
    done = client.post(to, {"text": kept})
    assert (Remittance.objects.count(), status(ada)) == (1, "paid")
    assert "1 of 2 lines are entered now." in said(done)
    assert "0 of 2 lines are entered now." in said(client.post(to, {"text": kept}))


def test_a_file_that_is_none_is_refused_and_staff_enter_none(desk: Any, staff: User, finance: User) -> None:
    to = address("remittance_file")
    assert desk(staff).post(to, {"file": file_of("x")}).status_code == 403
    assert desk(staff).get(address("remittance_template")).status_code == 403
    page = desk(finance).post(to, {"file": file_of("a,b\n1,2\n")})
    assert "The first line has to name the columns." in said(page)
    assert desk(finance).post(to, {"text": "a,b"}).status_code == 200


def test_the_template_is_offered_and_the_columns_are_explained(desk: Any, finance: User) -> None:
    page = said(desk(finance).get(address("remittance_file")))
    assert [words for words in remittance_file.COLUMNS.values() if words not in page] == []
    template = desk(finance).get(address("remittance_template"))
    assert template.content.decode() == remittance_file.template()


def vendor_form(**changes: Any) -> dict[str, Any]:
    kept = ["legal_name", "remit_to", "ach_details", "contact_email", "tax_words", "terms_days", "quote_days"]
    row = make_vendor()
    return {name: getattr(row, name) for name in kept} | changes


def test_finance_keeps_our_details_and_staff_look(desk: Any, staff: User, finance: User) -> None:
    row = make_vendor()
    typed = vendor_form(terms_days=45)
    assert desk(staff).post(address("vendor_change", row.pk), typed).status_code == 403
    desk(finance).post(address("vendor_change", row.pk), typed)
    row.refresh_from_db()
    assert row.terms_days == 45
    assert desk(finance).get(address("vendor_add"))["Location"] == address("vendor_change", row.pk)
    assert Event.objects.get(verb="vendor.change").after == {"terms_days": "45"}


@pytest.mark.payment_case(74)
def test_a_w9_has_to_be_a_pdf_with_its_date(desk: Any, finance: User) -> None:
    row = make_vendor()
    client, to = desk(finance), address("vendor_change", row.pk)
    html = SimpleUploadedFile("w9.pdf", b"<html>", content_type="application/pdf")
    assert "This is not a PDF" in said(client.post(to, vendor_form(w9=html, w9_signed_on="2026-01-05")))
    good = SimpleUploadedFile("w9.pdf", pdf(), content_type="application/pdf")
    assert "Enter the date on the W-9." in said(client.post(to, vendor_form(w9=good)))
    good.seek(0)
    client.post(to, vendor_form(w9=good, w9_signed_on="2026-01-05"))
    row.refresh_from_db()
    assert (row.w9_signed_on, row.w9.name.startswith("vendor/")) == (date(2026, 1, 5), True)
    response = client.get(reverse("payments:w9"))
    assert (response.status_code, b"".join(response)) == (200, pdf())


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"w9": "vendor/x.pdf", "w9_signed_on": date(2025, 1, 1)}, []),
        ({"w9": "vendor/x.pdf", "w9_signed_on": date(2024, 12, 31)}, ["The W-9 is older than last year."]),
        ({"w9": "vendor/x.pdf"}, ["The W-9 is older than last year."]),
        ({}, ["There is no W-9."]),
        ({"w9": "vendor/x.pdf", "w9_signed_on": date(2026, 1, 1), "remit_to": "(to be filled in)"}, ["The remit-to"]),
    ],
)
def test_our_details_warn_of_what_is_missing(
    desk: Any, finance: User, fields: dict[str, Any], warned: list[str]
) -> None:
    row = Vendor.objects.create(
        **{"legal_name": "ICG", "remit_to": "PO Box 1", "contact_email": "a@example.org", **fields}
    )
    page = desk(finance).get(address("vendor_change", row.pk))
    shown = [each.get_text(strip=True) for each in BeautifulSoup(page.content, "html.parser").select(".messagelist li")]
    assert [sentence[: len(start)] for sentence, start in zip(shown, warned, strict=True)] == warned


def test_a_payer_s_address_is_kept_with_a_trail(desk: Any, finance: User) -> None:
    payer = make_payer()
    certificate = SimpleUploadedFile("c.pdf", pdf(), content_type="application/pdf")
    typed = {"email": "new@lakeside.example", "bill_to": payer.bill_to, "exemption": certificate}
    inlines = {
        f"{name}-{part}": "0"
        for name in ("orders", "remittances", "ledger")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    client = desk(finance)
    client.post(address("payer_change", payer.pk), {**typed, **inlines})
    payer.refresh_from_db()
    assert (payer.email, bool(payer.exemption)) == ("new@lakeside.example", True)
    response = client.get(address("payer_exemption", payer.pk))
    assert (response.status_code, b"".join(response)) == (200, pdf())
    assert Event.objects.get(verb="payer.change").after["email"] == "new@lakeside.example"  # type: ignore[index]
