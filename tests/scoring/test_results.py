"""What a result freezes, what the report says of it, and who sees it when."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates import history
from candidates.models import Registration, User
from icg_cert import next_steps
from icg_cert.lib import clock
from icg_cert.lib.next_step import NextStep
from portfolios import entries
from portfolios.models import Factor
from scoring import release, reports, results
from scoring.models import FeedbackStatement, Result
from scoring.reports import RuleLine
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_scored_entry,
)

DUE = at(2027, 10, 31, 9)
GAP = (("4.00", "4.00", "4.25"), ("2.75", "2.75", "2.75"), ("3.00", "3.25", "2.75"))


@pytest.fixture
def registration(candidate: User) -> Registration:
    make_policy()
    return make_registration(candidate, code="BCDF2345")


def tell(registration: Registration, year: int = 2027) -> Result:
    """Release the cycle to everybody, and answer with this one's result."""
    decision = make_release(make_cycle(year))
    release.release_due(decision.releases_at)
    return Result.objects.select_related("cycle", "policy", "registration__cohort", "registration__user").get(
        registration=registration, cycle__year=year
    )


def get(user: User, name: str, *args: object, when: object = DUE) -> tuple[int, str]:
    """Status and the words of the page, as one line."""
    clock.jump_to(when)  # type: ignore[arg-type]
    client = Client()
    client.force_login(user)
    response = client.get(reverse(name, args=args))
    main = BeautifulSoup(response.content, "html.parser").find("main")
    return response.status_code, " ".join(main.get_text(" ").split()) if main else ""


# ---- What is frozen


def test_factor_score_freezes_everything_but_who(registration: Registration) -> None:
    entry = make_scored_entry(registration, 1, ("3.00", "2.75", "3.25"), ("2.75", "2.75", "3.00"))
    statement = FeedbackStatement.objects.create(position=1, text="Name the goal before the strategy.")
    for assignment in entry.assignments.all():
        assignment.sheet.feedback.add(statement)
    first = entry.assignments.get(role="first").sheet
    first.comment = "A calm, precise conversation.\n"
    first.save()
    row = tell(registration).factor_scores.get()
    assert (row.score, row.how, row.rubric_hash) == (Fraction(35, 12), "averaged", first.rubric.content_hash)
    assert row.detail == {
        "version": 1,
        "factor": {"number": 1, "name": "Factor 1"},
        "policy": {"version": 1, "threshold": [11, 4], "floor": [7, 4], "adjudication_gap": [5, 4]},
        "rubric": {"version": 1, "hash": first.rubric.content_hash},
        "levels": {
            "4": {
                "name": "Clear, consistent and convincing evidence",
                "words": "Clear, consistent and convincing evidence.",
            },
            "3": {"name": "Clear evidence", "words": "Clear evidence."},
            "2": {"name": "Limited evidence", "words": "Limited evidence."},
            "1": {"name": "Little or no evidence", "words": "Little or no evidence."},
        },
        "readings": [
            {"is_lead": False, "counts": True, "score": [3, 1], "values": ["3.00", "2.75", "3.25"]},
            {"is_lead": False, "counts": True, "score": [17, 6], "values": ["2.75", "2.75", "3.00"]},
        ],
        "criteria": [
            {"name": "Criterion 1", "question": "Is criterion 1 met?", "mean": [23, 8]},
            {"name": "Criterion 2", "question": "Is criterion 2 met?", "mean": [11, 4]},
            {"name": "Criterion 3", "question": "Is criterion 3 met?", "mean": [25, 8]},
        ],
        "feedback": ["Name the goal before the strategy."],
        "comments": ["A calm, precise conversation."],
    }


def test_factor_score_of_an_adjudicated_entry_counts_the_lead_alone(registration: Registration) -> None:
    make_scored_entry(registration, 1, *GAP)
    row = tell(registration).factor_scores.get()
    assert (row.score, row.how) == (Fraction(3), "adjudicated")
    assert [(reading["is_lead"], reading["counts"]) for reading in row.detail["readings"]] == [
        (False, False),
        (False, False),
        (True, True),
    ]
    assert [criterion["mean"] for criterion in row.detail["criteria"]] == [[3, 1], [13, 4], [11, 4]]


def test_result_stays_when_factor_and_policy_change(registration: Registration) -> None:
    make_scored_entry(registration, 1)
    result = tell(registration)
    before = reports.report(result)
    Factor.objects.update(name="Renamed")
    make_policy(2, threshold="3.00")
    assert reports.report(result) == before


# ---- The report


def test_report_of_an_averaged_and_an_adjudicated_entry(registration: Registration) -> None:
    make_scored_entry(registration, 1, ("3.00", "2.75", "3.25"), ("2.75", "2.75", "3.00"))
    make_scored_entry(registration, 2, *GAP)
    make_scored_entry(registration, 3, ("3.25", "3.25", "3.25"))
    report = reports.report(tell(registration))
    assert [(factor.number, factor.score, factor.how, factor.arithmetic) for factor in report.factors] == [
        (
            1,
            Fraction(35, 12),
            "Two scorers read this entry independently; their scores are averaged.",
            (
                "Scorer 1: (3.00 + 2.75 + 3.25) ÷ 3 = 3.000",
                "Scorer 2: (2.75 + 2.75 + 3.00) ÷ 3 = 2.833 (exactly 17/6)",
                "Factor score: (3.000 + 2.833) ÷ 2 = 2.917 (exactly 35/12)",
            ),
        ),
        (
            2,
            Fraction(3),
            "Two scorers read this entry independently and lay more than 1.25 apart, so a lead scorer read it as well. "
            "The lead scorer's score stands alone.",
            (
                "Scorer 1: (4.00 + 4.00 + 4.25) ÷ 3 = 4.083 (exactly 49/12); does not count",
                "Scorer 2: (2.75 + 2.75 + 2.75) ÷ 3 = 2.750; does not count",
                "Lead scorer: (3.00 + 3.25 + 2.75) ÷ 3 = 3.000",
                "Factor score: 3.000",
            ),
        ),
        (
            3,
            Fraction(13, 4),
            "One scorer read this entry.",
            ("Scorer 1: (3.25 + 3.25 + 3.25) ÷ 3 = 3.250", "Factor score: 3.250"),
        ),
    ]
    assert report.rules == (
        RuleLine(
            "Overall 2.75 or better: the 7 scores add up to 19.25 or more",
            None,
            "3 of 7 factors have a score; so far they add up to 9.167 (exactly 55/6).",
            ("2.917 + 3.000 + 3.250 = 9.167 (exactly 55/6)", "Exactly: 35/12 + 3 + 13/4 = 55/6"),
        ),
        RuleLine(
            "No factor below 1.75",
            None,
            "None of the 3 scored so far is below 1.75.",
            (
                "1. Factor 1: 2.917 (exactly 35/12) is at or above 1.75.",
                "2. Factor 2: 3.000 is at or above 1.75.",
                "3. Factor 3: 3.250 is at or above 1.75.",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ("2.75", [(True, "19.250 reaches 19.25."), (True, "All 7 factors are at 1.75 or above.")]),
        ("1.00", [(False, "17.500 is below 19.25."), (False, "Factor 7 is below 1.75.")]),
    ],
)
def test_report_of_the_two_rules(registration: Registration, values: str, rules: list[tuple[bool, str]]) -> None:
    for number in range(1, 7):
        make_scored_entry(registration, number, *[("2.75",) * 3] * 2)
    make_scored_entry(registration, 7, *[(values,) * 3] * 2)
    report = reports.report(tell(registration))
    assert [(rule.passed, rule.words) for rule in report.rules] == rules


def test_report_says_a_total_that_is_missed_by_a_hair_exactly(registration: Registration) -> None:
    for number in range(1, 7):
        make_scored_entry(registration, number, *[("2.75",) * 3] * 2)
    make_scored_entry(registration, 7, ("2.25", "2.75", "2.75"), ("3.00", "2.75", "2.75"))
    [total, _] = reports.report(tell(registration)).rules
    assert (total.passed, total.words) == (False, "19.208 (exactly 461/24) is below 19.25.")


def test_report_shows_a_banked_factor_beside_a_worse_retake(registration: Registration) -> None:
    make_scored_entry(registration, 1, *[("2.25",) * 3] * 2)
    tell(registration)
    make_scored_entry(registration, 1, *[("1.00",) * 3] * 2, year=2029, is_retake=True)
    tell(registration, 2028)
    report = reports.report(tell(registration, 2029))
    assert [(line.score, line.year, line.state) for line in report.lines] == [
        (Fraction(9, 4), 2027, "Below the threshold")
    ]
    assert [(factor.score, factor.is_retake) for factor in report.factors] == [(Fraction(1), True)]


@pytest.mark.parametrize("count", [1, 3])
def test_result_detail_asks_the_same_few_times(
    registration: Registration, candidate: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, count + 1):
        make_scored_entry(registration, number)
    result = tell(registration)
    with django_assert_num_queries(3):
        reports.report(result)


# ---- The pages


@pytest.mark.parametrize(("when", "status"), [(DUE - timedelta(seconds=5), 404), (DUE, 200)])
def test_result_detail_is_not_there_before_its_instant(
    registration: Registration, candidate: User, when: object, status: int
) -> None:
    make_scored_entry(registration, 1)
    cycle = tell(registration).cycle
    assert get(candidate, "scoring:result-detail", cycle.pk, when=when)[0] == status
    assert get(candidate, "scoring:result-of", cycle.pk, "BCDF2345", when=when)[0] == status


def test_released_at_the_microsecond(registration: Registration) -> None:
    make_scored_entry(registration, 1)
    result = tell(registration)
    for when, visible in ((DUE - MICROSECOND, []), (DUE, [result]), (DUE + MICROSECOND, [result])):
        assert list(Result.objects.released(when)) == visible


def test_result_detail_of_somebody_else_is_404(registration: Registration, candidate: User, stranger: User) -> None:
    make_scored_entry(registration, 1)
    cycle = tell(registration).cycle
    assert get(stranger, "scoring:result-detail", cycle.pk)[0] == 404
    assert get(stranger, "scoring:result-of", cycle.pk, "BCDF2345")[0] == 404
    assert get(candidate, "scoring:result-of", cycle.pk, "BCDF2345")[0] == 200


def test_result_of_what_is_no_code_is_not_found(candidate: User, client: Client) -> None:
    client.force_login(candidate)
    assert client.get("/results/1/BCD%002345/").status_code == 404


def test_result_detail_names_no_scorer(registration: Registration, candidate: User) -> None:
    entry = make_scored_entry(registration, 1, *GAP)
    cycle = tell(registration).cycle
    _, words = get(candidate, "scoring:result-detail", cycle.pk)
    for assignment in entry.assignments.select_related("scorer"):
        assert assignment.scorer.name not in words
        assert assignment.scorer.email not in words


def test_result_detail_says_scores_rules_and_what_next(registration: Registration, candidate: User) -> None:
    make_scored_entry(registration, 1, *[("2.25",) * 3] * 2)
    make_scored_entry(registration, 2)
    make_cycle(2028)
    for number in range(3, 8):
        make_factor(number)
    _, words = get(candidate, "scoring:result-detail", tell(registration).cycle.pk)
    for said in [
        "Not yet certified",
        "One factor is below 2.75 so far.",
        "Hand in the 5 factors that are still missing: 1 May to 15 June 2028",
        "Retake factor 1 with new entries in year 3, 2029.",
        "The sum: 2.250 + 3.000 = 5.250, from 2 of 7 factors.",
        "Scoring policy 1.",
    ]:
        assert said in words


def test_result_of_who_handed_in_nothing(registration: Registration, candidate: User) -> None:
    _, words = get(candidate, "scoring:result-detail", tell(registration).cycle.pk)
    assert "You handed in no entries in 2027, so nothing was scored." in words
    assert "The sum: no factor has a score yet." in words


def test_result_detail_withheld_shows_no_score_then_all_when_paid(registration: Registration, candidate: User) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    make_scored_entry(registration, 1)
    cycle = tell(registration).cycle
    status, words = get(candidate, "scoring:result-detail", cycle.pk)
    assert (status, "Your results are ready and kept for you" in words, "3.000" in words) == (200, True, False)
    assert "In progress" not in get(candidate, "scoring:result-list")[1]

    Registration.objects.update(payment_status=Registration.Payment.PAID)
    assert "3.000" in get(candidate, "scoring:result-detail", cycle.pk)[1]


def test_result_list_before_between_and_after(registration: Registration, candidate: User) -> None:
    assert "No results yet" in get(candidate, "scoring:result-list", when=at(2027, 4, 1))[1]
    make_scored_entry(registration, 1)
    scoring = get(candidate, "scoring:result-list", when=at(2027, 8, 1))[1]
    assert "being scored. Results come out on 31 October 2027, 9:00 a.m. Central Time" in scoring
    assert "come a little later" in get(candidate, "scoring:result-list", when=DUE)[1]
    tell(registration)
    assert "Results of 2027 Released on 31 October 2027 In progress" in get(candidate, "scoring:result-list")[1]


@pytest.mark.parametrize("count", [1, 3])
def test_result_list_asks_the_same_few_times(
    registration: Registration,
    candidate: User,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(next_steps, "ASKED", [])  # the card on top has tests of its own
    for year in range(2027, 2027 + count):
        tell(registration, year)
    clock.jump_to(at(2029, 12, 1))
    client = Client()
    client.force_login(candidate)
    client.get(reverse("scoring:result-list"))
    with django_assert_num_queries(6):
        assert client.get(reverse("scoring:result-list")).status_code == 200


# ---- The next step


def next_step(user: User, when: datetime) -> NextStep | None:
    mine = history.registrations(user)
    return results.next_step(results.due(mine, when), entries.of(mine), when)


def step(user: User, when: datetime) -> tuple[str, str] | None:
    found = next_step(user, when)
    return (found.title, found.kind) if found else None


def test_next_step_from_closing_to_certified(registration: Registration, candidate: User) -> None:
    assert step(candidate, DUE) is None
    for number in range(1, 8):
        make_scored_entry(registration, number)
    closed = make_cycle(2027).closes_at
    assert step(candidate, closed - MICROSECOND) is None
    assert step(candidate, closed) == ("Your entries are being scored", "wait")
    tell(registration)
    assert step(candidate, DUE - MICROSECOND) == ("Your entries are being scored", "wait")
    assert step(candidate, DUE) == ("You are certified", "done")


def test_next_step_of_new_results_lasts_thirty_days(registration: Registration, candidate: User) -> None:
    make_scored_entry(registration, 1)
    tell(registration)
    month = DUE.astimezone(UTC) + timedelta(days=30)
    assert step(candidate, month - MICROSECOND) == ("Your 2027 results are here", "todo")
    assert step(candidate, month) is None


def test_next_step_of_withheld_results_is_to_pay(registration: Registration, candidate: User) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    make_scored_entry(registration, 1)
    tell(registration)
    found = next_step(candidate, DUE)
    assert found is not None
    assert (found.title, found.url) == (
        "Your 2027 results are ready and wait for the fee",
        reverse("payments:pay", args=[registration.pk]),
    )
