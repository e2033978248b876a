from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from candidates import registration
from candidates.eligibility import Hours, Statement
from candidates.models import Cohort, Programme, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_programme,
    make_registration,
    make_text,
    make_user,
)
from tests.threads import run_at_once

NOW = at(2026, 11, 15, 10)
OPENS, CLOSES = at(2026, 11, 1), at(2027, 2, 1)
Status = Registration.Status

STATEMENT = Statement(
    employer="Lakeside School District",
    district="Lakeside",
    school="Lakeside Elementary",
    role_title="Instructional coach",
    is_full_time=True,
    supervisor_name="Sam Supervisor",
    supervisor_email="sam@example.org",
    hours=Hours(Decimal(28), Decimal(6), Decimal(3), Decimal(2), Decimal(1)),
    attestation_version=1,
    signature="ada  ABARA",
)


def make_world() -> Programme:
    make_cohort(2026)
    make_text()
    return make_programme()


@pytest.fixture
def world(db: None) -> Programme:
    return make_world()


def events() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("pk").values_list("verb", "reason"))


def mails() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("event", flat=True))


def test_register_writes_what_was_stated(world: Programme, candidate: User) -> None:
    made = registration.register(STATEMENT, by=candidate, at=NOW)
    row = Registration.objects.filter(pk=made.pk).values().get()
    assert len(row.pop("code")) == 8
    assert row == {
        "id": made.pk,
        "user_id": candidate.pk,
        "cohort_id": made.cohort_id,
        "status": "registered",
        "status_reason": "",
        "registered_at": NOW,
        "employer": "Lakeside School District",
        "district": "Lakeside",
        "school": "Lakeside Elementary",
        "role_title": "Instructional coach",
        "is_full_time": True,
        "supervisor_name": "Sam Supervisor",
        "supervisor_email": "sam@example.org",
        "hours_coaching": Decimal("28.00"),
        "hours_administrative": Decimal("6.00"),
        "hours_testing": Decimal("3.00"),
        "hours_intervention": Decimal("2.00"),
        "hours_other": Decimal("1.00"),
        "attestation_id": make_text().pk,
        "signature": "ada  ABARA",
        "signed_at": NOW,
        "fee_minor": 40000,
        "currency": "USD",
        "payment_status": "unpaid",
    }
    assert events() == [("registration.register", "")]
    assert list(Message.objects.values_list("key", "to")) == [(f"registered:{made.pk}", "ada@example.org")]


def test_register_twice_is_the_same_registration(world: Programme, candidate: User) -> None:
    first = registration.register(STATEMENT, by=candidate, at=NOW)
    again = registration.register(replace(STATEMENT, employer="Other"), by=candidate, at=NOW + MICROSECOND)
    assert (again.pk, again.employer) == (first.pk, "Lakeside School District")
    assert (Registration.objects.count(), len(events()), len(mails())) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_register_from_two_tabs_at_once() -> None:
    make_world()
    ada = make_user("Ada Abara")
    made = run_at_once(lambda: registration.register(STATEMENT, by=ada, at=NOW).pk, times=3)
    assert len(set(made)) == 1
    assert (Registration.objects.count(), len(events()), len(mails())) == (1, 1, 1)


@pytest.mark.parametrize("instant", [OPENS, CLOSES - MICROSECOND])
def test_register_within_the_window(world: Programme, candidate: User, instant: datetime) -> None:
    assert registration.register(STATEMENT, by=candidate, at=instant).registered_at == instant


@pytest.mark.parametrize("instant", [OPENS - MICROSECOND, CLOSES, CLOSES + MICROSECOND])
def test_register_outside_the_window(world: Programme, candidate: User, instant: datetime) -> None:
    with pytest.raises(Refused) as refused:
        registration.register(STATEMENT, by=candidate, at=instant)
    assert (refused.value.code, Registration.objects.count()) == ("window-closed", 0)


def test_register_keeps_the_fee_and_the_text_of_its_day(world: Programme, candidate: User) -> None:
    made = registration.register(STATEMENT, by=candidate, at=NOW)
    Cohort.objects.update(fee_minor=50000)
    make_text(version=2, body="Another text.")
    made.refresh_from_db()
    assert (str(made.fee), made.attestation.version) == ("$400.00 USD", 1)


def test_register_refuses_a_text_that_was_not_the_one_read(world: Programme, candidate: User) -> None:
    make_text(version=2, body="Another text.")
    with pytest.raises(Refused) as refused:
        registration.register(STATEMENT, by=candidate, at=NOW)
    assert (refused.value.code, list(refused.value.fields)) == ("attestation-changed", ["signature"])


def test_register_names_all_that_is_unmet(world: Programme, candidate: User) -> None:
    hours = Hours(Decimal("69.9"), Decimal("30.1"))
    with pytest.raises(Refused) as refused:
        registration.register(replace(STATEMENT, hours=hours, signature="Ada"), by=candidate, at=NOW)
    assert (refused.value.code, list(refused.value.fields)) == ("not-eligible", ["hours_coaching", "signature"])
    assert (Registration.objects.count(), events(), mails()) == (0, [], [])


def test_register_by_the_share_the_programme_asks(world: Programme, candidate: User) -> None:
    Programme.objects.update(coaching_percent=75)
    with pytest.raises(Refused, match="At least 75 %"):
        registration.register(STATEMENT, by=candidate, at=NOW)


# Every step from every status: what NEXT allows is done, recorded and told; the rest is refused and changes nothing.

Verb = Callable[[Registration, User], Registration]
AFTER = CLOSES
STEPS: dict[str, tuple[Verb, str]] = {
    Status.WITHDRAWN: (lambda row, by: registration.withdraw(row.pk, by=row.user, at=NOW), "withdraw"),
    Status.LAPSED: (lambda row, by: registration.lapse(row.pk, by=None, at=AFTER), "lapse"),
    Status.APPROVED: (lambda row, by: registration.approve(row.pk, by=by, at=NOW), "approve"),
    Status.REFUSED: (lambda row, by: registration.refuse(row.pk, reason=" Part-time ", by=by, at=NOW), "refuse"),
}


@pytest.mark.parametrize("to", STEPS)
@pytest.mark.parametrize("start", Status.values)
def test_every_step_from_every_status(staff: User, start: str, to: str) -> None:
    make_programme()
    row = make_registration(status=start, payment_status="unpaid")
    step, verb = STEPS[to]
    if start == to:
        step(row, staff)
        assert (events(), mails()) == ([], [])
    elif to in Registration.NEXT[start]:
        step(row, staff)
        assert [name for name, _ in events()] == [f"registration.{verb}"]
        assert mails() == [f"registration_{to}"]
    else:
        with pytest.raises(Refused, match="Nothing was changed"):
            step(row, staff)
        assert (events(), mails()) == ([], [])
    row.refresh_from_db()
    assert row.status == (to if to in Registration.NEXT[start] else start)


@pytest.mark.parametrize("to", STEPS)
def test_a_step_done_twice_is_done_once(staff: User, to: str) -> None:
    make_programme()
    row = make_registration(payment_status="unpaid")
    step, _ = STEPS[to]
    step(row, staff)
    step(row, staff)
    assert (len(events()), len(mails())) == (1, 1)


def test_refuse_tells_the_reason_and_approve_takes_it_back(staff: User, candidate: User) -> None:
    make_programme()
    row = make_registration(candidate)
    refused = registration.refuse(row.pk, reason=" Part-time ", by=staff, at=NOW)
    assert refused.status_reason == "Part-time"
    assert "“Part-time”" in Message.objects.get(event="registration_refused").body_text
    assert registration.approve(row.pk, by=staff, at=NOW).status_reason == ""
    assert events() == [("registration.refuse", "Part-time"), ("registration.approve", "")]
    assert "taken our refusal back" in Message.objects.get(event="registration_approved").body_text


def test_refuse_needs_a_reason(staff: User) -> None:
    row = make_registration()
    with pytest.raises(Refused) as refused:
        registration.refuse(row.pk, reason=" \n", by=staff, at=NOW)
    assert (refused.value.code, list(refused.value.fields)) == ("reason-missing", ["reason"])


@pytest.mark.parametrize("verb", [registration.approve, lambda pk, **who: registration.refuse(pk, reason="x", **who)])
def test_nobody_decides_about_themselves(staff: User, verb: Any) -> None:
    with pytest.raises(Refused) as refused:
        verb(make_registration(staff).pk, by=staff, at=NOW)
    assert refused.value.code == "own-registration"


@pytest.mark.parametrize(
    ("instant", "payment", "code"),
    [
        (CLOSES - MICROSECOND, "unpaid", "window-open"),
        (CLOSES, "paid", "seat-held"),
        (CLOSES, "po_committed", "seat-held"),
    ],
)
def test_lapse_refused(db: None, instant: datetime, payment: str, code: str) -> None:
    row = make_registration(payment_status=payment)
    with pytest.raises(Refused) as refused:
        registration.lapse(row.pk, by=None, at=instant)
    assert refused.value.code == code


@pytest.mark.django_db(transaction=True)
def test_withdraw_twice_at_once_is_told_once() -> None:
    row = make_registration()
    run_at_once(lambda: registration.withdraw(row.pk, by=row.user, at=NOW), times=2)
    assert (events(), mails()) == ([("registration.withdraw", "")], ["registration_withdrawn"])


@pytest.mark.parametrize(
    ("status", "payment", "refused"),
    [
        (Status.REGISTERED, Registration.Payment.PAID, True),
        (Status.APPROVED, Registration.Payment.PO_COMMITTED, True),
        (Status.REGISTERED, Registration.Payment.UNPAID, False),
        (Status.WITHDRAWN, Registration.Payment.PAID, False),
    ],
)
def test_nobody_is_in_two_processes_at_once(candidate: User, status: str, payment: str, refused: bool) -> None:
    earlier = make_registration(candidate, make_cohort(2024), status=status, payment_status=payment)
    final_notice = make_cycle(2027).releases_at
    running = Registration.objects.filter(user=candidate)
    assert list(running.under_way(final_notice - MICROSECOND)) == ([earlier] if refused else [])
    assert list(running.under_way(final_notice)) == []
