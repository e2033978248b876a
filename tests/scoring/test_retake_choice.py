"""What a candidate says of their third year beforehand: which factors, until when, and that it binds nobody."""

from datetime import datetime

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from portfolios import submission
from scoring import retake_choice
from scoring.models import RetakeWish
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_extension,
    make_factor,
    make_policy,
    make_registration,
    make_result,
    make_scored_entry,
)
from tests.scoring.telling import release_year, tell, twice

SPRING = at(2029, 3, 1, 12)


@pytest.fixture
def registration(candidate: User) -> Registration:
    """Factors 1 and 2 fell short in 2027, 3 to 7 are accomplished; nothing was handed in in 2028."""
    made = make_registration(candidate, code="BCDF2345")
    for year in (2027, 2028, 2029):
        make_cycle(year)
    tell(made, twice("2.00"), twice("1.25"), *[twice("3.00")] * 5)
    return made


def key(number: int) -> int:
    return make_factor(number).pk


def wish(user: User, *numbers: int, when: datetime = SPRING) -> list[int]:
    retake_choice.wish([key(number) for number in numbers], by=user, at=when)
    found = retake_choice.of(user, when)
    assert found is not None
    return [one.factor.number for one in found.choices if one.is_wished]


def test_what_fell_short_may_be_retaken_and_its_score_is_shown(registration: Registration, candidate: User) -> None:
    found = retake_choice.of(candidate, SPRING)
    assert found is not None
    assert [(one.factor.number, one.score, one.is_wished) for one in found.choices] == [(1, 2, False), (2, 1.25, False)]
    assert (found.cycle.year, found.awaited, found.best_counts) == (2029, (), True)


@pytest.mark.parametrize(
    ("when", "is_there"),
    [
        (at(2028, 6, 16) - MICROSECOND, False),  # year 2 is still open
        (at(2028, 6, 16), True),
        (at(2029, 6, 16) - MICROSECOND, True),
        (at(2029, 6, 16), False),
    ],
)
def test_from_the_end_of_the_second_window_to_the_end_of_the_third(
    registration: Registration, candidate: User, when: datetime, is_there: bool
) -> None:
    assert (retake_choice.of(candidate, when) is not None) is is_there


def test_an_extension_keeps_it_open(registration: Registration, candidate: User) -> None:
    make_extension(registration, make_cycle(2029))
    assert wish(candidate, 1, when=at(2029, 6, 20)) == [1]


def test_a_wish_changes_until_the_window_closes(registration: Registration, candidate: User) -> None:
    assert wish(candidate, 1, 2) == [1, 2]
    first = RetakeWish.objects.get(factor__number=1).said_at
    assert wish(candidate, 1, when=at(2029, 5, 20)) == [1]
    assert RetakeWish.objects.get().said_at == first
    assert wish(candidate) == []
    with pytest.raises(Refused, match="no third year ahead"):
        retake_choice.wish([key(1)], by=candidate, at=at(2029, 6, 16))


def test_what_cannot_be_retaken_cannot_be_wished(registration: Registration, candidate: User) -> None:
    with pytest.raises(Refused, match="cannot be retaken"):
        retake_choice.wish([key(1), key(3)], by=candidate, at=SPRING)
    assert not RetakeWish.objects.exists()


def test_whatever_was_wished_any_of_them_may_be_handed_in(registration: Registration, candidate: User) -> None:
    wish(candidate, 1)
    entry = submission.start(registration.pk, key(2), make_cycle(2029).pk, by=candidate, at=at(2029, 5, 2))
    assert entry.is_retake


def test_planned_for_who_still_takes_part(registration: Registration, candidate: User, stranger: User) -> None:
    wish(candidate, 1, 2)
    other = make_registration(stranger)
    RetakeWish.objects.create(registration=other, cycle=make_cycle(2029), factor=make_factor(2), said_at=SPRING)
    assert retake_choice.announced_for(make_cycle(2029)) == [(1, 1), (2, 2)]
    Registration.objects.filter(pk=other.pk).update(status=Registration.Status.WITHDRAWN)
    assert retake_choice.announced_for(make_cycle(2029)) == [(1, 1), (2, 1)]
    assert retake_choice.announced_for(make_cycle(2028)) == []


def test_what_is_still_being_scored_is_awaited_not_lost(candidate: User) -> None:
    make_policy()
    made = make_registration(candidate)
    for year in (2027, 2028, 2029):
        make_cycle(year)
    make_scored_entry(made, 1, *twice("2.00"), year=2028)
    found = retake_choice.of(candidate, at(2028, 8, 1))
    assert found is not None
    assert ([one.number for one in found.awaited], found.choices) == ([1], ())
    release_year(made, 2028)
    found = retake_choice.of(candidate, SPRING)
    assert found is not None
    assert ([one.factor.number for one in found.choices], found.awaited) == ([1], ())


def test_withheld_results_say_nothing_here_either(registration: Registration, candidate: User) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    found = retake_choice.of(candidate, SPRING)
    assert found is not None
    assert (found.choices, len(found.awaited)) == ((), 7)


def test_the_page_says_what_counts_and_keeps_what_was_ticked(registration: Registration, candidate: User) -> None:
    clock.jump_to(SPRING)
    client = Client()
    client.force_login(candidate)
    url = reverse("scoring:retake-list")
    page = client.get(url).content
    assert "the best counts: a retake cannot lower what you have" in " ".join(
        BeautifulSoup(page, "html.parser").get_text(" ").split()
    )
    assert client.post(url, {"factors": [key(2)]}).status_code == 302
    ticked = BeautifulSoup(client.get(url).content, "html.parser").select("input[type=checkbox][checked]")
    assert [box["value"] for box in ticked] == [str(key(2))]
    assert client.post(url, {"factors": [key(3)]}).status_code == 409


def test_nobody_else_has_such_a_page(candidate: User, stranger: User) -> None:
    make_result(make_registration(candidate))
    for person in (candidate, stranger):
        assert retake_choice.of(person, SPRING) is None
