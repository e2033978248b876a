"""The score report and the retake planner in Chromium: with a mouse, by keyboard, without scripts, on paper."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from candidates.models import Registration, User
from icg_cert.lib import clock
from scoring import release
from scoring.models import FeedbackStatement
from tests.browser.conftest import PASSWORD, Visitor
from tests.factories import at, make_cycle, make_release, make_scored_entry

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
VERDICT = "[data-verdict] p"
NOVEMBER = at(2027, 11, 2, 9)


@pytest.fixture
def ada(coach: Any) -> Iterator[User]:
    """Her first year is told: two factors short, one below the floor, one decided by a lead scorer."""
    registration = coach("Ada Abara")
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    given = ["3.00", "3.25", "1.25", "2.75", "3.00", "2.25"]
    for number, value in enumerate(given, start=1):
        score(registration, number, value)
    sheet = registration.entries.get(factor__number=3).assignments.get(role="first").sheet
    sheet.comment = "Thank you for the two conversations. The data you gather are sound; say what you did with them."
    sheet.save()
    sheet.feedback.add(FeedbackStatement.objects.filter(factor=None).first())
    decision = make_release(make_cycle(2027))
    release.release_due(decision.releases_at)
    clock.jump_to(NOVEMBER)
    yield registration.user
    clock.reset()


def score(registration: Registration, number: int, value: str, **fields: Any) -> None:
    """Twice by the programme's own rubrics, of which the fifth has two criteria; factor 2 goes to a lead scorer."""
    count = 2 if number == 5 else 3
    readings = ["4.25", "2.25", value] if number == 2 else [value, value]
    make_scored_entry(registration, number, *[(one,) * count for one in readings], **fields)


def sign_in(arrive: Any, user: User) -> Visitor:
    visitor = arrive(user.name.split()[0].lower())
    visitor.sign_in(user)
    return visitor


def test_report_opens_every_number_by_keyboard(arrive: Any, ada: User) -> None:
    visitor = sign_in(arrive, ada)
    visitor.look("dashboard")
    page = visitor.page
    page.get_by_role("link", name="Read the report of 2027").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not yet certified")
    visitor.look("report closed")
    card = page.get_by_role("article", name="1. The Impact Cycle")
    summary = card.locator("summary", has_text="How this score was computed")
    summary.focus()
    page.keyboard.press("Enter")
    expect(card.get_by_text("Factor score: (3.000 + 3.000) ÷ 2 = 3.000")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(card.get_by_text("Clear evidence").first).to_be_visible()
    for opening in page.locator("main details").all():
        opening.evaluate("element => { element.open = true; }")
    visitor.look("report open")


def test_planner_moves_with_its_sliders(arrive: Any, ada: User) -> None:
    visitor = sign_in(arrive, ada)
    page = visitor.go("/results/planner/")
    visitor.look("planner")
    expect(page.locator(VERDICT).first).to_have_text(
        "A factor would still be without a score, and nobody is certified without it."
    )
    page.get_by_role("slider", name="Supposed score of 7.").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("checkbox", name="7.")).to_be_checked()
    expect(page.locator(VERDICT).first).to_have_text("With these scores the two rules would not both be met.")
    page.keyboard.press("End")
    page.get_by_role("slider", name="Supposed score of 3.").focus()
    page.keyboard.press("End")
    expect(page.locator(VERDICT).first).to_have_text("With these scores both rules would be met.")
    expect(page.locator(VERDICT).nth(1)).to_have_text("The sum would be 22.750; 19.25 is needed.")
    assert page.get_by_role("slider", name="Supposed score of 3.").get_attribute("aria-valuetext") == "4.250"
    visitor.look("planner supposed")
    moved = page.locator(VERDICT).all_text_contents()
    page.get_by_role("button", name="Work it out").click()
    page.wait_for_url("**/results/planner/?*")
    assert page.locator(VERDICT).all_text_contents() == moved
    expect(page.get_by_role("checkbox", name="3.")).to_be_checked()


def test_planner_tries_a_way_without_scripts(chromium: Browser, live_server: Any, ada: User) -> None:
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    without_scripts(page, ada)
    page.get_by_role("link", name="Try it").first.click()
    expect(page.locator(VERDICT).first).to_have_text("With these scores both rules would be met.")
    page.get_by_role("checkbox", name="7.").uncheck()
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator(VERDICT).first).to_have_text(
        "A factor would still be without a score, and nobody is certified without it."
    )
    page.get_by_role("link", name="Start again").click()
    expect(page.get_by_role("heading", name="As it stands")).to_be_visible()
    context.close()


def without_scripts(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto("/results/planner/")


def test_report_of_a_third_year_tells_of_a_retake(arrive: Any, ada: User) -> None:
    registration = ada.registrations.get()
    for year in (2028, 2029):
        if year == 2029:
            score(registration, 3, "1.00", year=2029, is_retake=True)
        else:
            score(registration, 7, "3.25", year=2028)
        decision = make_release(make_cycle(year))
        release.release_due(decision.releases_at)
    clock.jump_to(at(2029, 11, 2, 9))
    visitor = sign_in(arrive, ada)
    page = visitor.go(f"/results/{make_cycle(2029).pk}/")
    page.locator("#record ~ .openings summary", has_text="3. Data").click()
    expect(page.get_by_text("The retake of 2029 did not come out higher")).to_be_visible()
    visitor.look("report of the third year")
    visitor.go("/results/planner/")
    visitor.look("planner of a process that is over")
