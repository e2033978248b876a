"""Entries as pages show them: everything at hand, and nothing missing that was announced a moment ago."""

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates import edition
from candidates.models import Registration
from portfolios import completeness, entries
from portfolios.models import Upload
from tests.factories import (
    make_cycle,
    make_entry,
    make_factor,
    make_registration,
    make_requirement,
    make_upload,
)


@pytest.fixture
def registration(db: None) -> Registration:
    return make_registration()


def test_entries_of_stand_by_factor_and_year(registration: Registration) -> None:
    second = make_entry(registration, make_factor(2), make_cycle(2027))
    retake = make_entry(registration, make_factor(1), make_cycle(2029))
    first = make_entry(registration, make_factor(1), make_cycle(2027))
    make_entry()
    assert entries.of([registration]) == [first, retake, second]
    assert entries.of([]) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_entries_of_bring_all_that_completeness_looks_at(
    registration: Registration, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, rows + 1):
        make_upload(make_entry(registration, make_factor(number)))
    with edition.asked_once():
        entries.of([registration])
        with django_assert_num_queries(2):
            found = entries.of([registration])
            assert [completeness.gaps(entry) for entry in found] == [[]] * rows
            assert [(entry.registration, entry.cycle.year) for entry in found] == [(registration, 2027)] * rows


def test_files_that_are_gone_are_left_out(registration: Registration) -> None:
    entry = make_entry(registration)
    for state in Upload.State:
        make_upload(entry, state=state)
    [found] = entries.of([registration])
    alive = set(Upload.State) - set(Upload.GONE)
    assert {upload.state for upload in found.uploads.all()} == alive


def test_what_was_announced_after_the_request_began_is_asked_for(registration: Registration) -> None:
    make_entry(registration)
    with edition.asked_once():
        entries.of([registration])
        late = make_entry(registration, make_factor(2), make_cycle(2028))
        requirement = make_requirement(late.factor, "late")
        make_upload(late, requirement)
        found = entries.of([registration])[-1]
        assert (found.factor, found.cycle) == (late.factor, late.cycle)
        assert [upload.requirement for upload in found.uploads.all()] == [requirement]
