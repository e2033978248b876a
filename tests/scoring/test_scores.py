"""The arithmetic against the programme's words, at the boundaries, and its laws for every possible value."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import scores
from scoring.scores import VALUES, FactorOutcome, Rules

RULES = Rules(
    version=1,
    threshold=Fraction("2.75"),
    floor=Fraction("1.75"),
    adjudication_gap=Fraction("1.25"),
    double_band=Fraction("0.25"),
    double_percent=10,
    double_first_entries=5,
    retake="best",
)
THOUSANDTH = Fraction(1, 1000)

values = st.sampled_from(VALUES)
sheets = st.lists(values, min_size=1, max_size=6).map(scores.sheet_score)
seven = st.tuples(*[sheets] * 7).map(lambda given_scores: dict(enumerate(given_scores, 1)))


def test_values_are_the_twelve_of_the_programme() -> None:
    assert [str(value) for value in VALUES] == (
        ["0.75", "1", "1.25", "1.75", "2", "2.25", "2.75", "3", "3.25", "3.75", "4", "4.25"]
    )


@pytest.mark.parametrize(("value", "level"), list(zip(VALUES, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], strict=True)))
def test_level_of_is_the_family(value: Decimal, level: int) -> None:
    assert scores.level_of(value) == level


@pytest.mark.parametrize("value", [Decimal("0"), Decimal("1.5"), Decimal("2.50"), Decimal("4.26"), Decimal("-1")])
def test_values_outside_the_twelve_are_refused(value: Decimal) -> None:
    with pytest.raises(ValueError, match="twelve"):
        scores.sheet_score([Decimal(3), value])
    with pytest.raises(ValueError, match="twelve"):
        scores.level_of(value)


def test_sheet_score_is_the_exact_mean() -> None:
    assert scores.sheet_score([Decimal("2.75"), Decimal("3.00"), Decimal("3.25")]) == 3
    assert scores.sheet_score([Decimal("2.75"), Decimal("2.75"), Decimal("3.00")]) == Fraction(17, 6)
    with pytest.raises(ValueError, match="without values"):
        scores.sheet_score([])


@given(st.lists(values, min_size=1, max_size=8))
def test_sheet_score_has_no_rounding(given_values: list[Decimal]) -> None:
    score = scores.sheet_score(given_values)
    assert score * len(given_values) == sum(Fraction(value) for value in given_values)
    assert min(given_values) <= score <= max(given_values)


def test_factor_score_of_one_reading_is_that_reading() -> None:
    assert scores.factor_score(Fraction(3), None, None, RULES) == FactorOutcome(Fraction(3), "single")


def test_factor_score_averages_a_gap_of_exactly_the_rule() -> None:
    first, second = Fraction("1.75"), Fraction("3.00")
    assert scores.factor_score(first, second, None, RULES) == FactorOutcome(Fraction(19, 8), "averaged")
    apart = FactorOutcome(None, "needs_adjudication")
    assert scores.factor_score(first, second + THOUSANDTH, None, RULES) == apart
    assert scores.factor_score(second + THOUSANDTH, first, None, RULES) == apart


def test_factor_score_next_possible_gap_goes_to_a_lead() -> None:
    """With three criteria the next gap above 1.25 that two sheets can have is 1.25 + 1/12."""
    first = scores.sheet_score([Decimal("1.75")] * 3)
    second = scores.sheet_score([Decimal("3.00"), Decimal("3.00"), Decimal("3.25")])
    assert second - first == Fraction("1.25") + Fraction(1, 12)
    assert scores.factor_score(first, second, None, RULES).how == "needs_adjudication"


def test_factor_score_of_a_lead_stands_alone() -> None:
    outcome = scores.factor_score(Fraction(1), Fraction(4), Fraction(2), RULES)
    assert outcome == FactorOutcome(Fraction(2), "adjudicated")


@given(sheets, sheets)
def test_factor_score_does_not_depend_on_who_read_first(first: Fraction, second: Fraction) -> None:
    outcome = scores.factor_score(first, second, None, RULES)
    assert outcome == scores.factor_score(second, first, None, RULES)
    assert (outcome.score is None) == (abs(first - second) > Fraction(5, 4))


@pytest.mark.parametrize(
    ("score", "close"),
    [
        (Fraction("1.50") - THOUSANDTH, False),
        (Fraction("1.50"), True),
        (Fraction("1.75"), True),
        (Fraction("2.00"), True),
        (Fraction("2.00") + THOUSANDTH, False),
        (Fraction("2.50") - THOUSANDTH, False),
        (Fraction("2.50"), True),
        (Fraction("2.75"), True),
        (Fraction("3.00"), True),
        (Fraction("3.00") + THOUSANDTH, False),
    ],
)
def test_close_call_reaches_to_the_edge_of_the_band(score: Fraction, close: bool) -> None:
    assert scores.is_close_call(score, RULES) is close


def test_overall_of_exactly_the_total_is_certified() -> None:
    given_scores = {number: Fraction("2.75") for number in range(1, 8)}
    result = scores.overall(given_scores, RULES)
    assert (result.total, result.mean, result.is_certified) == (Fraction("19.25"), Fraction("2.75"), True)


def test_overall_a_thousandth_below_the_total_is_not() -> None:
    given_scores = {number: Fraction("2.75") for number in range(1, 8)} | {7: Fraction("2.75") - THOUSANDTH}
    result = scores.overall(given_scores, RULES)
    assert (result.reaches_total, result.below_floor, result.is_certified) == (False, (), False)


def test_overall_a_factor_at_the_floor_is_enough_and_a_thousandth_below_is_not() -> None:
    high = {number: Fraction(4) for number in range(1, 7)}
    assert scores.overall(high | {7: Fraction("1.75")}, RULES).is_certified
    low = scores.overall(high | {7: Fraction("1.75") - THOUSANDTH}, RULES)
    assert (low.reaches_total, low.below_floor, low.is_certified) == (True, (7,), False)


def test_overall_of_six_factors_is_never_certified() -> None:
    result = scores.overall({number: Fraction("4.25") for number in range(1, 7)}, RULES)
    assert (result.reaches_total, result.is_complete, result.is_certified) == (True, False, False)


def test_overall_of_nothing() -> None:
    result = scores.overall({}, RULES)
    assert (result.total, result.mean, result.below_floor, result.is_certified) == (0, 0, (), False)


@given(seven)
def test_overall_is_the_two_rules_and_nothing_else(given_scores: dict[int, Fraction]) -> None:
    result = scores.overall(given_scores, RULES)
    expected = sum(given_scores.values()) >= Fraction("19.25") and min(given_scores.values()) >= Fraction("1.75")
    assert result.is_certified is expected


@given(seven, st.integers(1, 7), sheets)
def test_overall_a_better_score_never_takes_a_certificate_away(
    given_scores: dict[int, Fraction], number: int, better: Fraction
) -> None:
    raised = given_scores | {number: max(better, given_scores[number])}
    assert scores.overall(raised, RULES).is_certified >= scores.overall(given_scores, RULES).is_certified


def test_standing_is_the_best_or_the_latest_as_the_rules_say() -> None:
    attempts = [Fraction(2), Fraction("2.5"), Fraction("2.25")]
    latest = Rules(**{name: getattr(RULES, name) for name in Rules.__slots__} | {"retake": "latest"})
    assert scores.standing(attempts, RULES) == Fraction("2.5")
    assert scores.standing(attempts, latest) == Fraction("2.25")
    with pytest.raises(ValueError, match="nobody has scored"):
        scores.standing([], RULES)


def test_banked_at_the_threshold() -> None:
    assert scores.is_banked(Fraction("2.75"), RULES)
    assert not scores.is_banked(Fraction("2.75") - THOUSANDTH, RULES)
