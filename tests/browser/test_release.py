"""The release gate in Chromium: who fails what, an exception, a hold, the dry run, a report before it is told."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from candidates.models import Registration, User
from icg_cert.lib import clock
from portfolios.models import Factor
from scoring.models import Recusal, ScoringPolicy
from tests.factories import (
    make_cycle,
    make_locked,
    make_policy,
    make_registration,
    make_scored_entry,
    make_user,
)
from tests.scoring.worlds import BEFORE, correct, reading

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
NAMES = ("Anna", "Bert", "Cora", "Dora", "Emil", "Finn", "Gina", "Hugo", "Ines", "Jack")


@pytest.fixture
def gate(office: dict[str, User]) -> Iterator[dict[str, User]]:
    """The programme's rubrics, and no chance in who is read twice."""
    ScoringPolicy.objects.all().delete()
    make_policy(7)
    clock.jump_to(BEFORE)
    yield office
    clock.reset()


def read(registration: Registration, number: int, *values: str) -> None:
    """Each reading one value throughout, whatever the factor's rubric asks."""
    criteria = Factor.objects.get(number=number).rubrics.get(is_current=True).criteria.count()
    make_scored_entry(registration, number, *((value,) * criteria for value in values))


def tab_to(page: Page, name: str) -> None:
    """As somebody without a mouse: the first control with this name, by Tab alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate(
            "document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"
        ):
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def test_gate_with_faults_an_exception_a_hold_and_a_dry_run(arrive: Any, gate: dict[str, User]) -> None:
    cycle = make_cycle(2027)
    people = [make_registration(make_user(f"{name} Example"), code=f"{name.upper()}2222") for name in NAMES]
    for one in people[:6]:
        for number in range(1, 8):
            read(one, number, "3.00", "3.00")
    for one in people[6:8]:
        read(one, 1, "2.00", "2.25")
    read(people[8], 2, "3.00")
    make_locked(people[9], 3)
    Recusal.objects.create(scorer=reading(people[1], 2).scorer, registration=people[1], declared_at=BEFORE)

    staff = arrive("staff")
    staff.sign_in(gate["staff"])
    page = staff.go(f"/release/{cycle.pk}/")
    staff.look("gate unchecked")
    tab_to(page, "Check every candidate")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 not ready")).to_be_visible()
    staff.look("gate with faults")
    page.get_by_role("link", name="1 who fail “No conflict of interest”").click()
    expect(page.locator("tbody th a")).to_have_text(["Bert Example"])
    page.get_by_role("link", name="Bert Example").click()
    staff.look("candidate with a conflict")
    page.get_by_role("link", name="Sign an exception").click()
    page.get_by_label("Reason").fill("They met once, at a conference, after the reading.")
    staff.look("sign an exception")
    page.get_by_role("button", name="Sign the exception").click()
    expect(page.get_by_text("Ready: every rule passes or is excepted.")).to_be_visible()
    staff.look("candidate excepted")
    for code in ("INES2222", "JACK2222"):
        page = staff.go(f"/release/{cycle.pk}/candidates/{code}/hold/")
        page.get_by_label("Reason").fill("We wait for one more reading.")
        page.get_by_label("They hear from us by").fill("2027-11-15")
        staff.look("hold back")
        page.get_by_role("button", name="Hold them back").click()
    staff.look("candidate held")

    correct(people[0], value="3.25")
    staff.go(f"/release/{cycle.pk}/")
    page.get_by_role("button", name="Check every candidate again").click()
    expect(page.get_by_text("Every rule passes for everybody who is not held back.")).to_be_visible()
    staff.look("gate open")
    page.get_by_role("link", name="The dry run: what each would be told").click()
    expect(page.get_by_text("4 candidates would be told something else, or stand otherwise.")).to_be_visible()
    staff.look("dry run")
    page.get_by_role("link", name=re.compile("the report of Gina")).click()
    expect(page.get_by_text("Preview: nobody has been told this.")).to_be_visible()
    staff.look("preview")
    staff.go(f"/release/{cycle.pk}/prepare/")
    page.get_by_role("button", name="Prepare this release").click()
    second = arrive("second")
    second.sign_in(gate["second staff"])
    page = second.go(f"/release/{cycle.pk}/approve/")
    expect(page.get_by_text("They met once, at a conference, after the reading.")).to_be_visible()
    expect(page.locator("dl.summary").nth(1)).to_contain_text("Certified6Not yet certified2")
    second.look("approve with exceptions and holds")
    page.get_by_role("button", name="Approve this release").click()
    second.look("approved")
    page = second.go(f"/release/{cycle.pk}/candidates/INES2222/lift/")
    second.look("lift")
