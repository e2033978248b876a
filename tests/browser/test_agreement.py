"""The agreement board in Chromium: with much to compare, with little, and with a decision that is the viewer's own."""

from collections.abc import Iterator
from itertools import combinations
from random import Random
from typing import Any

import pytest
from playwright.sync_api import expect

from candidates.models import User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from scoring.models import Assignment, Rating
from scoring.scores import VALUES
from tests.browser.conftest import Visitor
from tests.factories import at, make_locked, make_reading, make_registration, make_rubric, make_scorer

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
FAR = (("1.00",) * 3, ("4.00",) * 3)


@pytest.fixture
def scoring(office: dict[str, User]) -> Iterator[dict[str, User]]:
    grant_roles()
    clock.jump_to(at(2027, 7, 1, 9))
    yield office
    clock.reset()


def read_by_many(office: dict[str, User]) -> None:
    """A hundred entries, each by two of four scorers who see the same, more or less; the last gives a little less."""
    chance = Random(7)
    people = [
        office["scorer"],
        office["second scorer"],
        make_scorer("Uli Underhill"),
        make_scorer("Val Vasquez-Oberholzer"),
    ]
    pairs = list(combinations(people, 2)) + [(other, one) for one, other in combinations(people, 2)]
    for n in range(100):
        entry, readers = make_locked(factor=n % 7 + 1), pairs[n % len(pairs)]
        seen = [chance.choice(range(1, 11)) for _ in make_rubric(entry.factor).criteria.all()]
        for reader, role in zip(readers, ("first", "second"), strict=True):
            lower = reader == people[-1] and chance.random() < 0.6
            steps = [min(max(one + chance.choice((-1, 0, 0, 0, 1)) - lower, 0), 11) for one in seen]
            make_reading(entry, reader, *(str(VALUES[step]) for step in steps), role=role)


def sign_in(arrive: Any, user: User) -> Visitor:
    visitor = arrive(user.name.split()[0].lower())
    visitor.sign_in(user)
    return visitor


def test_agreement_of_a_hundred_entries(arrive: Any, scoring: dict[str, User]) -> None:
    read_by_many(scoring)
    lee = sign_in(arrive, scoring["lead"])
    page = lee.go("/scoring/board/?cycle=2027")
    lee.look("board")
    page.get_by_role("link", name="How well scorers agree").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How well scorers agree: 2027")
    page.get_by_text("Each figure in a sentence").click()
    lee.look("agreement of a hundred")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the pairs of 2027 (CSV)").click()
    assert len(download.value.path().read_text().splitlines()) == 1 + Rating.objects.count() // 2


def test_agreement_of_one_entry_and_one_to_decide(arrive: Any, scoring: dict[str, User]) -> None:
    for values in ((("3.00",) * 3, ("3.00", "3.25", "2.25")), FAR):
        entry = make_locked(make_registration())
        for name, role, given in zip(("scorer", "second scorer"), ("first", "second"), values, strict=True):
            make_reading(entry, scoring[name], *given, role=role)
    make_reading(entry, scoring["lead"], role=Assignment.Role.ADJUDICATION)
    lee = sign_in(arrive, scoring["lead"])
    page = lee.go("/scoring/agreement/")
    expect(page.get_by_text("1 entry waits for your adjudication.")).to_be_visible()
    expect(page.get_by_text("gave the same level in 2 of 3 pairs")).to_be_visible()
    lee.look("agreement of one")


def test_agreement_before_anything_is_read(arrive: Any, scoring: dict[str, User]) -> None:
    stef = sign_in(arrive, scoring["staff"])
    stef.go("/scoring/agreement/2027/")
    stef.look("nothing to compare")
    sol = sign_in(arrive, scoring["scorer"])
    answer = sol.page.goto("/scoring/agreement/2027/")
    assert answer is not None
    assert answer.status == 403
