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
from payments.models import Attempt, LedgerEntry, Refund
from tests.browser.conftest import Visitor
from tests.doubles.paypal import PayPalDouble
from tests.doubles.stripe import StripeDouble

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
# What the button does, without the way back that follows.
PAID_AND_GONE = "fetch(location, {method: 'POST', body: new URLSearchParams({decision: 'pay'}), redirect: 'manual'})"
Coach = Callable[[str], Registration]
CARD, PAYPAL = "Credit or debit card", "PayPal"
PAY, AGREE, BACK = re.compile("^Pay \\d"), re.compile("^Agree and pay"), "Cancel and go back"


def choose(page: Page, owing: Registration, way: str) -> None:
    page.goto(f"/pay/{owing.pk}/")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_role("radio", name=re.compile(f"^{way}")).check()
    page.get_by_role("button", name="Continue").click()


def begin(visitor: Visitor, owing: Registration, way: str, page: Page | None = None) -> Page:
    """As far as the provider's page."""
    page = page or visitor.page
    choose(page, owing, way)
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
    press(ada.page, "Pay with a card that is declined")
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    expect(ada.page.get_by_role("heading", name="Your fee is paid")).to_be_visible()
    ada.look("paid by card")
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
    ada.go(f"/pay/{owing.pk}/")
    expect(ada.page.get_by_role("heading", name="You began to pay by PayPal and did not finish")).to_be_visible()
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
    ada.look("page of PayPal")
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
    paypal.hook = ""  # and its events are lost, too
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


def test_a_page_whose_address_is_lost_is_found_again(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("lost-page")
    ada.sign_in(owing.user)
    stripe.fail("POST /v1/checkout/sessions", "act_then_drop", times=3)
    choose(ada.page, owing, CARD)
    expect(ada.page.get_by_role("heading", name="Do not pay again")).to_be_visible()
    clock.jump_to(clock.now() + timedelta(minutes=11))
    call_command("tick", stdout=StringIO())
    begin(ada, owing, CARD)
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    assert (status(owing), charges(), len(stripe.state["sessions"])) == ("paid", [("stripe", 40000)], 1)


def test_who_closes_the_browser_after_paying_is_paid_by_the_event(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing, ada = coach("Ada Abara"), arrive("closed")
    ada.sign_in(owing.user)
    page = begin(ada, owing, CARD, ada.context.new_page())
    page.evaluate(PAID_AND_GONE)
    page.close()
    stripe.deliver()  # whatever has not arrived by itself
    ada.go("/dashboard/")
    expect(ada.page.locator("dl .state").last).to_have_text("Paid")
    ada.look("dashboard of who paid")
    assert (status(owing), charges()) == ("paid", [("stripe", 40000)])


def pay_what_nobody_asked_for(ada: Visitor, owing: Registration, stripe: StripeDouble) -> None:
    ada.sign_in(owing.user)
    begin(ada, owing, CARD)
    next(iter(stripe.state["sessions"].values()))["amount_total"] = 50000
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    ada.look("money that does not fit")


def open_first(desk: Visitor, task: str) -> None:
    """By the dashboard's line to the first row of its list."""
    desk.go("/dashboard/")
    desk.page.get_by_role("link", name=task).click()
    desk.fits(f"list {task}")
    desk.page.locator("#result_list tbody a").first.click()


def match(fay: Visitor, owing: Registration) -> None:
    open_first(fay, "Money of nobody")
    fay.fits("entry of nobody")
    fay.page.get_by_role("link", name="Match to a registration").click()
    fay.page.get_by_label("Code of the registration").fill("nobody")
    fay.page.get_by_label("How you know").fill("The payer wrote to us.")
    press(fay.page, "Match to a registration")
    expect(fay.page.get_by_text("There is no registration with this code")).to_be_visible()
    fay.fits("match with an error")
    fay.page.get_by_label("Code of the registration").fill(owing.code)
    press(fay.page, "Match to a registration")
    expect(fay.page.get_by_text("done, and written down")).to_be_visible()
    fay.fits("entry matched")


def test_finance_matches_and_gives_back_what_another_approves(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing = coach("Ada Abara")
    ada, fay, uma = (arrive(name) for name in ("payer", "finance", "second-staff"))
    pay_what_nobody_asked_for(ada, owing, stripe)
    fay.sign_in(office["finance"])
    fay.look("what waits for finance")
    match(fay, owing)
    assert status(owing) == "overpaid"
    ada.page.reload()
    ada.look("paid too much")
    fay.page.get_by_role("link", name="Ask for a refund").click()
    fay.page.get_by_label("Why it goes back").fill("A hundred dollars too much.")
    fay.fits("ask for a refund")
    press(fay.page, "Ask for a refund")
    fay.go("/dashboard/")
    expect(fay.page.get_by_text("Refunds to approve")).to_be_hidden()  # nobody approves their own
    uma.sign_in(office["second staff"])
    uma.look("what waits for staff")
    open_first(uma, "Refunds to approve")
    uma.page.get_by_role("link", name="Approve").click()
    uma.fits("approve a refund")
    press(uma.page, "Approve the refund")
    expect(uma.page.get_by_text("done, and written down")).to_be_visible()
    uma.fits("refund approved")
    assert (status(owing), Refund.objects.get().state) == ("paid", "done")
    ada.go(f"/pay/{owing.pk}/receipt/")
    expect(ada.page.get_by_role("table")).to_contain_text("Returned by card")
    ada.look("receipt with a refund")


def test_finance_holds_the_books_against_the_provider(
    arrive: Any, office: dict[str, User], coach: Coach, stripe: StripeDouble
) -> None:
    owing, ada, fay = coach("Ada Abara"), arrive("payer"), arrive("books")
    ada.sign_in(owing.user)
    begin(ada, owing, CARD)
    press(ada.page, PAY)
    ada.page.wait_for_url(f"**/pay/{owing.pk}/")
    stripe.deliver()
    stripe.hook = ""
    refund = stripe.refund(next(iter(stripe.state["charges"])), 15000)  # in Stripe's own pages, and its event is lost
    clock.jump_to(clock.now() + timedelta(hours=2))
    call_command("tick", stdout=StringIO())
    fay.sign_in(office["finance"])
    open_first(fay, "Books that do not agree")
    expect(fay.page.get_by_text(f"stripe refund {refund['id']} of -$150.00 USD was not in the ledger.")).to_be_visible()
    fay.fits("report")
    fay.go("/admin/payments/delivery/")
    expect(fay.page.locator("#result_list")).to_contain_text("checkout.session.completed")
    fay.fits("inbox")
    for name in ("ledgerentry", "account", "attempt", "reconciliation"):
        fay.go(f"/admin/payments/{name}/")
        fay.fits(name)
    fay.go("/admin/payments/ledgerentry/")
    with fay.page.expect_download() as download:
        fay.page.get_by_role("link", name="Download the whole ledger").click()
    rows = list(csv.DictReader(StringIO(download.value.path().read_text())))
    whole = LedgerEntry.objects.aggregate(total=Sum("amount_minor"))["total"]
    assert sum(Decimal(row["amount"]) for row in rows) * 100 == whole == 25000
