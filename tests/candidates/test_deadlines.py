from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates import deadlines
from candidates.deadlines import Stage
from candidates.models import Extension, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Window
from icg_cert.mail.models import Message
from tests.factories import MICROSECOND, at, make_cycle, make_registration

NOW = at(2027, 6, 1, 12)
UNTIL = at(2027, 6, 20)


def grant(registration: Registration, by: User, **fields: Any) -> Extension:
    wanted = {"closes_at": UNTIL, "reason": "A flood at the school", "at": NOW, **fields}
    return deadlines.grant_extension(registration.pk, wanted.pop("cycle", make_cycle()).pk, by=by, **wanted)


@pytest.mark.parametrize(
    ("cycle_year", "stage"),
    [
        (2025, Stage.NONE),
        (2026, Stage.NONE),
        (2027, Stage.ANY),
        (2028, Stage.REMAINING),
        (2029, Stage.RETAKES),
        (2030, Stage.NONE),
    ],
)
def test_stage_of_cohort_2026(cycle_year: int, stage: Stage) -> None:
    assert deadlines.stage(2026, cycle_year) == stage


@pytest.mark.django_db
def test_window_without_extension_is_the_cycles() -> None:
    assert deadlines.window_for(make_registration(), make_cycle()) == Window(at(2027, 5, 1), at(2027, 6, 16))


def test_window_closes_at_the_latest_extension_of_this_person_and_cycle(staff: User) -> None:
    mine, other = make_registration(), make_registration()
    grant(mine, staff)
    grant(mine, staff, closes_at=UNTIL + timedelta(days=1))
    grant(mine, staff, cycle=make_cycle(2028), closes_at=at(2028, 7, 1))
    assert deadlines.closes_at(mine, make_cycle()) == UNTIL + timedelta(days=1)
    assert deadlines.closes_at(other, make_cycle()) == at(2027, 6, 16)


def test_windows_of_a_list_take_two_queries(staff: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cycle = make_cycle()
    for _ in range(3):
        grant(make_registration(), staff)
    with django_assert_num_queries(2):
        rows = Registration.objects.prefetch_related("extensions")
        assert [deadlines.closes_at(row, cycle) for row in rows] == [UNTIL] * 3


def test_grant_extension_is_recorded_and_told_once(staff: User) -> None:
    registration = make_registration()
    first = grant(registration, staff, reason=" A flood at the school ")
    assert grant(registration, staff) == first
    event = Event.objects.get()
    assert (event.verb, event.actor, event.reason, event.after) == (
        "extension.grant",
        staff,
        "A flood at the school",
        {"cycle": 2027, "closes_at": UNTIL.isoformat()},
    )
    assert list(Message.objects.values_list("key", flat=True)) == [f"extension_granted:{first.pk}"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "reason-missing"),
        ({"closes_at": at(2027, 6, 16)}, "not-later"),
        ({"closes_at": at(2027, 10, 31, 9)}, "after-release"),
        ({"at": UNTIL}, "in-the-past"),
    ],
)
def test_grant_extension_refused(staff: User, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        grant(make_registration(), staff, **fields)
    assert (refused.value.code, Extension.objects.count(), Event.objects.count()) == (code, 0, 0)


@pytest.mark.parametrize("closes_at", [at(2027, 6, 16) + MICROSECOND, at(2027, 10, 31, 9) - MICROSECOND])
def test_grant_extension_at_its_limits(staff: User, closes_at: datetime) -> None:
    assert grant(make_registration(), staff, closes_at=closes_at).closes_at == closes_at


def test_grant_extension_refused_for_a_cycle_of_other_cohorts(staff: User) -> None:
    with pytest.raises(Refused, match="Cohort 10"):
        grant(make_registration(), staff, cycle=make_cycle(2030), closes_at=at(2030, 7, 1))


def test_grant_extension_refused_for_who_has_ended_and_for_oneself(staff: User) -> None:
    for registration in (make_registration(status="withdrawn"), make_registration(user=staff)):
        with pytest.raises(Refused) as refused:
            grant(registration, staff)
        assert refused.value.code in ("not-standing", "own-registration")
