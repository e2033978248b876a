from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pikepdf
import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import purchase_orders
from payments.models import Attempt, LedgerEntry, PolicyAcceptance, PurchaseOrder
from tests.factories import make_attempt, make_ledger_entry, make_purchase_order, make_registration, make_text
from tests.payments.conftest import LATER, NOW, Stub, only_attempt

Faulty = Callable[..., Stub]


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


def words(response: HttpResponse) -> str:
    """What stands in the page's content, in one line."""
    page = BeautifulSoup(response.content, "html.parser")
    return " ".join(page.select_one("main .content").get_text(" ").split())  # type: ignore[union-attr]


def primary_buttons(response: HttpResponse) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [button.get_text(strip=True) for button in page.select("main .button.primary")]


def pay_url(registration: Registration) -> str:
    return reverse("payments:pay", args=[registration.pk])


def press(browser: Client, registration: Registration, method: str = "fake", **data: Any) -> HttpResponse:
    text = PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    posted = {"method": method, "accepted": "on", "text": text.pk, **data}
    return browser.post(pay_url(registration), {k: v for k, v in posted.items() if v is not None})


def pay_through(browser: Client, registration: Registration, decision: str) -> HttpResponse:
    """Press Pay, decide on the provider's page, come back."""
    page = press(browser, registration).headers["Location"]
    back = browser.post(page, {"decision": decision})
    return browser.get(back.headers["Location"], follow=True)


def test_pay_shows_fee_policy_and_equal_choices(browser: Client, unpaid: Registration) -> None:
    response = browser.get(pay_url(unpaid))
    page = BeautifulSoup(response.content, "html.parser")
    assert "The fee is not refundable." in words(response)
    assert "$400.00 USD" in words(response)
    assert [radio["value"] for radio in page.select("input[type=radio]")] == ["fake", "purchase-order"]
    assert primary_buttons(response) == ["Continue"]
    assert PolicyAcceptance.objects.count() == 0


def test_pay_without_the_fake_gateway_offers_purchase_orders_alone(
    browser: Client, unpaid: Registration, settings: Any
) -> None:
    settings.PAYMENT_FAKE_GATEWAY = False
    page = BeautifulSoup(browser.get(pay_url(unpaid)).content, "html.parser")
    assert [radio["value"] for radio in page.select("input[type=radio]")] == ["purchase-order"]
    assert browser.get(reverse("payments:fake-page", args=["0" * 32])).status_code == 404


def test_pay_needs_a_choice_and_the_policy_accepted(browser: Client, unpaid: Registration) -> None:
    response = press(browser, unpaid, method=None, accepted=None)  # type: ignore[arg-type]
    page = BeautifulSoup(response.content, "html.parser")
    assert [link["href"] for link in page.select(".error-summary a")] == ["#id_accepted", "#id_method_0"]
    assert [Attempt.objects.count(), PolicyAcceptance.objects.count()] == [0, 0]


def test_pay_after_the_policy_changed_asks_again_with_the_new_text(browser: Client, unpaid: Registration) -> None:
    old = PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    new = make_text(PolicyText.Kind.NO_REFUNDS, version=2, body="Now in other words.")
    response = press(browser, unpaid, text=old.pk)
    page = BeautifulSoup(response.content, "html.parser")
    assert "Now in other words." in words(response)
    assert page.select_one("input[name=text]")["value"] == str(new.pk)  # type: ignore[index]
    assert Attempt.objects.count() == 0


@pytest.mark.parametrize("tampered", [{"amount": "1.00"}, {"amount_minor": "1"}, {"fee": "1", "currency": "EUR"}])
def test_pay_takes_no_amount_from_the_browser(browser: Client, unpaid: Registration, tampered: dict[str, str]) -> None:
    press(browser, unpaid, **tampered)
    attempt = only_attempt(unpaid)
    assert (attempt.amount_minor, attempt.currency) == (40000, "USD")


def test_pay_through_the_page_and_back(browser: Client, unpaid: Registration) -> None:
    response = pay_through(browser, unpaid, "pay")
    assert response.redirect_chain[-1][0] == pay_url(unpaid)  # type: ignore[attr-defined]
    assert "Your fee is paid" in words(response)
    assert [LedgerEntry.objects.count(), Message.objects.count()] == [1, 1]


def test_pay_twice_from_two_tabs_is_one_payment(browser: Client, unpaid: Registration) -> None:
    first, second = (press(browser, unpaid).headers["Location"] for _ in range(2))
    assert first == second
    for page in (first, second):
        browser.get(browser.post(page, {"decision": "pay"}).headers["Location"])
    response = press(browser, unpaid)
    assert b"Your fee is paid. You have nothing left to pay." in browser.get(response.headers["Location"]).content
    assert [Attempt.objects.count(), LedgerEntry.objects.count(), Message.objects.count()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("decision", "said"),
    [("decline", "The bank declined the card. Nothing was taken."), ("cancel", "It was cancelled before")],
)
def test_pay_says_why_it_was_not_paid_and_offers_it_again(
    browser: Client, unpaid: Registration, decision: str, said: str
) -> None:
    response = pay_through(browser, unpaid, decision)
    assert said in words(response)
    assert primary_buttons(response) == ["Continue"]
    assert "Your fee is paid" in words(pay_through(browser, unpaid, "pay"))


def test_pay_unfinished_says_that_nothing_was_taken(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid)
    assert "You began a payment and did not finish it" in words(browser.get(pay_url(unpaid)))


def test_pay_in_doubt_asks_nobody_to_pay_again(browser: Client, unpaid: Registration, faulty: Faulty) -> None:
    page = press(browser, unpaid).headers["Location"]
    browser.post(page, {"decision": "pay"})
    Attempt.objects.update(state="unknown")
    Registration.objects.update(payment_status="pending")
    response = browser.get(pay_url(unpaid))
    assert "Do not pay again." in words(response)
    assert primary_buttons(response) == ["Ask again now"]
    assert "radio" not in response.content.decode()
    browser.post(reverse("payments:pay-check", args=[unpaid.pk]))
    assert "Your fee is paid" in words(browser.get(pay_url(unpaid)))


def test_pay_with_money_that_does_not_fit_asks_nobody_to_pay_again(browser: Client, unpaid: Registration) -> None:
    attempt = make_attempt(unpaid, opened_at=NOW)
    make_ledger_entry(None, attempt=attempt, amount_minor=39999, occurred_at=NOW)
    response = browser.get(pay_url(unpaid))
    assert "Money came in that does not fit the fee exactly." in words(response)
    assert "radio" not in response.content.decode()


def jump(registration: Registration, edge: str, after: timedelta) -> datetime:
    when = getattr(registration.cohort.window, edge) + after
    clock.jump_to(when)
    return when


def test_pay_after_closing_is_refused_and_says_so(browser: Client, unpaid: Registration) -> None:
    jump(unpaid, "closes_at", timedelta(seconds=1))
    response = browser.get(pay_url(unpaid))
    assert "The fee can no longer be paid" in words(response)
    assert primary_buttons(response) == []
    refused = browser.get(press(browser, unpaid).headers["Location"])
    assert b"Registration closed at the end of 31 January 2027" in refused.content
    assert Attempt.objects.count() == 0


def test_pay_after_closing_finishes_what_was_begun_in_time(browser: Client, unpaid: Registration) -> None:
    jump(unpaid, "closes_at", -timedelta(minutes=2))
    page = press(browser, unpaid).headers["Location"]
    jump(unpaid, "closes_at", timedelta(minutes=2))
    response = browser.get(pay_url(unpaid))
    assert primary_buttons(response) == ["Finish the payment"]
    assert press(browser, unpaid).headers["Location"] == page
    browser.get(browser.post(page, {"decision": "pay"}).headers["Location"])
    assert "Your fee is paid" in words(browser.get(pay_url(unpaid)))


def test_pay_return_needs_no_session(browser: Client, unpaid: Registration) -> None:
    page = press(browser, unpaid).headers["Location"]
    nobody = Client()
    back = nobody.post(page, {"decision": "pay"}).headers["Location"]
    response = nobody.get(back)
    assert "Your fee is paid" in words(response)
    assert unpaid.user.name not in response.content.decode()
    assert unpaid.user.email not in response.content.decode()
    assert [LedgerEntry.objects.count(), Message.objects.count()] == [1, 1]


def test_pay_return_visited_unpaid_pays_nothing(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid)
    back = urlsplit(only_attempt(unpaid).request["return_url"]).path
    response = Client().get(back + "?status=paid&amount=400")
    assert "Your payment is not finished" in words(response)
    assert LedgerEntry.objects.count() == 0


def test_pay_return_with_the_token_of_another_attempt_is_nothing(
    browser: Client, unpaid: Registration, stranger: User
) -> None:
    other = make_attempt(make_registration(stranger, payment_status="unpaid"))
    press(browser, unpaid)
    back = urlsplit(only_attempt(unpaid).request["return_url"]).path
    assert Client().get(back.replace(str(only_attempt(unpaid).public_id), str(other.public_id))).status_code == 404


def test_pay_is_the_owners_page_alone(browser: Client, unpaid: Registration, stranger: User) -> None:
    theirs = make_registration(stranger, payment_status="unpaid")
    assert browser.get(pay_url(theirs)).status_code == 404
    assert press(browser, theirs).status_code == 404


PDF = b"%PDF-1.7\n%%EOF"


def filled(**fields: Any) -> dict[str, Any]:
    order = {
        "payer_name": "Lakeside School District",
        "payer_email": "payable@example.org",
        "number": "PO 4711",
        "issued_on": "2026-12-01",
        "amount": "400.00",
        "document": SimpleUploadedFile("Ada Abara order.pdf", PDF),
    }
    return {name: value for name, value in {**order, **fields}.items() if value is not None}


def order_url(registration: Registration) -> str:
    return reverse("payments:purchase-order", args=[registration.pk])


def test_purchase_order_from_choice_to_held_seat(browser: Client, unpaid: Registration, staff: User) -> None:
    assert press(browser, unpaid, "purchase-order").headers["Location"] == order_url(unpaid)
    form = BeautifulSoup(browser.get(order_url(unpaid)).content, "html.parser")
    typed = {name: form.select_one(f"[name={name}]")["value"] for name in ("payer_name", "amount")}  # type: ignore[index]
    assert typed == {"payer_name": "Lakeside School District", "amount": "400.00"}
    response = browser.post(order_url(unpaid), filled(), follow=True)
    assert "Your purchase order is being checked" in words(response)
    assert primary_buttons(response) == []
    purchase_orders.accept(PurchaseOrder.objects.get().pk, by=staff, at=NOW)
    assert "Your seat is held by a purchase order" in words(browser.get(pay_url(unpaid)))


def test_purchase_order_without_the_policy_accepted_leads_back(browser: Client, unpaid: Registration) -> None:
    assert browser.get(order_url(unpaid)).headers["Location"] == pay_url(unpaid)
    assert browser.post(order_url(unpaid), filled()).headers["Location"] == pay_url(unpaid)
    assert PurchaseOrder.objects.count() == 0


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
    Client().post(page, {"decision": "pay"})
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
    response = browser.get(reverse("payments:purchase-order-document", args=[PurchaseOrder.objects.get().pk]))
    assert b"".join(response.streaming_content) == PDF  # type: ignore[attr-defined]
    assert {name: response.headers[name] for name in ("Content-Type", "Content-Disposition", "Cache-Control")} == {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'attachment; filename="purchase-order-{unpaid.code}.pdf"',
        "Cache-Control": "private, no-store",
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_receipt_says_who_paid_what(browser: Client, unpaid: Registration) -> None:
    pay_through(browser, unpaid, "pay")
    said = words(browser.get(reverse("payments:receipt", args=[unpaid.pk])))
    for part in (unpaid.code, "Ada Abara", "10 December 2026", "Paid by card (demo)", "$400.00 USD", "not refundable"):
        assert part in said


def test_receipt_pdf_is_tagged_and_titled(browser: Client, unpaid: Registration) -> None:
    pay_through(browser, unpaid, "pay")
    response = browser.get(reverse("payments:receipt-pdf", args=[unpaid.pk]))
    with pikepdf.open(BytesIO(response.content)) as pdf:
        assert str(pdf.docinfo["/Title"]) == f"Receipt {unpaid.code}"
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang).startswith("en")


@pytest.mark.parametrize("status", ["unpaid", "pending", "po_requested", "po_committed", "refunded"])
def test_receipt_is_for_paid_registrations(browser: Client, unpaid: Registration, status: str) -> None:
    Registration.objects.update(payment_status=status)
    assert browser.get(reverse("payments:receipt", args=[unpaid.pk])).status_code == 404


def test_a_page_decided_by_the_bank_leads_back_and_changes_nothing(browser: Client, unpaid: Registration) -> None:
    page = press(browser, unpaid).headers["Location"]
    browser.post(page, {"decision": "pay"})
    response = browser.get(page)
    assert "This payment page is closed" in words(response)
    assert primary_buttons(response) == ["Back to the portal"]
    browser.get(browser.post(page, {"decision": "cancel"}).headers["Location"])
    assert only_attempt(unpaid).state == "paid"


def test_a_page_open_for_too_long_takes_nothing(browser: Client, unpaid: Registration) -> None:
    page = press(browser, unpaid).headers["Location"]
    clock.jump_to(NOW + 3 * LATER)
    response = browser.get(browser.post(page, {"decision": "pay"}).headers["Location"], follow=True)
    assert "open for too long" in words(response)
    assert LedgerEntry.objects.count() == 0
