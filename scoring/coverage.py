"""Which readings the programme asks for, by which rule, and whether they are there: proven for one candidate. Pure.

It does not know how readings were given out. The planner and the follow-up give them; this says what must have come of
it, from the entries alone (programme.md, Scoring).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from scoring.planner import (
    ADJUDICATION,
    BAND,
    COVERAGE,
    FIRST,
    FIRST_ENTRIES,
    GAP,
    ONE_PER_CANDIDATE,
    RANDOM,
    RETAKE,
    SECOND,
    in_random_share,
)
from scoring.scores import Rules, is_close_call, lies_apart

ANY = "one entry at least"
# What an entry is or lies, so that the rule asks for a reading of it.
WHY = {
    COVERAGE: "was handed in",
    RETAKE: "is a retake",
    RANDOM: "was drawn for a second reading",
    FIRST_ENTRIES: "is among the first entries of its scorer",
    BAND: "lies near the floor or the threshold",
    GAP: "was read too far apart",
    ONE_PER_CANDIDATE: "of each candidate is read twice",
}
WHAT = {FIRST: "a first reading", SECOND: "a second reading", ADJUDICATION: "a lead scorer’s decision"}


@dataclass(frozen=True, slots=True)
class Covered:
    """One entry: its final readings (role to score), and whether it is among the first entries of one who read it."""

    key: int
    name: str
    is_retake: bool
    by_novice: bool
    final: Mapping[str, Fraction]

    @property
    def is_read_twice(self) -> bool:
        return {FIRST, SECOND} <= set(self.final)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reading that must be there, of the entry `name`; `rules` are all that ask for it."""

    name: str
    role: str
    rules: tuple[str, ...]
    is_there: bool

    @property
    def what(self) -> str:
        return WHAT[self.role]

    @property
    def why(self) -> str:
        return " and ".join(WHY[rule] for rule in self.rules)

    @property
    def words(self) -> str:
        """What is said where it is missing."""
        if self.name == ANY:
            return "no entry of this candidate has two readings"
        return f"{self.name} {self.why} and has no {self.what.removeprefix('a ')}"


def proof(entries: Iterable[Covered], rules: Rules) -> tuple[Wanted, ...]:
    """Every reading that must be there, entry by entry; then the one entry of the candidate that is read twice."""
    entries = list(entries)
    wanted = [one for entry in entries for one in _of_entry(entry, rules)]
    if entries:
        is_there = any(entry.is_read_twice for entry in entries)
        wanted.append(Wanted(ANY, SECOND, (ONE_PER_CANDIDATE,), is_there))
    return tuple(wanted)


def _of_entry(entry: Covered, rules: Rules) -> Iterator[Wanted]:
    first, second = entry.final.get(FIRST), entry.final.get(SECOND)
    yield Wanted(entry.name, FIRST, (COVERAGE,), first is not None)
    if twice := tuple(_twice(entry, rules)):
        yield Wanted(entry.name, SECOND, twice, second is not None)
    if first is not None and second is not None and lies_apart(first, second, rules):
        yield Wanted(entry.name, ADJUDICATION, (GAP,), ADJUDICATION in entry.final)


def _twice(entry: Covered, rules: Rules) -> Iterator[str]:
    """The rules by which one reading of this entry is not enough."""
    if entry.is_retake:
        yield RETAKE
    if in_random_share(entry.key, rules):
        yield RANDOM
    if entry.by_novice:
        yield FIRST_ENTRIES
    if FIRST in entry.final and is_close_call(entry.final[FIRST], rules):
        yield BAND
