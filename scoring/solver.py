"""Who does which reading, once it is known what is to be read. Pure and deterministic: the same facts, the same plan.

Two aims, the second within the first. As many readings as can be given, and of those that compete the ones named
first: nobody reads an entry twice, nobody holds more of one candidate than they may. Then the minutes as even as can
be: the sum of the squares of what everybody holds is least.

The first aim is a flow: a reading goes over its entry to a scorer's room for its candidate, and an augmenting path for
each reading in turn finds the most there is (and never drops one that was served before). The second is known to be
hard, so it is met from two sides: readings are moved and exchanged between two desks as long as that evens them, and
what no plan could beat is computed. Where the two meet, or where a complete search of a small plan ends, it is proven.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from zlib import crc32

SMALL = 30  # readings that are worth a complete search
STEPS = 10_000  # of such a search, a fraction of a second


@dataclass(frozen=True, slots=True)
class Unit:
    """One reading to be given: of which entry and candidate, the minutes it takes, and who may do it."""

    entry: int
    candidate: int
    minutes: int
    may: frozenset[int]


@dataclass(frozen=True, slots=True)
class Desks:
    """What scorers hold already: minutes each; readings by (candidate, scorer). `most` is what one may hold of each."""

    minutes: Mapping[int, int]
    held: Mapping[tuple[int, int], int]
    most: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Placing:
    """Per unit its scorer or None, and everybody's minutes then. `is_proven`: nothing could spread them more evenly."""

    holders: tuple[int | None, ...]
    minutes: dict[int, int]
    is_proven: bool


def place(units: Sequence[Unit], desks: Desks) -> Placing:
    """Units of one entry are interchangeable; the order of all is who goes first where not all can be served."""
    table = _Table(units, desks)
    for unit in range(len(units)):
        table.serve(unit)
    least = table.least()
    table.even_out(least)
    is_proven = table.squares == least or (len(units) <= SMALL and _search(table))
    return Placing(tuple(table.holder), table.minutes, is_proven)


def least_squares(held: Iterable[int], minutes: int, step: int = 1) -> int:
    """The least sum of squares when `minutes` could be poured over what is held: nothing beats it.

    Minute by minute, or by `step` where everything is a multiple of it.
    """
    levels = sorted(level // step for level in held)
    total, higher = minutes // step, sum(level * level for level in levels)
    for filled, level in enumerate(levels, start=1):
        total += level
        higher -= level * level
        if filled == len(levels) or total <= levels[filled] * filled:
            each, more = divmod(total, filled)
            return (higher + more * (each + 1) ** 2 + (filled - more) * each**2) * step**2
    return 0


class _Table:
    """A plan in the making."""

    def __init__(self, units: Sequence[Unit], desks: Desks) -> None:
        self.units = units
        self.most = desks.most
        self.minutes = dict(desks.minutes)
        self.count = Counter(desks.held)
        self.holder: list[int | None] = [None] * len(units)
        self.step = gcd(*self.minutes.values(), *(unit.minutes for unit in units)) or 1
        # Insertion order, so that nothing depends on how Python hashes.
        self.desk: dict[int, dict[int, None]] = {scorer: {} for scorer in self.minutes}
        self.reading: defaultdict[int, set[int]] = defaultdict(set)

    @property
    def squares(self) -> int:
        return sum(minutes * minutes for minutes in self.minutes.values())

    def may_take(self, unit: int, scorer: int) -> bool:
        one = self.units[unit]
        return (
            scorer in one.may
            and scorer not in self.reading[one.entry]
            and self.count[one.candidate, scorer] < self.most[one.candidate]
        )

    def put(self, unit: int, scorer: int | None) -> None:
        one, before = self.units[unit], self.holder[unit]
        if before is not None:
            self.minutes[before] -= one.minutes
            self.count[one.candidate, before] -= 1
            self.reading[one.entry].remove(before)
            del self.desk[before][unit]
        self.holder[unit] = scorer
        if scorer is not None:
            self.minutes[scorer] += one.minutes
            self.count[one.candidate, scorer] += 1
            self.reading[one.entry].add(scorer)
            self.desk[scorer][unit] = None

    def serve(self, unit: int, tried: set[int] | None = None) -> bool:
        """Give a unit out, moving others of its candidate along an augmenting path where that makes room."""
        one, tried = self.units[unit], set() if tried is None else tried
        for scorer in sorted(one.may, key=lambda key: (self.minutes[key], crc32(f"{one.entry}/{key}".encode()))):
            if scorer in tried or scorer in self.reading[one.entry]:
                continue
            tried.add(scorer)
            if self.may_take(unit, scorer) or any(self.serve(other, tried) for other in self._theirs(one, scorer)):
                self.put(unit, scorer)
                return True
        return False

    def _theirs(self, one: Unit, scorer: int) -> list[int]:
        return [other for other in self.desk[scorer] if self.units[other].candidate == one.candidate]

    def least(self) -> int:
        """What no plan of these units could beat: their minutes poured over everybody who may do any of them."""
        given = {unit: scorer for unit, scorer in enumerate(self.holder) if scorer is not None}
        able = frozenset[int]().union(*(self.units[unit].may for unit in given))
        before = dict(self.minutes)
        for unit, scorer in given.items():
            before[scorer] -= self.units[unit].minutes
        others = sum(minutes * minutes for scorer, minutes in before.items() if scorer not in able)
        poured = sum(self.units[unit].minutes for unit in given)
        return others + least_squares((before[scorer] for scorer in able), poured, self.step)

    def even_out(self, least: int) -> None:
        """Move and exchange between the fullest and the emptiest desks until nothing helps any more."""
        stuck: set[tuple[int, int]] = set()
        while self.squares > least and (pair := next(self._pairs(stuck), None)):
            exchange = self._exchange(*pair)
            if exchange is None:
                stuck.add(pair)
                continue
            away, back = exchange
            full, empty = pair
            self.put(away, empty)
            if back is not None:
                self.put(back, full)
            stuck = {one for one in stuck if not {full, empty} & set(one)}

    def _pairs(self, stuck: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        ordered = sorted(self.minutes, key=lambda scorer: (self.minutes[scorer], scorer))
        for full in reversed(ordered):
            for empty in ordered:
                if self.minutes[full] - self.minutes[empty] < 2:
                    break
                if (full, empty) not in stuck:
                    yield full, empty

    def _exchange(self, full: int, empty: int) -> tuple[int, int | None] | None:
        """What `full` gives away and gets back (or nothing) to come nearest to `empty`; None when nothing helps."""
        gap = self.minutes[full] - self.minutes[empty]
        away = {self.units[unit].minutes: unit for unit in self.desk[full] if self.may_take(unit, empty)}
        back: dict[int, int | None] = {
            self.units[unit].minutes: unit for unit in self.desk[empty] if self.may_take(unit, full)
        }
        best, chosen = 0, None
        for longer, unit in away.items():
            for shorter, other in [(0, None), *back.items()]:
                moved = longer - shorter
                if moved * (gap - moved) > best:
                    best, chosen = moved * (gap - moved), (unit, other)
        return chosen


def _search(table: _Table) -> bool:
    """Try every way to give out what is given, cutting off what cannot get better. Whether that came to its end."""
    given = [unit for unit, scorer in enumerate(table.holder) if scorer is not None]
    given.sort(key=lambda unit: (len(table.units[unit].may), -table.units[unit].minutes))
    best = (table.squares, list(table.holder))
    steps = 0
    for unit in given:
        table.put(unit, None)

    def descend(depth: int) -> None:
        nonlocal best, steps
        steps += 1
        rest = sum(table.units[unit].minutes for unit in given[depth:])
        if steps > STEPS or least_squares(table.minutes.values(), rest, table.step) >= best[0]:
            return
        if depth == len(given):
            best = (table.squares, list(table.holder))
            return
        unit = given[depth]
        for scorer in sorted(table.units[unit].may, key=lambda key: (table.minutes[key], key)):
            if table.may_take(unit, scorer):
                table.put(unit, scorer)
                descend(depth + 1)
                table.put(unit, None)

    descend(0)
    for unit in given:
        table.put(unit, best[1][unit])
    return steps <= STEPS
