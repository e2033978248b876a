"""What would certify: against every subset and every score, and at the boundaries."""

from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import retakes, scores
from scoring.retakes import Chance, Need, Obstacles, Place, Way
from scoring.scores import VALUES, Overall, Rules

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
THREE = retakes.attainable(3, RULES)


def stands(factor: int, score: str) -> Place:
    return Place(factor, Fraction(score), Chance.STANDS)


def retake(factor: int, score: str, attainable: tuple[Fraction, ...] = THREE) -> Place:
    return Place(factor, Fraction(score), Chance.RETAKE, attainable)


def first(factor: int, attainable: tuple[Fraction, ...] = THREE) -> Place:
    return Place(factor, None, Chance.FIRST, attainable)


def six(score: str) -> list[Place]:
    return [stands(number, score) for number in range(1, 7)]


# ---- Which scores there are


@pytest.mark.parametrize(("criteria", "step", "count"), [(1, 8, 29), (2, 16, 57), (3, 24, 85), (4, 32, 113)])
def test_attainable_is_every_multiple_of_a_step(criteria: int, step: int, count: int) -> None:
    found = retakes.attainable(criteria, RULES)
    assert found == tuple(Fraction(units, step) for units in range(step * 3 // 4, step * 17 // 4 + 1))
    assert len(found) == count


@given(
    st.lists(st.sampled_from(VALUES), min_size=3, max_size=3), st.lists(st.sampled_from(VALUES), min_size=3, max_size=3)
)
def test_whatever_two_scorers_give_is_attainable(one: list, other: list) -> None:
    outcome = scores.factor_score(scores.sheet_score(one), scores.sheet_score(other), None, RULES)
    assert outcome.score is None or outcome.score in THREE
    assert scores.sheet_score(one) in THREE


def test_attainable_without_a_gap_leaves_holes() -> None:
    """Who may not differ at all leaves single values: one criterion, no 1.5 between 1.25 and 1.75."""
    strict = replace(RULES, adjudication_gap=Fraction(0))
    assert retakes.attainable(1, strict) == tuple(Fraction(value) for value in VALUES)


def test_attainable_of_nothing_is_a_defect() -> None:
    with pytest.raises(ValueError, match="without criteria"):
        retakes.attainable(0, RULES)


# ---- What would do


def test_ways_of_one_short_factor_name_the_next_attainable_score() -> None:
    """19.25 less six times 2.8 is 2.45, and no entry with three criteria has that: the next is 59/24."""
    [way] = retakes.ways([*six("2.8"), retake(7, "2.25")], RULES)
    need = Need(7, Fraction("2.25"), Fraction(59, 24), Fraction(59, 24))
    assert way == Way((need,), Fraction(59, 24))
    assert way.gain == Fraction(59, 24) - Fraction("2.25")


def test_ways_reach_the_floor_and_not_only_the_sum() -> None:
    [way] = retakes.ways([*six("4"), retake(7, "1.5")], RULES)
    assert way == Way((Need(7, Fraction("1.5"), Fraction("1.75"), Fraction("1.75")),), Fraction("1.75"))


def test_ways_fewest_factors_first_then_least_gain_then_lowest_scores() -> None:
    """The sum misses 19.25 by 1/2: each of two retakes would do alone, the lower one at a lower score."""
    places = [*[stands(number, "2.75") for number in range(1, 6)], retake(6, "2.25"), retake(7, "2.75")]
    assert [way.factors for way in retakes.ways(places, RULES)] == [(6,), (7,)]
    assert [way.needs[0].even for way in retakes.ways(places, RULES)] == [Fraction("2.75"), Fraction("3.25")]


def test_ways_of_two_that_only_together_would_do() -> None:
    places = [*[stands(number, "2.75") for number in range(1, 6)], retake(6, "1"), retake(7, "1.25")]
    assert retakes.ways(places, RULES) == (
        Way(
            (
                Need(6, Fraction(1), Fraction("1.75"), Fraction("2.75")),
                Need(7, Fraction("1.25"), Fraction("1.75"), Fraction("2.75")),
            ),
            Fraction("5.5"),
        ),
    )


def test_ways_of_factors_without_a_score_hold_all_of_them() -> None:
    places = [*[stands(number, "3") for number in range(1, 5)], retake(5, "2"), first(6), first(7)]
    assert [way.factors for way in retakes.ways(places, RULES)] == [(6, 7)]
    assert retakes.ways(places, RULES)[0].together == Fraction("5.25")


def test_ways_of_somebody_certified_are_none() -> None:
    assert retakes.ways([*six("2.75"), retake(7, "2.75")], RULES) == ()


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (Place(7, None, Chance.STANDS), Obstacles((7,), (), Overall(Fraction(18), Fraction(18, 7), False, False, ()))),
        (stands(7, "1.5"), Obstacles((), (7,), Overall(Fraction("19.5"), Fraction(39, 14), True, True, (7,)))),
    ],
)
def test_obstacles_of_what_cannot_change(last: Place, expected: Obstacles) -> None:
    places = [*six("3"), last]
    assert retakes.ways(places, RULES) == ()
    assert retakes.obstacles(places, RULES) == expected


def test_obstacles_where_even_the_highest_is_too_little() -> None:
    places = [*six("2.4"), retake(7, "2")]
    assert retakes.ways(places, RULES) == ()
    most = Fraction("2.4") * 6 + Fraction("4.25")
    assert retakes.obstacles(places, RULES) == Obstacles((), (), Overall(most, most / 7, True, False, ()))


@pytest.mark.parametrize(("rule", "total"), [("best", "20"), ("latest", "19")])
def test_what_if_a_retake_came_out_lower(rule: str, total: str) -> None:
    outcome = retakes.what_if([*six("3"), retake(7, "2")], {7: Fraction(1)}, replace(RULES, retake=rule))
    assert outcome.total == Fraction(total)


def test_what_if_leaves_what_cannot_change() -> None:
    assert retakes.what_if([*six("3"), stands(7, "2")], {7: Fraction(4)}, RULES).total == 20


# ---- Against every possibility. Four factors and one criterion, so that all can be tried.

FEW = replace(RULES, factors=4)
ONE = retakes.attainable(1, RULES)
EIGHTHS = st.sampled_from(ONE)
TWELFTHS = st.integers(9, 51).map(lambda units: Fraction(units, 12))


@st.composite
def four_places(draw: st.DrawFn) -> list[Place]:
    """Any mixture, of which at most three may change; possible scores thinned out, so that trying all stays quick."""
    chances = draw(st.lists(st.sampled_from(Chance), min_size=4, max_size=4).filter(lambda some: "stands" in some))
    thin = tuple(draw(st.lists(EIGHTHS, min_size=3, max_size=9, unique=True).map(sorted)))
    places = []
    for number, chance in enumerate(chances, start=1):
        score = None if chance is Chance.FIRST else draw(TWELFTHS)
        places.append(Place(number, score, chance, () if chance is Chance.STANDS else thin))
    return places


def by_force(places: list[Place], rules: Rules) -> dict[frozenset[int], list[dict[int, Fraction]]]:
    """For each set of factors that certifies with some scores and that no smaller one replaces: those scores."""
    open_places = [place for place in places if place.may_change]
    sets = chain.from_iterable(combinations(open_places, size) for size in range(len(open_places) + 1))
    found: dict[frozenset[int], list[dict[int, Fraction]]] = {}
    for some in sets:
        numbers = frozenset(place.factor for place in some)
        if any(smaller < numbers for smaller in found):
            continue
        tries = product(*(place.attainable for place in some))
        choices = [dict(zip((place.factor for place in some), one, strict=True)) for one in tries]
        good = [one for one in choices if certifies(places, one, rules)]
        if good:
            found[numbers] = good
    return found


def certifies(places: list[Place], chosen: dict[int, Fraction], rules: Rules) -> bool:
    """The two rules written once more, apart from the code under test."""
    standing = []
    for place in places:
        attempts = [one for one in (place.score, chosen.get(place.factor)) if one is not None]
        if not attempts:
            return False
        standing.append(max(attempts) if rules.retake == "best" else attempts[-1])
    return min(standing) >= rules.floor and sum(standing) >= rules.threshold * rules.factors


@settings(deadline=None, max_examples=150)
@given(four_places(), st.sampled_from(["best", "latest"]))
def test_ways_are_what_trying_everything_finds(places: list[Place], rule: str) -> None:
    rules = replace(FEW, retake=rule)
    tried = by_force(places, rules)
    ways = retakes.ways(places, rules)
    if frozenset() in tried:
        assert ways == ()
        return
    assert {frozenset(way.factors) for way in ways} == set(tried)
    assert [len(way.needs) for way in ways] == sorted(len(way.needs) for way in ways)
    for way in ways:
        good = tried[frozenset(way.factors)]
        assert way.together == min(sum(one.values()) for one in good)
        assert {need.factor: need.least for need in way.needs} == {
            number: min(one[number] for one in good) for number in way.factors
        }
        even = {need.factor: need.even for need in way.needs}
        assert even in good
        assert max(even.values()) == min(max(one.values()) for one in good)


@settings(deadline=None, max_examples=50)
@given(four_places(), st.sampled_from(["best", "latest"]))
def test_obstacles_name_a_reason_wherever_there_is_no_way(places: list[Place], rule: str) -> None:
    rules = replace(FEW, retake=rule)
    if retakes.what_if(places, {}, rules).is_certified or retakes.ways(places, rules):
        return
    found = retakes.obstacles(places, rules)
    assert found.unscored or found.below_floor or found.most.below_floor or not found.most.reaches_total
