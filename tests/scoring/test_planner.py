"""The plan of a cycle, from plain facts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import planner, ties
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
READERS = [Reader(key=key, minutes=0, ever=100) for key in (1, 2, 3)]


def case(key: int, candidate: int = 1, **facts: object) -> Case:
    defaults = {"key": key, "candidate": candidate, "is_retake": False, "barred": {}}
    return Case(**{**defaults, **facts})  # type: ignore[arg-type]


def barred(*scorers: int) -> dict[int, str]:
    return dict.fromkeys(scorers, ties.DISTRICT)


def planned(cases: Iterable[Case], readers: list[Reader] = READERS, rules: Rules = RULES) -> list[Reading]:
    return list(planner.plan(cases, readers, rules).readings)


def roles(plan: list[Reading]) -> list[tuple[int, str, str]]:
    return sorted((one.case, one.role, one.reason) for one in plan)


def test_plan_every_entry_is_read_and_one_per_candidate_twice() -> None:
    plan = planned([case(1), case(2), case(3, candidate=2)])
    assert Counter(one.role for one in plan) == {"first": 3, "second": 2}
    assert {one.reason for one in plan if one.role == "second"} == {"one per candidate"}
    assert {one.case for one in plan if one.role == "second"} >= {3}
    assert all(one.scorer for one in plan)


def test_plan_a_retake_is_read_twice_and_covers_its_candidate() -> None:
    plan = planned([case(1, is_retake=True), case(2)])
    assert roles(plan) == [(1, "first", "coverage"), (1, "second", "retake"), (2, "first", "coverage")]


def test_plan_two_readings_are_by_two_people() -> None:
    plan = planned([case(key, candidate=key) for key in range(30)])
    pairs = {key: [one.scorer for one in plan if one.case == key] for key in range(30)}
    assert all(len(set(pair)) == 2 for pair in pairs.values())


def test_plan_is_balanced_and_the_same_each_time() -> None:
    cases = [case(key, candidate=key % 7) for key in range(50)]
    plan = planned(cases)
    loads = Counter(one.scorer for one in plan)
    assert max(loads.values()) - min(loads.values()) <= 1
    assert planned(cases[::-1], READERS[::-1]) == plan


def test_plan_whoever_has_less_gets_more() -> None:
    readers = [Reader(1, minutes=5, ever=100), Reader(2, minutes=0, ever=100), Reader(3, minutes=5, ever=100)]
    plan = planned([case(key, readers={"second": 9}) for key in range(5)], readers, RULES)
    assert [one.scorer for one in plan] == [2] * 5


def test_plan_asked_again_adds_nothing() -> None:
    cases = [case(1, is_retake=True), case(2, candidate=2), case(3, candidate=2)]
    readers: dict[int, dict[str, int]] = {1: {}, 2: {}, 3: {}}
    for one in planned(cases):
        assert one.scorer is not None
        readers[one.case][one.role] = one.scorer
    assert planned([replace(one, readers=readers[one.key]) for one in cases]) == []


def test_plan_spreads_minutes_and_says_that_nothing_is_more_even() -> None:
    cases = [case(key, candidate=key, minutes=key, readers={"second": 9}) for key in range(1, 13)]
    plan = planner.plan(cases, READERS, RULES)
    assert (plan.minutes, plan.is_proven) == ({1: 26, 2: 26, 3: 26}, True)


def test_plan_names_what_nobody_may_read_and_why() -> None:
    against = {1: ties.DISTRICT, 2: ties.DISTRICT, 3: ties.READ_BEFORE}
    why = (("district", 2), ("read before", 1))
    assert planned([case(1, barred=against, is_retake=True)]) == [
        Reading(1, "first", "coverage", None, why),
        Reading(1, "second", "retake", None, why),
    ]


def test_plan_gives_first_readings_before_second_ones() -> None:
    plan = planned([case(1, barred=barred(2, 3), is_retake=True)])
    assert plan == [
        Reading(1, "first", "coverage", 1),
        Reading(1, "second", "retake", None, (("district", 2), ("reads it", 1))),
    ]


@pytest.mark.parametrize(("percent", "most"), [(100, 9), (67, 6), (50, 4), (34, 3), (1, 1)])
def test_most_of_one_is_the_share_and_one_at_least(percent: int, most: int) -> None:
    assert planner.most_of_one(9, replace(RULES, max_share_percent=percent)) == most


def test_plan_nobody_holds_more_than_their_share_of_a_candidate() -> None:
    cases = [case(key, readers={"second": 9}) for key in range(1, 7)]
    rules = replace(RULES, max_share_percent=25)  # of twelve readings: three
    plan = planned([*cases, case(7, candidate=2)], READERS[:2], rules)
    held = Counter(one.scorer for one in plan if one.case < 7)
    assert held == {1: 3, 2: 3}
    one_more = planned([*cases, case(8, readers={"second": 9})], READERS[:2], rules)
    assert [one.against for one in one_more if one.scorer is None] == [(("share", 2),)]


def test_plan_what_is_held_already_counts_for_the_share() -> None:
    held = [case(key, readers={"first": 1, "second": 2}) for key in (1, 2)]
    plan = planned([*held, case(3)], rules=replace(RULES, max_share_percent=40))  # two of five
    assert [(one.role, one.scorer) for one in plan] == [("first", 3)]


def test_minutes_are_the_factors_own_and_every_begun_minute_of_film() -> None:
    assert [planner.minutes(30, ms) for ms in (0, 1, 60_000, 60_001)] == [30, 31, 31, 32]


def test_fingerprint_is_of_the_facts_and_not_of_their_order() -> None:
    cases = [case(1, barred={1: "district", 2: "school"}, readers={"first": 3, "second": 1}), case(2)]
    turned = [cases[1], replace(cases[0], barred={2: "school", 1: "district"}, readers={"second": 1, "first": 3})]
    seen = planner.fingerprint(cases, READERS, RULES)
    assert planner.fingerprint(turned, READERS[::-1], RULES) == seen
    others = [
        planner.fingerprint([cases[0], replace(cases[1], minutes=2)], READERS, RULES),
        planner.fingerprint([cases[0], replace(cases[1], barred=barred(1))], READERS, RULES),
        planner.fingerprint(cases, READERS[1:], RULES),
        planner.fingerprint(cases, READERS, replace(RULES, double_percent=1)),
    ]
    assert len({seen, *others}) == 5


def test_plan_one_per_candidate_is_one_that_somebody_may_read() -> None:
    hopeless = [case(key, barred=barred(2, 3)) for key in range(1, 6)]
    plan = planned([*hopeless, case(6)])
    assert [(one.case, one.scorer is None) for one in plan if one.role == "second"] == [(6, False)]


def test_plan_first_entries_of_a_scorer_are_read_twice() -> None:
    rules = replace(RULES, double_first_entries=2)
    readers = [Reader(1, minutes=0, ever=0), Reader(2, minutes=100, ever=100)]
    plan = planned([case(key) for key in range(1, 6)], readers, rules)
    # One of the two is read twice for its candidate's sake already.
    seconds = [(one.reason, one.scorer) for one in plan if one.role == "second"]
    assert seconds == [("one per candidate", 2), ("first entries", 2)]


def test_plan_of_two_rounds_is_proven_only_as_a_whole() -> None:
    """Both read for the first time: everything is read by both, whoever was first."""
    rules = replace(RULES, double_first_entries=9)
    cases = [case(key, minutes=10 * key) for key in (1, 2, 3)]
    plan = planner.plan(cases, [Reader(1, 0, 0), Reader(2, 0, 0)], rules)
    assert (plan.minutes, plan.is_proven) == ({1: 60, 2: 60}, True)
    uneven = planner.plan(cases, [Reader(1, 0, 0), Reader(2, 50, 0)], rules)
    assert (uneven.minutes, uneven.is_proven) == ({1: 60, 2: 110}, False)


def test_plan_first_entries_are_remembered() -> None:
    rules = replace(RULES, double_first_entries=2)
    plan = planned([case(1, readers={"first": 1}, by_novice=True)], rules=rules)
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
    assert planner.lightest(case(1, barred=barred(1, 2, 3)), READERS) is None
    assert planner.lightest(case(1, barred=barred(1), readers={"first": 2}), READERS) == 3


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.frozensets(st.integers(1, 4))), min_size=1, max_size=15),
    st.integers(0, 100),
    st.integers(0, 3),
)
def test_plan_never_breaks_a_rule(
    facts: list[tuple[int, bool, frozenset[int]]], percent: int, first_entries: int
) -> None:
    rules = replace(RULES, double_percent=percent, double_first_entries=first_entries)
    cases = {n: case(n, candidate=c, is_retake=r, barred=barred(*b)) for n, (c, r, b) in enumerate(facts)}
    readers = [Reader(key, minutes=0, ever=key) for key in (1, 2, 3, 4)]
    plan = planned(cases.values(), readers, rules)
    held = [(one.case, one.scorer) for one in plan if one.scorer]
    assert len(held) == len(set(held))
    assert all(scorer not in cases[key].barred for key, scorer in held)
    assert {one.case for one in plan if one.role == "first"} == set(cases)
    twice = {one.case for one in plan if one.role == "second"}
    assert {key for key, one in cases.items() if one.is_retake} <= twice
    assert {cases[key].candidate for key in twice} == {one.candidate for one in cases.values()}
    stuck = [one for one in plan if one.scorer is None]
    assert all(len({1, 2, 3, 4} - set(cases[one.case].barred)) < (2 if one.role == "second" else 1) for one in stuck)
