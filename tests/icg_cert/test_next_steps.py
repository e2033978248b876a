from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from candidates.models import User
from icg_cert import next_steps
from icg_cert.candidacy import Candidacy
from icg_cert.lib.next_step import NextStep
from tests.factories import MICROSECOND, at, make_cohort, make_registration

NOW = at(2026, 11, 20)
LATE, LATER = at(2026, 12, 1), at(2027, 1, 1)


def _step(title: str, kind: str = "todo", deadline: datetime | None = None) -> NextStep:
    return NextStep(title, "", "/", "Go", deadline, kind)


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ([], []),
        ([_step("a", "wait"), None, _step("b")], ["b", "a"]),
        ([_step("a", deadline=LATER), _step("b", deadline=LATE)], ["b", "a"]),
        ([_step("a"), _step("b", deadline=LATER)], ["b", "a"]),
        ([_step("a"), _step("b")], ["a", "b"]),
        ([_step("a", "done"), _step("b", "wait"), _step("c")], ["c", "a"]),
        ([_step("a", deadline=LATE), _step("b", deadline=LATE - MICROSECOND)], ["b", "a"]),
    ],
)
def test_steps_are_told_by_urgency(
    monkeypatch: pytest.MonkeyPatch, said: list[NextStep | None], order: list[str]
) -> None:
    monkeypatch.setattr(next_steps, "ASKED", [lambda mine, step=step: step for step in said])
    assert [step.title for step in next_steps.steps(Candidacy(None, NOW))] == order


def test_next_step_of_strangers_is_none() -> None:
    assert next_steps.next_step(AnonymousUser(), NOW) is None


@pytest.mark.django_db
def test_next_step_leads_a_newcomer_to_register(candidate: User) -> None:
    make_cohort()
    step = next_steps.next_step(candidate, NOW)
    assert step is not None
    assert (step.action, step.url, step.deadline) == ("Register", "/register/", at(2027, 2, 1))


@pytest.mark.django_db
def test_next_step_leads_who_registered_to_pay(candidate: User) -> None:
    registration: Any = make_registration(candidate, payment_status="unpaid")
    step = next_steps.next_step(candidate, NOW)
    assert step is not None
    assert (step.url, step.deadline) == (f"/pay/{registration.pk}/", at(2027, 2, 1))
