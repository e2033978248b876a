"""The share of coaching as the browser says it, against the server's: the same numbers and the same verdict."""

import base64
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from candidates.eligibility import Hours, coaching_share, least_coaching, percent, plain

SOURCE = Path(settings.BASE_DIR, "static", "js", "register.js")
SEVENTY = Fraction(7, 10)
WEEKS = [
    ("69.9", "30.1", "0", "0", "0"),
    ("69.99", "30.01", "0", "0", "0"),
    ("70", "30", "0", "0", "0"),
    ("28", "8.5", "0", "2.5", "1"),
    ("0.07", "0.03", "0", "0", "0"),
    ("33.33", "3.33", "3.33", "3.33", "3.33"),
    ("0", "0", "0", "0", "40"),
    ("168", "0", "0", "0", "0"),
    *[(f"{cents / 100:.2f}", "12.34", "5.6", "0.01", "7") for cents in range(4000, 6400, 97)],
]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


def call(page: Page, expression: str, argument: Any) -> Any:
    """What an expression over the module `js` gives for an argument."""
    module = base64.b64encode(SOURCE.read_bytes()).decode()
    source = f"data:text/javascript;base64,{module}"
    script = f"async (argument) => {{ const js = await import('{source}'); return {expression}; }}"
    return page.evaluate(script, argument)


@pytest.mark.requires("chromium")
def test_words_are_the_servers(page: Page) -> None:
    said = call(page, "argument.map((week) => js.words(week.map(js.hundredths), 70))", WEEKS)
    assert said == [expected(week) for week in WEEKS]


def expected(week: tuple[str, ...]) -> dict[str, Any]:
    hours = Hours(*map(Decimal, week))
    share = coaching_share(hours)
    assert share is not None
    says = f"Coaching is {percent(share)} % of {plain(hours.total)} hours"
    if share >= SEVENTY:
        return {"text": f"{says}. That is enough.", "enough": True}
    least = plain(least_coaching(hours.total, SEVENTY))
    return {"text": f"{says}. At least 70 % is asked, which would be {least} of them.", "enough": False}


@pytest.mark.requires("chromium")
def test_what_was_typed_is_read_as_on_the_server(page: Page) -> None:
    typed = ["", " 28 ", "27,5", "27.", "0.07", "168", "two", "-1", "28.001", "1e2", "NaN"]
    read = call(page, "argument.map(js.hundredths)", typed)
    assert read == [0, 2800, 2750, 2700, 7, 16800, None, None, None, None, None]


@pytest.mark.requires("chromium")
def test_nothing_is_said_without_hours(page: Page) -> None:
    assert call(page, "js.words([0, 0, 0, 0, 0], argument)", 70) is None
