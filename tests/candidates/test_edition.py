"""Rows kept in memory: read once for each edition of the programme, and never older than the database."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import models, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from candidates import announced, edition
from candidates.models import Cohort, Cycle, Edition, PolicyText, Programme, User
from portfolios import catalogue
from portfolios.models import Factor, Requirement
from tests.factories import (
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_programme,
    make_registration,
    make_requirement,
    make_text,
)
from tests.threads import run_at_once

KEPT: dict[type[models.Model], Callable[[], models.Model]] = {
    Cohort: make_cohort,
    Cycle: make_cycle,
    Factor: make_factor,
    PolicyText: make_text,
    Programme: make_programme,
    Requirement: make_requirement,
}


@pytest.mark.django_db
def test_nothing_is_kept_before_there_is_a_programme(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    assert edition.current() is None
    for _ in range(2):
        with django_assert_num_queries(2):
            assert announced.cycles() == ()


@pytest.mark.django_db
def test_rows_are_read_once_for_each_edition(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cycle = make_cycle(2027)
    assert announced.cycles() == (cycle,)
    with django_assert_num_queries(1):
        assert announced.cycles() == (cycle,)
    other = make_cycle(2028)
    assert announced.cycles() == (cycle, other)


@pytest.mark.django_db
def test_a_date_moved_in_the_admin_or_anywhere_is_seen_at_once() -> None:
    cycle = make_cycle(2027)
    announced.cycles()
    later = cycle.closes_at + timedelta(days=1)
    Cycle.objects.filter(pk=cycle.pk).update(closes_at=later)
    assert [one.closes_at for one in announced.cycles()] == [later]


@pytest.mark.django_db
@pytest.mark.parametrize("model", KEPT)
def test_every_change_of_a_kept_table_is_a_new_edition(model: type[models.Model]) -> None:
    make = KEPT[model]
    seen = [edition.current()]
    row = make()
    seen.append(edition.current())
    rows = model._base_manager.filter(pk=row.pk)
    for change in (lambda: rows.update(id=row.pk), rows.delete):
        change()
        seen.append(edition.current())
    assert None not in seen[1:]
    assert len(set(seen)) == 4
    assert Edition.objects.count() == 1


@pytest.mark.django_db
def test_what_a_transaction_took_back_was_never_kept() -> None:
    cycle = make_cycle(2027)
    for year in (2028, 2029):
        with transaction.atomic():
            made = make_cycle(year)
            assert announced.cycles() == (cycle, made)
            transaction.set_rollback(True)
        assert announced.cycles() == (cycle,)


@pytest.mark.django_db
def test_a_request_asks_for_the_edition_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_cycle(2027)
    announced.cycles()
    with edition.asked_once(), django_assert_num_queries(1):
        assert announced.cycles() == announced.cycles()
    with django_assert_num_queries(2):
        assert announced.cycles() == announced.cycles()


@pytest.mark.django_db
def test_the_next_request_sees_what_the_last_one_changed(client: Client) -> None:
    client.get("/")
    make_cohort(2026)
    assert "announced here" not in client.get("/").content.decode()
    Cohort.objects.all().delete()
    assert "announced here" in client.get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_others_see_a_change_when_and_only_when_it_is_there_for_them() -> None:
    cycle = make_cycle(2027)

    def seen_elsewhere() -> list[str]:
        return run_at_once(lambda: [one.directions for one in announced.cycles()], times=1)[0]

    assert seen_elsewhere() == [""]
    with transaction.atomic():
        Cycle.objects.filter(pk=cycle.pk).update(directions="Record in landscape.")
        assert [one.directions for one in announced.cycles()] == ["Record in landscape."]
        assert seen_elsewhere() == [""]
    assert seen_elsewhere() == ["Record in landscape."]


@pytest.mark.django_db
def test_pages_leave_nothing_on_the_rows_they_share(candidate: User, staff: User) -> None:
    make_entry(make_registration(candidate))
    for person in (candidate, staff):
        browser = Client()
        browser.force_login(person)
        for path in ("/", "/dashboard/", "/entries/", "/results/", "/calendar.ics"):
            assert browser.get(path).status_code == 200
    rows = [announced.programme(), *announced.cohorts(), *announced.cycles(), *catalogue.factors()]
    assert [row for row in rows if row and row._state.fields_cache] == []
