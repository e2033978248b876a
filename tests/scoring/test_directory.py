"""The directory: those who chose to stand in it, with what they chose, and nobody for longer than they want."""

from typing import Any

import pytest
from django.http import HttpResponse
from pytest_django import DjangoAssertNumQueries

from candidates.models import User
from scoring import certificates, directory, privacy, release
from scoring.models import Certificate
from scoring.privacy import Choices
from tests.factories import (
    MICROSECOND,
    at,
    make_certificate,
    make_choices,
    make_cycle,
    make_policy,
    make_programme,
    make_registration,
    make_release,
    make_scored_entry,
    make_user,
)
from tests.scoring.holding import DUE, LATER, ask, words


def coach(name: str, district: str = "Lakeside School District", **choices: Any) -> Certificate:
    user = make_user(name)
    certificate = make_certificate(make_registration(user, district=district))
    make_choices(user, **choices)
    return certificate


def found(**asked: str) -> list[tuple[str, str]]:
    return [(one.holder_name, directory.place(one)) for one in directory.listed(LATER, **asked)]


def page(**asked: str) -> HttpResponse:
    return ask("/directory/", **asked)


def test_listed_are_those_who_chose_so_by_name(db: None) -> None:
    for name in ("bo Borges", "Ada Abara", "Cy Cole"):
        coach(name, is_listed=name != "Cy Cole")
    make_certificate()  # of somebody who never chose
    assert found() == [("Ada Abara", ""), ("bo Borges", "")]


@pytest.mark.parametrize(
    ("choices", "place"),
    [
        ({}, ""),
        ({"state": "KS"}, "Kansas"),
        ({"shows_district": True}, "Lakeside School District"),
        ({"state": "KS", "shows_district": True}, "Lakeside School District, Kansas"),
        ({"state": "ZZ"}, "Outside the United States"),
    ],
)
def test_place_is_what_the_holder_chose(db: None, choices: dict[str, Any], place: str) -> None:
    coach("Ada Abara", **choices)
    assert found() == [("Ada Abara", place)]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"words": "ABARA"}, ["Ada Abara"]),
        ({"words": "a b"}, ["Ada Abara", "Bo Borges"]),
        ({"words": "kansas"}, ["Ada Abara", "Bo Borges"]),  # Arkansas, too
        ({"words": "harbor"}, ["Ada Abara"]),  # Bo does not show his
        ({"words": "ada harbor"}, ["Ada Abara"]),
        ({"words": "borges harbor"}, []),
        ({"words": "%"}, []),
        ({"state": "KS"}, ["Ada Abara"]),
        ({"state": "XX"}, ["Ada Abara", "Bo Borges"]),
        ({"words": "borges", "state": "KS"}, []),
    ],
)
def test_search_finds_what_is_shown(db: None, asked: dict[str, str], names: list[str]) -> None:
    coach("Ada Abara", "Harbor Schools", state="KS", shows_district=True)
    coach("Bo Borges", "Harbor Schools", state="AR")
    assert [name for name, _ in found(**asked)] == names


def test_who_leaves_is_gone_at_once(db: None) -> None:
    user = coach("Ada Abara").registration.user
    assert "Ada Abara" in words(page())
    privacy.choose(user.pk, Choices(), by=user, at=LATER)
    assert "Ada Abara" not in words(page())


def test_revoked_vanishes_and_a_new_name_takes_the_place_of_the_old(db: None, staff: User) -> None:
    ada, bo = coach("Ada Abara"), coach("Bo Borges")
    certificates.revoke(bo.pk, reason="Why.", by=staff, at=LATER)
    certificates.reissue(ada.pk, name="Ada Adebayo", reason="Why.", by=staff, at=LATER)
    assert found() == [("Ada Adebayo", "")]
    assert [one.holder_name for one in directory.listed(LATER - MICROSECOND)] == ["Ada Abara", "Bo Borges"]


def test_closed_account_vanishes(db: None) -> None:
    User.objects.filter(pk=coach("Ada Abara").registration.user.pk).update(is_active=False)
    assert found() == []


def test_nobody_stands_in_it_before_they_are_certified(db: None) -> None:
    coach("Ada Abara")
    assert not directory.listed(DUE - MICROSECOND).exists()


def test_unpaid_holder_is_not_certified_and_not_listed(candidate: User) -> None:
    """Results that wait for the fee have no certificate, and no page of it."""
    make_policy()
    registration = make_registration(candidate, payment_status="unpaid")
    for number in range(1, 8):
        make_scored_entry(registration, number)
    make_release(make_cycle(2027))
    make_choices(candidate)
    release.release_due(DUE)
    assert not Certificate.objects.exists()
    assert "Nobody is listed yet" in words(page())
    assert "No certificate yet" in words(ask("/certificates/", candidate))


@pytest.mark.parametrize("count", [1, 3])
def test_page_queries_do_not_grow(db: None, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_programme()
    for number in range(count):
        coach(f"Coach {number}", state="KS", shows_district=True)
    page()  # from now on the programme is kept
    with django_assert_num_queries(3):  # the count, the rows, the edition
        response = page()
    assert (response.status_code, words(response).count("Lakeside School District, Kansas 2027")) == (200, count)


def test_page_of_nobody_of_one_and_of_many(db: None) -> None:
    assert "Nobody is listed yet" in words(page())
    coach("Ada Abara")
    assert "1 coach " in words(page())
    for number in range(50):
        coach(f"Coach {number:02}")
    assert "51 coaches" in words(page())
    assert ("Coach 48" in words(page()), "Coach 49" in words(page())) == (True, False)
    assert "Coach 49" in words(page(page="2"))
    assert "Coach 49" in words(page(page="999"))
    assert 'href="?q=Coach&amp;page=2"' not in page(q="Coach").content.decode()
    coach("Coach 50")
    assert 'href="?q=Coach&amp;page=2"' in page(q="Coach").content.decode()


def test_page_asks_not_to_be_kept(db: None) -> None:
    response = page()
    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("asked", [{"q": "x" * 101}, {"q": "a\x00b"}, {"state": "nowhere"}, {"page": "-1"}])
def test_page_takes_anything(db: None, asked: dict[str, str]) -> None:
    coach("Ada Abara")
    assert page(**asked).status_code == 200


def test_page_shows_nobodys_code_or_address(db: None) -> None:
    certificate = coach("Ada Abara", is_listed=True)
    html = page().content.decode()
    assert "Ada Abara" in html
    for secret in (certificate.code, certificate.registration.code, certificate.registration.user.email, "Lakeside"):
        assert secret not in html


def test_page_names_nobody_found(db: None) -> None:
    coach("Ada Abara")
    assert "Nobody found" in words(page(q="Zed"))
    assert "1 coach found" in words(page(q="Ada"))


def test_year_is_the_one_of_the_award(db: None, staff: User) -> None:
    certificate = coach("Ada Abara")
    certificates.reissue(certificate.pk, name="Ada Adebayo", reason="Why.", by=staff, at=at(2029, 3, 1))
    assert "Ada Adebayo 2027" in words(ask("/directory/", when=at(2029, 3, 2)))
