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
from payments import acceptance, purchase_orders, remittances
from payments.models import LedgerEntry, PurchaseOrder, Remittance
from payments.purchase_orders import Order, normalise
from tests.factories import MICROSECOND, make_registration
from tests.payments.conftest import NOW
from tests.payments.test_attempts import Begin, assert_locked, refusal_of
from tests.threads import run_all_at_once, run_at_once

ORDER = Order(
    payer_name="Lakeside School District",
    payer_email="payable@lakeside.example.org",
    number="PO-0042",
    issued_on=date(2026, 12, 1),
    amount=Money(40000),
    document=b"%PDF-1.7 the order",
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
    assert (order.state, order.money, order.number, order.number_normalised, order.payer_name) == (
        "submitted", Money(40000), "PO-0042", "42", "Lakeside School District",
    )  # fmt: skip
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
    assert [event for event, _ in mails()] == ["purchase_order_submitted", "purchase_order_accepted"]
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
    assert status(unpaid) == "unpaid"
    assert "The signature is missing." in Message.objects.get(event="purchase_order_refused").body_text
    assert submit(document=b"%PDF-1.7 signed").state == "submitted"


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
        "cancelled": lambda: purchase_orders.cancel(order.pk, reason="x", by=staff, at=NOW),
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
    purchase_orders.cancel(order.pk, reason="The district took it back.", by=staff, at=NOW)
    assert status(unpaid) == "unpaid"


def test_one_order_covers_several_coaches_as_far_as_its_amount_goes(
    submit: Submit, unpaid: Registration, staff: User
) -> None:
    coaches = [unpaid, *(make_registration(payment_status="unpaid") for _ in range(2))]
    assert submit(coaches[0], amount=Money(80000)).state == "submitted"
    assert submit(coaches[1], amount=Money(80000), number="po 42", payer_name="LAKESIDE school district")
    assert refusal_of(lambda: submit(coaches[2], amount=Money(80000))) == "number-used"
    assert submit(coaches[2], amount=Money(80000), payer_name="Hillside").state == "submitted"


@pytest.mark.django_db(transaction=True)
def test_accept_of_two_coaches_at_once_never_exceeds_the_order(
    submit: Submit, unpaid: Registration, staff: User
) -> None:
    orders = [submit(), submit(make_registration(payment_status="unpaid"), number="43")]
    PurchaseOrder.objects.update(number_normalised="42")
    verbs = [lambda pk=order.pk: purchase_orders.accept(pk, by=staff, at=NOW) for order in orders]
    codes = run_all_at_once([lambda verb=verb: refusal_of(verb) for verb in verbs])
    assert sorted(codes) == ["", "number-used"]


@pytest.mark.django_db(transaction=True)
def test_accept_waits_for_the_registration_and_for_every_order_of_the_number(
    unpaid: Registration, submit: Submit, staff: User
) -> None:
    order = submit(amount=Money(80000))
    other = submit(make_registration(payment_status="unpaid"), amount=Money(80000))
    for row in (unpaid, order, other):
        assert_locked(row, lambda: purchase_orders.accept(order.pk, by=staff, at=NOW))


def enter(order: PurchaseOrder, by: User, **changes: Any) -> Remittance:
    fields = {"kind": "check", "number": "1001", "amount": Money(40000), "received_on": date(2026, 12, 9)}
    return remittances.enter(order.pk, **{**fields, **changes}, by=by, at=NOW)


@pytest.fixture
def accepted(submit: Submit, staff: User) -> PurchaseOrder:
    return purchase_orders.accept(submit().pk, by=staff, at=NOW)


def test_remittance_pays_the_fee(unpaid: Registration, accepted: PurchaseOrder, finance: User) -> None:
    assert remittances.missing(accepted) == Money(40000)
    enter(accepted, finance)
    assert (status(unpaid), remittances.missing(accepted)) == ("paid", Money(0))
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.money, entry.provider, entry.txn_ref, entry.actor) == (
        "po_money", Money(40000), "po", f"{accepted.pk}:check:1001", finance,
    )  # fmt: skip
    assert [event for event, _ in mails()] == [
        "purchase_order_submitted",
        "purchase_order_accepted",
        "purchase_order_paid",
    ]


def test_remittance_twice_is_one(unpaid: Registration, accepted: PurchaseOrder, finance: User) -> None:
    assert enter(accepted, finance) == enter(accepted, finance, number=" 01001 ")
    assert [LedgerEntry.objects.count(), status(unpaid)] == [1, "paid"]
    assert refusal_of(lambda: enter(accepted, finance, amount=Money(1))) == "remittance-known"


@pytest.mark.django_db(transaction=True)
def test_remittance_from_two_desks_at_once_is_one(accepted: PurchaseOrder, finance: User) -> None:
    first, second = run_at_once(lambda: enter(accepted, finance), times=2)
    assert (first, LedgerEntry.objects.count()) == (second, 1)


def test_remittance_in_parts_keeps_the_seat(unpaid: Registration, accepted: PurchaseOrder, finance: User) -> None:
    seen = []
    for number, minor in (("1", 39999), ("2", 1), ("3", 100)):
        enter(accepted, finance, number=number, amount=Money(minor))
        seen.append(status(unpaid))
    assert seen == ["po_committed", "paid", "overpaid"]
    assert len(mails()) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "-"}, "number-empty"),
        ({"amount": Money(0)}, "amount-wrong"),
        ({"received_on": date(2026, 12, 10)}, ""),
        ({"received_on": date(2026, 12, 11)}, "date-future"),
    ],
)
def test_remittance_looks_at_what_is_typed(
    accepted: PurchaseOrder, finance: User, changes: dict[str, Any], code: str
) -> None:
    assert refusal_of(lambda: enter(accepted, finance, **changes)) == code


def test_remittance_for_an_order_that_is_not_accepted_is_refused(submit: Submit, finance: User) -> None:
    order = submit()
    assert refusal_of(lambda: enter(order, finance)) == "order-not-accepted"


def test_cancel_after_money_came_is_refused(accepted: PurchaseOrder, staff: User, finance: User) -> None:
    enter(accepted, finance, amount=Money(1))
    assert refusal_of(lambda: purchase_orders.cancel(accepted.pk, reason="x", by=staff, at=NOW)) == "has-money"
