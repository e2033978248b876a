"""Who reads what: a plan for one cycle from plain facts. Pure and deterministic: the same facts give the same plan.

Every entry has a first reading. A second, independent one is due for every retake, for a random share, for a scorer's
first entries, and for at least one entry of each candidate (programme.md, Scoring). Readings go to whoever has the
fewest, entries that few people may read first.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from scoring.scores import Rules

FIRST, SECOND, ADJUDICATION = "first", "second", "adjudication"
COVERAGE, RETAKE, RANDOM, FIRST_ENTRIES = "coverage", "retake", "random share", "first entries"
ONE_PER_CANDIDATE, BAND, GAP = "one per candidate", "band", "gap"


@dataclass(frozen=True, slots=True)
class Case:
    """One entry: whose it is, who may not read it, who reads it already (role to scorer)."""

    key: int
    candidate: int
    is_retake: bool
    barred: frozenset[int]
    readers: Mapping[str, int] = field(default_factory=dict)
    by_novice: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """One scorer: how many readings of this cycle they hold, and how many they ever had."""

    key: int
    load: int
    ever: int


@dataclass(frozen=True, slots=True)
class Reading:
    """That `scorer` is to read `case`; `scorer` is None where nobody may."""

    case: int
    role: str
    reason: str
    scorer: int | None


def workplaces(*names: str) -> frozenset[str]:
    """Names of districts, employers and schools, so that spelling does not hide that two are the same."""
    return frozenset(filter(None, (_plain(name) for name in names)))


@lru_cache(maxsize=10_000)  # a cycle compares thousands of candidates with the same few names
def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c) and c not in "'’.")
    words = kept.split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def in_random_share(case: int, rules: Rules) -> bool:
    """Drawn by the hash of policy and entry, so that anyone can check the draw and nobody can steer it."""
    return _draw(f"double/{rules.version}/{case}") % 100 < rules.double_percent


def plan(cases: Iterable[Case], readers: Iterable[Reader], rules: Rules) -> list[Reading]:
    """The readings that are still missing, in the order in which they were given out."""
    desk = _Desk(readers)
    ordered = sorted(cases, key=lambda case: (desk.choice_for(case), _draw(f"order/{case.key}"), case.key))
    firsts, novices = _first_readings(ordered, desk, rules)
    return firsts + _second_readings(ordered, _reasons(ordered, novices, desk, rules), desk)


def lightest(case: Case, readers: Iterable[Reader]) -> int | None:
    """Who reads one more: of those who may, whoever has the fewest readings."""
    return _Desk(readers).take(case)


class _Desk:
    """Hands out readings and keeps count."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self.load = {reader.key: reader.load for reader in readers}
        self.ever = {reader.key: reader.ever for reader in readers}
        self.given: defaultdict[int, set[int]] = defaultdict(set)

    def may_read(self, case: Case) -> list[int]:
        taken = case.barred | set(case.readers.values()) | self.given[case.key]
        return [key for key in self.load if key not in taken]

    def choice_for(self, case: Case) -> int:
        return len(self.may_read(case))

    def take(self, case: Case) -> int | None:
        # Equal loads are told apart by a draw per entry, so that the same two people do not always meet.
        free = self.may_read(case)
        reader = min(free, key=lambda key: (self.load[key], _draw(f"{case.key}/{key}")), default=None)
        if reader is not None:
            self.load[reader] += 1
            self.ever[reader] += 1
            self.given[case.key].add(reader)
        return reader


def _first_readings(cases: list[Case], desk: _Desk, rules: Rules) -> tuple[list[Reading], set[int]]:
    given, novices = [], {case.key for case in cases if case.by_novice}
    for case in cases:
        if FIRST in case.readers:
            continue
        scorer = desk.take(case)
        given.append(Reading(case.key, FIRST, COVERAGE, scorer))
        if scorer is not None and desk.ever[scorer] <= rules.double_first_entries:
            novices.add(case.key)
    return given, novices


def _reasons(cases: list[Case], novices: set[int], desk: _Desk, rules: Rules) -> dict[int, str]:
    """Which cases are read twice, and why. One per candidate is drawn from those that somebody may still read."""
    reasons = {case.key: reason for case in cases if (reason := _own_reason(case, novices, rules))}
    of_candidate = defaultdict(list)
    for case in cases:
        of_candidate[case.candidate].append(case)
    for theirs in of_candidate.values():
        if not any(case.key in reasons or SECOND in case.readers for case in theirs):
            drawn = min(theirs, key=lambda case: (not desk.may_read(case), _draw(f"one/{case.key}")))
            reasons[drawn.key] = ONE_PER_CANDIDATE
    return reasons


def _own_reason(case: Case, novices: set[int], rules: Rules) -> str | None:
    if case.is_retake:
        return RETAKE
    if in_random_share(case.key, rules):
        return RANDOM
    return FIRST_ENTRIES if case.key in novices else None


def _second_readings(cases: list[Case], reasons: dict[int, str], desk: _Desk) -> list[Reading]:
    missing = [case for case in cases if case.key in reasons and SECOND not in case.readers]
    return [Reading(case.key, SECOND, reasons[case.key], desk.take(case)) for case in missing]


def _draw(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8])
