"""The demo's world is true whatever day it is made on, is made once, and shows what its table promises."""

from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from candidates.models import Cohort, Cycle, Registration, User
from icg_cert.audit.models import Event
from icg_cert.demo import cast, files
from icg_cert.lib import clock
from payments import quotes
from payments.models import Quote
from portfolios.models import Entry, Requirement, Upload
from scoring import qualified
from scoring.models import Assignment, Certificate, Release, Result, Sheet
from tests.doubles.stripe import StripeDouble
from tests.factories import at

pytestmark = pytest.mark.django_db

OPEN = at(2026, 11, 23, 17)
DAYS = {
    "first minute": at(2026, 11, 1, 0, 1),
    "last half hour": at(2027, 1, 31, 23, 30),
    "between windows": at(2027, 3, 5, 12),
    "submission open": at(2027, 5, 20, 12),
}


@pytest.fixture(autouse=True)
def stand_in(settings: Any) -> Iterator[None]:
    """The demo's past has card payments, so somebody stands in for Stripe."""
    with StripeDouble() as double:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL = double.API_KEY, double.url
        yield


def _load() -> str:
    said = StringIO()
    call_command("load_demo", stdout=said)
    return said.getvalue()


def _registrations() -> dict[str, tuple[str, str]]:
    rows = Registration.objects.order_by("user__email")
    return {
        row.user.get_short_name(): (row.get_status_display(), row.get_payment_status_display())
        for row in rows.select_related("user")
    }


@pytest.mark.parametrize("now", DAYS.values(), ids=DAYS.keys())
def test_load_demo_makes_a_true_world_on_any_day(now: datetime) -> None:
    clock.jump_to(now)
    _load()
    moment = clock.now()

    assert Cohort.objects.open(moment).count() == 1
    assert _registrations() == {
        "Ada": ("Registered", "Paid"),
        "Ben": ("Registered", "Not paid"),
        "Cleo": ("Registered", "Paid"),
        "Dee": ("Registered", "Purchase order being checked"),
        "Eli": ("Evidence received", "Paid"),
        "Eva": ("Registered", "Paid"),
        "Flo": ("Registered", "Seat held by purchase order"),
        "Gus": ("Registered", "Seat held by purchase order"),
    }
    assert {result.registration.user.get_short_name(): result.status for result in Result.objects.released(moment)} == {
        "Ada": "not_yet",
        "Eva": "certified",
    }
    assert [release.state for release in Release.objects.all()] == [Release.State.RELEASED]
    assert not Event.objects.filter(at__gt=moment).exists()


def test_load_demo_shows_what_its_table_promises(client: Client) -> None:
    """One world for all of it: it takes seconds to make."""
    clock.jump_to(OPEN)
    said = _load()

    _everybody_can_sign_in(said, client)
    _scorers_are_half_way()
    _sol_can_calibrate()
    _ada_has_something_of_everything()
    _files_were_found_good()
    _a_district_has_codes_to_hand_on(client)
    assert "Eva Engel" in client.get(f"/verify/{Certificate.objects.get().code}/").content.decode()
    _twice_changes_nothing(said)


def _everybody_can_sign_in(said: str, client: Client) -> None:
    for part in [
        "candidate", "second candidate", "scorer", "second scorer", "lead scorer", "staff", "second staff", "finance",
    ]:  # fmt: skip
        assert f"  {part} " in said
    for person in cast.TOLD:
        response = client.post("/accounts/login/", {"login": person.email, "password": cast.PASSWORD})
        assert response["Location"] == "/dashboard/"
        assert client.get("/dashboard/").status_code == 200
        client.logout()


def _scorers_are_half_way() -> None:
    scoring = Cycle.objects.get(year=2026)
    for person in (cast.SOL, cast.TIA):
        mine = Sheet.objects.filter(assignment__scorer__email=person.email, assignment__entry__cycle=scoring)
        assert {(sheet.status, sheet.saved_at is not None) for sheet in mine} >= {("final", True), ("draft", True)}
    waiting = Assignment.objects.filter(role=Assignment.Role.ADJUDICATION, entry__cycle=scoring)
    assert {assignment.scorer.email for assignment in waiting} == {cast.LEE.email}


def _sol_can_calibrate() -> None:
    standings = qualified.of_scorer(User.objects.get(email=cast.SOL.email), OPEN)
    assert len([one for one in standings if one.may_begin]) == 1


def _ada_has_something_of_everything() -> None:
    scores = Result.objects.get(registration__user__email=cast.ADA.email).factor_scores
    found = list(scores.values_list("entry__factor__number", "entry__outcome"))
    assert found == [(2, "banked"), (4, "fell_short"), (5, "banked")]
    locked = Entry.objects.locked().filter(registration__user__email=cast.ADA.email, cycle__year=2026)
    assert list(locked.values_list("factor__number", flat=True)) == [1, 3, 6, 7]


def _files_were_found_good() -> None:
    films = Upload.objects.filter(requirement__kind="video")
    assert set(films.values_list("state", "has_sound")) == {("processing", True)}
    assert set(Upload.objects.exclude(pk__in=films).values_list("state", flat=True)) == {"ready"}
    kinds = set(Upload.objects.values_list("requirement__kind", "extension"))
    assert kinds == {("document", ".pdf"), ("form", ".docx"), ("video", ".mp4")}


def _a_district_has_codes_to_hand_on(client: Client) -> None:
    page = client.get(quotes.path(Quote.objects.get())).content.decode()
    for part in ("1 of 3 taken.", "Gus Grant", "$1,200.00 USD", "W-9"):
        assert part in page


def _twice_changes_nothing(said: str) -> None:
    tables: list[Any] = [User, Registration, Entry, Upload, Sheet, Event]
    before = [table.objects.count() for table in tables]
    assert _load() == said
    assert [table.objects.count() for table in tables] == before


def test_load_demo_refuses_a_database_with_people_of_its_own(candidate: User) -> None:
    with pytest.raises(CommandError, match="make demo-reset"):
        _load()


def test_load_demo_refuses_a_real_portal(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="no place in a real portal"):
        _load()
    assert not User.objects.exists()


@pytest.mark.parametrize("kind", Requirement.Kind.values)
def test_files_differ_by_what_they_stand_for(kind: str) -> None:
    first, second = (Requirement(kind=kind, key=f"key-{title}", title=title) for title in ("One", "Two"))
    assert files.for_requirement(first) == files.for_requirement(first)
    assert files.for_requirement(first)[1] != files.for_requirement(second)[1]
