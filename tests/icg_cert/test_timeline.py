"""The banner and the line of three years, derived from rows at every phase and boundary."""

from dataclasses import replace
from datetime import datetime

import pytest

from candidates.models import Cycle, Registration
from icg_cert import timeline
from icg_cert.lib.windows import Phase
from icg_cert.timeline import Calendar, Item
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_programme,
    make_registration,
)  # fmt: skip

pytestmark = pytest.mark.django_db

OPENS, CLOSES = at(2026, 11, 1), at(2027, 2, 1)


def _cycles() -> list[Cycle]:
    return [make_cycle(year) for year in (2027, 2028, 2029)]


@pytest.mark.parametrize(
    ("now", "headline", "phase"),
    [
        (OPENS - MICROSECOND, "2026 certification opens soon", Phase.BEFORE),
        (OPENS, "2026 certification open now", Phase.OPEN),
        (CLOSES - MICROSECOND, "2026 certification open now", Phase.OPEN),
        (CLOSES, "2026 certification is closed to new candidates", Phase.AFTER),
    ],
)
def test_banner_follows_the_one_cohort_there_is(now: datetime, headline: str, phase: Phase) -> None:
    cohort, cycles = make_cohort(), _cycles()
    assert timeline.banner(now) == timeline.Banner(headline, phase, cohort, cycles[0])


def test_banner_without_a_cohort_promises_dates() -> None:
    assert timeline.banner(OPENS) == timeline.Banner("The next certification dates will be announced here")


@pytest.mark.parametrize(
    ("now", "headline"),
    [
        (at(2026, 12, 24), "2026 certification open now"),
        (at(2027, 3, 1), "2027 certification opens soon"),
        (at(2028, 3, 1), "2027 certification is closed to new candidates"),
    ],
)
def test_banner_of_many_cohorts_speaks_of_the_foremost(now: datetime, headline: str) -> None:
    for year in (2025, 2026, 2027):
        make_cohort(year)
    assert timeline.banner(now).headline == headline


def test_of_cohort_tells_the_three_years_with_their_dates() -> None:
    cohort = make_cohort(2018)
    cycles = [make_cycle(year) for year in (2019, 2020, 2021)]
    items = timeline.of_cohort(cohort, cycles, at(2018, 10, 1))
    assert [(item.title, item.state, item.starts_at, item.ends_at) for item in items] == [
        ("Register for certification", "later", at(2018, 11, 1), at(2019, 2, 1)),
        ("Submit any portfolio pieces for 2018-2019", "later", at(2019, 5, 1), at(2019, 6, 16)),
        ("Receive your scores", "later", at(2019, 10, 31, 9), None),
        ("Submit all remaining pieces", "later", at(2020, 5, 1), at(2020, 6, 16)),
        ("Receive your scores", "later", at(2020, 10, 31, 9), None),
        ("Submit any retakes", "later", at(2021, 5, 1), at(2021, 6, 16)),
        ("Receive your scores and your final certification notice", "later", at(2021, 10, 31, 9), None),
    ]


@pytest.mark.parametrize(
    ("now", "states"),
    [
        (OPENS - MICROSECOND, "later later later later later later later"),
        (OPENS, "due later later later later later later"),
        (CLOSES, "done now later later later later later later"),
        (at(2027, 5, 1), "done due later later later later later"),
        (at(2027, 6, 16) - MICROSECOND, "done due later later later later later"),
        (at(2027, 6, 16), "done done now later later later later later"),
        (at(2027, 10, 31, 9), "done done done now later later later later"),
        (at(2029, 10, 31, 9), "done done done done done done done"),
    ],
)
def test_of_cohort_puts_today_between_what_is_behind_and_ahead(now: datetime, states: str) -> None:
    items = timeline.of_cohort(make_cohort(), _cycles(), now)
    assert [item.state for item in items] == states.split()


def test_of_cohort_without_cycles_names_the_years_alone() -> None:
    items = timeline.of_cohort(make_cohort(), [], OPENS)
    assert [(item.starts_at, item.note.split(".")[0]) for item in items[1:3]] == [(None, "In 2027"), (None, "In 2027")]


@pytest.mark.parametrize(
    ("payment", "now", "expected"),
    [
        ("paid", OPENS, Item("Your seat is held", "done", note="Paid")),
        ("po_committed", OPENS, Item("Your seat is held", "done", note="Seat held by purchase order")),
        ("unpaid", OPENS, Item("Settle the fee", "due", None, CLOSES, "Without it the registration lapses.")),
        (
            "unpaid",
            at(2027, 1, 26),
            Item("Settle the fee", "at_risk", None, CLOSES, "Without it the registration lapses."),
        ),
    ],
)
def test_of_registration_says_how_the_fee_stands(payment: str, now: datetime, expected: Item) -> None:
    registration = make_registration(payment_status=payment)
    assert timeline.of_registration(registration, [], [], now)[1] == expected


@pytest.mark.parametrize(
    ("now", "statuses", "state", "note"),
    [
        (at(2027, 5, 2), [], "due", "As many of the entries as you have ready, or none."),
        (at(2027, 5, 2), ["draft"], "due", "One entry in draft."),
        (at(2027, 5, 2), ["submitted", "submitted", "draft"], "due", "2 entries submitted, one entry in draft."),
        (at(2027, 6, 9), ["draft"], "due", "One entry in draft."),
        (at(2027, 6, 9, 0, 1), ["draft"], "at_risk", "One entry in draft."),
        (at(2027, 6, 12), ["submitted"], "due", "One entry submitted."),
        (at(2027, 7, 1), ["locked", "lapsed"], "done", "One entry submitted."),
    ],
)
def test_of_registration_says_what_is_handed_in(now: datetime, statuses: list[str], state: str, note: str) -> None:
    registration, cycles = make_registration(), _cycles()
    entries = [
        make_entry(registration, make_factor(number), cycles[0], status=status)
        for number, status in enumerate(statuses, start=1)
    ]
    submit = next(
        item
        for item in timeline.of_registration(registration, cycles, entries, now)
        if item.title.startswith("Submit any portfolio")
    )
    assert (submit.state, submit.note) == (state, note)


def test_of_registration_begins_with_the_day_of_registering() -> None:
    registration = make_registration()
    first = timeline.of_registration(registration, _cycles(), [], OPENS)[0]
    assert first == Item("You registered", "done", starts_at=registration.registered_at)


def test_calendar_says_the_programmes_days_in_words() -> None:
    programme = make_programme()
    expected = Calendar("1 November to 31 January", "1 May to 15 June", "31 October", at(2026, 11, 1))
    assert timeline.calendar(programme, at(2026, 10, 1)) == expected
    assert timeline.calendar(programme, at(2026, 11, 1)) == replace(expected, next_opens_at=at(2027, 11, 1))


def test_calendar_before_the_programme_is_loaded() -> None:
    assert timeline.calendar(None, OPENS) is None


def test_every_payment_status_has_a_place_on_the_line() -> None:
    for payment in Registration.Payment:
        registration = make_registration(payment_status=payment)
        assert timeline.of_registration(registration, [], [], OPENS)[1].title in ("Your seat is held", "Settle the fee")


def test_of_registration_ends_where_one_is_certified() -> None:
    registration, cycles = make_registration(), _cycles()
    items = timeline.of_registration(registration, cycles, [], at(2028, 12, 1), certified=cycles[1])
    assert [item.title for item in items] == [
        "You registered",
        "Your seat is held",
        "Submit any portfolio pieces for 2026-2027",
        "Receive your scores",
        "Submit all remaining pieces",
        "You are certified",
    ]
    assert items[-1] == Item("You are certified", "done", starts_at=at(2028, 10, 31, 9))
