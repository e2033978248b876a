"""What anybody may read, with nothing, one and many cohorts behind it; and every fact of the programme's own page."""

from datetime import datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.test import Client

from candidates import calendar
from candidates.models import Cycle
from icg_cert.lib import clock
from portfolios.models import Requirement
from scoring.models import Criterion, Level
from tests.factories import at, make_cohort, make_cycle, make_policy

PAGES = ["/", "/process/portfolio/", "/process/scoring/", "/process/submit/", "/policies/"]
OPEN = at(2026, 11, 20)


@pytest.fixture
def programme(db: None) -> None:
    call_command("load_programme", verbosity=0)


@pytest.fixture
def years(programme: None) -> None:
    """Cohorts 2025 and 2026 with their cycles, as staff make them."""
    for year in (2025, 2026):
        calendar.open_year(year, by=None, at=OPEN)


def _page(client: Client, path: str, now: datetime = OPEN) -> BeautifulSoup:
    clock.jump_to(now)
    response = client.get(path)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def _words(soup: Any) -> str:
    for reader in soup.select(".countdown"):
        reader.decompose()
    return " ".join(soup.get_text(" ").split())


def _facts(soup: BeautifulSoup) -> dict[str, str]:
    return {
        " ".join(row.dt.get_text(" ").split()): _words(row.dd) for row in soup.select("main dl.summary > div") if row.dt
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_stands_before_the_programme_is_loaded(client: Client, path: str) -> None:
    assert _page(client, path).h1


@pytest.mark.usefixtures("programme")
@pytest.mark.parametrize("path", PAGES)
def test_page_stands_before_the_first_cohort(client: Client, path: str) -> None:
    assert _page(client, path).h1


@pytest.mark.usefixtures("years")
@pytest.mark.parametrize("path", PAGES)
def test_page_has_one_heading_and_at_most_one_primary_button(client: Client, path: str) -> None:
    soup = _page(client, path)
    assert len(soup.select("h1")) == 1
    assert len(soup.select("main .button.primary")) <= 1


@pytest.mark.usefixtures("years")
def test_home_open(client: Client) -> None:
    soup = _page(client, "/")
    assert soup.h1.get_text() == "2026 certification open now"
    assert _facts(soup) == {
        "Registration deadline": "31 January 2027, until midnight Central Time",
        "Submissions due": "1 May 2027 to 15 June 2027, until midnight Central Time",
    }
    button = soup.select_one("main .button.primary")
    assert (button.get_text(), button["href"]) == ("Register", "/register/")


@pytest.mark.usefixtures("years")
def test_home_before(client: Client) -> None:
    soup = _page(client, "/", at(2026, 10, 1))
    assert soup.h1.get_text() == "2026 certification opens soon"
    assert _facts(soup)["Registration opens"] == "1 November 2026, 12:00 a.m. Central Time"
    assert soup.select_one("main .button.primary").get_text() == "See how to register"


@pytest.mark.usefixtures("years")
def test_home_after(client: Client) -> None:
    soup = _page(client, "/", at(2027, 2, 1))
    assert soup.h1.get_text() == "2026 certification is closed to new candidates"
    assert _facts(soup)["Next registration"] == "From 1 November 2027, 12:00 a.m. Central Time"
    assert soup.select_one("main .button.primary").get_text() == "See when you can register"


@pytest.mark.usefixtures("programme")
def test_home_of_cohort_2_tells_the_timeline_of_the_programmes_page(client: Client) -> None:
    calendar.open_year(2018, by=None, at=OPEN)
    words = _words(_page(client, "/", at(2018, 12, 1)))
    for line in [
        "Candidate timeline for cohort 2",
        "register in 2018",
        "Submit any portfolio pieces for 2018-2019",
        "1 May to 15 June 2019",
        "31 October 2019",
        "Submit all remaining pieces",
        "1 May to 15 June 2020",
        "31 October 2020",
        "Submit any retakes",
        "1 May to 15 June 2021",
        "final certification notice 31 October 2021",
    ]:
        assert line in words


@pytest.mark.usefixtures("years")
@pytest.mark.parametrize(
    "fact",
    [
        "that every student will experience excellent instruction, every day, in every class",
        "Impact Cycle",
        "Better teaching leads to better learning",
        "from 1 November to 31 January",
        "PayPal, credit card or purchase order",
        "released on 31 October",
        "from 1 May to 15 June each year",
        "directions for your written documents and videos",
        "employed full-time as an instructional coach",
        "at least 70 % of your work time on coaching",
        "administrative tasks, testing, intervention and other tasks that are not coaching do not count",
        "by the deadlines",
        "up to three years",
        "cannot be refunded",
    ],
)
def test_home_tells_every_fact_of_the_programmes_page(client: Client, fact: str) -> None:
    assert fact in _words(_page(client, "/")).replace("\xa0", " ")


@pytest.mark.usefixtures("years")
def test_home_links_each_step_to_its_page(client: Client) -> None:
    steps = _page(client, "/").select(".steps > li")
    assert [(step.h3.get_text(), step.a["href"]) for step in steps] == [
        ("Register", "/register/"),
        ("Develop your portfolio", "/process/portfolio/"),
        ("Know how scoring works", "/process/scoring/"),
        ("Submit your portfolio", "/process/submit/"),
    ]


@pytest.mark.usefixtures("years")
@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_public_page_leads_somewhere(client: Client, path: str) -> None:
    links = {link["href"] for link in _page(client, path).select("a[href^='/']")}
    assert {link: client.get(link).status_code for link in links if client.get(link).status_code >= 400} == {}


@pytest.mark.usefixtures("programme")
def test_process_portfolio_shows_what_the_rows_say(client: Client) -> None:
    words = _words(_page(client, "/process/portfolio/"))
    asked = [text for row in Requirement.objects.all() for text in (row.title, row.instructions)]
    assert [text for text in asked if " ".join(text.split()) not in words] == []
    assert [row.name for row in Criterion.objects.all() if row.name not in words] == []


@pytest.mark.usefixtures("programme")
def test_process_portfolio_says_limits(client: Client) -> None:
    Requirement.objects.filter(factor__number=2).update(max_pages=9, maximum=3)
    words = _words(_page(client, "/process/portfolio/"))
    assert "Video, up to 10 minutes" in words
    assert "Document, up to 9 pages, up to 3 files" in words
    assert "Video, up to 5 minutes, optional" in words


@pytest.mark.usefixtures("programme")
def test_process_scoring_shows_rubric_rules_and_example(client: Client) -> None:
    soup = _page(client, "/process/scoring/")
    words = _words(soup)
    assert [row.words for row in Level.objects.all() if row.words not in words] == []
    rows = soup.select("table")[0].select("tbody tr")
    assert [[cell.get_text() for cell in row.select("td.number")] for row in rows] == [
        ["3.75", "4.00", "4.25"],
        ["2.75", "3.00", "3.25"],
        ["1.75", "2.00", "2.25"],
        ["0.75", "1.00", "1.25"],
    ]  # fmt: skip
    for fact in ["at least 2.75 (a sum of at least 19.25)", "below 1.75", "more than 1.25 apart", "random 15", "3.018"]:
        assert fact in words


@pytest.mark.usefixtures("programme")
def test_process_scoring_follows_the_policy_in_force(client: Client) -> None:
    make_policy(version=2, threshold="3.00", floor="2.00", retake_rule="latest")
    words = _words(_page(client, "/process/scoring/"))
    assert "at least 3.00 (a sum of at least 21.00)" in words
    assert "The later score counts." in words


@pytest.mark.usefixtures("years")
@pytest.mark.parametrize(
    ("now", "facts"),
    [
        (
            at(2026, 11, 20),
            {
                "The window opens": "1 May 2027, 12:00 a.m. Central Time",
                "Last day": "15 June 2027, until midnight Central Time",
                "Scores": "31 October 2027",
            },
        ),
        (
            at(2027, 5, 1),
            {
                "The window is open": "since 1 May 2027",
                "Last day": "15 June 2027, until midnight Central Time",
                "Scores": "31 October 2027",
            },
        ),
    ],
)
def test_process_submit_tells_the_window(client: Client, now: datetime, facts: dict[str, str]) -> None:
    assert _facts(_page(client, "/process/submit/", now)) == facts


@pytest.mark.django_db
def test_process_submit_shows_the_directions_of_its_cycle(client: Client) -> None:
    make_cycle(2027, directions="Record in landscape.")
    assert "Record in landscape." in _words(_page(client, "/process/submit/"))
    Cycle.objects.update(directions="")
    assert "The directions for 2027 will stand here" in _words(_page(client, "/process/submit/"))


@pytest.mark.usefixtures("programme")
def test_policies_show_the_texts_people_accept(client: Client) -> None:
    words = _words(_page(client, "/policies/"))
    for text in ["The certification fee cannot be refunded.", "I am employed full-time", "agreed in writing"]:
        assert text in words
    assert words.count("Version 1") == 4


@pytest.mark.usefixtures("programme")
@pytest.mark.parametrize(
    ("path", "queries"), [("/", 1), ("/process/portfolio/", 5), ("/process/scoring/", 5), ("/policies/", 2)]
)
@pytest.mark.parametrize("cohorts", [1, 3])
def test_queries_of_a_page_do_not_grow(
    client: Client, django_assert_num_queries: Any, path: str, queries: int, cohorts: int
) -> None:
    for year in range(2026 - cohorts + 1, 2027):
        make_cohort(year)
    clock.jump_to(OPEN)
    client.get(path)  # reads what is kept in memory
    with django_assert_num_queries(queries):
        client.get(path)
