"""What the programme has announced, at the edges of its windows."""

from datetime import datetime, timedelta

import pytest

from candidates import announced
from candidates.models import PolicyText
from tests.factories import at, make_cohort, make_cycle, make_text

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
OPENS, CLOSES = at(2026, 11, 1), at(2027, 2, 1)


def test_nothing_is_announced_of_an_empty_programme() -> None:
    assert (announced.programme(), announced.cohorts(), announced.cycles(), announced.texts()) == (None, (), (), {})
    assert announced.foremost_cohort(OPENS) is announced.open_cohort(OPENS) is announced.next_cohort(OPENS) is None
    assert announced.current_or_next_cycle(OPENS) is None


def test_cycles_of_a_cohort_are_those_of_its_three_years_that_are_made() -> None:
    cycles = [make_cycle(year) for year in (2026, 2027, 2029, 2030)]
    assert announced.cycles_of(make_cohort(2026)) == cycles[1:3]


@pytest.mark.parametrize(
    ("when", "opened", "following", "foremost"),
    [
        (OPENS - MICROSECOND, None, 2026, 2026),
        (OPENS, 2026, 2027, 2026),
        (CLOSES - MICROSECOND, 2026, 2027, 2026),
        (CLOSES, None, 2027, 2027),
        (at(2027, 11, 1), 2027, None, 2027),
        (at(2028, 2, 1), None, None, 2027),
    ],
)
def test_cohorts_by_the_clock(when: datetime, opened: int | None, following: int | None, foremost: int | None) -> None:
    make_cohort(2027), make_cohort(2026)
    found = [announced.open_cohort(when), announced.next_cohort(when), announced.foremost_cohort(when)]
    assert [cohort.year if cohort else None for cohort in found] == [opened, following, foremost]


def test_the_newest_cohort_registers_where_windows_overlap() -> None:
    make_cohort(2026), make_cohort(2027, registration_opens_at=OPENS)
    cohort = announced.open_cohort(OPENS)
    assert cohort is not None
    assert cohort.year == 2027


def test_current_or_next_cycle_changes_at_the_closing() -> None:
    first, second = make_cycle(2027), make_cycle(2028)
    assert announced.current_or_next_cycle(first.closes_at - MICROSECOND) == first
    assert announced.current_or_next_cycle(first.closes_at) == second
    assert announced.current_or_next_cycle(second.closes_at) is None


def test_texts_are_the_newest_of_each_kind() -> None:
    kinds = PolicyText.Kind
    make_text(kinds.CONSENT), make_text(kinds.ATTESTATION, 1)
    newest = make_text(kinds.ATTESTATION, 2, "I state it again.")
    assert announced.texts() == {kinds.CONSENT: make_text(kinds.CONSENT), kinds.ATTESTATION: newest}
