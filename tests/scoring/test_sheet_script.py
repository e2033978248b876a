"""The sheet in a real browser: it saves itself, and no tab, lost connection or ended session loses what was typed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from candidates.models import User
from icg_cert.lib import clock
from scoring import sheets
from scoring.models import FeedbackStatement, Sheet, TimeOnSheet
from tests.factories import at, make_locked, make_policy, make_reading, make_requirement, make_upload

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('icg-sheet-')).length"


@pytest.fixture
def sheet(scorer: User, lead: User) -> Sheet:
    make_policy()
    clock.jump_to(at(2027, 7, 1, 9))
    entry = make_locked()
    make_upload(entry)
    make_upload(entry, make_requirement(entry.factor, "talk", kind="video"), extension=".mp4", state="stored")
    FeedbackStatement.objects.create(factor=None, position=1, text="The goal is measurable.")
    return make_reading(entry, scorer)


@pytest.fixture
def context(chromium: Browser, live_server: Any, scorer: User) -> Iterator[BrowserContext]:
    """Chromium, with the scorer signed in."""
    context = chromium.new_context(base_url=live_server.url)
    context.add_cookies([sign_in(scorer, live_server.url)])
    yield context
    context.close()


def sign_in(person: User, url: str) -> Any:
    client = Client()
    client.force_login(person)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}


def tab(context: BrowserContext, sheet: Sheet) -> Page:
    page = context.new_page()
    page.goto(f"/scoring/sheets/{sheet.pk}/")
    return page


def status(page: Page) -> Locator:
    return page.locator("[data-sheet-status]")


def comment(page: Page) -> Locator:
    return page.get_by_label("Comment to the candidate")


def saved(sheet: Sheet) -> tuple[int, str]:
    sheet.refresh_from_db()
    return sheet.version, sheet.comment


def test_sheet_saves_itself_and_keeps_no_copy(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    page.get_by_label("4.25").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    comment(page).fill("A clear goal.")
    expect(status(page)).to_contain_text("Saved at")
    assert saved(sheet) == (1, "A clear goal.")
    assert [str(value) for value in sheet.ratings.values_list("value", flat=True) if value] == ["2.75"]
    assert page.evaluate(KEPT) == 0


def test_sheet_second_tab_decides_what_stays(context: BrowserContext, sheet: Sheet) -> None:
    first, second = tab(context, sheet), tab(context, sheet)
    comment(first).fill("From the first.")
    expect(status(first)).to_contain_text("Saved at")
    comment(second).fill("From the second.")
    notice = second.locator("[data-asked]")
    expect(notice.locator("dd")).to_have_text(["From the first."])
    assert saved(sheet) == (1, "From the first.")
    notice.get_by_role("button", name="Keep what is on this page").click()
    expect(status(second)).to_contain_text("Saved at")
    assert saved(sheet) == (2, "From the second.")
    comment(first).fill("Typed in the first again.")
    first.get_by_role("button", name="Take what I saved there").click()
    expect(comment(first)).to_have_value("From the second.")
    assert saved(sheet) == (2, "From the second.")


def test_sheet_without_connection_keeps_what_was_typed(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    context.set_offline(True)
    comment(page).fill("Typed in the train.")
    expect(status(page)).to_contain_text("No connection")
    context.set_offline(False)
    expect(status(page)).to_contain_text("Saved at")
    assert saved(sheet) == (1, "Typed in the train.")


def test_sheet_closed_before_it_was_saved_offers_what_was_typed(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    context.set_offline(True)
    comment(page).fill("Typed, then the battery was empty.")
    expect(status(page)).to_contain_text("No connection")
    page.close()
    context.set_offline(False)
    again = tab(context, sheet)
    again.get_by_role("button", name="Bring it back").click()
    expect(status(again)).to_contain_text("Saved at")
    assert saved(sheet) == (1, "Typed, then the battery was empty.")


def test_sheet_copy_of_an_earlier_version_stands_beside_what_is_saved(
    context: BrowserContext, sheet: Sheet, scorer: User
) -> None:
    page = tab(context, sheet)
    context.set_offline(True)
    page.get_by_label("4.00").first.check(force=True)
    comment(page).fill("Typed in the train.")
    expect(status(page)).to_contain_text("No connection")
    page.close()
    context.set_offline(False)
    sheets.save(sheet.pk, version=0, new=sheets.Content({}, "Typed at home."), by=scorer, at=at(2027, 7, 1, 10))
    again = tab(context, sheet)
    notice = again.locator("[data-asked]")
    expect(notice.locator("dd")).to_have_text(["empty", "Typed at home."])
    expect(comment(again)).to_have_value("Typed in the train.")
    assert saved(sheet) == (1, "Typed at home.")
    notice.get_by_role("button", name="Keep what is on this page").click()
    expect(status(again)).to_contain_text("Saved at")
    assert saved(sheet) == (2, "Typed in the train.")
    assert again.evaluate(KEPT) == 0


def test_sheet_copy_of_an_earlier_version_can_be_left(context: BrowserContext, sheet: Sheet, scorer: User) -> None:
    page = tab(context, sheet)
    context.set_offline(True)
    comment(page).fill("Typed in the train.")
    expect(status(page)).to_contain_text("No connection")
    page.close()
    context.set_offline(False)
    sheets.save(sheet.pk, version=0, new=sheets.Content({}, "Typed at home."), by=scorer, at=at(2027, 7, 1, 10))
    again = tab(context, sheet)
    again.get_by_role("button", name="Take what I saved there").click()
    expect(comment(again)).to_have_value("Typed at home.")
    assert again.evaluate(KEPT) == 0
    assert saved(sheet) == (1, "Typed at home.")


def test_sheet_copy_names_nobody(context: BrowserContext, sheet: Sheet) -> None:
    """What is kept is what was typed, under the sheet's number and with its version."""
    page = tab(context, sheet)
    context.set_offline(True)
    comment(page).fill("A clear goal.")
    kept = json.loads(page.evaluate(f"localStorage.getItem('icg-sheet-{sheet.pk}')"))
    context.set_offline(False)
    names = {f"evidence-{one.pk}" for one in sheet.rubric.criteria.all()} | {"comment"}
    assert (kept["version"], {name for name, _ in kept["pairs"]}) == ("0", names)


def test_sheet_by_keyboard_from_the_first_value_to_the_last_look(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    page.locator("fieldset.rubric [type=radio]").first.focus()
    for key in ("3", "+", "+", "n", "4", "-", "n", "2", "p"):
        page.keyboard.press(key)
    chosen = "[...document.querySelectorAll('.rubric :checked')].map((radio) => radio.value)"
    assert page.evaluate(chosen) == ["3.25", "3.75", "2.00"]
    assert page.evaluate("document.activeElement.value") == "3.75"
    comment(page).fill("1234 n p + -")
    assert page.evaluate(chosen) == ["3.25", "3.75", "2.00"]
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Finalise your sheet")).to_be_visible()
    assert [str(value) for value in sheet.ratings.values_list("value", flat=True)] == ["3.25", "3.75", "2.00"]


def test_sheet_keeps_the_rubrics_words_beside_the_values(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        words = page.locator(".rubric-words").all()
        assert [one.is_visible() for one in words] == [True] * 12


def test_sheet_sends_signs_of_life_while_it_is_looked_at(context: BrowserContext, sheet: Sheet) -> None:
    page = context.new_page()
    page.clock.install()
    with page.expect_response("**/time/") as first:
        page.goto(f"/scoring/sheets/{sheet.pk}/")
    assert first.value.status == 204
    with page.expect_response("**/time/"):
        page.clock.run_for(31_000)
    beats: list[str] = []
    page.on("request", lambda request: beats.append(request.url) if request.url.endswith("/time/") else None)
    answered: list[str] = []
    page.on("requestfinished", lambda request: answered.append(request.url) if request.url.endswith("/time/") else None)
    page.clock.run_for(300_000)  # nobody is there any more
    assert 2 <= len(beats) <= 4
    while len(answered) < len(beats):  # the server is through with each before the tables are emptied
        page.wait_for_event("requestfinished")
    assert TimeOnSheet.objects.get(sheet=sheet).is_estimated is False


def test_sheet_of_an_ended_session_says_so_and_saves_after_signing_in(
    context: BrowserContext, sheet: Sheet, scorer: User, live_server: Any
) -> None:
    page = tab(context, sheet)
    Session.objects.all().delete()
    comment(page).fill("Typed all afternoon.")
    expect(status(page)).to_contain_text("you are signed out")
    assert saved(sheet) == (0, "")
    context.add_cookies([sign_in(scorer, live_server.url)])
    comment(page).press("End")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(status(page)).to_contain_text("Saved at")
    assert saved(sheet) == (1, "Typed all afternoon.")


def test_sheet_check_and_finalise_takes_the_last_word_along(context: BrowserContext, sheet: Sheet) -> None:
    page = tab(context, sheet)
    for criterion in page.locator("fieldset.rubric").all():
        criterion.get_by_label("4.00").check(force=True)
    comment(page).fill("The last word.")
    page.get_by_role("button", name="Check and finalise").click()
    expect(page.get_by_text("The last word.")).to_be_visible()
    page.get_by_role("button", name="Finalise this sheet").click()
    expect(page.get_by_role("heading", name="Your scoring queue")).to_be_visible()
    assert Sheet.objects.get(pk=sheet.pk).status == "final"


@pytest.mark.parametrize("width", [375, 1280])
def test_pages_of_scorers_are_accessible_and_fit(
    width: int, context: BrowserContext, sheet: Sheet, lead: User, live_server: Any
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    paths = ["/scoring/", *(f"/scoring/sheets/{sheet.pk}/{part}" for part in ("", "finalise/", "recuse/"))]
    assert [findings(page, path, width) for path in paths] == [[], [], [], []]
    context.add_cookies([sign_in(lead, live_server.url)])
    assert findings(page, "/scoring/board/", width) == []


def findings(page: Page, path: str, width: int) -> list[str]:
    page.goto(path)
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    return found + (["too wide"] if page.evaluate("document.documentElement.scrollWidth") > width else [])
