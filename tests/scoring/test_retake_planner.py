"""The retake planner: what may still come for whom and when, its words, its page, its paper. Whole values."""

from datetime import datetime, timedelta
from fractions import Fraction
from io import BytesIO

import pytest
from bs4 import BeautifulSoup, Tag
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import reverse
from pikepdf import Dictionary, Pdf
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from candidates.models import Registration, User
from icg_cert import next_steps
from icg_cert.lib import clock
from portfolios.models import Entry
from scoring import prospects, release, reports, retakes, what_if
from scoring.models import Result
from scoring.prospects import Prospect
from scoring.reports import Report
from scoring.retakes import Chance
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_entry,
    make_extension,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_rubric,
    make_scored_entry,
)

DUE = at(2027, 10, 31, 9)


@pytest.fixture
def registration(candidate: User) -> Registration:
    make_policy()
    for number in range(1, 8):
        make_rubric(make_factor(number), criteria=2 if number == 5 else 3)
    for year in (2027, 2028, 2029):
        make_cycle(year)
    return make_registration(candidate, code="BCDF2345")


def score(registration: Registration, *values: str, year: int = 2027) -> None:
    """Factors 1, 2, ... read twice with the same value throughout."""
    for number, value in enumerate(values, start=1):
        count = 2 if number == 5 else 3
        make_scored_entry(registration, number, *[(value,) * count] * 2, year=year, is_retake=year == 2029)


def tell(registration: Registration, year: int = 2027) -> Report:
    decision = make_release(make_cycle(year))
    release.release_due(decision.releases_at)
    found = Result.objects.select_related("cycle", "policy", "registration__cohort", "registration__user")
    return reports.report(found.get(registration=registration, cycle__year=year))


def chances(report: Report, when: datetime) -> list[str]:
    return [place.chance.value for place in prospects.prospect(report, when).places]


def look(report: Report, when: datetime = DUE) -> Prospect:
    return prospects.prospect(report, when)


# ---- What may still come


def test_chances_after_the_first_year(registration: Registration) -> None:
    score(registration, "3.00", "2.00")
    report = tell(registration)
    expected = ["stands", "retake", *["first"] * 5]
    assert chances(report, DUE) == expected
    closed = make_cycle(2028).closes_at
    assert chances(report, closed - MICROSECOND) == expected
    assert chances(report, closed) == ["stands", "retake", *["stands"] * 5]
    over = make_cycle(2029).closes_at
    assert chances(report, over - MICROSECOND) == ["stands", "retake", *["stands"] * 5]
    assert chances(report, over) == ["stands"] * 7


def test_chances_with_an_extension_and_with_entries_that_are_being_scored(registration: Registration) -> None:
    score(registration, "3.00", "2.00")
    report = tell(registration)
    second = make_cycle(2028)
    make_entry(registration, make_factor(3), second, status=Entry.Status.LOCKED)
    make_entry(registration, make_factor(4), second, status=Entry.Status.LAPSED)
    assert chances(report, second.closes_at) == ["stands", "retake", "first", *["stands"] * 4]
    assert look(report, second.closes_at).windows == (
        "Factor 2, as a retake: 1 May to 15 June 2029.",
        "Factor 3, handed in already: the score comes out on 31 October 2028.",
    )
    make_extension(registration, second, closes_at=at(2028, 7, 1))
    again = reports.report(Result.objects.get(pk=report.result.pk))
    assert chances(again, second.closes_at) == ["stands", "retake", *["first"] * 5]


def test_chances_of_who_withdrew_and_of_who_is_certified_are_none(registration: Registration) -> None:
    score(registration, *["3.00"] * 6, "2.00")
    report = tell(registration)
    assert (report.result.status, chances(report, DUE)) == (Result.Status.CERTIFIED, ["stands"] * 7)
    report.result.status = Result.Status.NOT_YET
    report.result.registration.status = Registration.Status.WITHDRAWN
    assert chances(report, DUE) == ["stands"] * 7


def test_chances_of_a_factor_banked_under_an_older_policy_stand(registration: Registration) -> None:
    """The programme asks for more since; what was accomplished stays so, and cannot be retaken."""
    score(registration, "2.75", "2.00")
    report = tell(registration)
    make_policy(2, threshold="3.25")
    found = look(report)
    assert (found.rules.version, found.places[0].chance, found.places[0].score) == (2, Chance.STANDS, Fraction("2.75"))


def test_attainable_scores_follow_the_current_rubrics(registration: Registration) -> None:
    score(registration, *["2.00"] * 7)
    found = look(tell(registration))
    assert {place.factor: len(place.attainable) for place in found.places} == {
        **dict.fromkeys([1, 2, 3, 4, 6, 7], 85),
        5: 57,
    }
    assert list(prospects.grains(found)) == [
        "Factors 1, 2, 3, 4, 6 and 7: 85 possible scores, from 0.750 to 4.250, 1/24 (0.042) apart.",
        "Factor 5: 57 possible scores, from 0.750 to 4.250, 1/16 (0.063) apart.",
    ]


# ---- In words


def test_words_of_two_ways(registration: Registration) -> None:
    score(registration, *["2.75"] * 5, "2.25", "2.25")
    found = look(tell(registration))
    assert [(prospects.title(way), prospects.needs(way)) for way in found.ways] == [
        ("Retake factor 6", "Factor 6 would need 3.250 or better."),
        ("Retake factor 7", "Factor 7 would need 3.250 or better."),
    ]
    assert list(prospects.alone(found)) == []


def test_words_of_what_only_two_together_would_do(registration: Registration) -> None:
    score(registration, *["2.75"] * 5, "1.00", "1.25")
    found = look(tell(registration))
    [way] = found.ways
    assert (prospects.title(way), prospects.needs(way)) == (
        "Retake factors 6 and 7",
        "Together they would need 5.500 or more.",
    )
    assert list(prospects.alone(found)) == [
        "4.250 in factor 6 alone: factor 7 would still be below 1.75.",
        "4.250 in factor 7 alone: the sum would be 19.000 and factor 6 would still be below 1.75.",
    ]


def test_words_of_what_is_still_to_be_handed_in(registration: Registration) -> None:
    score(registration, *["3.00"] * 4, "1.00")
    found = look(tell(registration))
    assert [prospects.title(way) for way in found.ways] == ["Hand in factors 6 and 7, and retake factor 5"]
    assert found.windows == (
        "Factors 6 and 7, for the first time: 1 May to 15 June 2028.",
        "Factor 5, as a retake: 1 May to 15 June 2029.",
    )


def test_words_of_a_factor_that_nobody_can_hand_in_any_more(registration: Registration) -> None:
    score(registration, *["3.00"] * 5, "2.00")
    tell(registration)
    found = look(tell(registration, 2028), at(2028, 11, 1))
    assert (found.is_open, found.ways) == (True, ())
    assert list(prospects.why_not(found)) == [
        "No score can come any more for factor 7, and nobody is certified without it."
    ]


def test_words_of_a_sum_out_of_reach(registration: Registration) -> None:
    """Six retakes may come, and the policy has become so strict that they are too little."""
    score(registration, *["2.00"] * 6, "2.75")
    report = tell(registration)
    make_policy(2, threshold="4.25")
    found = look(report)
    assert (len(found.may_change), found.ways) == (6, ())
    assert list(prospects.why_not(found)) == ["Even the highest scores would bring the sum to 28.250; 29.75 is needed."]


def test_words_of_a_third_year_that_is_over(registration: Registration) -> None:
    score(registration, *["2.25"] * 7)
    for year in (2027, 2028, 2029):
        report = tell(registration, year)
    found = look(report, at(2029, 11, 1))
    assert (found.is_open, found.ways) == (False, ())
    assert list(prospects.why_not(found)) == ["The sum stays at 15.750; 19.25 is needed."]


# ---- The what-if


def verdict(found: Prospect, query: str) -> tuple[str, ...]:
    return prospects.verdict(found.places, what_if.chosen(QueryDict(query), found), found.rules)


def test_what_if_of_nothing_and_of_the_first_way(registration: Registration) -> None:
    score(registration, *["2.75"] * 5, "2.25", "2.25")
    found = look(tell(registration))
    assert verdict(found, "") == (
        "With these scores the two rules would not both be met.",
        "The sum would be 18.250; 19.25 is needed.",
        "Overall that would be 2.607 (exactly 73/28); 2.75 is needed.",
        "No factor would be below 1.75.",
    )
    [first, _] = what_if.trials(found)
    assert first.query == "with=6&step-6=60"
    assert verdict(found, first.query) == (
        "With these scores both rules would be met.",
        "The sum would be 19.250; 19.25 is needed.",
        "Overall that would be 2.750; 2.75 is needed.",
        "No factor would be below 1.75.",
    )
    assert verdict(found, "with=6&step-6=59")[0] == "With these scores the two rules would not both be met."


@pytest.mark.parametrize(
    "query",
    [
        "with=6",
        "step-6=60",
        "with=6&step-6=85",
        "with=6&step-6=-1",
        "with=6&step-6=4.25",
        "with=6&step-6=²",
        "with=6&step-6=" + "9" * 5000,
        "with=1&step-1=60",
        "with=99&step-99=1",
        "with=%00&step-6=x",
    ],
)
def test_what_if_leaves_out_what_is_no_possible_score(registration: Registration, query: str) -> None:
    score(registration, *["2.75"] * 5, "2.25", "2.25")
    found = look(tell(registration))
    assert what_if.chosen(QueryDict(query), found) == {}


def test_every_way_is_a_query_that_certifies(registration: Registration) -> None:
    score(registration, "2.00", "2.25", "3.00", "2.00", "2.00", "3.25", "2.25")
    found = look(tell(registration))
    trials = what_if.trials(found)
    assert len(trials) == 10
    for trial in trials:
        supposed = what_if.chosen(QueryDict(trial.query), found)
        assert retakes.what_if(found.places, supposed, found.rules).is_certified


# ---- The page


def get(user: User, path: str, when: datetime = DUE) -> HttpResponse:
    clock.jump_to(when)
    client = Client()
    client.force_login(user)
    response: HttpResponse = client.get(path)  # type: ignore[assignment]
    return response


def main(response: HttpResponse) -> Tag:
    found = BeautifulSoup(response.content, "html.parser").find("main")
    assert isinstance(found, Tag)
    return found


def words(part: Tag) -> str:
    return " ".join(part.get_text(" ").split())


def test_planner_page_says_ways_and_works_out_what_is_supposed(registration: Registration, candidate: User) -> None:
    score(registration, *["2.75"] * 5, "2.25", "2.25")
    tell(registration)
    page = main(get(candidate, "/results/planner/?with=6&step-6=60&step-7=3"))
    assert [words(card) for card in page.find_all("article")] == [
        "Retake factor 6 Factor 6 would need 3.250 or better. Try it : Retake factor 6",
        "Retake factor 7 Factor 7 would need 3.250 or better. Try it : Retake factor 7",
    ]
    assert words(page.find(attrs={"data-verdict": True})) == (
        "What that would come to With these scores both rules would be met. The sum would be 19.250; 19.25 is needed. "
        "Overall that would be 2.750; 2.75 is needed. No factor would be below 1.75."
    )
    sliders = page.find_all("input", type="range")
    assert [(one["name"], one["min"], one["max"], one["value"]) for one in sliders] == [
        ("step-6", "0", "84", "60"),
        ("step-7", "0", "84", "36"),
    ]
    assert [one.has_attr("checked") for one in page.find_all("input", type="checkbox")] == [True, False]
    assert [output.get_text() for output in page.find_all("output")] == ["3.250", ""]
    assert page.find("form")["action"] == "/results/planner/#what-if"
    assert page.find("form").get("method", "get") == "get"


def test_planner_never_promises(registration: Registration, candidate: User) -> None:
    score(registration, *["2.75"] * 5, "1.00", "2.25")
    tell(registration)
    said = words(main(get(candidate, "/results/planner/"))).lower()
    assert "not a promise" in said
    assert [word for word in ("you will", "will be certified", "guarantee", "you need") if word in said] == []


def test_planner_is_not_there_before_the_release_nor_for_others(
    registration: Registration, candidate: User, stranger: User, staff: User
) -> None:
    score(registration, "2.00")
    tell(registration)
    paths = ["/results/planner/", f"/results/{make_cycle().pk}/report.pdf"]
    for path in paths:
        assert [get(candidate, path, when).status_code for when in (DUE - timedelta(seconds=5), DUE)] == [404, 200]
        assert [get(person, path).status_code for person in (stranger, staff)] == [404, 404]


def test_planner_and_paper_of_somebody_unpaid_say_nothing(registration: Registration, candidate: User) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    score(registration, "2.00")
    tell(registration)
    page = main(get(candidate, "/results/planner/"))
    assert (page.h1.get_text(), page.find("form")) == ("Your results are ready and kept for you", None)
    paper = get(candidate, f"/results/{make_cycle().pk}/report.pdf")
    assert (paper.status_code, "opens as soon as the registration fee is settled" in words(main(paper))) == (409, True)
    assert b"2.000" not in paper.content


def test_planner_of_the_certified_and_of_a_process_that_is_over(registration: Registration, candidate: User) -> None:
    score(registration, *["3.00"] * 7)
    tell(registration)
    page = main(get(candidate, "/results/planner/"))
    assert "You are certified, so there is nothing to retake." in words(page)
    assert page.find("form") is None


def test_planner_is_linked_while_a_retake_is_possible(registration: Registration, candidate: User) -> None:
    score(registration, "2.00")
    report = tell(registration)
    over = make_cycle(2029).closes_at
    for path in (reverse("scoring:result-detail", args=[report.result.cycle_id]), reverse("dashboard")):
        links = [bool(main(get(candidate, path, when)).find("a", href="/results/planner/")) for when in (DUE, over)]
        assert links == [True, False], path


def test_planner_is_not_linked_from_an_older_report(registration: Registration, candidate: User) -> None:
    score(registration, "2.00")
    older = tell(registration)
    tell(registration, 2028)
    page = main(get(candidate, reverse("scoring:result-detail", args=[older.result.cycle_id]), at(2028, 11, 1)))
    assert page.find("a", href="/results/planner/") is None
    assert page.find(id="ways") is None


@pytest.mark.parametrize(("years", "report_asks", "planner_asks"), [(1, 18, 13), (2, 16, 13), (3, 12, 11)])
def test_report_page_and_planner_ask_the_same_few_times(
    registration: Registration,
    candidate: User,
    years: int,
    report_asks: int,
    planner_asks: int,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After one, two and three cycles, with attempts in the first and the last; after the third, nothing is planned."""
    monkeypatch.setattr(next_steps, "ASKED", [])  # the card on top has tests of its own
    score(registration, *["2.00"] * 7)
    for year in range(2027, 2027 + years):
        if year == 2029:
            score(registration, *["2.25"] * 7, year=2029)
        report = tell(registration, year)
    clock.jump_to(report.result.released_at)
    client = Client()
    client.force_login(candidate)
    page = reverse("scoring:result-detail", args=[report.result.cycle_id])
    for path, queries in ((page, report_asks), ("/results/planner/", planner_asks)):
        client.get(path)
        with django_assert_num_queries(queries):
            assert client.get(path).status_code == 200


# ---- On paper


def paper(user: User, when: datetime = DUE, cycle: int = 2027) -> bytes:
    response = get(user, reverse("scoring:result-paper", args=[make_cycle(cycle).pk]), when)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return response.content


def text(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_paper_says_what_the_page_says(registration: Registration, candidate: User) -> None:
    score(registration, "2.25", "3.00")
    report = tell(registration)
    printed = text(paper(candidate))
    for said in [
        "Score report 2027",
        "Ada Abara BCDF2345 Not yet certified 31 October 2027",
        "Hand in the 5 factors that are still missing: 1 May to 15 June 2028.",
        "Scorer 1: (2.25 + 2.25 + 2.25) ÷ 3 = 2.250",
        "Factor score: (2.250 + 2.250) ÷ 2 = 2.250",
        "Threshold: 2.250 is below 2.75.",
        "Limited evidence, 2.25 (scorer 1), 2.25 (scorer 2)",
        "2.250 + 3.000 = 5.250, from 2 of 7 factors",
        "Not accomplished so far: 2.250, from 2027, is what counts.",
    ]:
        assert said in printed
    assert report.factors[0].rubric_hash in printed.replace(" ", "")


def test_paper_is_tagged_for_readers_with_the_chart_in_words(registration: Registration, candidate: User) -> None:
    score(registration, "2.25")
    tell(registration)
    with Pdf.open(BytesIO(paper(candidate))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert b"<pdfuaid:part>1</pdfuaid:part>" in bytes(pdf.Root.Metadata.read_bytes())
        alts = [str(one.Alt) for one in pdf.objects if isinstance(one, Dictionary) and "/Alt" in one]
    assert len(alts) == 1
    assert alts[0].startswith(
        "The factors as bars from 0.75 to 4.25. The floor of 1.75 and the threshold of 2.75 are marked. "
        "1. Factor 1, 2.250; 2. Factor 2, no score yet; "
    )


def test_paper_carries_what_people_wrote_as_it_is(registration: Registration, candidate: User) -> None:
    """Nothing typed is markup."""
    entry = make_scored_entry(registration, 1)
    sheet = entry.assignments.get(role="first").sheet
    sheet.comment = "#panic() = $x$ *not bold* @nobody\nSecond line."
    sheet.save()
    tell(registration)
    assert "#panic() = $x$ *not bold* @nobody Second line." in text(paper(candidate))


def test_paper_names_no_scorer(registration: Registration, candidate: User) -> None:
    entry = make_scored_entry(registration, 1)
    tell(registration)
    printed = text(paper(candidate))
    for assignment in entry.assignments.select_related("scorer"):
        assert assignment.scorer.name not in printed


def test_paper_of_a_code_is_for_staff(registration: Registration, staff: User) -> None:
    score(registration, "2.25")
    tell(registration)
    response = get(staff, f"/results/{make_cycle().pk}/BCDF2345/report.pdf")
    assert response["Content-Disposition"] == 'inline; filename="ICG-score-report-2027-BCDF2345.pdf"'
    assert "Ada Abara" in text(response.content)
