"""Dee's district pays by purchase order, in Chromium: handed in, refused, mended, accepted, and paid by a check."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from playwright.sync_api import expect

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from payments.models import PurchaseOrder
from tests.browser.conftest import PASSWORD, Visitor
from tests.factories import at, make_cohort, make_registration, make_user

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
PDF = {"name": "order.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF"}


@pytest.fixture
def owing(office: dict[str, User]) -> Iterator[Registration]:
    grant_roles()
    clock.jump_to(at(2026, 12, 10, 12))
    dee = make_user("Dee Dunn", email="dee@example.org")
    User.objects.filter(pk=dee.pk).update(password=make_password(PASSWORD))
    EmailAddress.objects.create(user=dee, email=dee.email, verified=True, primary=True)
    yield make_registration(dee, make_cohort(2026), payment_status="unpaid")
    clock.reset()


def choose(dee: Visitor, registration: Registration) -> None:
    page = dee.go(f"/pay/{registration.pk}/")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_label(re.compile("Purchase order")).check()
    page.get_by_role("button", name="Continue").click()


def hand_in(dee: Visitor, number: str) -> None:
    page = dee.page
    page.get_by_label("E-mail of its accounts payable").fill("payable@example.org")
    page.get_by_label("Purchase order number").fill(number)
    page.get_by_label("Date on the purchase order").fill("2026-12-01")
    page.get_by_label("The purchase order as a PDF").set_input_files(files=[PDF])  # type: ignore[list-item]
    page.get_by_role("button", name="Hand in").click()


def open_order(desk: Visitor) -> None:
    """The newest order, as the office opens it; money still to come is said on the way to the balance."""
    newest = PurchaseOrder.objects.first()
    assert newest is not None
    desk.go(f"/admin/payments/purchaseorder/{newest.pk}/change/")


def test_purchase_order_from_choice_to_receipt(arrive: Any, office: dict[str, User], owing: Registration) -> None:
    dee, stef, fay = (arrive(name) for name in ("dee", "stef", "fay"))
    dee.sign_in(owing.user)
    choose(dee, owing)
    dee.look("purchase order")
    dee.page.get_by_role("button", name="Hand in").click()
    expect(dee.page.locator(".error-summary")).to_be_focused()
    dee.look("purchase order with errors")
    hand_in(dee, "4711")
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
    hand_in(dee, "4711-A")
    open_order(stef)
    stef.page.get_by_role("link", name="Accept").click()
    stef.page.get_by_role("button", name="Accept").click()
    dee.go(f"/pay/{owing.pk}/")
    dee.look("seat held")

    fay.sign_in(office["finance"])
    open_order(fay)
    fay.page.get_by_role("link", name="Enter money").click()
    fay.page.get_by_label("Check", exact=True).check()
    fay.page.get_by_label("Check or trace number").fill("1001")
    fay.page.get_by_label("Amount received").fill("400.00")
    fay.page.get_by_label("Received on").fill("2026-12-09")
    fay.page.get_by_role("button", name="Enter money").click()
    dee.go(f"/pay/{owing.pk}/")
    dee.look("paid by purchase order")
    dee.go(f"/pay/{owing.pk}/receipt/")
    expect(dee.page.get_by_text("Paid on purchase order")).to_be_visible()
    owing.refresh_from_db()
    assert owing.payment_status == "paid"
