"""Paying by purchase order, as the candidate sees it."""

from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import purchase_orders, seat_codes, seats
from payments.models import LedgerEntry, PurchaseOrder, Quote, Seat
from tests.factories import make_ledger_entry, make_purchase_order, make_quote
from tests.payments.conftest import NOW, answer, hand_in, only_attempt
from tests.payments.test_views import pay_url, press, primary_buttons, words


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    clock.jump_to(NOW)
    yield
    clock.reset()


@pytest.fixture
def browser(unpaid: Registration) -> Client:
    client = Client()
    client.force_login(unpaid.user)
    return client


@pytest.fixture
def code(unpaid: Registration, staff: User) -> str:
    """Of a seat of an accepted order of three."""
    order = purchase_orders.accept(hand_in(make_quote(cohort=unpaid.cohort)).pk, by=staff, at=NOW)
    return seat_codes.shown(order.seats.order_by("pk")[0])


PDF = b"%PDF-1.7\n%%EOF"


def filled(**fields: Any) -> dict[str, Any]:
    order = {
        "payer_name": "Lakeside School District",
        "payer_email": "payable@example.org",
        "number": "PO 4711",
        "issued_on": "2026-12-01",
        "amount": "400.00",
        "bill_to": "Accounts Payable",
        "document": SimpleUploadedFile("Ada Abara order.pdf", PDF),
    }
    return {name: value for name, value in {**order, **fields}.items() if value is not None}


def order_url(registration: Registration) -> str:
    return reverse("payments:purchase-order-upload", args=[registration.pk])


def ways_url(registration: Registration) -> str:
    return reverse("payments:purchase-order", args=[registration.pk])


def test_purchase_order_from_choice_to_held_seat(browser: Client, unpaid: Registration, staff: User) -> None:
    assert press(browser, unpaid, "purchase-order").headers["Location"] == ways_url(unpaid)
    form = BeautifulSoup(browser.get(order_url(unpaid)).content, "html.parser")
    typed = {name: form.select_one(f"[name={name}]")["value"] for name in ("payer_name", "amount")}  # type: ignore[index]
    assert typed == {"payer_name": "Lakeside School District", "amount": "400.00"}
    response = browser.post(order_url(unpaid), filled(), follow=True)
    assert "Your purchase order is being checked" in words(response)
    assert primary_buttons(response) == []
    purchase_orders.accept(PurchaseOrder.objects.get().pk, by=staff, at=NOW)
    assert "Your seat is held by a purchase order" in words(browser.get(pay_url(unpaid)))


def test_purchase_order_without_the_policy_accepted_leads_back(browser: Client, unpaid: Registration) -> None:
    for name in ("purchase-order", "purchase-order-upload", "quote-for"):
        url = reverse(f"payments:{name}", args=[unpaid.pk])
        assert browser.get(url).headers["Location"] == pay_url(unpaid)
        assert browser.post(url, filled()).headers["Location"] == pay_url(unpaid)
    assert PurchaseOrder.objects.count() == 0


@pytest.mark.payment_case(59, 61, 74)
@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"document": SimpleUploadedFile("o.pdf", b"<html>%PDF-</html>")}, "document", "This is not a PDF"),
        ({"document": SimpleUploadedFile("o.pdf", b"")}, "document", "This file is empty"),
        ({"document": SimpleUploadedFile("o.pdf", PDF + b"0" * 10 * 1024 * 1024)}, "document", "larger than 10 MB"),
        ({"document": None}, "document", "Choose the purchase order"),
        ({"amount": "399.99"}, "amount", "must cover the whole fee of $400.00 USD"),
        ({"amount": "400.001"}, "amount", "2 decimal places"),
        ({"amount": "NaN"}, "amount", "write a number"),
        ({"number": "REQ-1"}, "number", "This is a requisition number"),
        ({"issued_on": "2027-01-01"}, "issued_on", "This date has not come yet"),
        ({"valid_until": "2026-12-09"}, "valid_until", "By this date the purchase order has expired"),
        ({"bill_to": None}, "bill_to", "Please fill this in."),
        ({"payer_email": "nobody"}, "payer_email", "address like name@example.org"),
    ],
)
def test_purchase_order_says_what_is_wrong_and_keeps_what_was_typed(
    browser: Client, unpaid: Registration, changes: dict[str, Any], field: str, said: str
) -> None:
    press(browser, unpaid, "purchase-order")
    response = browser.post(order_url(unpaid), filled(**changes))
    page = BeautifulSoup(response.content, "html.parser")
    assert said in page.select_one(f"#div_id_{field}").get_text()  # type: ignore[union-attr]
    assert page.select_one("[name=payer_name]")["value"] == "Lakeside School District"  # type: ignore[index]
    assert PurchaseOrder.objects.count() == 0


def test_purchase_order_closes_the_payment_that_was_begun(browser: Client, unpaid: Registration) -> None:
    page = press(browser, unpaid).headers["Location"]
    press(browser, unpaid, "purchase-order")
    browser.post(order_url(unpaid), filled())
    assert (only_attempt(unpaid).state, PurchaseOrder.objects.count()) == ("closed", 1)
    browser.post(page, {"decision": "pay"})
    assert LedgerEntry.objects.count() == 0


def test_purchase_order_when_the_card_was_paid_meanwhile_is_refused(browser: Client, unpaid: Registration) -> None:
    page = press(browser, unpaid).headers["Location"]
    press(browser, unpaid, "purchase-order")
    answer(page, "paid", clock.now())
    assert "Your payment has arrived" in words(browser.post(order_url(unpaid), filled()))
    assert (PurchaseOrder.objects.count(), LedgerEntry.objects.count()) == (0, 1)


def test_purchase_order_withdrawn_is_asked_for_first(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid, "purchase-order")
    browser.post(order_url(unpaid), filled())
    withdraw = reverse("payments:purchase-order-withdraw", args=[PurchaseOrder.objects.get().pk])
    assert "Withdraw this purchase order?" in words(browser.get(withdraw))
    assert PurchaseOrder.objects.get().state == "submitted"
    assert primary_buttons(browser.post(withdraw, follow=True)) == ["Continue"]
    assert PurchaseOrder.objects.get().state == "cancelled"


def test_purchase_order_refused_is_explained(browser: Client, unpaid: Registration, staff: User) -> None:
    order = make_purchase_order(unpaid, number="77")
    purchase_orders.refuse(order.pk, reason="It is not signed.", by=staff, at=NOW)
    response = browser.get(pay_url(unpaid))
    assert "Your purchase order could not be accepted" in words(response)
    assert "It is not signed." in words(response)
    assert primary_buttons(response) == ["Continue"]


def test_purchase_order_document_is_a_private_download(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid, "purchase-order")
    browser.post(order_url(unpaid), filled())
    order = PurchaseOrder.objects.get()
    response = browser.get(reverse("payments:purchase-order-document", args=[order.pk]))
    assert b"".join(response.streaming_content) == PDF  # type: ignore[attr-defined]
    assert {name: response.headers[name] for name in ("Content-Type", "Content-Disposition", "Cache-Control")} == {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'attachment; filename="purchase-order-{order.pk}.pdf"',
        "Cache-Control": "private, no-store",
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_purchase_order_shows_three_ways(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid, "purchase-order")
    response = browser.get(ways_url(unpaid))
    page = BeautifulSoup(response.content, "html.parser")
    assert [heading.get_text() for heading in page.select("main h2")] == [
        "I have a seat code",
        "I have the purchase order",
        "My district needs a quote",
    ]
    assert primary_buttons(response) == ["Take the seat"]


def test_seat_code_holds_the_seat_at_once(browser: Client, unpaid: Registration, code: str) -> None:
    press(browser, unpaid, "purchase-order")
    response = browser.post(ways_url(unpaid), {"code": code.lower().replace("-", " ")}, follow=True)
    assert "Your seat is held by a purchase order" in words(response)
    assert "Lakeside School District" in words(response)
    assert "$400.00 USD for your seat" in words(response)
    assert code not in response.content.decode()
    document = reverse("payments:purchase-order-document", args=[PurchaseOrder.objects.get().pk])
    assert (document in response.content.decode(), browser.get(document).status_code) == (False, 404)


def test_seat_code_that_opens_nothing_says_so_beside_the_field(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid, "purchase-order")
    page = BeautifulSoup(browser.post(ways_url(unpaid), {"code": "ABCD"}).content, "html.parser")
    assert "This code opens no seat." in page.select_one("#div_id_code").get_text()  # type: ignore[union-attr]
    assert page.select_one("[name=code]")["value"] == "ABCD"  # type: ignore[index]


@pytest.mark.payment_case(63)
def test_seat_codes_cannot_be_tried_for_ever(browser: Client, unpaid: Registration, code: str) -> None:
    press(browser, unpaid, "purchase-order")
    said = [words(browser.post(ways_url(unpaid), {"code": f"GUESS-{n}"})) for n in range(11)]
    assert ["opens no seat" in answer for answer in said] == [True] * 10 + [False]
    assert "This was tried many times." in said[-1]
    assert "This was tried many times." in words(browser.post(ways_url(unpaid), {"code": code}))
    assert Seat.objects.filter(state="free").count() == 3


def test_quote_for_is_sent_to_the_district_and_said(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid, "purchase-order")
    url = reverse("payments:quote-for", args=[unpaid.pk])
    page = BeautifulSoup(browser.get(url).content, "html.parser")
    assert page.select_one("[name=payer_name]")["value"] == "Lakeside School District"  # type: ignore[index]
    wanted = {"payer_name": "Lakeside", "contact_name": "Connie", "contact_email": "connie@example.org", "seats": "2"}
    response = browser.post(url, wanted, follow=True)
    assert b"Quote Q-2026-0001 is on its way to connie@example.org." in response.content
    assert Message.objects.get().to == "connie@example.org"
    assert "Quote Q-2026-0001 went to connie@example.org on 10 December 2026" in words(browser.get(ways_url(unpaid)))
    assert Quote.objects.get().registration == unpaid


@pytest.mark.payment_case(70)
def test_give_up_is_asked_for_first_and_then_the_fee_is_payable(
    browser: Client, unpaid: Registration, staff: User
) -> None:
    order = make_purchase_order(unpaid)
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    give_up = reverse("payments:seat-give-up", args=[unpaid.pk])
    assert give_up in browser.get(pay_url(unpaid)).content.decode()
    assert "Pay yourself instead?" in words(browser.get(give_up))
    assert Seat.objects.get().state == "claimed"
    for _ in range(2):
        response = browser.post(give_up, follow=True)
        assert primary_buttons(response) == ["Continue"]
    assert (Seat.objects.get().state, PurchaseOrder.objects.get().state) == ("released", "cancelled")


def test_give_up_while_the_district_s_order_is_checked(browser: Client, unpaid: Registration) -> None:
    order = hand_in(make_quote(unpaid))
    give_up = reverse("payments:seat-give-up", args=[unpaid.pk])
    assert give_up in browser.get(pay_url(unpaid)).content.decode()
    assert "The purchase order of Lakeside School District is being checked" in words(browser.get(pay_url(unpaid)))
    assert primary_buttons(browser.post(give_up, follow=True)) == ["Continue"]
    assert sorted(order.seats.values_list("state", flat=True)) == ["free", "free", "released"]


def test_give_up_without_a_seat_leads_back(browser: Client, unpaid: Registration) -> None:
    assert browser.get(reverse("payments:seat-give-up", args=[unpaid.pk])).headers["Location"] == pay_url(unpaid)


@pytest.mark.payment_case(5)
def test_pay_says_that_an_order_holds_the_seat_of_who_paid_by_card(
    browser: Client, unpaid: Registration, code: str
) -> None:
    press(browser, unpaid, "purchase-order")
    browser.post(ways_url(unpaid), {"code": code})
    make_ledger_entry(unpaid)
    Registration.objects.update(payment_status="paid")
    said = words(browser.get(pay_url(unpaid)))
    assert "Your fee is paid" in said
    assert "holds a seat for you, too" in said


def test_pay_says_why_a_seat_was_given_back(browser: Client, unpaid: Registration, staff: User, code: str) -> None:
    press(browser, unpaid, "purchase-order")
    browser.post(ways_url(unpaid), {"code": code})
    seats.release(Seat.objects.get(registration=unpaid).pk, reason="The district named another.", by=staff, at=NOW)
    response = browser.get(pay_url(unpaid))
    assert "The district named another." in words(response)
    assert primary_buttons(response) == ["Continue"]
