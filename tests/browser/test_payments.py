"""Card and PayPal in Chromium, against stand-ins on another origin: paid, declined, abandoned, twice, lost."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from playwright.sync_api import Page, expect

from candidates.models import Registration, User
from icg_cert.lib import clock
from payments.models import Attempt, Delivery, LedgerEntry, Refund
from tests.browser.conftest import Visitor
from tests.doubles.paypal import PayPalDouble
from tests.doubles.stripe import StripeDouble

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
Coach = Callable[[str], Registration]
CARD, PAYPAL = "Credit or debit card", "PayPal"
PAY, AGREE, BACK = re.compile("^Pay \\d"), re.compile("^Agree and pay"), "Cancel and go back"


def begin(visitor: Visitor, owing: Registration, way: str, page: Page | None = None) -> Page:
    """As far as the provider's page."""
    page = page or visitor.page
    page.goto(f"/pay/{owing.pk}/")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_role("radio", name=re.compile(f"^{way}")).check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("/c/pay/|/checkoutnow"))
    return page


def press(page: Page, button: Any) -> None:
    page.get_by_role("button", name=button).click()


def status(owing: Registration) -> str:
    owing.refresh_from_db()
    return owing.payment_status


def charges() -> list[tuple[str, int]]:
    return list(LedgerEntry.objects.filter(kind="charge").order_by("pk").values_list("provider", "amount_minor"))


def test_card_declined_cancelled_then_paid(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble, paypal: PayPalDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("card")
    ada.sign_in(owing.user)
    ada.go(f"/pay/{owing.pk}/")
    ada.look("three ways to pay")
    begin(ada, owing, CARD)
    press(ada.page, "Pay with a card that is declined")
    expect(ada.page.get_by_role("alert")).to_contain_text("declined")
    press(ada.page, BACK)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    ada.look("begun and not finished")
    assert (status(owing), charges()) == ("unpaid", [])
    begin(ada, owing, CARD)
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    expect(ada.page.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    ada.look("paid by card")
    ada.page.reload()
    ada.go(f"/pay/{owing.pk}/receipt/")
    expect(ada.page.get_by_text("Paid by card")).to_be_visible()
    ada.look("receipt")
    assert (status(owing), charges(), Attempt.objects.count()) == ("paid", [("stripe", 40000)], 1)


def test_paypal_abandoned_then_paid_by_card_and_agreed_to_afterwards(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble, paypal: PayPalDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("abandoned")
    ada.sign_in(owing.user)
    left = begin(ada, owing, PAYPAL, ada.context.new_page())
    begin(ada, owing, CARD)
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    press(left, AGREE)
    left.wait_for_url(f"**/pay/{owing.pk}/")
    expect(left.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    assert (status(owing), charges(), paypal.state["captures"]) == ("paid", [("stripe", 40000)], {})


def test_paypal_paid_by_somebody_whose_session_is_gone(
    arrive: Any, office: dict[str, User], coach: Coach, paypal: PayPalDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("paypal")
    ada.sign_in(owing.user)
    begin(ada, owing, PAYPAL)
    ada.context.clear_cookies(name="sessionid")
    press(ada.page, AGREE)
    ada.page.wait_for_url("**/pay/return/**")
    expect(ada.page.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    assert owing.user.name not in ada.page.content()
    ada.look("back without a session")
    assert (status(owing), charges()) == ("paid", [("paypal", 40000)])


def test_two_tabs_are_one_payment(arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble) -> None:
    owing, ada = coach("Ada Abara"), arrive("two-tabs")
    ada.sign_in(owing.user)
    first, second = (begin(ada, owing, CARD, ada.context.new_page()) for _ in range(2))
    assert first.url == second.url
    press(first, PAY)
    first.wait_for_url(f"**/pay/{owing.pk}/")
    press(second, PAY)
    expect(second.get_by_text("This payment is finished")).to_be_visible()
    assert (status(owing), charges(), len(stripe.state["charges"])) == ("paid", [("stripe", 40000)], 1)


def test_an_answer_that_is_lost_asks_nobody_to_pay_again(
    arrive: Any, office: dict[str, User], coach: Coach, paypal: PayPalDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("lost")
    paypal.delivers = False
    ada.sign_in(owing.user)
    begin(ada, owing, PAYPAL)
    order = next(iter(paypal.state["orders"]))
    paypal.fail(f"POST /v2/checkout/orders/{order}/capture", "act_then_status", status=502, times=10)
    press(ada.page, AGREE)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    expect(ada.page.get_by_role("heading", name="Do not pay again")).to_be_visible()
    ada.look("being confirmed")
    clock.jump_to(clock.now() + timedelta(minutes=11))
    call_command("tick", stdout=StringIO())
    ada.page.reload()
    expect(ada.page.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    assert (status(owing), charges(), len(paypal.state["captures"])) == ("paid", [("paypal", 40000)], 1)


def test_who_closes_the_browser_after_paying_is_paid_by_the_event(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("closed")
    ada.sign_in(owing.user)
    page = begin(ada, owing, CARD)
    page.route("**/pay/return/**", lambda route: route.abort())
    press(page, PAY)
    page.close()
    ada.page = ada.context.new_page()
    ada.go("/dashboard/")
    for _ in range(100):  # the event arrives by itself, within moments
        if "paid" in Delivery.objects.filter(state="done").values_list("attempt__state", flat=True):
            break
        ada.page.wait_for_timeout(100)
    ada.go(f"/pay/{owing.pk}/")
    expect(ada.page.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    ada.problems.clear()  # the way back was cut on purpose


def test_finance_matches_refunds_and_counts(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("payer")
    ada.sign_in(owing.user)
    begin(ada, owing, CARD)
    session = next(iter(stripe.state["sessions"].values()))
    session["amount_total"] = 50000  # what no attempt of ours asked for
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    ada.look("money that does not fit")
    fay = arrive("finance")
    fay.sign_in(office["finance"])
    fay.look("what waits for finance")
    fay.page.get_by_role("link", name="See it").click()
    fay.page.locator("#result_list tbody a").first.click()
    fay.page.get_by_role("link", name="Match to a registration").click()
    fay.page.get_by_label("Code of the registration").fill("nobody")
    fay.page.get_by_label("How you know").fill("The payer wrote to us.")
    press(fay.page, "Match to a registration")
    expect(fay.page.get_by_text("There is no registration with this code")).to_be_visible()
    fay.page.get_by_label("Code of the registration").fill(owing.code)
    press(fay.page, "Match to a registration")
    expect(fay.page.get_by_text("done, and written down")).to_be_visible()
    assert status(owing) == "overpaid"
    fay.page.get_by_role("link", name="Ask for a refund").click()
    fay.page.get_by_label("Why it goes back").fill("A hundred dollars too much.")
    press(fay.page, "Ask for a refund")
    uma = arrive("second-staff")
    uma.sign_in(office["second staff"])
    uma.page.get_by_role("link", name="Look at them").click()
    uma.page.locator("#result_list tbody a").first.click()
    uma.page.get_by_role("link", name="Approve").click()
    press(uma.page, "Approve the refund")
    expect(uma.page.get_by_text("done, and written down")).to_be_visible()
    assert (status(owing), Refund.objects.get().state) == ("paid", "done")
    with fay.page.expect_download() as download:
        fay.page.evaluate("location.href = '/admin/payments/ledgerentry/all.csv'")
    rows = list(csv.DictReader(StringIO(download.value.path().read_text())))
    whole = LedgerEntry.objects.aggregate(total=Sum("amount_minor"))["total"]
    assert sum(Decimal(row["amount"]) for row in rows) * 100 == whole == 40000
