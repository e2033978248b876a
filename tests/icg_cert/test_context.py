"""The frame around every page: the menu by role, and nothing asked of the database that no page shows."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from candidates.models import User
from icg_cert.context import NavItem, frame, nav
from icg_cert.lib import clock
from tests.factories import at, make_cycle, make_factor, make_programme, make_registration

pytestmark = pytest.mark.django_db


def _labels(user: object) -> list[str]:
    return [item.label for item in nav(user, "/")]


def test_nav_by_role(candidate: User, scorer: User, lead: User, staff: User, finance: User) -> None:
    menus = {user.get_short_name(): _labels(user) for user in (candidate, scorer, lead, staff, finance)}
    assert menus == {
        "Ada": ["Dashboard", "Entries", "Results", "The portfolio", "Scoring"],
        "Sol": ["Dashboard", "To score"],
        "Lee": ["Dashboard", "To score", "Scoring board"],
        "Stef": ["Dashboard", "Scoring board", "Releases", "Admin"],
        "Fay": ["Dashboard", "Admin"],
    }
    assert _labels(AnonymousUser()) == ["The portfolio", "Scoring", "Submitting", "Policies"]


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/scoring/", ["To score"]),
        ("/scoring/sheets/3/", ["To score"]),
        ("/scoring/board/", ["Scoring board"]),
        ("/scoring/agreement/2027/", ["Scoring board"]),
        ("/register/", []),
    ],
)
def test_nav_marks_where_one_is(lead: User, path: str, here: list[str]) -> None:
    assert [item.label for item in nav(lead, path) if item.current] == here


def test_nav_item_of_the_page_one_is_on(candidate: User) -> None:
    assert nav(candidate, "/dashboard/")[0] == NavItem("Dashboard", "/dashboard/", current=True)


def test_frame_is_empty_before_our_middleware() -> None:
    assert frame(RequestFactory().get("/")) == {}


def test_frame_shows_the_next_step_on_every_page_of_a_signed_in_person(client: Client, candidate: User) -> None:
    make_programme()
    make_registration(candidate)
    make_cycle(2027)
    make_factor()
    clock.jump_to(at(2027, 5, 10))
    client.force_login(candidate)
    for path in ("/results/", "/entries/", "/dashboard/"):
        assert b'class="next-step' in client.get(path).content


def test_frame_says_whom_to_write_to(client: Client) -> None:
    assert b"mailto:" not in client.get("/policies/").content
    make_programme()
    assert b"mailto:certification@example.org" in client.get("/policies/").content
