"""The what-if as the browser works it out, against the server's: the same sentences for the same numbers."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from icg_cert.lib.words import shown
from scoring import prospects, retakes, what_if
from scoring.prospects import Prospect
from scoring.retakes import Chance, Place
from scoring.workings import printed
from tests.scoring.test_retakes import RULES

pytestmark = pytest.mark.requires("chromium")
SOURCE = Path(settings.BASE_DIR, "static", "js", "planner.js")


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


def prospect(places: list[Place], retake: str = "best") -> Prospect:
    rules = replace(RULES, retake=retake)
    return Prospect(tuple(places), {}, rules, (), retakes.obstacles(places, rules), ())


def any_case(chance: Random) -> tuple[Prospect, dict[int, int]]:
    """Somebody's seven factors, of which some may change, and steps for some of those."""
    places = []
    for number in range(1, 8):
        attainable = retakes.attainable(chance.choice([1, 2, 3, 5, 7]), RULES)
        kind = chance.choice(list(Chance))
        score = None if kind is Chance.FIRST or chance.random() < 0.1 else Fraction(chance.randint(18, 102), 24)
        places.append(Place(number, score, kind, () if kind is Chance.STANDS else attainable))
    may = [place for place in places if place.may_change and chance.random() < 0.7]
    # Near the threshold more often than not, where the rules turn.
    steps = {place.factor: min(len(place.attainable) - 1, chance.randrange(len(place.attainable))) for place in may}
    return prospect(places, chance.choice(["best", "latest"])), steps


def test_sentences_are_the_servers(page: Page) -> None:
    cases = [any_case(Random(seed)) for seed in range(400)]
    said = call(
        page,
        "argument.map(([facts, chosen]) => js.verdict(facts, chosen))",
        [[what_if.facts(found), steps] for found, steps in cases],
    )
    expected = [list(server(found, steps)) for found, steps in cases]
    assert said == expected
    assert len({sentences[0] for sentences in expected}) == 3  # all three verdicts are among them


def server(found: Prospect, steps: dict[int, int]) -> tuple[str, ...]:
    by_factor = {place.factor: place.attainable for place in found.places}
    chosen = {factor: by_factor[factor][step] for factor, step in steps.items()}
    return prospects.verdict(found.places, chosen, found.rules)


@pytest.mark.parametrize("last", ["2.75", "2.7499", "1.7499"])
def test_sentences_at_the_boundaries_are_the_servers(page: Page, last: str) -> None:
    places = [Place(number, Fraction("2.75"), Chance.STANDS) for number in range(1, 7)]
    found = prospect([*places, Place(7, Fraction(last), Chance.STANDS)])
    assert call(page, "js.verdict(argument, {})", what_if.facts(found)) == list(server(found, {}))


def test_numbers_are_printed_as_on_the_server(page: Page) -> None:
    numbers = [
        Fraction(units, unit) for unit in (1, 16, 24, 336, 10_000) for units in range(0, 20 * unit, unit // 9 + 1)
    ]
    facts = {"unit": 1_680_000, "floor": 2_940_000, "threshold": 4_620_000}
    pairs = [[one.numerator, one.denominator] for one in numbers]
    assert call(page, "argument.map(([units, unit]) => js.printed(units, unit))", pairs) == [
        printed(one) for one in numbers
    ]
    units = [int(one * facts["unit"]) for one in numbers]
    said = call(page, f"argument.map((units) => js.shown(units, {facts}))", units)
    assert said == [shown(one, RULES.floor, RULES.threshold) for one in numbers]
