from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from candidates.models import PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import acceptance, payers, purchase_orders
from payments.models import Payer, PurchaseOrder
from payments.purchase_orders import Check, Order, checklist, normalise
from tests.factories import MICROSECOND, make_payer, make_registration
from tests.payments.conftest import NOW
from tests.payments.districts import pay
from tests.payments.test_attempts import Begin, assert_locked, refusal_of
from tests.threads import run_all_at_once, run_at_once

ORDER = Order(
    payer_name="Lakeside School District",
    payer_email="payable@lakeside.example.org",
    number="PO-0042",
    issued_on=date(2026, 12, 1),
    amount=Money(40000),
    document=b"%PDF-1.7 the order",
    bill_to="Accounts Payable\n1 Main Street",
)
Submit = Callable[..., PurchaseOrder]


@pytest.fixture
def submit(unpaid: Registration, policy: PolicyText) -> Submit:
    def hand_in(registration: Registration = unpaid, when: Any = NOW, by: Any = None, **changes: Any) -> PurchaseOrder:
        acceptance.accept_for(registration.pk, policy.pk, by=registration.user, at=when)
        order = replace(ORDER, **changes)
        return purchase_orders.submit(registration.pk, order, by=by or registration.user, at=when)

    return hand_in


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return registration.payment_status


def seats(order: PurchaseOrder) -> list[tuple[str, int | None, int, bool]]:
    """Each seat's state, registration, price, and whether it has a code."""
    rows = order.seats.order_by("pk").values_list("state", "registration", "price_minor", "code_sha256")
    return [(state, registration, price, code is not None) for state, registration, price, code in rows]


def mails() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("event", "to"))


def documents() -> int:
    return len(default_storage.listdir("purchase-orders")[1]) if default_storage.exists("purchase-orders") else 0


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        ("PO-0042", "42"),
        ("po 42", "42"),
        ("P.O. #00042", "42"),
        ("42", "42"),
        ("4 2-A", "42A"),
        ("POLK-7", "POLK7"),
        ("２０２６-７", "20267"),
        ("---", ""),
        ("000", ""),
    ],
)
def test_numbers_are_compared_without_their_decoration(number: str, plain: str) -> None:
    assert normalise(number) == plain


def test_submit_stores_the_order_and_says_it_is_being_checked(unpaid: Registration, submit: Submit) -> None:
    order = submit(payer_name="  Lakeside  School District ")
    assert (order.state, order.money, order.number, order.number_normalised, order.payer.name) == (
        "submitted", Money(40000), "PO-0042", "42", "Lakeside School District",
    )  # fmt: skip
    assert (order.cohort, order.quote, order.contact_email, order.submitted_by) == (
        unpaid.cohort, None, "ada@example.org", unpaid.user,
    )  # fmt: skip
    assert seats(order) == [("claimed", unpaid.pk, 40000, False)]
    with order.document.open() as file:
        assert file.read() == ORDER.document
    assert "0042" not in order.document.name
    assert (status(unpaid), mails()) == ("po_requested", [("purchase_order_submitted", "ada@example.org")])


def test_submit_twice_is_one_order_and_one_file(submit: Submit) -> None:
    assert submit() == submit()
    assert [PurchaseOrder.objects.count(), documents(), len(mails())] == [1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_submit_from_two_tabs_at_once_is_one_order(submit: Submit) -> None:
    first, second = run_at_once(submit, times=2)
    assert first == second
    assert [PurchaseOrder.objects.count(), documents(), len(mails())] == [1, 1, 1]


def test_submit_of_a_second_order_is_refused_and_keeps_no_file(submit: Submit) -> None:
    submit()
    assert refusal_of(lambda: submit(number="other")) == "order-known"
    assert documents() == 1


@pytest.mark.payment_case(71)
@pytest.mark.parametrize(
    ("edge", "after", "code"),
    [
        ("opens_at", -MICROSECOND, "window-not-open"),
        ("opens_at", timedelta(0), ""),
        ("closes_at", -MICROSECOND, ""),
        ("closes_at", timedelta(0), "window-closed"),
    ],
)
def test_submit_keeps_to_the_window_to_the_microsecond(
    unpaid: Registration, submit: Submit, edge: str, after: timedelta, code: str
) -> None:
    moment = getattr(unpaid.cohort.window, edge) + after
    assert refusal_of(lambda: submit(when=moment, issued_on=date(2026, 10, 1))) == code


@pytest.mark.payment_case(59, 61)
@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount": Money(39999)}, "amount-short", "amount"),
        ({"amount": Money(40000)}, "", ""),
        ({"amount": Money(40001)}, "", ""),
        ({"number": "REQ-7"}, "number-requisition", "number"),
        ({"number": " - "}, "number-empty", "number"),
        ({"issued_on": date(2026, 12, 10)}, "", ""),
        ({"issued_on": date(2026, 12, 11)}, "date-future", "issued_on"),
        ({"valid_until": date(2026, 12, 10)}, "", ""),
        ({"valid_until": date(2026, 12, 9)}, "expired", "valid_until"),
        ({"amount": Money(40000, "CAD")}, "currency", "amount"),
    ],
)
def test_submit_looks_at_number_date_and_amount(submit: Submit, changes: dict[str, Any], code: str, field: str) -> None:
    if not code:
        assert submit(**changes).state == "submitted"
        return
    with pytest.raises(Refused) as refusal:
        submit(**changes)
    assert (refusal.value.code, list(refusal.value.fields), documents()) == (code, [field], 0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"status": "withdrawn"}, "not-standing"), ({"status": "evidence_requested"}, "")],
)
def test_submit_needs_a_standing_registration(submit: Submit, fields: dict[str, str], code: str) -> None:
    Registration.objects.update(**fields)
    assert refusal_of(submit) == code


def test_submit_is_for_the_owner(submit: Submit, stranger: User, staff: User) -> None:
    assert [refusal_of(partial(submit, by=person)) for person in (stranger, staff)] == ["not-yours", "not-yours"]


def test_submit_needs_the_no_refund_policy_accepted(unpaid: Registration) -> None:
    hand_in = lambda: purchase_orders.submit(unpaid.pk, ORDER, by=unpaid.user, at=NOW)  # noqa: E731
    assert refusal_of(hand_in) == "not-accepted"


def test_submit_while_a_payment_is_under_way_is_refused(submit: Submit, begin: Begin) -> None:
    begin()
    assert refusal_of(submit) == "in-doubt"


def test_start_while_an_order_is_checked_or_accepted_is_refused(submit: Submit, begin: Begin, staff: User) -> None:
    order = submit()
    assert refusal_of(begin) == "order-being-checked"
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    assert refusal_of(begin) == "order-accepted"


def test_accept_holds_the_seat_also_after_closing(unpaid: Registration, submit: Submit, staff: User) -> None:
    order = submit()
    late = unpaid.cohort.registration_closes_at + timedelta(days=20)
    for _ in range(2):
        order = purchase_orders.accept(order.pk, by=staff, at=late)
    assert (order.state, order.decided_by, order.decided_at) == ("accepted", staff, late)
    assert status(unpaid) == "po_committed"
    assert unpaid.is_taking_part
    assert not unpaid.is_settled
    assert [event for event, to in mails() if to == "ada@example.org"] == [
        "purchase_order_submitted",
        "invoice_issued",
        "purchase_order_accepted",
    ]
    assert list(Event.objects.about(order).order_by("pk").values_list("verb", "actor")) == [
        ("purchase_order.submit", unpaid.user.pk),
        ("purchase_order.accept", staff.pk),
    ]


def test_refuse_tells_the_reason_and_the_fee_is_owed_again(
    unpaid: Registration, submit: Submit, staff: User, begin: Begin
) -> None:
    order = submit()
    assert refusal_of(lambda: purchase_orders.refuse(order.pk, reason=" ", by=staff, at=NOW)) == "reason-missing"
    purchase_orders.refuse(order.pk, reason="The signature is missing.", by=staff, at=NOW)
    assert (status(unpaid), seats(order)) == ("unpaid", [("released", unpaid.pk, 40000, False)])
    assert "The signature is missing." in Message.objects.get(event="purchase_order_refused").body_text
    assert submit(document=b"%PDF-1.7 signed").state == "submitted"


@pytest.mark.payment_case(76)
def test_nobody_decides_about_their_own_order(submit: Submit, staff: User, policy: PolicyText) -> None:
    own = make_registration(staff, payment_status="unpaid")
    order = submit(own)
    for verb in (purchase_orders.accept, lambda pk, **who: purchase_orders.refuse(pk, reason="x", **who)):
        assert refusal_of(lambda: verb(order.pk, by=staff, at=NOW)) == "own-order"  # noqa: B023
    with pytest.raises(IntegrityError, match="decided_by_another"), transaction.atomic():
        PurchaseOrder.objects.update(decided_by=staff)


def test_accept_of_an_ended_registration_is_refused(submit: Submit, staff: User) -> None:
    order = submit()
    Registration.objects.update(status="withdrawn")
    assert refusal_of(lambda: purchase_orders.accept(order.pk, by=staff, at=NOW)) == "not-standing"


@pytest.mark.parametrize("now", PurchaseOrder.State.values)
@pytest.mark.parametrize("to", ["accepted", "refused", "cancelled"])
def test_an_order_moves_only_along_its_map(submit: Submit, staff: User, now: str, to: str) -> None:
    order = submit()
    PurchaseOrder.objects.update(state=now)
    verbs: dict[str, Callable[[], Any]] = {
        "accepted": lambda: purchase_orders.accept(order.pk, by=staff, at=NOW),
        "refused": lambda: purchase_orders.refuse(order.pk, reason="x", by=staff, at=NOW),
        "cancelled": lambda: purchase_orders.cancel(order.pk, reason="x", by=staff, at=NOW, with_taken_seats=True),
    }
    is_legal = to == now or to in PurchaseOrder.NEXT[now]
    assert refusal_of(verbs[to]) == ("" if is_legal else "order-decided")
    order.refresh_from_db()
    assert order.state == (to if is_legal else now)


def test_cancel_by_the_candidate_while_it_is_checked(unpaid: Registration, submit: Submit, begin: Begin) -> None:
    order = submit()
    for _ in range(2):
        order = purchase_orders.cancel(order.pk, reason="", by=unpaid.user, at=NOW)
    assert (order.state, order.decided_by, status(unpaid)) == ("cancelled", None, "unpaid")
    assert begin()


def test_cancel_of_an_accepted_order_is_for_the_office(unpaid: Registration, submit: Submit, staff: User) -> None:
    order = purchase_orders.accept(submit().pk, by=staff, at=NOW)
    own = lambda: purchase_orders.cancel(order.pk, reason="", by=unpaid.user, at=NOW)  # noqa: E731
    assert refusal_of(own) == "order-accepted"
    taken = lambda: purchase_orders.cancel(order.pk, reason="The district took it back.", by=staff, at=NOW)  # noqa: E731
    assert refusal_of(taken) == "seats-taken"
    purchase_orders.cancel(order.pk, reason="The district took it back.", by=staff, at=NOW, with_taken_seats=True)
    assert (status(unpaid), seats(order)) == ("unpaid", [("released", unpaid.pk, 40000, False)])


@pytest.mark.payment_case(70)
def test_accept_of_who_paid_meanwhile_is_refused(unpaid: Registration, submit: Submit, staff: User) -> None:
    order = submit()
    Registration.objects.update(payment_status="paid")
    assert refusal_of(lambda: purchase_orders.accept(order.pk, by=staff, at=NOW)) == "already-paid"


@pytest.mark.payment_case(60)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "po 42"}, "number-used"),
        ({"number": "0042"}, "number-used"),
        ({"number": "４２", "payer_name": " LAKESIDE  school district"}, "number-used"),
        ({"number": "42-A"}, ""),
        ({"payer_name": "Hillside School District"}, ""),
    ],
)
def test_a_number_is_live_once_per_payer_however_it_is_typed(
    submit: Submit, changes: dict[str, Any], code: str
) -> None:
    submit()
    other = make_registration(payment_status="unpaid")
    assert refusal_of(lambda: submit(other, **changes)) == code
    assert documents() == (1 if code else 2)


@pytest.mark.payment_case(60)
@pytest.mark.parametrize("verb", ["refuse", "cancel"])
def test_a_number_that_was_turned_down_may_come_again(submit: Submit, staff: User, verb: str) -> None:
    order = submit()
    getattr(purchase_orders, verb)(order.pk, reason="x", by=staff, at=NOW)
    again = submit()
    assert (again.payer, again != order, Payer.objects.count()) == (order.payer, True, 1)


@pytest.mark.payment_case(60)
@pytest.mark.django_db(transaction=True)
def test_two_coaches_with_the_same_order_at_once_are_one_and_a_clear_no(submit: Submit, unpaid: Registration) -> None:
    other = make_registration(payment_status="unpaid")
    codes = run_all_at_once([lambda who=who: refusal_of(lambda: submit(who)) for who in (unpaid, other)])
    assert (sorted(codes), documents(), Payer.objects.count()) == (["", "number-used"], 1, 1)


@pytest.mark.django_db(transaction=True)
def test_submit_waits_for_the_registration_and_the_payer(unpaid: Registration, submit: Submit) -> None:
    for row in (unpaid, make_payer(ORDER.payer_name)):
        assert_locked(row, submit)


def test_a_known_payer_changes_only_when_an_order_is_accepted(submit: Submit, staff: User) -> None:
    payer = make_payer(ORDER.payer_name, email="old@lakeside.example.org", bill_to="Old Street")
    order = submit()
    payer.refresh_from_db()
    assert (order.payer, payer.email, payer.bill_to) == (payer, "old@lakeside.example.org", "Old Street")
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    payer.refresh_from_db()
    assert (payer.email, payer.bill_to) == ("payable@lakeside.example.org", "Accounts Payable\n1 Main Street")


@pytest.mark.django_db(transaction=True)
def test_accept_waits_for_the_registration_the_payer_and_the_order(
    unpaid: Registration, submit: Submit, staff: User
) -> None:
    order = submit()
    for row in (unpaid, order.payer, order):
        assert_locked(row, lambda: purchase_orders.accept(order.pk, by=staff, at=NOW))


@pytest.mark.django_db(transaction=True)
def test_accept_and_refuse_at_once_is_one_decision(submit: Submit, staff: User, other_staff: User) -> None:
    order = submit()
    codes = run_all_at_once(
        [
            lambda: refusal_of(lambda: purchase_orders.accept(order.pk, by=staff, at=NOW)),
            lambda: refusal_of(lambda: purchase_orders.refuse(order.pk, reason="x", by=other_staff, at=NOW)),
        ]
    )
    assert sorted(codes) == ["", "order-decided"]


def test_ask_lets_the_order_wait_and_writes_once(unpaid: Registration, submit: Submit, staff: User) -> None:
    order = submit()
    for _ in range(2):
        order = purchase_orders.ask(order.pk, question=" Who signed it? ", by=staff, at=NOW)
    assert (order.state, order.reason, status(unpaid)) == ("submitted", "Who signed it?", "po_requested")
    assert mails()[1:] == [("purchase_order_question", "ada@example.org")]
    purchase_orders.ask(order.pk, question="And when?", by=staff, at=NOW + timedelta(hours=1))
    assert mails()[1:] == [("purchase_order_question", "ada@example.org")] * 2
    assert refusal_of(lambda: purchase_orders.ask(order.pk, question=" ", by=staff, at=NOW)) == "reason-missing"
    purchase_orders.accept(order.pk, by=staff, at=NOW)
    assert refusal_of(lambda: purchase_orders.ask(order.pk, question="?", by=staff, at=NOW)) == "order-decided"


@pytest.mark.payment_case(64)
def test_cancel_after_money_came_is_refused(unpaid: Registration, submit: Submit, staff: User, finance: User) -> None:
    order = purchase_orders.accept(submit().pk, by=staff, at=NOW)
    pay(order.payer, finance, 1, order.invoices.get())
    cancel = lambda: purchase_orders.cancel(order.pk, reason="x", by=staff, at=NOW, with_taken_seats=True)  # noqa: E731
    assert refusal_of(cancel) == "has-money"
    assert status(unpaid) == "po_committed"


def test_checklist_says_what_speaks_for_an_order_and_what_against(submit: Submit, staff: User) -> None:
    order = submit(valid_until=date(2027, 1, 31))
    assert checklist(order) == [
        Check("Lakeside School District is not verified yet. Make sure that it exists and is called so.", False),
        Check("PO-0042 is not used by this payer.", True),
        Check("$400.00 USD for 1 × $400.00 USD, together $400.00 USD.", True),
        Check("Dated 1 December 2026.", True),
        Check("Valid until 31 January 2027.", True),
        Check("Handed in on 10 December 2026, in time for Cohort 10 (2026).", True),
    ]
    purchase_orders.refuse(order.pk, reason="x", by=staff, at=NOW)
    payers.verify(order.payer_id, by=staff, at=NOW)
    assert checklist(submit(document=b"%PDF-1.7 signed"))[:2] == [
        Check("Lakeside School District was verified on 10 December 2026.", True),
        Check("This payer sent PO-0042 before; it was refused or cancelled then.", False),
    ]
