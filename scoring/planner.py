"""What is to be read and by whom: a plan for one cycle from plain facts. Pure and deterministic.

Every entry has a first reading. A second, independent one is due for every retake, for a random share, for a scorer's
first entries, and for at least one entry of each candidate (programme.md, Scoring). Who reads is `solver`'s part.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from scoring import solver, ties
from scoring.scores import Rules

FIRST, SECOND, ADJUDICATION = "first", "second", "adjudication"
APPEAL, APPEAL_LEAD = "appeal", "appeal_lead"
COVERAGE, RETAKE, RANDOM, FIRST_ENTRIES = "coverage", "retake", "random share", "first entries"
ONE_PER_CANDIDATE, BAND, GAP, CHOSEN = "one per candidate", "band", "gap", "chosen by staff"
ONCE_MORE = "read once more"  # neutral: whoever reads the reason learns nothing about the reader before


@dataclass(frozen=True, slots=True)
class Case:
    """One entry: whose it is, how long it takes, who may not read it and why, who reads it already (role to scorer)."""

    key: int
    candidate: int
    is_retake: bool
    barred: Mapping[int, str]
    readers: Mapping[str, int] = field(default_factory=dict)
    by_novice: bool = False
    minutes: int = 1


@dataclass(frozen=True, slots=True)
class Reader:
    """One scorer: the minutes they hold of this cycle, and how many readings they ever had."""

    key: int
    minutes: int
    ever: int


@dataclass(frozen=True, slots=True)
class Reading:
    """That `scorer` is to read `case`. Where nobody may it is None, and `against` says why: (reason, how many)."""

    case: int
    role: str
    reason: str
    scorer: int | None
    against: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The readings that are missing, and everybody's minutes once they are given. `is_proven`: none is more even."""

    readings: tuple[Reading, ...] = ()
    minutes: Mapping[int, int] = field(default_factory=dict)
    is_proven: bool = True


Due = tuple[Case, str, str]  # role, reason


def in_random_share(case: int, rules: Rules) -> bool:
    """Drawn by the hash of policy and entry, so that anyone can check the draw and nobody can steer it."""
    return _draw(f"double/{rules.version}/{case}") % 100 < rules.double_percent


def minutes(reading: int, film_ms: int) -> int:
    """How long a reading is expected to take: the factor's own minutes, and every film once, begun minutes whole."""
    return reading - (-film_ms // 60_000)


def most_of_one(readings: int, rules: Rules) -> int:
    """How many of a candidate's readings one scorer may hold at most; one is always allowed."""
    return max(1, readings * rules.max_share_percent // 100)


def plan(cases: Iterable[Case], readers: Iterable[Reader], rules: Rules) -> Plan:
    """The readings that are still missing, in the order in which they are given out.

    What is read twice comes first, so that the first entries of a new scorer are those, as far as there are enough;
    where there are not, second readings of the others follow in a round of their own.
    """
    # Longest first, which lets the short ones even out what is left.
    ordered = sorted(cases, key=lambda case: (-case.minutes, _draw(f"order/{case.key}"), case.key))
    desks = sorted(readers, key=lambda reader: reader.key)
    reasons = _reasons(ordered, desks, rules)
    firsts = [(case, FIRST, COVERAGE) for case in ordered if FIRST not in case.readers]
    seconds = [(case, SECOND, reasons[case.key]) for case in ordered if case.key in reasons]
    due = sorted([*firsts, *seconds], key=lambda one: one[0].key not in reasons and SECOND not in one[0].readers)
    placed, one = _given(ordered, due, [], desks, rules)
    novel = [(case, SECOND, FIRST_ENTRIES) for case in _by_novices(ordered, placed, desks, rules, reasons)]
    if not novel:
        return Plan(tuple(placed), one.minutes, one.is_proven)
    more, two = _given(ordered, novel, placed, desks, rules)
    return Plan((*placed, *more), two.minutes, _is_level(desks, two.minutes))


def _is_level(before: list[Reader], after: Mapping[int, int]) -> bool:
    """Whether two rounds together came to what not even one round could beat."""
    held = [reader.minutes for reader in before]
    least = solver.least_squares(held, sum(after.values()) - sum(held))
    return sum(minutes * minutes for minutes in after.values()) == least


def lightest(case: Case, readers: Iterable[Reader]) -> int | None:
    """Who reads one more: of those who may, whoever has the least to do."""
    free = [reader for reader in readers if reader.key not in case.barred and reader.key not in case.readers.values()]
    chosen = min(free, key=lambda one: (one.minutes, _draw(f"{case.key}/{one.key}")), default=None)
    return chosen.key if chosen else None


def fingerprint(cases: Iterable[Case], readers: Iterable[Reader], rules: Rules) -> str:
    """Whether two looks saw the same facts: then they have the same plan."""
    facts = [
        *(
            (
                one.key,
                one.candidate,
                one.is_retake,
                one.by_novice,
                one.minutes,
                sorted(one.barred.items()),
                sorted(one.readers.items()),
            )
            for one in sorted(cases, key=lambda one: one.key)
        ),
        *((one.key, one.minutes, one.ever) for one in sorted(readers, key=lambda one: one.key)),
        rules,
    ]
    return sha256(repr(facts).encode()).hexdigest()[:32]


def _reasons(cases: list[Case], readers: list[Reader], rules: Rules) -> dict[int, str]:
    """Which cases need a second reading they do not have, and why. One per candidate is drawn from those where two
    people may read."""
    own = {case.key: reason for case in cases if (reason := _own_reason(case, rules))}
    of_candidate = defaultdict(list)
    for case in cases:
        of_candidate[case.candidate].append(case)
    for theirs in of_candidate.values():
        if not any(case.key in own or SECOND in case.readers for case in theirs):
            drawn = min(theirs, key=lambda case: (not _two_may(case, readers), _draw(f"one/{case.key}")))
            own[drawn.key] = ONE_PER_CANDIDATE
    return {case.key: own[case.key] for case in cases if case.key in own and SECOND not in case.readers}


def _own_reason(case: Case, rules: Rules) -> str | None:
    if case.is_retake:
        return RETAKE
    if in_random_share(case.key, rules):
        return RANDOM
    return FIRST_ENTRIES if case.by_novice else None


def _two_may(case: Case, readers: list[Reader]) -> bool:
    free = sum(one.key not in case.barred and one.key not in case.readers.values() for one in readers)
    return free >= 2 - (FIRST in case.readers)


def _by_novices(
    cases: list[Case], placed: list[Reading], readers: list[Reader], rules: Rules, reasons: Mapping[int, str]
) -> list[Case]:
    """Those read once that are among the first few readings of their scorer."""
    ever = {reader.key: reader.ever for reader in readers}
    found = set()
    for one in placed:
        if one.scorer is not None:
            ever[one.scorer] += 1
            if ever[one.scorer] <= rules.double_first_entries:
                found.add(one.case)
    return [case for case in cases if case.key in found - set(reasons) and SECOND not in case.readers]


def _given(
    cases: list[Case], due: Sequence[Due], before: Sequence[Reading], readers: list[Reader], rules: Rules
) -> tuple[list[Reading], solver.Placing]:
    """One round: what is due, given to scorers. `before` is what an earlier round gave."""
    reads, desks = _desks(cases, due, before, readers, rules)
    order = sorted(range(len(due)), key=lambda number: (due[number][1] != FIRST, -due[number][0].minutes))
    units = [_unit(due[number][0], reads, desks) for number in order]
    placing = solver.place(units, desks)
    holders = dict(zip(order, placing.holders, strict=True))
    for number, scorer in holders.items():
        reads[due[number][0].key] |= {scorer} - {None}
    return [
        Reading(case.key, role, reason, holders[number], _against(case, reads, desks, holders[number]))
        for number, (case, role, reason) in enumerate(due)
    ], placing


def _desks(
    cases: list[Case], due: Sequence[Due], before: Sequence[Reading], readers: list[Reader], rules: Rules
) -> tuple[dict[int, set[int | None]], solver.Desks]:
    """Who reads each case, and what everybody holds and may hold at most."""
    length = {case.key: case.minutes for case in cases}
    reads: dict[int, set[int | None]] = {case.key: set(case.readers.values()) for case in cases}
    load = {reader.key: reader.minutes for reader in readers}
    for one in before:
        if one.scorer is not None:
            reads[one.case].add(one.scorer)
            load[one.scorer] += length[one.case]
    held = Counter((case.candidate, scorer) for case in cases for scorer in reads[case.key] if scorer is not None)
    total = Counter(case.candidate for case in cases for _ in reads[case.key])
    total.update(case.candidate for case, _, _ in due)
    most = {candidate: most_of_one(count, rules) for candidate, count in total.items()}
    return reads, solver.Desks(load, held, most)


def _unit(case: Case, reads: Mapping[int, set[int | None]], desks: solver.Desks) -> solver.Unit:
    may = frozenset(desks.minutes) - set(case.barred) - reads[case.key]
    return solver.Unit(case.key, case.candidate, case.minutes, may)


def _against(
    case: Case, reads: Mapping[int, set[int | None]], desks: solver.Desks, scorer: int | None
) -> tuple[tuple[str, int], ...]:
    """Why none of them may. Who is not barred and does not read it has no room left for this candidate."""
    if scorer is not None:
        return ()
    why = (case.barred.get(key) or (ties.READS_IT if key in reads[case.key] else ties.SHARE) for key in desks.minutes)
    return tuple(sorted(Counter(why).items(), key=lambda one: (-one[1], one[0])))


def _draw(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8])
