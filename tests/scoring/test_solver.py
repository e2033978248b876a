"""The solver against every plan there is, and where it proves itself."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.solver import Desks, Placing, Unit, least_squares, place

SCORERS = (1, 2, 3)
Served = tuple[tuple[bool, ...], int]


def every_plan(units: list[Unit], desks: Desks) -> list[Served]:
    """Of all that breaks no rule: which units nobody does, and the sum of the squares of the minutes."""
    plans = product(*([None, *sorted(unit.may)] for unit in units))
    return [_summary(units, desks, plan) for plan in plans if breaks_nothing(units, desks, plan)]


def breaks_nothing(units: list[Unit], desks: Desks, holders: tuple[int | None, ...]) -> bool:
    given_out = [(unit, scorer) for unit, scorer in zip(units, holders, strict=True) if scorer is not None]
    pairs = [(unit.entry, scorer) for unit, scorer in given_out]
    count = Counter((unit.candidate, scorer) for unit, scorer in given_out)
    return (
        all(scorer in unit.may for unit, scorer in given_out)
        and len(pairs) == len(set(pairs))
        and all(count[key] + desks.held.get(key, 0) <= desks.most[key[0]] for key in count)
    )


def _summary(units: list[Unit], desks: Desks, holders: tuple[int | None, ...]) -> Served:
    minutes = Counter(desks.minutes)
    for unit, scorer in zip(units, holders, strict=True):
        if scorer is not None:
            minutes[scorer] += unit.minutes
    return tuple(scorer is None for scorer in holders), sum(one * one for one in minutes.values())


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Unit], Desks]:
    units: list[Unit] = []
    for entry in range(draw(st.integers(0, 4))):
        candidate, minutes = draw(st.integers(1, 2)), draw(st.integers(1, 12))
        may = draw(st.frozensets(st.sampled_from(SCORERS)))
        units += [Unit(entry, candidate, minutes, may)] * draw(st.integers(1, 2))
    desks = Desks(
        minutes={scorer: draw(st.integers(0, 15)) for scorer in SCORERS},
        held={(candidate, scorer): draw(st.integers(0, 2)) for candidate in (1, 2) for scorer in SCORERS},
        most={candidate: draw(st.integers(1, 4)) for candidate in (1, 2)},
    )
    return draw(st.permutations(units)), desks


@settings(max_examples=400, deadline=None)
@given(problems())
def test_place_finds_the_best_of_all_plans(problem: tuple[list[Unit], Desks]) -> None:
    """Most readings, the ones named first before the others, and those as even as can be: whatever else is tried."""
    units, desks = problem
    placing = place(units, desks)
    assert breaks_nothing(units, desks, placing.holders)
    plans = every_plan(units, desks)
    # The least tuple of "not served" serves the earliest first; that it serves the most as well is the flow's doing.
    assert _summary(units, desks, placing.holders) == min(plans)
    assert sum(placing.holders[unit] is None for unit in range(len(units))) == min(sum(left) for left, _ in plans)
    assert placing.is_proven
    assert placing == place(units, desks)


def test_place_moves_others_to_make_room() -> None:
    """Scorer 1 may hold one of this candidate. The second unit needs them, so the first goes to scorer 2."""
    units = [Unit(1, 1, 5, frozenset({1, 2})), Unit(2, 1, 5, frozenset({1}))]
    placing = place(units, Desks({1: 0, 2: 0}, {}, {1: 1}))
    assert placing == Placing((2, 1), {1: 5, 2: 5}, is_proven=True)


def test_place_nobody_reads_an_entry_twice() -> None:
    units = [Unit(1, 1, 5, frozenset({1}))] * 2
    assert place(units, Desks({1: 0}, {}, {1: 9})).holders == (1, None)


def test_place_exchanges_what_moving_alone_cannot_even_out() -> None:
    everybody = frozenset({1, 2})
    lengths = [9, 8, 7, 6, 5, 4, 3]  # 42: 21 each
    units = [Unit(number, number, minutes, everybody) for number, minutes in enumerate(lengths)]
    placing = place(units, Desks({1: 0, 2: 0}, {}, dict.fromkeys(range(7), 1)))
    assert (placing.minutes, placing.is_proven) == ({1: 21, 2: 21}, True)


def test_place_knows_that_fives_cannot_be_split() -> None:
    units = [Unit(number, number, 5, frozenset({1, 2})) for number in range(31)]  # too many to try everything
    placing = place(units, Desks({1: 0, 2: 0}, {}, dict.fromkeys(range(31), 1)))
    assert (sorted(placing.minutes.values()), placing.is_proven) == ([75, 80], True)


def test_place_says_when_it_is_not_proven() -> None:
    """Everybody has their own work and nothing can be exchanged; too much of it to try everything."""
    units = [Unit(number, number, 10, frozenset({number % 2 + 1, 3})) for number in range(31)]
    units += [Unit(99, 99, 1000, frozenset({1}))]
    placing = place(units, Desks({1: 0, 2: 0, 3: 0}, {}, dict.fromkeys([*range(31), 99], 1)))
    assert None not in placing.holders
    assert not placing.is_proven


@pytest.mark.parametrize(
    ("held", "minutes", "least"),
    [
        ([], 0, 0),
        ([0], 7, 49),
        ([0, 0], 7, 9 + 16),
        ([10, 0], 7, 100 + 49),
        ([10, 0], 10, 200),
        ([10, 0], 11, 100 + 121),
        ([10, 4, 1], 4, 100 + 16 + 25),
    ],
)
def test_least_squares_pours_minutes_level(held: list[int], minutes: int, least: int) -> None:
    assert least_squares(held, minutes) == least


def test_least_squares_pours_by_steps() -> None:
    assert least_squares([10, 0], 25, step=5) == 15**2 + 20**2
