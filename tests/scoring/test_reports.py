"""The score report in every situation: the record over the years, the arithmetic, what comes next. Whole values."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candidates.models import Registration, User
from icg_cert.lib.words import three_decimals
from scoring import release, reports, scores, workings
from scoring.models import FactorScore, Rating, Release, Result
from scoring.record import Attempt, FactorRecord
from scoring.reports import Report
from scoring.scores import VALUES
from scoring.what_next import OVER, WhatNext, what_next
from scoring.workings import CriterionReport, Level
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

GAP = (("4.00", "4.00", "4.25"), ("2.75", "2.75", "2.75"), ("3.00", "3.25", "2.75"))
BEST = "Of several scores of one factor, the best counts."
READ = "Read what the scorers saw, criterion by criterion."


@pytest.fixture
def registration(candidate: User) -> Registration:
    make_policy()
    return make_registration(candidate, code="BCDF2345")


def seven(registration: Registration, *values: str, year: int = 2027) -> None:
    """Each factor read twice with the same value throughout."""
    for number, value in enumerate(values, start=1):
        make_scored_entry(registration, number, *[(value,) * 3] * 2, year=year)


def tell(registration: Registration, year: int = 2027) -> Report:
    """Release the cycle, and report this one's result."""
    decision = make_release(make_cycle(year))
    release.release_due(decision.releases_at)
    found = Result.objects.select_related("cycle", "policy", "registration__cohort", "registration__user")
    return reports.report(found.get(registration=registration, cycle__year=year))


def attempt(report: Report, score: str, shown: str, **fields: object) -> Attempt:
    result = report.result
    defaults = {
        "cycle": result.cycle_id,
        "year": result.cycle.year,
        "released_at": result.released_at,
        "how": "two scorers, averaged",
        "is_retake": False,
        "is_banked": False,
        "counts": True,
    }
    return Attempt(score=Fraction(score), shown=shown, **{**defaults, **fields})  # type: ignore[arg-type]


# ---- The record over the years


def test_record_of_a_first_year(registration: Registration) -> None:
    make_scored_entry(registration, 1, ("2.25", "2.25", "2.00"))
    make_scored_entry(registration, 2, *GAP)
    make_factor(3)
    report = tell(registration)
    assert report.record == (
        FactorRecord(
            1,
            "1. Factor 1",
            (attempt(report, "13/6", "2.167", how="one scorer"),),
            "Not accomplished so far: 2.167, from 2027, is what counts.",
        ),
        FactorRecord(
            2,
            "2. Factor 2",
            (attempt(report, "3", "3.000", how="decided by a lead scorer", is_banked=True),),
            "Accomplished since 31 October 2027, and it stays so.",
        ),
        FactorRecord(3, "3. Factor 3", (), "No score yet."),
    )


def test_record_of_a_retake_that_came_out_worse(registration: Registration) -> None:
    seven(registration, "2.25")
    first = tell(registration)
    tell(registration, 2028)
    make_scored_entry(registration, 1, *[("1.00",) * 3] * 2, year=2029, is_retake=True)
    last = tell(registration, 2029)
    assert last.record == (
        FactorRecord(
            1,
            "1. Factor 1",
            (attempt(first, "9/4", "2.250"), attempt(last, "1", "1.000", is_retake=True, counts=False)),
            "The retake of 2029 did not come out higher, so the score of 2027 still counts. "
            "Not accomplished: 2.250, from 2027, is what counts.",
        ),
    )


def test_record_of_a_retake_that_came_out_better(registration: Registration) -> None:
    seven(registration, "2.25")
    first = tell(registration)
    make_scored_entry(registration, 1, *[("3.00",) * 3] * 2, year=2029, is_retake=True)
    last = tell(registration, 2029)
    assert last.record == (
        FactorRecord(
            1,
            "1. Factor 1",
            (
                attempt(first, "9/4", "2.250", counts=False),
                attempt(last, "3", "3.000", is_retake=True, is_banked=True),
            ),
            "Of 2 scores the best counts, that of 2029. Accomplished since 31 October 2029, and it stays so.",
        ),
    )
    assert first.record[0].attempts[0].counts  # a released report never changes: then it was the only score


def test_record_of_somebody_certified_with_a_factor_below_the_threshold(registration: Registration) -> None:
    seven(registration, *["3.00"] * 6, "2.00")
    report = tell(registration)
    assert report.result.status == Result.Status.CERTIFIED
    assert report.record[6].words == "2.000 counts for your certificate as it is."


def test_record_leaves_out_what_was_superseded(registration: Registration) -> None:
    seven(registration, "2.25")
    first = tell(registration)
    Result.objects.filter(pk=first.result.pk).update(superseded_at=at(2027, 11, 20))
    assert [len(one.attempts) for one in tell(registration, 2028).record] == [0]
    assert [len(one.attempts) for one in reports.report(first.result).record] == [1]


# ---- How a number came about


def test_criteria_of_an_averaged_factor(registration: Registration) -> None:
    make_scored_entry(registration, 1, ("3.00", "2.75", "3.25"), ("2.25", "2.75", "3.00"))
    [factor] = tell(registration).factors
    clear, limited = "Clear evidence", "Limited evidence"
    assert factor.criteria == (
        CriterionReport(
            "Criterion 1",
            "Is criterion 1 met?",
            Fraction("2.625"),
            "(3.00 + 2.25) ÷ 2 = 2.625",
            (Level(clear, f"{clear}.", "3.00 (scorer 1)"), Level(limited, f"{limited}.", "2.25 (scorer 2)")),
            "",
        ),
        CriterionReport(
            "Criterion 2",
            "Is criterion 2 met?",
            Fraction("2.75"),
            "(2.75 + 2.75) ÷ 2 = 2.750",
            (Level(clear, f"{clear}.", "2.75 (scorer 1), 2.75 (scorer 2)"),),
            "",
        ),
        CriterionReport(
            "Criterion 3",
            "Is criterion 3 met?",
            Fraction("3.125"),
            "(3.25 + 3.00) ÷ 2 = 3.125",
            (Level(clear, f"{clear}.", "3.25 (scorer 1), 3.00 (scorer 2)"),),
            "",
        ),
    )
    assert factor.beside == (
        "Floor: 2.833 (exactly 17/6) is at or above 1.75.",
        "Threshold: 2.833 (exactly 17/6) is at or above 2.75.",
    )


def test_criteria_of_an_adjudicated_factor_are_the_leads(registration: Registration) -> None:
    make_scored_entry(registration, 1, *GAP)
    [factor] = tell(registration).factors
    first = factor.criteria[0]
    assert (first.mean, first.arithmetic, [level.values for level in first.levels], first.aside) == (
        Fraction(3),
        "",
        ["3.00 (lead scorer)"],
        "Scorer 1 gave 4.00 and Scorer 2 gave 2.75; these do not count, for a lead scorer decided.",
    )


def test_factor_names_the_versions_it_was_judged_by(registration: Registration) -> None:
    entry = make_scored_entry(registration, 1)
    [factor] = tell(registration).factors
    digest = entry.assignments.get(role="first").sheet.rubric.content_hash
    assert (factor.policy, factor.rubric, factor.rubric_hash, len(digest)) == (1, 1, digest, 64)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ("2.75", "2.750 is at or above 2.75"),
        ("35/12", "2.917 (exactly 35/12) is at or above 2.75"),
        ("2.7494", "2.749 (exactly 13747/5000) is below 2.75"),
        (
            "2.7499",
            "2.750 (exactly 27499/10000) is below 2.75: rounding makes it look like 2.75, "
            "but only the exact number is compared",
        ),
    ],
)
def test_beside_says_where_rounding_misleads(score: str, words: str) -> None:
    assert workings.beside(Fraction(score), Fraction("2.75")) == words


def test_total_missed_by_less_than_rounding_shows_is_said_to_be_missed(registration: Registration) -> None:
    """As only rubrics with many criteria could bring about: 19.25 is missed by a ten-thousandth."""
    seven(registration, *["2.75"] * 7)
    result = tell(registration).result
    missed = Fraction("2.7499")
    result.standing[6]["score"] = [missed.numerator, missed.denominator]
    report = reports.report(result)
    assert [rule.passed for rule in report.rules] == [False, True]
    assert report.rules[0].words == (
        "19.250 (exactly 192499/10000) is below 19.25: rounding makes it look like 19.25, "
        "but only the exact number is compared."
    )
    assert (report.lines[6].shown, report.lines[6].state) == ("just below 2.750", "Below the threshold")


def test_total_of_exactly_what_is_needed(registration: Registration) -> None:
    seven(registration, *["2.75"] * 7)
    [total, floor] = tell(registration).rules
    assert (total.passed, total.steps) == (
        True,
        (
            "2.750 + 2.750 + 2.750 + 2.750 + 2.750 + 2.750 + 2.750 = 19.250",
            "The sum: 19.250 is at or above 19.25.",
            "Divided by 7: 2.750 is at or above 2.75.",
        ),
    )
    assert floor.steps[6] == "7. Factor 7: 2.750 is at or above 1.75."


# ---- By two paths: what the report says against what the rows of ratings say

values = st.sampled_from(VALUES)
readings = st.lists(st.tuples(values, values, values), min_size=1, max_size=2)


def apart(pair: list[tuple[Decimal, ...]]) -> bool:
    return len(pair) == 2 and abs(sum(pair[0]) - sum(pair[1])) / 3 > Decimal("1.25")


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(readings, min_size=7, max_size=7), st.tuples(values, values, values))
def test_totals_of_the_report_are_those_of_the_ratings(
    registration: Registration, given_readings: list[list[tuple[Decimal, ...]]], lead: tuple[Decimal, ...]
) -> None:
    fresh = make_registration()
    for number, pair in enumerate(given_readings, start=1):
        whole = pair if len(pair) == 2 else pair * 2  # a single one may be a close call, which must be read twice
        make_scored_entry(fresh, number, *[tuple(map(str, one)) for one in whole + [lead] * apart(whole)])
    release_to_whoever_waits()
    report = reports.report(Result.objects.get(registration=fresh))
    expected = [from_ratings(row) for row in FactorScore.objects.filter(result=report.result)]
    assert [factor.score for factor in report.factors] == expected
    assert (report.overall.total, report.overall.mean) == (sum(expected), sum(expected) / 7)
    assert report.result.total == sum(expected)
    assert report.rules[0].passed == (sum(expected) >= Fraction(77, 4))
    assert report.rules[1].passed == (min(expected) >= Fraction(7, 4))
    assert report.sum_words.startswith(" + ".join(three_decimals(score) for score in expected))


def release_to_whoever_waits() -> None:
    """The examples of one test share their world, so the release goes on after it was through."""
    cycle = make_cycle(2027)
    if not Release.objects.exists():
        make_release(cycle)
    Release.objects.update(state=Release.State.APPROVED, released_at=None)
    release.release_due(cycle.releases_at)


def from_ratings(row: FactorScore) -> Fraction:
    """Straight from the rows of ratings, by sums and counts."""
    sheets: dict[str, list[Fraction]] = {}
    rows = Rating.objects.filter(sheet__assignment__entry=row.entry).values_list("sheet__assignment__role", "value")
    for role, value in rows:
        sheets.setdefault(role, []).append(Fraction(value))
    if "adjudication" in sheets:
        return Fraction(sum(sheets["adjudication"]), len(sheets["adjudication"]))
    given = [value for values_of_one in sheets.values() for value in values_of_one]
    return Fraction(sum(given), len(given))


# ---- What comes next


def test_what_next_of_a_first_year(registration: Registration) -> None:
    seven(registration, "2.25", "3.00")
    for number in range(3, 8):
        make_factor(number)
    for year in (2028, 2029):
        make_cycle(year)
    report = tell(registration)
    assert what_next(report, report.result.released_at) == WhatNext(
        "One factor is below 2.75 so far. The way to certification is still open.",
        (
            "Hand in the 5 factors that are still missing: 1 May to 15 June 2028. "
            "Year 2 is the last in which a factor can be handed in for the first time.",
            f"Retake factor 1 with new entries in year 3: 1 May to 15 June 2029. {BEST}",
            "The next results come out on 31 October 2028. We e-mail you then.",
            READ,
        ),
    )


def test_what_next_of_a_second_year_with_a_factor_never_handed_in(registration: Registration) -> None:
    seven(registration, *["3.00"] * 4, "2.00", "2.00")
    make_factor(7)
    tell(registration)
    report = tell(registration, 2028)
    assert what_next(report, report.result.released_at) == WhatNext(
        "2 factors are below 2.75 so far. The way to certification is still open.",
        (
            "1 of the seven factors was not handed in. Year 3 is for retakes only; please write to us, so that we can "
            "look at your case together.",
            f"Retake factors 5 and 6 with new entries in year 3, 2029. {BEST}",
            READ,
        ),
    )


def test_what_next_when_the_following_window_is_over(registration: Registration) -> None:
    seven(registration, "3.00")
    make_factor(2)
    report = tell(registration)
    closes_at = make_cycle(2028).closes_at
    report = replace(report, cycles=(make_cycle(2028),))
    lead = "Everything scored so far is accomplished, and it stays so."
    assert what_next(report, closes_at) == WhatNext(lead, afterwards=OVER)
    assert what_next(report, closes_at - MICROSECOND).steps != ()


@pytest.mark.parametrize(
    ("values", "years", "lead"),
    [
        (["3.00"] * 7, 1, "Congratulations. Both rules are met: you are a certified instructional coach."),
        (
            ["2.00"] * 7,
            3,
            "This was the third and last year of your process, and the two rules are not both met. "
            "We know how much work is in these entries.",
        ),
    ],
)
def test_what_next_of_a_decision(registration: Registration, values: list[str], years: int, lead: str) -> None:
    seven(registration, *values)
    for year in range(2027, 2027 + years):
        report = tell(registration, year)
    found = what_next(report, report.result.released_at)
    assert (found.lead, found.steps) == (lead, ())


def test_scores_of_the_chart_are_those_that_count(registration: Registration) -> None:
    seven(registration, "3.00", "1.00")
    make_factor(3)
    report = tell(registration)
    assert [(line.name, line.shown, line.state, line.tone) for line in report.lines] == [
        ("1. Factor 1", "3.000", "Accomplished", "good"),
        ("2. Factor 2", "1.000", "Below the floor", "bad"),
        ("3. Factor 3", "no score yet", "No score yet", "muted"),
    ]
    assert scores.is_banked(Fraction(3), report.policy)
