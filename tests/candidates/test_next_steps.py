from datetime import datetime

import pytest

from candidates import history, next_steps
from candidates.models import User
from icg_cert.lib.next_step import NextStep
from tests.factories import at, make_cohort, make_evidence_request, make_programme, make_registration

NOVEMBER, MAY = at(2026, 11, 15), at(2027, 5, 10)


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    make_programme()
    make_cohort(2026)


def next_step(user: User, when: datetime) -> NextStep | None:
    return next_steps.next_step(user, history.registrations(user), when)


def test_register_while_the_window_is_open(candidate: User) -> None:
    assert next_step(candidate, NOVEMBER) == NextStep(
        title="Register for certification in 2026",
        text="It takes about ten minutes. Have your hours by kind of work and your supervisor's e-mail at hand.",
        url="/register/",
        action="Register",
        deadline=at(2027, 2, 1),
    )


def test_wait_for_the_next_window(candidate: User) -> None:
    assert next_step(candidate, MAY) == NextStep(
        title="Registration is not open to you now",
        text="You can register from 1 November 2027.",
        url="/register/",
        action="See when registration opens",
        kind="wait",
    )


@pytest.mark.parametrize("instant", [NOVEMBER, MAY])
def test_nothing_for_who_is_registered(candidate: User, instant: datetime) -> None:
    make_registration(candidate)
    assert next_step(candidate, instant) is None


@pytest.mark.parametrize("status", ["refused", "withdrawn", "lapsed"])
def test_wait_for_who_has_ended_even_in_the_window(candidate: User, status: str) -> None:
    mine = make_registration(candidate, status=status)
    step = next_step(candidate, NOVEMBER)
    assert step
    assert (step.kind, step.url) == ("wait", f"/registrations/{mine.pk}/")
    assert step.text == "Your registration in cohort 10 has ended. You can register from 1 November 2027."


def test_register_again_in_a_later_cohort(candidate: User) -> None:
    make_registration(candidate, status="lapsed")
    make_cohort(2027)
    step = next_step(candidate, at(2027, 11, 2))
    assert step
    assert step.title == "Register for certification in 2027"


def test_answer_comes_first(candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    step = next_step(candidate, MAY)
    assert step
    assert (step.kind, step.url, step.action) == ("todo", f"/evidence/{asked.pk}/", "Answer the question")


def test_nothing_for_the_team(scorer: User) -> None:
    assert next_step(scorer, NOVEMBER) is None
