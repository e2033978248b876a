"""Appeals, corrections, the final notice and retakes in Chromium: what each person reads and presses."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Count
from playwright.sync_api import expect

from candidates.models import Registration, User
from icg_cert.lib import clock
from scoring.models import Appeal, Correction, Result, Rubric
from tests.browser.conftest import Visitor
from tests.factories import at, make_cycle, make_registration, make_scorer
from tests.scoring.telling import NOVEMBER, ask, read, tell

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(office: dict[str, User], coach: Any) -> Iterator[Registration]:
    """Not certified by one factor, told on 31 October 2027."""
    registration = coach("Ada Abara")
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    registration.refresh_from_db()
    for year in (2027, 2028, 2029):
        make_cycle(year)
    criteria = Rubric.objects.current().order_by("factor__number").annotate(count=Count("criteria"))
    accomplished = [(("3.00",) * rubric.count,) * 2 for rubric in criteria]
    tell(registration, accomplished[0], (("1.75", "1.75", "1.00"),) * 2, *accomplished[2:])
    make_scorer("Vic Vance")
    clock.jump_to(NOVEMBER)
    yield registration
    clock.reset()


def arrive_as(arrive: Any, user: User) -> Visitor:
    visitor: Visitor = arrive(user.name.split()[0].lower())
    visitor.sign_in(user)
    return visitor


def test_an_appeal_from_asking_to_the_letter(arrive: Any, office: dict[str, User], ada: Registration) -> None:
    me = arrive_as(arrive, ada.user)
    report = f"/results/{make_cycle(2027).pk}/"
    page = me.go(report)
    me.look("report with what may be verified")
    page.get_by_role("link", name=re.compile("Ask for it.*Playbook")).press("Enter")
    page.wait_for_url("**/factor/2/")
    page.get_by_role("button", name="Ask for this score to be verified").press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    me.look("ask with an error")
    page.get_by_label("Why do you ask?").fill("The film shows more of the third criterion than the comment says.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your score is being verified")
    me.look("being verified")
    me.go("/dashboard/")
    me.look("dashboard with an appeal")

    appeal = Appeal.objects.get()
    staff = arrive_as(arrive, office["staff"])
    staff.go("/appeals/")
    staff.look("appeals")
    read(appeal, "2.75")
    page = staff.go("/dashboard/")
    staff.look("dashboard of staff")
    page.get_by_role("link", name=re.compile("Open appeals")).click()
    page.get_by_role("link", name=re.compile("Open.*the appeal of")).click()
    staff.look("appeal to decide")
    page.get_by_label("A word to the candidate").fill("Thank you for asking.")
    page.get_by_role("button", name="Raise the score and tell").press("Enter")
    expect(page.get_by_text("Decided. The candidate is told by e-mail.")).to_be_visible()
    staff.look("appeal decided")

    me.go(f"{report}factor/2/")
    me.look("raised")
    page = me.go(report)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are certified")
    me.look("report raised")
    page.get_by_role("link", name="The report of 31 October 2027").press("Enter")
    expect(page.get_by_role("heading", name="This report was replaced on 10 November 2027")).to_be_visible()
    me.look("earlier report")
    me.go(f"/notices/{make_cycle(2027).pk}/")
    me.look("final notice")


def test_an_appeal_taken_back_and_one_too_late(arrive: Any, ada: Registration) -> None:
    appeal = ask(ada, 2)
    me = arrive_as(arrive, ada.user)
    me.go(f"/appeals/{appeal.pk}/withdraw/")
    me.look("take back")
    me.page.get_by_role("button", name="Take it back").press("Enter")
    expect(me.page.get_by_text("Your appeal is taken back.")).to_be_visible()
    clock.jump_to(at(2027, 12, 1))
    me.go(f"/results/{make_cycle(2027).pk}/factor/2/")
    me.look("too late")


def test_a_correction_that_lowers(arrive: Any, office: dict[str, User], coach: Any, ada: Registration) -> None:
    other = make_registration()
    result = Result.objects.get(registration=ada)
    stef = arrive_as(arrive, office["staff"])
    page = stef.go(f"/results/{result.cycle_id}/{ada.code}/correct/")
    page.get_by_label("What was wrong").fill("The second reading of this entry was typed wrongly.")
    page.get_by_label("2. Instructional Playbook: the right score").fill("soon")
    page.get_by_role("button", name="Propose this correction").press("Enter")
    stef.look("correct with an error")
    page.get_by_label("2. Instructional Playbook: the right score").fill("2.75")
    page.get_by_role("button", name="Propose this correction").press("Enter")
    expect(page.get_by_text("You proposed this.")).to_be_visible()
    stef.look("proposed")
    Correction.objects.update(proposed_by=other.user)
    page.reload()
    stef.look("to approve")
    page.get_by_role("button", name="Approve this correction").press("Enter")
    expect(page.get_by_text("Approved. The new result")).to_be_visible()
    Result.objects.filter(superseded_at=None).update(status="not_yet")
    page.reload()
    stef.look("certificate without a ground")
    stef.go("/corrections/")
    stef.look("corrections")


def test_retakes_of_the_third_year(arrive: Any, ada: Registration) -> None:
    clock.jump_to(at(2029, 3, 1, 12))
    me = arrive_as(arrive, ada.user)
    page = me.go("/retakes/")
    page.get_by_label("2. Instructional Playbook").press("Space")
    me.look("retakes")
    page.get_by_role("button", name="Tell us").press("Enter")
    expect(page.get_by_text("Thank you. You can change this")).to_be_visible()
