from fractions import Fraction

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates.models import Registration
from portfolios.models import Entry
from scoring import standing
from scoring.models import Result
from scoring.scores import Rules
from scoring.standing import Earned
from tests.factories import (
    make_cycle,
    make_entry,
    make_factor,
    make_policy,
    make_readings,
    make_registration,
    make_result,
    make_scored_entry,
)

BEST = Rules(
    version=1,
    threshold=Fraction(11, 4),
    floor=Fraction(7, 4),
    adjudication_gap=Fraction(5, 4),
    double_band=Fraction(1, 4),
    double_percent=0,
    double_first_entries=0,
    retake="best",
)
LATEST = Rules(**{name: getattr(BEST, name) for name in BEST.__slots__} | {"retake": "latest"})


def earned(factor: int, score: str, year: int = 2027) -> Earned:
    return Earned(factor, f"Factor {factor}", year, Fraction(score))


def seven(*scores: str) -> dict[int, Earned]:
    return {number: earned(number, score) for number, score in enumerate(scores, start=1)}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (BEST, {1: earned(1, "2.5", 2027), 2: earned(2, "3", 2029)}),
        (LATEST, {1: earned(1, "2", 2029), 2: earned(2, "3", 2029)}),
    ],
)
def test_stand_retake_worse_and_better(rules: Rules, expected: dict[int, Earned]) -> None:
    attempts = [earned(1, "2", 2029), earned(1, "2.5", 2027), earned(2, "2"), earned(2, "3", 2029)]
    assert standing.stand(attempts, rules) == expected


def test_stand_of_equal_scores_is_the_earlier() -> None:
    assert standing.stand([earned(1, "3", 2029), earned(1, "3", 2027)], BEST) == {1: earned(1, "3", 2027)}


@pytest.mark.parametrize(
    ("scores", "year", "expected"),
    [
        (seven(*["2.75"] * 7), 1, Result.Status.CERTIFIED),  # the sum is exactly 19.25
        (seven(*["2.75"] * 6, "2.749"), 1, Result.Status.NOT_YET),
        (seven(*["2.75"] * 6, "2.749"), 3, Result.Status.NOT_CERTIFIED),
        (seven(*["3"] * 6, "1.75"), 2, Result.Status.CERTIFIED),  # one factor exactly at the floor
        (seven(*["3"] * 6, "1.749"), 2, Result.Status.NOT_YET),  # and just below it
        (seven(*["4.25"] * 6), 1, Result.Status.IN_PROGRESS),  # enough in sum, but one factor is missing
        (seven(*["4.25"] * 6), 2, Result.Status.IN_PROGRESS),
        (seven(*["4.25"] * 6), 3, Result.Status.NOT_CERTIFIED),
        (seven("2.749"), 1, Result.Status.NOT_YET),
        ({}, 1, Result.Status.IN_PROGRESS),
        ({}, 3, Result.Status.NOT_CERTIFIED),
    ],
)
def test_status(scores: dict[int, Earned], year: int, expected: str) -> None:
    assert standing.status(scores, year, BEST) == expected


@pytest.fixture
def rules(db: None) -> Rules:
    return make_policy().rules()


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], None),
        ([("3.00", "3.25", "2.75")], Fraction(3)),
        ([("3.00", "3.00", "3.00"), ("2.75", "2.75", "3.00")], Fraction(35, 12)),
        ([("4.00", "4.00", "4.00"), ("2.75", "2.75", "2.75")], Fraction(27, 8)),  # a gap of exactly 1.25
        ([("4.25", "4.25", "4.25"), ("2.75", "3.00", "3.00")], None),  # a gap of 1.333
        ([("4.25", "4.25", "4.25"), ("2.75", "3.00", "3.00"), ("3.00", "3.00", "3.25")], Fraction(37, 12)),
    ],
)
def test_judge_takes_the_final_readings(
    rules: Rules, readings: list[tuple[str, ...]], expected: Fraction | None
) -> None:
    entry = make_readings(make_entry(status=Entry.Status.LOCKED), *readings)
    assert standing.judge(entry, rules).score == expected


def test_judge_leaves_out_a_sheet_with_a_criterion_missing(rules: Rules) -> None:
    entry = make_scored_entry(make_registration(), 1)
    sheet = entry.assignments.get(role="first").sheet
    sheet.ratings.filter(criterion__position=1).delete()
    assert standing.judge(entry, rules).outcome is None


def test_in_process(db: None) -> None:
    cycle = make_cycle(2027)
    taking_part = make_registration()
    handed_in = make_registration(payment_status=Registration.Payment.UNPAID)
    make_scored_entry(handed_in)
    make_registration(payment_status=Registration.Payment.UNPAID)
    withdrawn = make_registration(status=Registration.Status.WITHDRAWN)
    make_scored_entry(withdrawn)
    assert set(standing.in_process(cycle)) == {taking_part, handed_in}
    assert set(standing.in_process(make_cycle(2030))) == set()


def test_in_process_leaves_out_who_was_certified_before(db: None) -> None:
    registration = make_registration()
    make_result(registration)
    assert set(standing.in_process(make_cycle(2027))) == {registration}
    assert set(standing.in_process(make_cycle(2028))) == set()


@pytest.mark.parametrize("count", [1, 3])
def test_load_all_asks_the_same_few_times(
    rules: Rules, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cycle = make_cycle(2027)
    for _ in range(count):
        registration = make_registration()
        make_scored_entry(registration, 1)
        make_scored_entry(registration, 2, ("3.25",) * 3)
    with django_assert_num_queries(11):
        candidates = list(standing.load_all(standing.in_process(cycle), cycle, rules))
    assert [sorted(candidate.standing(rules)) for candidate in candidates] == [[1, 2]] * count


def test_entries_of_other_cycles_and_lapsed_ones_are_not_loaded(rules: Rules) -> None:
    registration = make_registration()
    make_entry(registration, make_factor(1), make_cycle(2027), status=Entry.Status.LAPSED)
    make_entry(registration, make_factor(2), make_cycle(2028))
    [candidate] = standing.load(standing.in_process(make_cycle(2027)), make_cycle(2027), rules)
    assert (candidate.entries, candidate.year) == ((), 1)
