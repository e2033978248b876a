"""The coefficients against published examples, slow references written from the definitions, and at the edges."""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from math import gamma, pi, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import agreement
from scoring.agreement import QUARTERS, STUDENT, Agreement, Pairs, Severity, Units

# The references are slow on purpose, and a busy machine is no error.
unhurried = settings(deadline=None)
EMPTY = Agreement(0, 0, 0, 0, 0, None, None, None, None)
twelve = st.sampled_from(QUARTERS)
pairs_of_values = st.lists(st.tuples(twelve, twelve), max_size=40).map(Counter)
units_of_values = st.lists(st.lists(st.none() | st.integers(1, 5), min_size=1, max_size=4).map(tuple), max_size=15).map(
    Counter
)
differences = st.lists(st.fractions(-3, 3, max_denominator=12), min_size=2, max_size=40)


def units(*readers: str) -> Units:
    """One line per reader, one value per unit, a star where somebody read nothing."""
    return Counter(zip(*([None if one == "*" else int(one) for one in line.split()] for line in readers), strict=True))


def table(*lines: str) -> Pairs:
    """A contingency table: the first reader's categories downwards, the second's across, both from 1."""
    rows = [[int(count) for count in line.split()] for line in lines]
    return {(n, m): count for n, row in enumerate(rows, 1) for m, count in enumerate(row, 1)}


def three(value: Fraction | None) -> str:
    assert value is not None
    return f"{float(value):.3f}"


# ---- Published examples

# Krippendorff (2011), section C: four observers, twelve units, seven readings missing. He prints 0.815 and 0.849.
KRIPPENDORFF = units(
    "1 2 3 3 2 1 4 1 2 * * *",
    "1 2 3 3 2 2 4 1 2 5 * 3",
    "* 3 3 3 2 3 4 2 2 5 1 *",
    "1 2 3 3 2 4 4 1 2 5 1 *",
)
# The example of Wikipedia's article on Krippendorff's alpha: three coders, fifteen units. It prints 0.811.
THREE_CODERS = units(
    "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "1 * 2 1 3 3 4 3 * * * * * * *",
    "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
)
# Cohen (1968), table 1: 200 cases, three diagnoses. He prints 0.492 unweighted, 0.348 with his weights of
# disagreement, and 0.353 with others that are not symmetric.
DIAGNOSES = table("88 14 18", "10 40 10", "2 6 12")
WEIGHTS, UNEQUAL = table("0 1 3", "1 0 6", "3 6 0"), table("0 1 4", "1 0 6", "2 2 0")
# Gwet (2014), Handbook of Inter-Rater Reliability: 100 records, two abstractors. R's irrCAC prints 0.7964094
# unweighted and 0.8921569 with quadratic weights.
ABSTRACTORS = table("13 0 0", "0 20 7", "0 4 56")


def test_alpha_is_that_of_krippendorff() -> None:
    assert three(agreement.ordinal_alpha(KRIPPENDORFF)) == "0.815"
    assert three(agreement.interval_alpha(KRIPPENDORFF)) == "0.849"


def test_alpha_is_that_of_three_coders() -> None:
    assert three(agreement.interval_alpha(THREE_CODERS)) == "0.811"


def test_kappa_is_that_of_cohen() -> None:
    assert three(agreement.weighted_kappa(DIAGNOSES, lambda a, b: WEIGHTS[a, b])) == "0.348"
    assert three(agreement.weighted_kappa(DIAGNOSES, lambda a, b: UNEQUAL[a, b])) == "0.353"
    assert three(agreement.weighted_kappa(DIAGNOSES, lambda a, b: a != b)) == "0.492"


def test_kappa_is_that_of_gwet() -> None:
    quadratic, plain = (agreement.weighted_kappa(ABSTRACTORS, *weight) for weight in ((), (lambda a, b: a != b,)))
    assert quadratic is not None
    assert plain is not None
    assert (f"{float(quadratic):.7f}", f"{float(plain):.7f}") == ("0.8921569", "0.7964094")


# ---- Slow references, from the definitions


def slow_kappa(pairs: list[tuple[int, int]]) -> Fraction | None:
    """Every pair against every first value beside every second value, as if chance had dealt them."""
    observed = [(one - other) ** 2 for one, other in pairs]
    dealt = [(one - other) ** 2 for (one, _), (_, other) in product(pairs, repeat=2)]
    return 1 - Fraction(sum(observed), len(pairs)) / Fraction(sum(dealt), len(dealt)) if any(dealt) else None


def slow_alpha(units: list[tuple[int | None, ...]], *, is_ordinal: bool) -> Fraction | None:
    """The coincidence matrix value by value, its margins summed from it, and the sums of Krippendorff's paper."""
    coincidences: dict[tuple[int, int], Fraction] = {}
    for unit in units:
        present = [value for value in unit if value is not None]
        for pair in permutations(present, 2):
            coincidences[pair] = coincidences.get(pair, Fraction(0)) + Fraction(1, len(present) - 1)
    values = sorted({c for c, _ in coincidences})
    n_of = {c: sum(coincidences.get((c, k), Fraction(0)) for k in values) for c in values}

    def distance(c: int, k: int) -> Fraction:
        if not is_ordinal:
            return Fraction((c - k) ** 2)
        between = sum((n_of[g] for g in values if min(c, k) <= g <= max(c, k)), Fraction(0))
        return (between - (n_of[c] + n_of[k]) / 2) ** 2

    n = sum(n_of.values())
    expected = sum(n_of[c] * n_of[k] * distance(c, k) for c, k in product(values, repeat=2))
    observed = sum(count * distance(c, k) for (c, k), count in coincidences.items())
    return 1 - (n - 1) * observed / expected if expected else None


@unhurried
@given(pairs_of_values)
def test_kappa_equals_brute_force(pairs: Counter[tuple[int, int]]) -> None:
    assert agreement.weighted_kappa(pairs) == slow_kappa(list(pairs.elements()))


@unhurried
@given(units_of_values)
def test_alpha_equals_its_definition(units: Counter[tuple[int | None, ...]]) -> None:
    listed = list(units.elements())
    assert agreement.ordinal_alpha(units) == slow_alpha(listed, is_ordinal=True)
    assert agreement.interval_alpha(units) == slow_alpha(listed, is_ordinal=False)


@unhurried
@given(units_of_values, st.integers(1, 9), st.integers(-5, 5))
def test_alpha_does_not_depend_on_the_unit_or_the_order(
    units: Counter[tuple[int | None, ...]], factor: int, shift: int
) -> None:
    moved = Counter({tuple(v if v is None else factor * v + shift for v in unit[::-1]): n for unit, n in units.items()})
    assert agreement.interval_alpha(moved) == agreement.interval_alpha(Counter(unit[::-1] for unit in units.elements()))
    assert agreement.interval_alpha(moved) == agreement.interval_alpha(units)
    assert agreement.ordinal_alpha(moved) == agreement.ordinal_alpha(units)


@unhurried
@given(pairs_of_values)
def test_kappa_is_one_only_where_all_agree(pairs: Counter[tuple[int, int]]) -> None:
    kappa = agreement.weighted_kappa(pairs)
    assert (kappa == 1) is (kappa is not None and all(one == other for one, other in pairs))
    assert kappa is None or -1 <= kappa <= 1


# ---- What the board says of pairs


@unhurried
@given(pairs_of_values)
def test_agreement_equals_counting(pairs: Counter[tuple[int, int]]) -> None:
    listed = list(pairs.elements())
    apart = [abs(QUARTERS.index(one) - QUARTERS.index(other)) for one, other in listed]
    levels = [abs(QUARTERS.index(one) // 3 - QUARTERS.index(other) // 3) for one, other in listed]
    found = agreement.agreement(pairs)
    assert (found.pairs, found.same_value, found.near_value) == (
        len(listed), apart.count(0), apart.count(0) + apart.count(1),
    )  # fmt: skip
    assert (found.same_level, found.near_level) == (levels.count(0), levels.count(0) + levels.count(1))
    if listed:
        assert found.difference == Fraction(sum(other - one for one, other in listed), 4 * len(listed))


def test_agreement_of_nothing_says_nothing() -> None:
    assert agreement.agreement({}) == EMPTY
    assert agreement.agreement({}).is_few


def test_agreement_of_one_pair() -> None:
    """3.25 and 3.75 are neighbours among the twelve, and of neighbouring levels."""
    assert agreement.agreement({(13, 15): 1}) == Agreement(
        pairs=1, same_value=0, near_value=1, same_level=0, near_level=1, difference=Fraction(1, 2),
        kappa=Fraction(0), ordinal=Fraction(0), interval=Fraction(0),
    )  # fmt: skip


def test_agreement_of_equals_has_no_coefficient() -> None:
    """Where everybody always gives 3.00, chance would agree as well: neither 1 nor 0 would be honest."""
    assert agreement.agreement({(12, 12): 50}) == Agreement(50, 50, 50, 50, 50, Fraction(0), None, None, None)


def test_agreement_of_equals_that_vary_is_one() -> None:
    one = Fraction(1)
    assert agreement.agreement({(12, 12): 5, (16, 16): 5}) == Agreement(10, 10, 10, 10, 10, Fraction(0), one, one, one)


def test_agreement_counts_two_steps_within_a_level_as_no_neighbours() -> None:
    """2.75 and 3.25 share level 3, yet 3.00 lies between them."""
    found = agreement.agreement({(11, 13): 10})
    assert (found.same_value, found.near_value, found.same_level, found.near_level) == (0, 0, 10, 10)


@pytest.mark.parametrize("stray", [0, 6, 10, 14, 18, -3])
def test_agreement_refuses_what_is_none_of_the_twelve(stray: int) -> None:
    with pytest.raises(ValueError, match=rf"\[{stray}\]"):
        agreement.agreement({(12, stray): 1})


@pytest.mark.parametrize(("pairs", "is_few"), [(9, True), (10, False)])
def test_agreement_is_few_below_ten(pairs: int, is_few: bool) -> None:
    assert agreement.agreement({(12, 13): pairs}).is_few is is_few


def test_alpha_of_units_that_nobody_else_read_is_nothing() -> None:
    alone: Units = {(None, 3): 2, (4, None): 1, (None, None): 1, (): 1}
    assert (agreement.ordinal_alpha(alone), agreement.interval_alpha(alone)) == (None, None)


def test_alpha_leaves_out_who_read_alone() -> None:
    with_more = Counter({**KRIPPENDORFF, (None, None, 9, None): 3})
    assert agreement.ordinal_alpha(with_more) == agreement.ordinal_alpha(KRIPPENDORFF)


def test_levels_is_the_table_of_four_by_four() -> None:
    assert agreement.levels({(3, 5): 1, (4, 4): 2, (11, 17): 3, (17, 11): 4}) == {(1, 1): 3, (3, 4): 3, (4, 3): 4}


# ---- Severity


def test_severity_of_nothing_and_of_one() -> None:
    assert agreement.severity({}) == Severity(0, None, None)
    assert agreement.severity({Fraction(1, 3): 1}) == Severity(1, Fraction(1, 3), None)


def test_severity_of_equal_differences_has_no_margin() -> None:
    assert agreement.severity({Fraction(1, 4): 12}) == Severity(12, Fraction(1, 4), Fraction(0))


def test_severity_is_that_of_student() -> None:
    """The ten patients of Student (1908), hours of sleep gained: mean 0.75, s 1.70 on n, so 1.789 on n - 1."""
    gained = Counter(map(Fraction, ["0.7", "-1.6", "-0.2", "-1.2", "-0.1", "3.4", "3.7", "0.8", "0", "2"]))
    found = agreement.severity(gained)
    assert (found.entries, found.mean, found.is_clear) == (10, Fraction("0.75"), False)
    assert three(found.margin) == f"{2.262 * 1.78901 / sqrt(10):.3f}"


@unhurried
@given(differences)
def test_severity_equals_its_definition(listed: list[Fraction]) -> None:
    found = agreement.severity(Counter(listed))
    mean = sum(listed, Fraction(0)) / len(listed)
    variance = sum(float(value - mean) ** 2 for value in listed) / (len(listed) - 1)
    assert (found.entries, found.mean) == (len(listed), mean)
    quantile = float(STUDENT[min(len(listed) - 1, 30) - 1])
    assert float(found.margin or 0) == pytest.approx(quantile * sqrt(variance / len(listed)), abs=1e-12)


@pytest.mark.parametrize(
    ("entries", "spread", "is_clear"),
    [(9, Fraction(0), False), (10, Fraction(0), True), (10, Fraction(1), False), (200, Fraction(1), True)],
)
def test_severity_is_clear_with_enough_entries_and_zero_outside(entries: int, spread: Fraction, is_clear: bool) -> None:
    """A mean of a quarter: of nine entries nobody says so; of ten that differ much, neither."""
    quarter, half = Fraction(1, 4), entries // 2
    found = agreement.severity(
        Counter([quarter + spread] * half + [quarter - spread] * half + [quarter] * (entries % 2))
    )
    assert (found.entries, found.mean, found.is_clear) == (entries, quarter, is_clear)


@pytest.mark.parametrize("freedom", range(1, 31))
def test_student_lets_ninety_five_in_hundred_in(freedom: int) -> None:
    """The density of Student's t from zero to the quantile, by Simpson's rule, twice."""
    quantile, steps = float(STUDENT[freedom - 1]), 4000
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    density = [scale * (1 + (quantile * n / steps) ** 2 / freedom) ** (-(freedom + 1) / 2) for n in range(steps + 1)]
    inside = 2 * quantile / steps / 3 * (density[0] + density[-1] + 4 * sum(density[1::2]) + 2 * sum(density[2:-1:2]))
    assert inside == pytest.approx(0.95, abs=0.0001)


# ---- The words


@pytest.mark.parametrize(
    ("kappa", "words"),
    [
        ("1", "almost perfect"), ("0.801", "almost perfect"), ("0.80", "substantial"), ("0.60", "moderate"),
        ("0.40", "fair"), ("0.20", "slight"), ("0", "no better than chance"), ("-1", "no better than chance"),
    ],
)  # fmt: skip
def test_kappa_mark_says_it_in_the_words_of_landis_and_koch(kappa: str, words: str) -> None:
    assert agreement.kappa_mark(Fraction(kappa)).words == words


@pytest.mark.parametrize(
    ("alpha", "words"),
    [
        ("0.8", "reliable"),
        ("0.799", "tentative"),
        ("0.667", "tentative"),
        ("0.666", "not to rely on"),
        ("-1", "not to rely on"),
    ],
)
def test_alpha_mark_says_what_krippendorff_allows(alpha: str, words: str) -> None:
    assert agreement.alpha_mark(Fraction(alpha)).words == words
