"""Calibration as a scorer lives it: failed, then passed with other benchmarks; and how leads and staff see it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from candidates.models import User
from icg_cert.lib import clock
from scoring.models import Benchmark, Pause, Qualification
from tests.browser.conftest import Visitor
from tests.factories import at, make_benchmark, make_cycle, make_locked, make_reading, make_upload

pytestmark = pytest.mark.requires("chromium")
RIGHT, WRONG = ("3.00", "3.25", "3.00"), ("3.00", "1.00", "4.25")


@pytest.fixture
def year(office: dict[str, User]) -> Iterator[dict[str, User]]:
    clock.jump_to(at(2028, 7, 1, 9))
    yield office
    clock.reset()


def sign_in(arrive: Any, user: User) -> Visitor:
    visitor: Visitor = arrive(user.name.split()[0].lower())
    visitor.sign_in(user)
    return visitor


def judge(page: Page, *values: str) -> None:
    for criterion, value in zip(page.locator("fieldset.rubric").all(), values, strict=True):
        criterion.get_by_label(value).check(force=True)
    for note in page.get_by_label("Evidence for").all():
        note.fill("Seen at 2:10.")
    page.get_by_role("button", name="Check and finalise").click()
    page.get_by_role("button", name="Finalise this sheet").click()
    page.wait_for_load_state()


def test_calibration_failed_then_passed(arrive: Any, year: dict[str, User]) -> None:
    for _ in range(6):
        make_benchmark("3.00", "3.00", "3.00")
    sol = sign_in(arrive, year["scorer"])
    page = sol.go("/scoring/calibration/")
    sol.look("calibration before")
    for values, button in ((WRONG, "Begin"), (RIGHT, "Read the next benchmark"), (RIGHT, "Read the next benchmark")):
        page.get_by_role("button", name=button).first.click()
        if button == "Begin":
            sol.look("calibration sheet")
        judge(page, *values)
        sol.look("feedback")
    page.get_by_role("heading", name="Not passed yet").wait_for()
    page.get_by_role("link", name="Calibration", exact=True).last.click()
    sol.look("calibration failed")
    page.get_by_role("button", name="Try again").click()
    judge(page, *RIGHT)
    for _ in range(2):
        page.get_by_role("button", name="Read the next benchmark").click()
        judge(page, *RIGHT)
    page.get_by_role("heading", name="You have passed").wait_for()
    sol.look("feedback passed")
    sol.go("/scoring/calibration/")
    sol.look("calibration passed")
    assert Qualification.objects.get().scorer == year["scorer"]


def test_leads_choose_write_and_sign_benchmarks(arrive: Any, year: dict[str, User]) -> None:
    for number in (1, 2):
        make_upload(make_locked(None, number, outcome="banked"))
    make_benchmark("3.00", "3.00", "3.00")
    lee = sign_in(arrive, year["lead"])
    page = lee.go("/scoring/benchmarks/new/")
    lee.look("benchmark new")
    page.get_by_label("Entry").select_option(index=1)
    page.get_by_label("How the author agreed").fill("By e-mail of 3 May, in the folder of consents.")
    page.get_by_role("button", name="Make it a benchmark").click()
    lee.look("benchmark chosen")
    page.get_by_role("button", name="Write its reference").click()
    lee.look("reference sheet")
    judge(page, *["3.00", "3.25", "3.75"][: page.locator("fieldset.rubric").count()])
    lee.look("benchmark written")
    lee.go("/scoring/benchmarks/")
    lee.look("benchmarks")
    lee.go("/scoring/qualifications/")
    lee.look("qualifications")
    page.get_by_role("link", name=re.compile("Sol Sato, factor 1")).click()
    lee.look("qualification")
    page.get_by_label("Why").fill("Seen in the training of May.")
    page.get_by_role("button", name="Qualify without calibration").click()
    lee.look("qualification decided")
    lee.go(f"/scoring/benchmarks/{Benchmark.objects.latest('pk').pk}/retire/")
    lee.look("benchmark retire")


def test_a_lead_reads_along_and_looks_at_who_is_paused(arrive: Any, year: dict[str, User]) -> None:
    sheet = make_reading(make_locked(cycle=make_cycle(2028)), year["scorer"], "3.00", "3.25", "3.00")
    make_reading(make_locked(cycle=make_cycle(2028)), year["scorer"])
    lee = sign_in(arrive, year["lead"])
    page = lee.go("/scoring/back-reading/")
    lee.look("reading along")
    page.get_by_role("button", name="Read along").click()
    lee.look("reading along one")
    page.get_by_label("Close; see my note").check(force=True)
    page.get_by_label("Note to the scorer").fill("The goal is named well. Look at 2:10 once more.")
    page.get_by_role("button", name="Send this to the scorer").click()
    lee.look("reading along sent")
    sol = sign_in(arrive, year["scorer"])
    sol.go("/scoring/")
    sol.look("queue")
    sol.go(f"/scoring/sheets/{sheet.pk}/")
    sol.look("note")
    paused = {"scorer": year["scorer"], "factor": sheet.entry.factor, "began_at": at(2028, 7, 1)}
    Pause.objects.create(**paused, reason="Of the last 6 values on benchmarks 3 are off.")
    lee.go(f"/scoring/qualifications/{year['scorer'].pk}/1/")
    lee.look("paused")
    lee.go("/scoring/board/?cycle=2028")
    lee.look("board")
