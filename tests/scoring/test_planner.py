"""The plan of a cycle, from plain facts."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import planner
from scoring.planner import Case, Reader, Reading
from scoring.scores import Rules

RULES = Rules(
    version=1,
    threshold=Fraction("2.75"),
    floor=Fraction("1.75"),
    adjudication_gap=Fraction("1.25"),
    double_band=Fraction("0.25"),
    double_percent=0,
    double_first_entries=0,
    retake="best",
)
READERS = [Reader(key=key, load=0, ever=100) for key in (1, 2, 3)]


def case(key: int, candidate: int = 1, **facts: object) -> Case:
    defaults = {"key": key, "candidate": candidate, "is_retake": False, "barred": frozenset()}
    return Case(**{**defaults, **facts})  # type: ignore[arg-type]


def roles(plan: list[Reading]) -> list[tuple[int, str, str]]:
    return sorted((one.case, one.role, one.reason) for one in plan)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lakeside School District", "  lakeside  school DISTRICT "),
        ("The Lakeside School District", "Lakeside School District"),
        ("St. Mary's & Sons", "St Marys and Sons"),
        ("Cañon City Schools", "Canon City Schools"),
        ("Winston-Salem/Forsyth", "Winston Salem Forsyth"),
    ],
)
def test_workplaces_see_through_spelling(one: str, other: str) -> None:
    assert planner.workplaces(one) == planner.workplaces(other) != frozenset()


def test_workplaces_left_empty_are_no_conflict() -> None:
    assert planner.workplaces("", "  ", ".") == frozenset()
    assert not planner.workplaces("Lakeside") & planner.workplaces("Hillside")


def test_plan_every_entry_is_read_and_one_per_candidate_twice() -> None:
    plan = planner.plan([case(1), case(2), case(3, candidate=2)], READERS, RULES)
    assert Counter(one.role for one in plan) == {"first": 3, "second": 2}
    assert {one.reason for one in plan if one.role == "second"} == {"one per candidate"}
    assert {one.case for one in plan if one.role == "second"} >= {3}
    assert all(one.scorer for one in plan)


def test_plan_a_retake_is_read_twice_and_covers_its_candidate() -> None:
    plan = planner.plan([case(1, is_retake=True), case(2)], READERS, RULES)
    assert roles(plan) == [(1, "first", "coverage"), (1, "second", "retake"), (2, "first", "coverage")]


def test_plan_two_readings_are_by_two_people() -> None:
    plan = planner.plan([case(key, candidate=key) for key in range(30)], READERS, RULES)
    pairs = {key: [one.scorer for one in plan if one.case == key] for key in range(30)}
    assert all(len(set(pair)) == 2 for pair in pairs.values())


def test_plan_is_balanced_and_the_same_each_time() -> None:
    cases = [case(key, candidate=key % 7) for key in range(50)]
    plan = planner.plan(cases, READERS, RULES)
    loads = Counter(one.scorer for one in plan)
    assert max(loads.values()) - min(loads.values()) <= 1
    assert planner.plan(list(reversed(cases)), list(reversed(READERS)), RULES) == plan


def test_plan_whoever_has_less_gets_more() -> None:
    readers = [Reader(1, load=5, ever=100), Reader(2, load=0, ever=100), Reader(3, load=5, ever=100)]
    plan = planner.plan([case(key, readers={"second": 9}) for key in range(5)], readers, RULES)
    assert [one.scorer for one in plan] == [2] * 5


def test_plan_asked_again_adds_nothing() -> None:
    cases = [case(1, is_retake=True), case(2, candidate=2), case(3, candidate=2)]
    readers: dict[int, dict[str, int]] = {1: {}, 2: {}, 3: {}}
    for one in planner.plan(cases, READERS, RULES):
        assert one.scorer is not None
        readers[one.case][one.role] = one.scorer
    assert planner.plan([replace(one, readers=readers[one.key]) for one in cases], READERS, RULES) == []


def test_plan_names_what_nobody_may_read() -> None:
    barred = frozenset({1, 2, 3})
    plan = planner.plan([case(1, barred=barred, is_retake=True)], READERS, RULES)
    assert plan == [Reading(1, "first", "coverage", None), Reading(1, "second", "retake", None)]


def test_plan_leaves_few_people_for_those_who_need_them() -> None:
    """Only scorer 1 may read case 9; it is served before the others use scorer 1 up."""
    plan = planner.plan(
        [case(8, is_retake=True), case(9, barred=frozenset({2, 3}), readers={"second": 2})], READERS, RULES
    )
    assert plan[0] == Reading(9, "first", "coverage", 1)


def test_plan_one_per_candidate_is_one_that_somebody_may_read() -> None:
    hopeless = [case(key, barred=frozenset({2, 3})) for key in range(1, 6)]
    plan = planner.plan([*hopeless, case(6)], READERS, RULES)
    assert [(one.case, one.scorer is None) for one in plan if one.role == "second"] == [(6, False)]


def test_plan_first_entries_of_a_scorer_are_read_twice() -> None:
    rules = replace(RULES, double_first_entries=2)
    readers = [Reader(1, load=0, ever=0), Reader(2, load=100, ever=100)]
    plan = planner.plan([case(key) for key in range(1, 6)], readers, rules)
    seconds = [one for one in plan if one.role == "second"]
    assert [(one.reason, one.scorer) for one in seconds] == [("first entries", 2)] * 2


def test_plan_first_entries_are_remembered() -> None:
    rules = replace(RULES, double_first_entries=2)
    plan = planner.plan([case(1, readers={"first": 1}, by_novice=True)], READERS, rules)
    assert roles(plan) == [(1, "second", "first entries")]


def test_random_share_is_stable_and_about_as_large_as_said() -> None:
    rules = replace(RULES, double_percent=10)
    drawn = [key for key in range(10_000) if planner.in_random_share(key, rules)]
    assert 900 < len(drawn) < 1100
    assert drawn == [key for key in range(10_000) if planner.in_random_share(key, rules)]
    assert not any(planner.in_random_share(key, RULES) for key in range(100))
    assert all(planner.in_random_share(key, replace(RULES, double_percent=100)) for key in range(100))


def test_random_share_is_drawn_anew_for_a_new_policy() -> None:
    one, two = (replace(RULES, double_percent=50, version=version) for version in (1, 2))
    assert [planner.in_random_share(k, one) for k in range(50)] != [planner.in_random_share(k, two) for k in range(50)]


def test_lightest_is_nobody_when_all_are_barred() -> None:
    assert planner.lightest(case(1, barred=frozenset({1, 2, 3})), READERS) is None
    assert planner.lightest(case(1, barred=frozenset({1}), readers={"first": 2}), READERS) == 3


@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.frozensets(st.integers(1, 4))), min_size=1, max_size=15),
    st.integers(0, 100),
    st.integers(0, 3),
)
def test_plan_never_breaks_a_rule(
    facts: list[tuple[int, bool, frozenset[int]]], percent: int, first_entries: int
) -> None:
    rules = replace(RULES, double_percent=percent, double_first_entries=first_entries)
    cases = {n: case(n, candidate=c, is_retake=r, barred=b) for n, (c, r, b) in enumerate(facts)}
    readers = [Reader(key, load=0, ever=key) for key in (1, 2, 3, 4)]
    plan = planner.plan(cases.values(), readers, rules)
    held = [(one.case, one.scorer) for one in plan if one.scorer]
    assert len(held) == len(set(held))
    assert all(scorer not in cases[key].barred for key, scorer in held)
    assert {one.case for one in plan if one.role == "first"} == set(cases)
    twice = {one.case for one in plan if one.role == "second"}
    assert {key for key, one in cases.items() if one.is_retake} <= twice
    assert {cases[key].candidate for key in twice} == {one.candidate for one in cases.values()}
    stuck = [one for one in plan if one.scorer is None]
    assert all(len({1, 2, 3, 4} - cases[one.case].barred) < (2 if one.role == "second" else 1) for one in stuck)
