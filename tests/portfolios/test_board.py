"""What a candidate is told of the seven factors at an instant, and the one thing to do next."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates import edition
from candidates.models import Extension, Registration, User
from icg_cert.lib.next_step import NextStep
from portfolios import board, next_steps
from portfolios.models import Entry, Factor
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_registration,
    make_requirement,
    make_upload,
)

OPENS, CLOSES = at(2027, 5, 1), at(2027, 6, 16)
GRACE = timedelta(minutes=30)


@pytest.fixture
def registration(candidate: User) -> Registration:
    for year in (2027, 2028, 2029):
        make_cycle(year)
    for number in (1, 2):
        make_requirement(make_factor(number))
    return make_registration(candidate)


def built(user: User, when: datetime) -> board.Board:
    found = board.board(user, when)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("when", "year", "phase"),
    [
        (at(2026, 12, 1), 2027, "before"),
        (OPENS - MICROSECOND, 2027, "before"),
        (OPENS, 2027, "open"),
        (CLOSES - MICROSECOND, 2027, "open"),
        (CLOSES, 2027, "after"),
        (CLOSES + GRACE - MICROSECOND, 2027, "after"),
        (CLOSES + GRACE, 2028, "before"),
        (at(2030, 1, 1), 2029, "after"),
    ],
)
def test_board_is_of_the_cycle_one_is_in(registration: Registration, when: datetime, year: int, phase: str) -> None:
    found = built(registration.user, when)
    assert (found.cycle.year, found.phase) == (year, phase)


def test_extension_keeps_one_in_the_cycle(registration: Registration, staff: User) -> None:
    later = CLOSES + timedelta(days=2)
    Extension.objects.create(
        registration=registration,
        cycle=make_cycle(2027),
        closes_at=later,
        reason="Illness",
        granted_by=staff,
        granted_at=CLOSES,
    )
    assert [built(registration.user, t).is_open for t in (CLOSES, later - MICROSECOND, later)] == [True, True, False]


def test_nobody_without_a_registration_or_cycles_has_a_board(candidate: User, stranger: User) -> None:
    make_registration(candidate)
    assert board.board(candidate, OPENS) is None
    assert board.board(stranger, OPENS) is None


def test_board_prefers_the_registration_that_takes_part(registration: Registration) -> None:
    make_registration(registration.user, make_cohort(2025), payment_status="unpaid")
    assert built(registration.user, OPENS).registration == registration


def test_withheld_results_are_not_told_by_the_board(registration: Registration) -> None:
    make_entry(registration, status=Entry.Status.LOCKED, outcome=Entry.Outcome.BANKED)
    assert built(registration.user, at(2028, 5, 2)).cards[0].allowance == "banked"
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    assert built(registration.user, at(2028, 5, 2)).cards[0].allowance == "handed_in"


def outcome_board(registration: Registration, year: int, *statuses: str) -> board.Board:
    """Factor 1 and 2 in the first year with these statuses; the board of a later year."""
    for number, status in enumerate(statuses, start=1):
        if status:
            outcome = "fell_short" if status == "locked" else ""
            make_entry(registration, make_factor(number), make_cycle(2027), status=status, outcome=outcome)
    return built(registration.user, at(year, 5, 2))


@pytest.mark.parametrize(
    ("year", "statuses", "due"),
    [
        (2027, ("", ""), True),
        (2027, ("submitted", ""), False),
        (2027, ("submitted", "draft"), True),
        (2028, ("locked", ""), True),
        (2028, ("locked", "locked"), False),
        (2028, ("lapsed", "locked"), True),
        (2029, ("locked", "locked"), True),
        (2029, ("", ""), False),
    ],
)
def test_something_is_due(registration: Registration, year: int, statuses: tuple[str, ...], due: bool) -> None:
    assert outcome_board(registration, year, *statuses).is_something_due == due


def test_queries_do_not_grow_with_entries(
    registration: Registration, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    entries = [make_entry(registration, make_factor(number)) for number in (1, 2, 3)]
    make_upload(entries[0], state="open")
    built(registration.user, OPENS)  # reads what is kept in memory
    with edition.asked_once(), django_assert_num_queries(6):
        built(registration.user, OPENS)
    for entry in entries[1:]:
        make_upload(entry, make_requirement(entry.factor))
        make_upload(entry, make_requirement(entry.factor), state="open")
    built(registration.user, OPENS)
    with edition.asked_once(), django_assert_num_queries(6):
        built(registration.user, OPENS)


# ---- The next step


def step(user: User, when: datetime) -> NextStep:
    found = next_steps.next_step(board.board(user, when))
    assert found is not None
    return found


def test_next_step_before_the_window(registration: Registration) -> None:
    found = step(registration.user, OPENS - MICROSECOND)
    assert (found.kind, found.title, found.url) == ("wait", "The 2027 window is not open yet", "/entries/")
    assert found.text.startswith("The window of 2027 opens on 1 May 2027.")


def test_next_step_is_to_start(registration: Registration) -> None:
    found = step(registration.user, OPENS)
    assert (found.kind, found.title, found.deadline) == ("todo", "Start an entry", CLOSES)


def test_next_step_is_to_finish_then_to_submit(registration: Registration) -> None:
    entry = make_entry(registration)
    found = step(registration.user, OPENS)
    assert (found.title, found.url) == ("Finish 1. Factor 1", f"/entries/{entry.pk}/")
    make_upload(entry, make_requirement(entry.factor))
    found = step(registration.user, OPENS)
    assert (found.title, found.url) == ("Submit 1. Factor 1", f"/entries/{entry.pk}/submit/")


def test_next_step_when_all_is_submitted(registration: Registration) -> None:
    make_entry(registration, status=Entry.Status.SUBMITTED)
    found = step(registration.user, OPENS)
    assert (found.kind, found.title) == ("wait", "What you began is submitted")
    for factor in Factor.objects.exclude(entries__registration=registration):
        make_entry(registration, factor, status=Entry.Status.SUBMITTED)
    found = step(registration.user, OPENS)
    assert (found.kind, found.title) == ("wait", "Everything is submitted")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (CLOSES, "Scores are released on 31 October 2027."),
        (CLOSES + GRACE, "Scores are released on 31 October 2027. The window of 2028 opens on 1 May 2028."),
    ],
)
def test_next_step_after_closing_says_when_the_scores_come(
    registration: Registration, when: datetime, words: str
) -> None:
    make_entry(registration, status=Entry.Status.LOCKED)
    found = step(registration.user, when)
    assert (found.kind, found.title, found.text) == ("wait", "Your entries are handed in", words)


@pytest.mark.parametrize(
    ("when", "is_left"),
    [(CLOSES - MICROSECOND, True), (CLOSES, True), (CLOSES + GRACE - MICROSECOND, True), (CLOSES + GRACE, False)],
)
def test_next_step_in_the_grace_is_to_finish_what_began_in_time(
    registration: Registration, when: datetime, is_left: bool
) -> None:
    entry = make_entry(registration)
    make_entry(registration, make_factor(2), status=Entry.Status.LOCKED)
    make_upload(entry, make_requirement(entry.factor), state="open")
    found = step(registration.user, when)
    assert (found.kind, found.title) == (
        ("todo", "Finish 1. Factor 1") if is_left else ("wait", "Your entries are handed in")
    )
    assert found.deadline == (None if not is_left else CLOSES if when < CLOSES else CLOSES + GRACE)
    assert [card.entry for card in built(registration.user, when).finishing] == (
        [entry] if is_left and when >= CLOSES else []
    )


@pytest.mark.parametrize(
    ("uploads", "is_left"),
    [
        ([("open", {})], True),
        ([("open", {}), ("stored", {})], True),
        ([("ready", {"has_sound": False})], True),
        ([("stored", {})], False),
        ([("ready", {})], False),
        ([], False),
    ],
)
def test_what_can_be_finished_in_the_grace(
    registration: Registration, uploads: list[tuple[str, dict[str, Any]]], is_left: bool
) -> None:
    """Not what waits for us alone, and not where a file is missing that can no longer begin."""
    entry = make_entry(registration)
    for number, (state, more) in enumerate(uploads):
        key = "commentary" if number == 0 else "letter"
        make_upload(entry, make_requirement(entry.factor, key), state=state, **more)
    assert bool(built(registration.user, CLOSES).finishing) == is_left
    make_requirement(entry.factor, "missing")
    assert built(registration.user, CLOSES).finishing == []


def test_next_step_when_this_window_asks_nothing(registration: Registration) -> None:
    for number in (1, 2):
        make_entry(registration, make_factor(number), status=Entry.Status.LOCKED, outcome=Entry.Outcome.BANKED)
    assert step(registration.user, at(2028, 5, 2)).title == "Nothing is due in this window"
    assert next_steps.next_step(board.board(registration.user, at(2028, 4, 1))) is None


@pytest.mark.parametrize("standing", [{"payment_status": "unpaid"}, {"status": "withdrawn"}])
def test_next_step_of_who_takes_no_part_is_told_by_others(registration: Registration, standing: dict[str, Any]) -> None:
    Registration.objects.update(**standing)
    assert next_steps.next_step(board.board(registration.user, OPENS)) is None
