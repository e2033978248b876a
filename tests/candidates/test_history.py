"""All that one person has registered for."""

from pytest_django import DjangoAssertNumQueries

from candidates import edition, history
from candidates.models import User
from tests.factories import make_cohort, make_extension, make_registration


def test_registrations_are_the_persons_own_the_newest_first(candidate: User, stranger: User) -> None:
    make_registration(stranger)
    mine = [make_registration(candidate, make_cohort(year), status="lapsed") for year in (2025, 2027, 2026)]
    assert history.registrations(candidate) == [mine[1], mine[2], mine[0]]
    assert history.registrations(candidate)[0].cohort == make_cohort(2027)


def test_registrations_come_with_cohort_and_extensions(
    candidate: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    extension = make_extension(make_registration(candidate))
    with edition.asked_once():
        history.registrations(candidate)
        with django_assert_num_queries(2):
            [registration] = history.registrations(candidate)
            assert (registration.cohort.year, registration.user) == (2026, candidate)
            assert list(registration.extensions.all()) == [extension]


def test_nobody_registered_takes_one_query(candidate: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_cohort()
    with edition.asked_once():
        history.registrations(candidate)
        with django_assert_num_queries(1):
            assert history.registrations(candidate) == []
