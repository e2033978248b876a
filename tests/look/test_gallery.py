import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.look import gallery


@pytest.fixture(scope="module")
def markup() -> str:
    return gallery.html()


def findings(page: Page) -> list[tuple[str, list[str]]]:
    violations = Axe().run(page).response["violations"]
    return [(violation["id"], [str(node["target"]) for node in violation["nodes"]]) for violation in violations]


@pytest.mark.requires("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1280])
def test_gallery_is_accessible_and_fits(chromium: Browser, markup: str, width: int, scheme: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    gallery.serve(page, markup)
    if folder := os.environ.get("GALLERY"):
        page.screenshot(path=Path(folder) / f"gallery-{width}-{scheme}.png", full_page=True)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@pytest.mark.requires("chromium")
def test_header_of_a_phone_is_two_rows_however_long_the_menu(chromium: Browser) -> None:
    links = "".join(f'<li><a href="/{n}/">The portfolio</a></li>' for n in range(9))
    sheets = "".join(f'<link rel="stylesheet" href="/static/css/{name}.css">' for name in ("tokens", "components"))
    page = chromium.new_page(viewport={"width": 375, "height": 800})
    gallery.serve(
        page,
        f'<!doctype html>{sheets}<header class="site-header"><div class="bar"><a class="wordmark" href="/">ICG</a>'
        f'<nav class="site-nav"><ul>{links}</ul></nav><div class="account"><a href="/">In</a></div></div></header>',
    )
    assert page.evaluate("document.querySelector('header').offsetHeight") <= 100
    page.get_by_role("link", name="The portfolio").last.focus()
    assert page.evaluate("document.querySelector('.site-nav ul').scrollLeft") > 0
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.close()


@pytest.mark.requires("chromium")
def test_gallery_gives_the_error_summary_the_focus(chromium: Browser, markup: str) -> None:
    page = chromium.new_page()
    gallery.serve(page, markup)
    assert page.evaluate("document.activeElement.className") == "error-summary"
    page.close()


@pytest.mark.requires("chromium")
def test_instants_in_the_browser_say_what_the_server_would(chromium: Browser) -> None:
    page = chromium.new_page(timezone_id="Asia/Kathmandu")
    gallery.serve(page, gallery.html_of("{% load look %}{% last_moment closes %}|{% instant at %}", reader_zone=""))
    page.wait_for_function("document.querySelectorAll('.instant-reader')[1].textContent")
    assert page.inner_text("body") == (
        "15 June 2027, until midnight Central Time (16 June 2027, 10:45 a.m. Nepal Time)|"
        "12 June 2027, 10:30 a.m. Central Time (9:15 p.m. Nepal Time)"
    )
    page.close()


@pytest.mark.requires("chromium")
def test_instants_in_the_programmes_own_zone_are_said_once(chromium: Browser) -> None:
    page = chromium.new_page(timezone_id="America/Chicago")
    gallery.serve(page, gallery.html_of("{% load look %}{% last_moment closes countdown=True %}", reader_zone=""))
    page.wait_for_load_state("networkidle")
    assert page.inner_text("body") == "15 June 2027, until midnight Central Time 3 days 13 hours left"
    page.close()
