"""Giving readings out as staff see it: the preview, what is stuck, one by hand; and what scorers and candidates say."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from candidates.models import User
from icg_cert.lib import clock
from scoring.models import Assignment
from tests.factories import at, make_locked, make_registration, make_scorer

pytestmark = pytest.mark.requires("chromium")


@pytest.fixture
def year(office: dict[str, User]) -> Iterator[dict[str, User]]:
    clock.jump_to(at(2027, 7, 1, 9))
    yield office
    clock.reset()


def test_readings_are_looked_at_then_given_out(arrive: Any, year: dict[str, User]) -> None:
    make_scorer("Ulf Unger", district="Lakeside School District")
    for registration in [make_registration() for _ in range(3)]:
        for number in (1, 2, 3, 4, 5):
            make_locked(registration, number)
    stuck = make_locked(make_registration(district="Elsewhere District", employer="Lakeside School District"))
    visitor = arrive("staff")
    visitor.sign_in(year["staff"])
    visitor.go("/scoring/board/")
    visitor.look("board before")
    visitor.page.get_by_role("link", name="See who would read what").click()
    visitor.look("preview")
    visitor.page.get_by_role("button", name=re.compile("Give out")).click()
    visitor.look("board after")
    visitor.go(f"/scoring/board/entry/{stuck.pk}/first/")
    visitor.look("by hand")
    visitor.page.get_by_label("Scorer").select_option(index=1)
    visitor.page.get_by_label("Why them").fill("Nobody else is left, and they never met.")
    visitor.page.get_by_role("button", name="Give it to this scorer").click()
    visitor.look("by hand refused")
    visitor.page.get_by_label("Set aside what speaks against them").check()
    visitor.page.get_by_role("button", name="Give it to this scorer").click()
    visitor.page.wait_for_url("**/scoring/board/?cycle=2027")
    assert Assignment.objects.get(entry=stuck).by_hand == "Nobody else is left, and they never met."


def test_a_scorer_signs_and_names_whom_they_know(arrive: Any, year: dict[str, User]) -> None:
    visitor = arrive("scorer")
    visitor.sign_in(year["scorer"])
    visitor.go("/scoring/statement/2027/")
    visitor.look("statement")
    visitor.page.get_by_label("Your full name, as a signature").fill("Sol Sato")
    visitor.page.get_by_role("button", name="Sign this statement").click()
    visitor.page.wait_for_url("**/ties/")
    visitor.page.get_by_label("Full name of the person").fill("Hillside Schools")
    visitor.page.get_by_label("How you know them").select_option("place")
    visitor.page.get_by_role("button", name="Keep this").click()
    visitor.look("ties")
