"""Purchase orders in Chromium. Dee's own is handed in, refused, mended, accepted and paid by a check.

A district asks for a quote without an account, hands in an order for three coaches, and Gus takes a seat with a code.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from candidates.models import Registration, User
from icg_cert.mail.models import Message
from payments.models import PurchaseOrder
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
PDF = {"name": "order.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF"}


def choose(visitor: Visitor, registration: Registration) -> None:
    page = visitor.go(f"/pay/{registration.pk}/")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_label(re.compile("Purchase order")).check()
    page.get_by_role("button", name="Continue").click()


def hand_in(page: Page, number: str) -> None:
    page.get_by_label("E-mail of its accounts payable").fill("payable@example.org")
    page.get_by_label("Purchase order number").fill(number)
    page.get_by_label("Date on the purchase order").fill("2026-12-01")
    page.get_by_label("Bill to").fill("Accounts Payable\n1 Lake Road")
    page.get_by_label("The purchase order as a PDF").set_input_files(files=[PDF])  # type: ignore[list-item]
    page.get_by_role("button", name="Hand in").click()


def open_order(desk: Visitor) -> None:
    newest = PurchaseOrder.objects.first()
    assert newest is not None
    desk.go(f"/admin/payments/purchaseorder/{newest.pk}/change/")


def accept(desk: Visitor) -> None:
    open_order(desk)
    desk.page.get_by_role("link", name="Accept").click()
    for box in ("The document says", "It is made out to us", "It is signed", "The payer exists"):
        desk.page.get_by_label(box).check()
    desk.page.get_by_role("button", name="Accept").click()
    expect(desk.page.get_by_text("done, and written down")).to_be_visible()


def test_purchase_order_from_choice_to_receipt(arrive: Any, office: dict[str, User], coach: Any) -> None:
    owing = coach("Dee Dunn")
    dee, stef, fay = (arrive(name) for name in ("dee", "stef", "fay"))
    dee.sign_in(owing.user)
    choose(dee, owing)
    dee.look("three ways")
    dee.page.get_by_role("link", name="Hand in the purchase order").click()
    dee.look("purchase order")
    dee.page.get_by_role("button", name="Hand in").click()
    expect(dee.page.locator(".error-summary")).to_be_focused()
    dee.look("purchase order with errors")
    hand_in(dee.page, "4711")
    dee.look("being checked")

    stef.sign_in(office["staff"])
    open_order(stef)
    stef.page.get_by_role("link", name="Refuse").click()
    stef.page.get_by_label("Reason").fill("The signature is missing.")
    stef.page.get_by_role("button", name="Refuse").click()
    dee.go(f"/pay/{owing.pk}/")
    expect(dee.page.get_by_text("The signature is missing.")).to_be_visible()
    dee.look("refused")

    choose(dee, owing)
    dee.page.get_by_role("link", name="Hand in the purchase order").click()
    hand_in(dee.page, "4711-A")
    accept(stef)
    dee.go(f"/pay/{owing.pk}/")
    dee.look("seat held")
    dee.page.get_by_role("link", name="Pay yourself instead").click()
    dee.look("pay yourself instead")

    fay.sign_in(office["finance"])
    fay.go(f"/admin/payments/payer/{PurchaseOrder.objects.latest('pk').payer_id}/change/")
    fay.page.get_by_role("link", name="Enter money").click()
    fay.page.get_by_label("Check", exact=True).check()
    fay.page.get_by_label("Check or trace number").fill("1001")
    fay.page.get_by_label("Amount received").fill("400.00")
    fay.page.get_by_label("Received on").fill("2026-12-09")
    fay.page.get_by_label(re.compile("INV-2026-0001 for 4711-A")).check()
    fay.page.get_by_role("button", name="Enter").click()
    dee.go(f"/pay/{owing.pk}/")
    dee.look("paid by purchase order")
    dee.go(f"/pay/{owing.pk}/receipt/")
    expect(dee.page.get_by_text("Paid on purchase order")).to_be_visible()
    owing.refresh_from_db()
    assert owing.payment_status == "paid"


def test_quote_from_the_front_page_to_a_seat_taken_by_code(arrive: Any, office: dict[str, User], coach: Any) -> None:
    owing = coach("Gus Grant")
    connie, stef, gus = (arrive(name) for name in ("connie", "stef", "gus"))
    page = connie.go("/")
    page.get_by_role("link", name="A quote for your district").click()
    page.get_by_role("button", name="E-mail me the quote").click()
    expect(page.locator(".error-summary")).to_be_focused()
    connie.look("new quote with errors")
    page.get_by_label("District or organisation").fill("Lakeside School District")
    page.get_by_label("Contact person").fill("Connie Clark")
    page.get_by_label("Their e-mail").fill("connie@example.org")
    page.get_by_label("Number of coaches").fill("3")
    page.get_by_role("button", name="E-mail me the quote").click()
    connie.look("quote sent")

    link = re.search(r"(/quotes/\S+)", Message.objects.get(event="quote_made").body_text)
    assert link is not None
    connie.go(link[1])
    connie.look("quote")
    page.get_by_role("link", name="Hand in the purchase order").click()
    connie.look("order of a quote")
    hand_in(page, "PO-20431")
    expect(page.get_by_text("We are checking your purchase order")).to_be_visible()
    connie.look("order being checked")

    stef.sign_in(office["staff"])
    accept(stef)
    connie.go(link[1])
    code = page.locator("td .code").first.inner_text()

    gus.sign_in(owing.user)
    choose(gus, owing)
    gus.page.get_by_role("textbox", name="Seat code").fill("ABCD-EFGH-JKLM")
    gus.page.get_by_role("button", name="Take the seat").click()
    gus.look("code that opens nothing")
    gus.page.get_by_role("textbox", name="Seat code").fill(code)
    gus.page.get_by_role("button", name="Take the seat").click()
    expect(gus.page.get_by_text("Your seat is held by a purchase order")).to_be_visible()
    gus.look("seat held by code")

    connie.go(link[1])
    expect(page.get_by_role("cell", name="Gus Grant")).to_be_visible()
    page.get_by_role("link", name="Give back seat 2").click()
    connie.look("give back")
    page.get_by_role("button", name="Give the seat back").click()
    expect(page.get_by_text("credited on")).to_be_visible()
    connie.look("seats and money")
    owing.refresh_from_db()
    assert owing.payment_status == "po_committed"
