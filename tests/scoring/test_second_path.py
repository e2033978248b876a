"""Two ways to the same numbers, over random histories of three years; and a reference engine that is slow and plain."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candidates.models import Registration
from scoring import release, scores, second_path, standing
from scoring.models import Rating, Release, Result, ScoringPolicy, Sheet
from scoring.scores import VALUES, Rules
from scoring.second_path import Sum
from scoring.standing import Earned
from tests.factories import (
    make_cycle,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_rubric,
    make_scored_entry,
)

YEARS = (2027, 2028, 2029)
Sheets = tuple[tuple[Decimal, ...], ...]
History = list[tuple[int, int, Sheets]]  # year, factor, the readings of that entry


# ---- The reference: as somebody would do it by hand, with other means than the portal


def by_hand(sheets: Sheets) -> Fraction:
    """One entry's score: means as fractions of whole quarters."""
    means = [Fraction(sum(int(value * 4) for value in sheet), 4 * len(sheet)) for sheet in sheets]
    if len(means) == 3:
        return means[2]
    total = Fraction(0)
    for one in means:
        total += one
    return total / len(means)


def reference(history: Iterable[tuple[int, int, Fraction]], year: int, retake: str) -> tuple[str, Fraction]:
    """What is told in `year` of the process that began in 2026: everything handed in until then, in 252ths."""
    counts: dict[int, Fraction] = {}
    for when in YEARS:
        for at, factor, score in history:
            if at == when <= year and (factor not in counts or retake == "latest" or score > counts[factor]):
                counts[factor] = score
    total = sum(counts.values(), Fraction(0))
    if len(counts) == 7 and total >= Fraction(77, 4) and all(score >= Fraction(7, 4) for score in counts.values()):
        return "certified", total
    if year == 2029:
        return "not_certified", total
    return ("not_yet" if any(score < Fraction(11, 4) for score in counts.values()) else "in_progress"), total


value = st.sampled_from(VALUES)
score = st.integers(3 * 6, 17 * 6).map(lambda twenty_fourths: Fraction(twenty_fourths, 24))
near = st.sampled_from(
    [Fraction(7, 4), Fraction(11, 4), Fraction(7, 4) - Fraction(1, 24), Fraction(11, 4) + Fraction(1, 24)]
)
told = st.lists(st.tuples(st.sampled_from(YEARS), st.integers(1, 7), score | near), unique_by=lambda one: one[:2])
mostly = st.lists(
    st.sampled_from([Fraction(11, 4), Fraction(3), Fraction(8, 3), Fraction(7, 4)]), min_size=7, max_size=7
)


def rules(retake: str) -> Rules:
    quarter = Fraction(1, 4)
    return Rules(1, Fraction(11, 4), Fraction(7, 4), Fraction(5, 4), quarter, 0, 0, retake)


@settings(max_examples=300)
@given(told, mostly, st.sampled_from(["best", "latest"]))
def test_status_is_that_of_the_reference_over_three_years(
    history: list[tuple[int, int, Fraction]], base: list[Fraction], retake: str
) -> None:
    """All seven in year 1 in half of the cases, or hardly anybody would ever be certified."""
    whole = [(2027, number, one) for number, one in enumerate(base, start=1)] if len(history) % 2 else []
    history = [*whole, *(one for one in history if not whole or one[0] > 2027)]
    for year in YEARS:
        earned = [Earned(factor, f"Factor {factor}", when, one) for when, factor, one in history if when <= year]
        stand = standing.stand(earned, rules(retake))
        said = standing.status(stand, year - 2026, rules(retake)), standing.overall(stand, rules(retake)).total
        assert said == reference(history, year, retake)


# ---- Through rows, releases and all


@pytest.fixture
def policy(db: None) -> ScoringPolicy:
    """What every example finds: factors, rubrics of 3 to 7 criteria, cycles, and somebody to read."""
    for number in range(1, 8):
        make_rubric(make_factor(number), criteria=(3, 4, 7, 5, 6, 3, 1)[number - 1])
    for year in YEARS:
        make_cycle(year)
    return make_policy()


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Each factor at most once a year; read twice, and by a lead where the two lie apart."""
    found: History = []
    for year in YEARS:
        for number in draw(st.sets(st.integers(1, 7), max_size=3 if year > 2027 else 7)):
            criteria = (3, 4, 7, 5, 6, 3, 1)[number - 1]
            sheets = [tuple(draw(st.lists(value, min_size=criteria, max_size=criteria))) for _ in range(3)]
            apart = abs(scores.sheet_score(sheets[0]) - scores.sheet_score(sheets[1])) > Fraction(5, 4)
            found.append((year, number, tuple(sheets if apart else sheets[:2])))
    return found


def hand_in(registration: Registration, history: History, year: int) -> None:
    seen: set[int] = {number for when, number, _ in history if when < year}
    for when, number, sheets in history:
        if when == year:
            readings = [tuple(str(one) for one in sheet) for sheet in sheets]
            make_scored_entry(registration, number, *readings, year=year, is_retake=number in seen)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), retake=st.sampled_from(["best", "latest"]))
def test_both_paths_and_the_releases_say_what_the_reference_says(
    policy: ScoringPolicy, history: History, retake: str
) -> None:
    plain = [(year, number, by_hand(sheets)) for year, number, sheets in history]
    with transaction.atomic():
        ScoringPolicy.objects.update(retake_rule=retake)
        policy.refresh_from_db()
        registration = make_registration()
        for year in YEARS:
            cycle = make_cycle(year)
            hand_in(registration, history, year)
            _both_paths_agree(registration, year, policy)
            make_release(cycle)
            release.release_due(cycle.releases_at)
            result = Result.objects.filter(registration=registration).order_by("-cycle__year").first()
            assert result is not None
            assert (result.status, result.total) == reference(plain, year, retake)
            if result.status == Result.Status.CERTIFIED:
                break
        assert not Release.objects.exclude(state=Release.State.RELEASED).exists()
        transaction.set_rollback(True)


def _both_paths_agree(registration: Registration, year: int, policy: ScoringPolicy) -> None:
    cycle = make_cycle(year)
    [candidate] = standing.load(Registration.objects.filter(pk=registration.pk), cycle, policy.rules())
    again = second_path.computed([registration.pk], cycle, policy.rules())
    assert {one.entry.pk: one.score for one in candidate.entries} == again.scores
    mine = standing.overall(candidate.standing(policy.rules()), policy.rules())
    assert again.sum_of(registration.pk).total == mine.total
    assert again.sum_of(registration.pk).is_certified(policy.rules()) == mine.is_certified


# ---- Edges


def test_a_sum_of_exactly_the_total_and_the_next_below(policy: ScoringPolicy) -> None:
    """2.75 seven times, and one quarter less in one of six criteria of one of two sheets: 1/48 below."""
    exact = seven_of(policy)
    below = seven_of(policy)
    Rating.objects.filter(
        sheet__assignment__entry__registration=below, sheet__assignment__entry__factor__number=5, criterion__position=1
    ).filter(sheet__assignment__role="second").update(value=Decimal("2.25"))
    found = second_path.computed([exact.pk, below.pk], make_cycle(2027), policy.rules())
    assert found.sums == {
        exact.pk: Sum(Fraction(77, 4), 7, Fraction(11, 4)),
        below.pk: Sum(Fraction(77, 4) - Fraction(1, 24), 7, Fraction(11, 4) - Fraction(1, 24)),
    }
    assert [one.is_certified(policy.rules()) for one in found.sums.values()] == [True, False]


def seven_of(policy: ScoringPolicy) -> Registration:
    registration = make_registration()
    for number in range(1, 8):
        criteria = (3, 4, 7, 5, 6, 3, 1)[number - 1]
        make_scored_entry(registration, number, *[("2.75",) * criteria] * 2)
    return registration


def test_the_floor_exactly_and_a_thousandth_below() -> None:
    given_rules = rules("best")
    at_floor = Sum(Fraction(24), 7, Fraction(7, 4))
    assert at_floor.is_certified(given_rules)
    assert not Sum(Fraction(24), 7, Fraction(7, 4) - Fraction(1, 1000)).is_certified(given_rules)
    assert not Sum(Fraction(77, 4) - Fraction(1, 1000), 7, Fraction(2)).is_certified(given_rules)
    assert not Sum(Fraction(24), 6, Fraction(4)).is_certified(given_rules)


def test_a_lead_stands_alone_and_a_draft_does_not_count(policy: ScoringPolicy) -> None:
    registration = make_registration()
    decided = make_scored_entry(registration, 1, ("4.00",) * 3, ("2.00",) * 3, ("3.00", "3.25", "3.25"))
    drafted = make_scored_entry(registration, 2, ("4.00",) * 4, ("1.00",) * 4)
    second = Sheet.objects.filter(assignment__entry=drafted, assignment__role="second")
    second.update(status=Sheet.Status.DRAFT, finalised_at=None)
    found = second_path.computed([registration.pk], make_cycle(2027), policy.rules())
    assert found.scores == {decided.pk: Fraction(19, 6), drafted.pk: Fraction(4)}


def test_what_the_database_cannot_compute_exactly_is_never_told(policy: ScoringPolicy) -> None:
    """More criteria than the units of the second path know (17 is no divisor of them): then the gate says so."""
    make_rubric(make_factor(8), criteria=17)
    entry = make_scored_entry(make_registration(), 8, ("4.00",) * 17, ("4.00",) * 17)
    found = second_path.computed([entry.registration_id], make_cycle(2027), policy.rules())
    assert found.scores == {}


def test_of_nobody_there_is_nothing(policy: ScoringPolicy) -> None:
    assert second_path.computed([], make_cycle(2027), policy.rules()).sum_of(1) == Sum()
