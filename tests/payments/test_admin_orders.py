"""The office judges orders, gives seats back and hands them on, types in what came on paper, verifies payers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from payments import purchase_orders, seat_codes, seats
from payments.models import Payer, PurchaseOrder, Quote, Seat
from tests.factories import make_purchase_order, make_quote, make_registration
from tests.payments.conftest import NOW, hand_in
from tests.payments.districts import status
from tests.payments.seated import states
from tests.payments.test_order_views import filled

TICKED = {"asked": "1", "same": "on", "ours": "on", "signed": "on", "verified": "on"}


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


@pytest.fixture
def order(unpaid: Registration) -> PurchaseOrder:
    Registration.objects.update(payment_status="po_requested")
    return make_purchase_order(unpaid)


@pytest.fixture
def bulk(unpaid: Registration, staff: User) -> PurchaseOrder:
    """Accepted, three seats, the first of them Ada's."""
    return purchase_orders.accept(hand_in(make_quote(unpaid)).pk, by=staff, at=NOW)


def address(row: PurchaseOrder | Seat | Quote | Payer, name: str) -> str:
    return reverse(f"admin:payments_{row._meta.model_name}_{name}", args=[row.pk])


def words(response: HttpResponse) -> str:
    page = BeautifulSoup(response.content, "html.parser")
    return " ".join(page.select_one("#content-main").get_text(" ").split())  # type: ignore[union-attr]


def buttons(response: HttpResponse) -> list[str]:
    page = BeautifulSoup(response.content, "html.parser")
    return [link.get_text(strip=True) for link in page.select(".object-tools a")]


def test_order_offers_what_the_person_may_do(desk: Any, staff: User, finance: User, order: PurchaseOrder) -> None:
    seen = []
    for state in ("submitted", "accepted", "refused"):
        PurchaseOrder.objects.update(state=state)
        seen.append([buttons(desk(person).get(address(order, "change")))[:-1] for person in (staff, finance)])
    assert seen == [[["Accept", "Refuse", "Ask", "Cancel"], []], [["Cancel"], []], [[], []]]


def test_accept_shows_what_was_typed_and_what_speaks_for_it(desk: Any, staff: User, unpaid: Registration) -> None:
    quote = make_quote(unpaid)
    order = hand_in(quote)
    said = words(desk(staff).get(address(order, "accept")))
    for part in (
        f"Lakeside School District (quote {quote.number})", "PO-0042", "1 December 2026", "$1,200.00 USD",
        "Accounts Payable", "connie@example.org", "Download the PDF",
        "Look Lakeside School District is not verified yet.",
        "Yes PO-0042 is not used by this payer.", "Yes Handed in on 10 December 2026, in time for Cohort 10 (2026).",
    ):  # fmt: skip
        assert part in said


def test_accept_holds_the_seat_and_verifies_the_payer_once_all_is_ticked(
    desk: Any, staff: User, unpaid: Registration, order: PurchaseOrder
) -> None:
    for missing in ("same", "ours", "signed", "verified"):
        posted = {name: value for name, value in TICKED.items() if name != missing}
        assert b"Nothing was changed." in desk(staff).post(address(order, "accept"), posted).content
    assert (status(unpaid), Payer.objects.get().verified_by) == ("po_requested", None)
    response = desk(staff).post(address(order, "accept"), TICKED)
    assert response.headers["Location"] == address(order, "change")
    assert (status(unpaid), PurchaseOrder.objects.get().decided_by) == ("po_committed", staff)
    assert Payer.objects.get().verified_by == staff


@pytest.mark.payment_case(76)
def test_accept_by_who_typed_it_in_is_refused_and_says_so(
    desk: Any, staff: User, other_staff: User, unpaid: Registration
) -> None:
    quote = make_quote(unpaid)
    typed = filled(amount="1200.00")
    assert desk(staff).post(address(quote, "order"), typed).headers["Location"] == address(quote, "change")
    order = PurchaseOrder.objects.get()
    assert (order.submitted_by, order.quote, states(order)) == (staff, quote, ["claimed", "free", "free"])
    refused = desk(staff).post(address(order, "accept"), TICKED)
    assert "You handed in this purchase order" in words(refused)
    assert (PurchaseOrder.objects.get().state, Payer.objects.get().verified_at) == ("submitted", None)
    desk(other_staff).post(address(order, "accept"), TICKED)
    assert PurchaseOrder.objects.get().decided_by == other_staff


def test_typing_in_says_what_is_wrong(desk: Any, staff: User, unpaid: Registration) -> None:
    response = desk(staff).post(address(make_quote(unpaid), "order"), filled(amount="1.00"))
    assert "must cover the fees of 3 coaches" in words(response)
    assert PurchaseOrder.objects.count() == 0


def test_refuse_and_ask_need_words(desk: Any, staff: User, order: PurchaseOrder) -> None:
    for name, field in (("refuse", "reason"), ("ask", "question")):
        assert b"Nothing was changed." in desk(staff).post(address(order, name), {field: ""}).content
    desk(staff).post(address(order, "ask"), {"question": "Who signed it?"})
    assert (PurchaseOrder.objects.get().state, PurchaseOrder.objects.get().reason) == ("submitted", "Who signed it?")
    desk(staff).post(address(order, "refuse"), {"reason": "Not signed."})
    assert (PurchaseOrder.objects.get().state, PurchaseOrder.objects.get().reason) == ("refused", "Not signed.")


@pytest.mark.payment_case(64)
def test_cancel_asks_about_seats_that_are_taken(desk: Any, staff: User, bulk: PurchaseOrder) -> None:
    asked = {"reason": "They took it back."}
    assert "1 coach has taken a seat" in words(desk(staff).post(address(bulk, "cancel"), asked))
    assert states(bulk) == ["claimed", "free", "free"]
    desk(staff).post(address(bulk, "cancel"), {**asked, "with_taken_seats": "on"})
    assert states(bulk) == ["released"] * 3


def test_free_seats_are_given_back_together(desk: Any, staff: User, bulk: PurchaseOrder) -> None:
    assert "Give back free seats" in buttons(desk(staff).get(address(bulk, "change")))
    desk(staff).post(address(bulk, "release"), {"asked": "1", "reason": ""})
    assert states(bulk) == ["claimed", "released", "released"]
    assert "Give back free seats" not in buttons(desk(staff).get(address(bulk, "change")))


def test_a_taken_seat_is_given_back_with_a_reason(desk: Any, staff: User, bulk: PurchaseOrder, unpaid: Any) -> None:
    seat = bulk.seats.get(registration=unpaid)
    assert buttons(desk(staff).get(address(seat, "change")))[:-1] == ["Hand on", "Give back"]
    assert "Say why" in words(desk(staff).post(address(seat, "release"), {"asked": "1", "reason": " "}))
    desk(staff).post(address(seat, "release"), {"reason": "She left the district."})
    assert (states(bulk), status(unpaid)) == (["released", "free", "free"], "unpaid")


def test_a_seat_is_handed_on_by_the_code_of_a_registration(
    desk: Any, staff: User, bulk: PurchaseOrder, unpaid: Registration
) -> None:
    new, seat = make_registration(payment_status="unpaid"), bulk.seats.get(registration=unpaid)
    assert "No registration has this code" in words(desk(staff).post(address(seat, "substitute"), {"code": "NOBODY"}))
    desk(staff).post(address(seat, "substitute"), {"code": f" {new.code.lower()} "})
    assert (status(new), status(unpaid), states(bulk)) == ("po_committed", "unpaid", ["claimed", "free", "free"])


def test_codes_and_links_are_nowhere_in_the_admin(desk: Any, staff: User, bulk: PurchaseOrder) -> None:
    free = bulk.seats.filter(state="free").order_by("pk")[0]
    quote = Quote.objects.get()
    pages = [address(bulk, "change"), address(free, "change"), address(quote, "change")]
    pages += [reverse(f"admin:payments_{name}_changelist") for name in ("seat", "purchaseorder", "quote")]
    for page in pages:
        said = desk(staff).get(page).content.decode()
        assert (seat_codes.shown(free) in said, str(quote.public_id) in said) == (False, False)


def test_a_payer_is_kept_and_verified_by_staff(desk: Any, staff: User, finance: User, order: PurchaseOrder) -> None:
    payer = order.payer
    assert "Verify" in buttons(desk(staff).get(address(payer, "change")))
    assert "Verify" not in buttons(desk(finance).get(address(payer, "change")))
    desk(staff).post(address(payer, "verify"), {"asked": "1"})
    payer.refresh_from_db()
    assert payer.verified_by == staff


def test_the_quote_s_pdf_is_a_download(desk: Any, finance: User, unpaid: Registration) -> None:
    quote = make_quote(unpaid)
    quote.document.save("quote.pdf", ContentFile(b"%PDF-1.7"))
    response = desk(finance).get(address(quote, "pdf"))
    assert b"".join(response.streaming_content) == b"%PDF-1.7"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{quote.number}.pdf"'


@pytest.mark.parametrize("name", ["accept", "refuse", "ask", "release", "cancel"])
def test_finance_does_not_judge_orders(desk: Any, finance: User, order: PurchaseOrder, name: str) -> None:
    assert desk(finance).post(address(order, name), {"reason": "x", "question": "?", **TICKED}).status_code == 403
    assert PurchaseOrder.objects.get().state == "submitted"


def test_finance_does_not_move_seats_nor_type_in_orders(
    desk: Any, finance: User, bulk: PurchaseOrder, unpaid: Registration
) -> None:
    seat, quote = bulk.seats.order_by("pk")[0], Quote.objects.get()
    asked = [
        address(seat, "release"),
        address(seat, "substitute"),
        address(quote, "order"),
        address(bulk.payer, "verify"),
    ]
    assert [desk(finance).post(page, {"reason": "x"}).status_code for page in asked] == [403] * 4
    assert states(bulk) == ["claimed", "free", "free"]


@pytest.mark.parametrize("person", ["candidate", "scorer", "lead"])
def test_nobody_else_gets_in(desk: Any, order: PurchaseOrder, person: str, request: pytest.FixtureRequest) -> None:
    client = desk(request.getfixturevalue(person))
    assert [client.get(address(order, name)).status_code for name in ("change", "accept", "cancel")] == [302] * 3


def test_a_decision_that_came_too_late_says_so(desk: Any, staff: User, other_staff: User, bulk: PurchaseOrder) -> None:
    assert "already accepted" in words(desk(other_staff).post(address(bulk, "refuse"), {"reason": "Not signed."}))
    seats.release_free(bulk.pk, reason="", by=staff, at=NOW)
    assert states(bulk) == ["claimed", "released", "released"]
