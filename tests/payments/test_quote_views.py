"""A district's contact: asking for a quote, and the page behind the signed link."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import purchase_orders, quotes, seat_codes, seats
from payments.models import CreditNote, Invoice, PurchaseOrder, Quote, Seat, Vendor
from tests.factories import make_quote
from tests.payments.conftest import NOW, hand_in
from tests.payments.districts import pay
from tests.payments.seated import codes
from tests.payments.test_order_views import filled
from tests.payments.test_views import primary_buttons, words
from tests.threads import run_at_once

WANTED = {
    "payer_name": "Lakeside School District",
    "contact_name": "Connie Contact",
    "contact_email": "connie@example.org",
    "seats": "3",
}
NEW = reverse("payments:quote-new")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    clock.jump_to(NOW)
    yield
    clock.reset()


@pytest.fixture
def contact() -> Client:
    return Client()


@pytest.fixture
def quote(unpaid: Registration) -> Quote:
    quote = make_quote(cohort=unpaid.cohort, requested_at=NOW - timedelta(days=1))
    quote.document.save("quote.pdf", ContentFile(b"%PDF-1.7 quote"))
    return quote


def url(quote: Quote, name: str = "quote", **more: Any) -> str:
    return reverse(f"payments:{name}", kwargs={**quotes.link(quote), **more})


def file_of(response: HttpResponse) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_quote_new_e_mails_the_link_and_shows_nothing(contact: Client, unpaid: Registration) -> None:
    assert "$400.00 USD for each coach in cohort 10" in words(contact.get(NEW))
    response = contact.post(NEW, WANTED, follow=True)
    assert response.redirect_chain == [("/quotes/sent/", 302)]  # type: ignore[attr-defined]
    for secret in (Quote.objects.get().number, str(Quote.objects.get().public_id), "connie@example.org"):
        assert secret not in response.content.decode()
    sent = re.search(r"http://localhost:8000(/quotes/\S+)", Message.objects.get().body_text)
    assert sent is not None
    assert contact.get(sent[1]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"contact_email": "nobody"}, "contact_email", "address like name@example.org"),
        ({"seats": "0"}, "seats", "greater than or equal to 1"),
        ({"seats": "201"}, "seats", "less than or equal to 200"),
        ({"payer_name": ""}, "payer_name", "Please fill this in."),
    ],
)
def test_quote_new_says_what_is_wrong(
    contact: Client, unpaid: Registration, changes: dict[str, str], field: str, said: str
) -> None:
    page = BeautifulSoup(contact.post(NEW, {**WANTED, **changes}).content, "html.parser")
    assert said in page.select_one(f"#div_id_{field}").get_text()  # type: ignore[union-attr]
    assert Quote.objects.count() == 0


def test_quote_new_cannot_be_asked_for_ever_for_one_address(contact: Client, unpaid: Registration) -> None:
    answers = [contact.post(NEW, {**WANTED, "seats": str(n)}).status_code for n in range(1, 7)]
    assert (answers, Quote.objects.count()) == ([302] * 5 + [200], 5)
    assert contact.post(NEW, {**WANTED, "contact_email": "other@example.org"}).status_code == 302


def test_quote_new_cannot_be_asked_for_ever_from_one_computer(contact: Client, unpaid: Registration) -> None:
    answers = [contact.post(NEW, {**WANTED, "contact_email": f"c{n}@example.org"}).status_code for n in range(21)]
    assert answers == [302] * 20 + [200]
    assert contact.post(NEW, {**WANTED, "contact_email": "x@example.org"}, REMOTE_ADDR="10.9.8.7").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_quote_new_pressed_twice_at_once_is_one_quote(unpaid: Registration) -> None:
    assert run_at_once(lambda: Client().post(NEW, WANTED).status_code, times=2) == [302, 302]
    assert [Quote.objects.count(), Message.objects.count()] == [1, 1]


def test_quote_new_after_closing_says_when_again(contact: Client, unpaid: Registration) -> None:
    clock.jump_to(unpaid.cohort.registration_closes_at + timedelta(seconds=1))
    assert "Registration is closed at the moment" in words(contact.get(NEW))
    assert "Registration is closed at the moment" in words(contact.post(NEW, WANTED))
    assert Quote.objects.count() == 0


@pytest.mark.parametrize("page", ["/", "/policies/"])
def test_quote_new_is_linked_where_the_fee_is_told(contact: Client, unpaid: Registration, page: str) -> None:
    assert NEW in contact.get(page).content.decode()


@pytest.mark.payment_case(26)
@pytest.mark.parametrize("name", ["quote", "quote-order", "quote-withdraw"])
def test_quote_with_the_token_of_another_is_nothing(contact: Client, quote: Quote, name: str) -> None:
    other = make_quote(cohort=quote.cohort)
    forged = {"public_id": quote.public_id, "token": quotes.link(other)["token"]}
    assert contact.get(reverse(f"payments:{name}", kwargs=forged)).status_code == 404
    assert contact.post(reverse(f"payments:{name}", kwargs=forged)).status_code in (404, 405)


def test_quote_is_kept_by_nobody_in_between(contact: Client, quote: Quote) -> None:
    response = contact.get(url(quote))
    kept = {name: response.headers[name] for name in ("X-Robots-Tag", "Cache-Control", "Referrer-Policy")}
    assert kept == {
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "same-origin",
    }


def test_quote_says_what_happens_next_at_every_stage(contact: Client, quote: Quote, staff: User, finance: User) -> None:
    seen = [words(contact.get(url(quote)))]
    order = hand_in(quote)
    seen.append(words(contact.get(url(quote))))
    purchase_orders.ask(order.pk, question="Who signed it?", by=staff, at=NOW)
    seen.append(words(contact.get(url(quote))))
    purchase_orders.refuse(order.pk, reason="It is not signed.", by=staff, at=NOW)
    seen.append(words(contact.get(url(quote))))
    order = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    seen.append(words(contact.get(url(quote))))
    due = order.invoices.get().due_on
    for days, said in ((0, "Please pay the invoice by"), (1, "please have it paid now")):
        clock.jump_to(datetime.combine(due + timedelta(days=days), NOW.timetz()))
        assert said in words(contact.get(url(quote)))
    clock.jump_to(NOW)
    pay(order.payer, finance, 120000, order.invoices.get())
    seen.append(words(contact.get(url(quote))))
    for page, said in zip(
        seen,
        [
            "Hand in the signed purchase order by the end of 30 January 2027",
            "We are checking your purchase order",
            "We have a question before we can accept it: Who signed it? Answer our e-mail",
            "We could not accept your purchase order It is not signed.",
            "They enter it on their own page by the end of 31 January 2027",
            "Everything is paid",
        ],
        strict=True,
    ):
        assert said in page
    assert primary_buttons(contact.get(url(quote))) == []


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("early", "You can hand in your purchase order here from 1 November 2026"),
        ("over", "This quote is no longer valid"),
        ("closed", "Registration for cohort 10 has closed."),
    ],
)
def test_quote_out_of_time_says_so(contact: Client, quote: Quote, when: str, said: str) -> None:
    cohort = quote.cohort
    instants = {"early": cohort.registration_opens_at - timedelta(days=1), "over": quote.valid_until}
    clock.jump_to(instants.get(when, cohort.registration_closes_at) + timedelta(seconds=1))
    assert said in words(contact.get(url(quote)))
    assert contact.get(url(quote, "quote-order")).headers["Location"] == url(quote)
    assert contact.post(url(quote, "quote-order"), filled()).headers["Location"] == url(quote)


def test_quote_order_is_handed_in_withdrawn_and_handed_in_again(contact: Client, quote: Quote) -> None:
    form = BeautifulSoup(contact.get(url(quote, "quote-order")).content, "html.parser")
    typed = {name: form.select_one(f"[name={name}]")["value"] for name in ("payer_name", "amount")}  # type: ignore[index]
    assert typed == {"payer_name": "Lakeside School District", "amount": "1200.00"}
    order = {"amount": "1200.00"}
    response = contact.post(url(quote, "quote-order"), filled(**order), follow=True)
    assert "We are checking your purchase order" in words(response)
    withdraw = url(quote, "quote-withdraw")
    assert "Withdraw this purchase order?" in words(contact.get(withdraw))
    assert PurchaseOrder.objects.get().state == "submitted"
    assert "is cancelled You withdrew it." in words(contact.post(withdraw, follow=True))
    assert contact.post(withdraw).headers["Location"] == url(quote)
    again = BeautifulSoup(contact.get(url(quote, "quote-order")).content, "html.parser")
    assert again.select_one("[name=bill_to]").get_text(strip=True) == "Accounts Payable"  # type: ignore[union-attr]
    document = SimpleUploadedFile("order.pdf", b"%PDF-1.7\nagain\n%%EOF")
    contact.post(url(quote, "quote-order"), filled(**order, document=document))
    assert sorted(PurchaseOrder.objects.values_list("state", "submitted_by")) == [
        ("cancelled", None),
        ("submitted", None),
    ]


@pytest.mark.payment_case(74)
@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"document": b"<html>%PDF-</html>"}, "document", "This is not a PDF"),
        ({"document": b"%PDF-1.7" + b"0" * 10 * 1024 * 1024}, "document", "larger than 10 MB"),
        ({"amount": "1199.99"}, "amount", "must cover the fees of 3 coaches, $1,200.00 USD"),
    ],
)
def test_quote_order_says_what_is_wrong(
    contact: Client, quote: Quote, changes: dict[str, Any], field: str, said: str
) -> None:
    if "document" in changes:
        changes = {"document": SimpleUploadedFile("order.pdf", changes["document"])}
    response = contact.post(url(quote, "quote-order"), filled(**{"amount": "1200.00", **changes}))
    page = BeautifulSoup(response.content, "html.parser")
    assert said in page.select_one(f"#div_id_{field}").get_text()  # type: ignore[union-attr]
    assert PurchaseOrder.objects.count() == 0


def test_quote_shows_codes_takers_and_what_is_due(
    contact: Client, quote: Quote, staff: User, finance: User, unpaid: Registration
) -> None:
    order = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    given = codes(order)
    said = words(contact.get(url(quote)))
    assert [code in said for code in given] == [True, True, True]
    assert "0 of 3 taken." in said
    seats.take(order.seats.order_by("pk")[0], unpaid, by=unpaid.user, at=NOW)
    pay(order.payer, finance, 50000, order.invoices.get())
    said = words(contact.get(url(quote)))
    assert [code in said for code in given] == [False, True, True]
    for part in ("1 of 3 taken.", "Ada Abara", "Paid $500.00 USD", "Due $700.00 USD by 9 January 2027"):
        assert part in said


def test_quote_seat_is_given_back_after_a_second_thought(contact: Client, quote: Quote, staff: User) -> None:
    order = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    seat = order.seats.order_by("pk")[0]
    back = url(quote, "quote-seat-release", seat=seat.pk)
    assert back in contact.get(url(quote)).content.decode()
    assert "Give back this seat?" in words(contact.get(back))
    assert f"The seat with the code {seat_codes.shown(seat)}" in words(contact.get(back))
    assert Seat.objects.filter(state="free").count() == 3
    response = contact.post(back, follow=True)
    note = CreditNote.objects.get()
    assert f"{note.number} $400.00 USD credited on 10 December 2026" in words(response)
    assert contact.post(back).status_code == 404
    assert Seat.objects.filter(state="free").count() == 2


def test_quote_seat_that_was_taken_meanwhile_is_not_given_back(
    contact: Client, quote: Quote, staff: User, unpaid: Registration
) -> None:
    order = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    seat = order.seats.order_by("pk")[0]
    seats.take(seat, unpaid, by=unpaid.user, at=NOW)
    response = contact.post(url(quote, "quote-seat-release", seat=seat.pk), follow=True)
    assert b"A coach has taken this seat meanwhile." in response.content
    assert Seat.objects.get(pk=seat.pk).state == "claimed"


@pytest.mark.payment_case(26)
def test_quote_seat_of_another_order_is_nothing(contact: Client, quote: Quote, staff: User) -> None:
    other = make_quote(cohort=quote.cohort)
    purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    seat = purchase_orders.accept(hand_in(other, number="77").pk, by=staff, at=NOW).seats.order_by("pk")[0]
    assert contact.post(url(quote, "quote-seat-release", seat=seat.pk)).status_code == 404
    assert seat_codes.shown(seat) not in contact.get(url(quote)).content.decode()


def test_quote_papers_are_private_downloads(contact: Client, quote: Quote, staff: User) -> None:
    Vendor.objects.get().w9.save("w9.pdf", ContentFile(b"%PDF-1.7 w9"))
    order = purchase_orders.accept(hand_in(quote).pk, by=staff, at=NOW)
    seats.release(order.seats.order_by("pk")[0].pk, reason="", by=None, at=NOW)
    names = [quote.number, Invoice.objects.get().number, CreditNote.objects.get().number, "W-9"]
    page = contact.get(url(quote)).content.decode()
    for name in names:
        paper = url(quote, "quote-paper", paper=name)
        assert paper in page
        response = contact.get(paper)
        assert file_of(response).startswith(b"%PDF-")
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.pdf"'
        assert (response.headers["X-Content-Type-Options"], response.headers["Cache-Control"]) == (
            "nosniff", "private, no-store",
        )  # fmt: skip


@pytest.mark.payment_case(26)
@pytest.mark.parametrize("paper", ["W-9", "INV-2026-9999", "../settings"])
def test_quote_papers_that_are_not_its_own_are_nothing(contact: Client, quote: Quote, paper: str) -> None:
    link = url(quote, "quote-paper", paper="x").replace("/x.pdf", f"/{paper}.pdf")
    assert contact.get(link).status_code == 404
