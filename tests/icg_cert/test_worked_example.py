"""The example is arithmetic anybody can follow: here it is done again by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest

from icg_cert.worked_example import Standing, example, families
from scoring.models import Rubric
from tests.factories import make_factor, make_policy, make_rubric


@pytest.fixture
def rubrics(db: None) -> list[Rubric]:
    return [make_rubric(make_factor(number)) for number in range(1, 8)]


def test_families_are_four_levels_of_three_values() -> None:
    assert families() == [
        (level, [Decimal(level) - Decimal("0.25"), Decimal(level), Decimal(level) + Decimal("0.25")])
        for level in (4, 3, 2, 1)
    ]


def test_example_of_three_criteria(rubrics: list[Rubric]) -> None:
    worked = example(rubrics, make_policy().rules())

    assert worked.rows == [
        ("Criterion 1", Decimal("3.25"), Decimal("3.00")),
        ("Criterion 2", Decimal("2.75"), Decimal("2.25")),
        ("Criterion 3", Decimal("3.00"), Decimal("3.00")),
    ]
    assert (worked.first.score, worked.second.score, worked.gap) == (Fraction(3), Fraction("2.75"), Fraction("0.25"))
    assert (worked.factor.score, worked.factor.how) == (Fraction("2.875"), "averaged")
    assert (worked.far_gap, worked.adjudicated.score, worked.adjudicated.how) == (
        Fraction("1.50"),
        Fraction("2.50"),
        "adjudicated",
    )
    assert worked.standing == [
        Standing(f"Factor {number}", Fraction(value))
        for number, value in enumerate(["2.875", "3.25", "2.50", "3.75", "3.25", "2.25", "3.25"], start=1)
    ]
    assert (worked.overall.total, worked.overall.is_certified) == (Fraction("21.125"), True)
    assert (worked.spoiled.total, worked.spoiled.reaches_total, worked.spoiled.below_floor) == (
        Fraction("19.375"),
        True,
        (7,),
    )


@pytest.mark.parametrize("criteria", [1, 2, 5])
def test_example_fits_any_number_of_criteria(db: None, criteria: int) -> None:
    rubrics = [make_rubric(make_factor(1), criteria), *(make_rubric(make_factor(number)) for number in range(2, 8))]
    assert len(example(rubrics, make_policy().rules()).rows) == criteria
