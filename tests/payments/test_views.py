from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pikepdf
import pytest
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import attempts
from payments.models import Attempt, LedgerEntry, PolicyAcceptance
from tests.factories import make_attempt, make_ledger_entry, make_registration, make_text
from tests.payments.conftest import LATER, NOW, Stub, answer, only_attempt

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
    answer(press(browser, registration).headers["Location"], decision, clock.now())
    return come_back(browser, registration)


def come_back(browser: Client, registration: Registration) -> HttpResponse:
    attempt = registration.attempts.first()
    path = reverse("payments:pay-return", args=[attempt.public_id, attempts.return_token(attempt.public_id)])
    return browser.get(path, follow=True)


def test_pay_shows_fee_policy_and_equal_choices(browser: Client, unpaid: Registration) -> None:
    response = browser.get(pay_url(unpaid))
    page = BeautifulSoup(response.content, "html.parser")
    assert "The fee is not refundable." in words(response)
    assert "$400.00 USD" in words(response)
    assert [radio["value"] for radio in page.select("input[type=radio]")] == ["fake", "purchase-order"]
    assert primary_buttons(response) == ["Continue"]
    assert PolicyAcceptance.objects.count() == 0


def test_pay_without_any_provider_offers_purchase_orders_alone(
    browser: Client, unpaid: Registration, settings: Any
) -> None:
    settings.TESTING = False
    page = BeautifulSoup(browser.get(pay_url(unpaid)).content, "html.parser")
    assert [radio["value"] for radio in page.select("input[type=radio]")] == ["purchase-order"]


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
    response = pay_through(browser, unpaid, "paid")
    assert response.redirect_chain[-1][0] == pay_url(unpaid)  # type: ignore[attr-defined]
    assert "Your fee is paid" in words(response)
    assert [LedgerEntry.objects.count(), Message.objects.count()] == [1, 1]


def test_pay_twice_from_two_tabs_is_one_payment(browser: Client, unpaid: Registration) -> None:
    first, second = (press(browser, unpaid).headers["Location"] for _ in range(2))
    assert first == second
    for page in (first, second):
        answer(page, "paid", clock.now())
        come_back(browser, unpaid)
    response = press(browser, unpaid)
    assert b"Your fee is paid. You have nothing left to pay." in browser.get(response.headers["Location"]).content
    assert [Attempt.objects.count(), LedgerEntry.objects.count(), Message.objects.count()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("decision", "said"),
    [("declined", "The bank declined the card. Nothing was taken."), ("cancelled", "It was cancelled before")],
)
def test_pay_says_why_it_was_not_paid_and_offers_it_again(
    browser: Client, unpaid: Registration, decision: str, said: str
) -> None:
    response = pay_through(browser, unpaid, decision)
    assert said in words(response)
    assert primary_buttons(response) == ["Continue"]
    assert "Your fee is paid" in words(pay_through(browser, unpaid, "paid"))


def test_pay_unfinished_says_that_nothing_was_taken(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid)
    assert "You began a payment and did not finish it" in words(browser.get(pay_url(unpaid)))


def test_pay_in_doubt_asks_nobody_to_pay_again(browser: Client, unpaid: Registration, faulty: Faulty) -> None:
    page = press(browser, unpaid).headers["Location"]
    answer(page, "paid", clock.now())
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
    assert "Your money has come and is being looked at. Do not pay again." in words(response)
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
    answer(page, "paid", clock.now())
    come_back(browser, unpaid)
    assert "Your fee is paid" in words(browser.get(pay_url(unpaid)))


def test_pay_return_needs_no_session(browser: Client, unpaid: Registration) -> None:
    answer(press(browser, unpaid).headers["Location"], "paid", clock.now())
    response = come_back(Client(), unpaid)
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


def test_receipt_says_who_paid_what(browser: Client, unpaid: Registration) -> None:
    pay_through(browser, unpaid, "paid")
    said = words(browser.get(reverse("payments:receipt", args=[unpaid.pk])))
    for part in (
        f"2026-{unpaid.pk:05}",
        "Ada Abara",
        "10 December 2026",
        "Paid by fake",
        "$400.00 USD",
        "not refundable",
    ):
        assert part in said


def test_receipt_pdf_is_tagged_and_titled(browser: Client, unpaid: Registration) -> None:
    pay_through(browser, unpaid, "paid")
    response = browser.get(reverse("payments:receipt-pdf", args=[unpaid.pk]))
    with pikepdf.open(BytesIO(response.content)) as pdf:
        assert str(pdf.docinfo["/Title"]) == f"Receipt 2026-{unpaid.pk:05}"
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang).startswith("en")


@pytest.mark.parametrize("status", ["unpaid", "pending", "po_requested", "po_committed", "refunded"])
def test_receipt_is_for_paid_registrations(browser: Client, unpaid: Registration, status: str) -> None:
    Registration.objects.update(payment_status=status)
    assert browser.get(reverse("payments:receipt", args=[unpaid.pk])).status_code == 404


def test_a_page_open_for_too_long_takes_nothing(browser: Client, unpaid: Registration) -> None:
    press(browser, unpaid)
    clock.jump_to(NOW + 3 * LATER)
    assert "open for too long" in words(come_back(browser, unpaid))
    assert LedgerEntry.objects.count() == 0
