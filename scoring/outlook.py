"""What giving out a cycle's readings would do now: to whom they go, how full the desks are then, what is stuck."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from candidates.models import Cycle
from portfolios.models import Entry
from scoring import facts, planner, ties
from scoring.models import Assignment, Scorer, ScoringPolicy


@dataclass(frozen=True, slots=True)
class Missing:
    """A reading that nobody holds, by codes: whom it would go to, or why it can go to nobody."""

    entry: int
    code: str
    factor: int
    role: str
    reason: str
    minutes: int
    scorer: int | None
    name: str
    why: str

    @property
    def role_label(self) -> str:
        return Assignment.Role(self.role).label

    def __str__(self) -> str:
        return f"{self.code}, factor {self.factor}: no scorer may do the {self.role_label.lower()} ({self.why})"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one scorer holds of the cycle, and what would come on top."""

    name: str
    readings: int
    minutes: int
    more_readings: int
    more_minutes: int

    @property
    def readings_then(self) -> int:
        return self.readings + self.more_readings

    @property
    def minutes_then(self) -> int:
        return self.minutes + self.more_minutes


@dataclass(frozen=True, slots=True)
class Outlook:
    """`fingerprint` names the facts it was made from. `is_proven`: no plan could spread the minutes more evenly."""

    missing: list[Missing]
    desks: list[Desk]
    fingerprint: str
    is_proven: bool

    @property
    def stuck(self) -> list[Missing]:
        return [one for one in self.missing if one.scorer is None]

    @property
    def assignable(self) -> list[Missing]:
        return [one for one in self.missing if one.scorer is not None]

    @property
    def fullest(self) -> int:
        """Minutes of the fullest desk, the measure of all bars; at least one."""
        return max((desk.minutes_then for desk in self.desks), default=0) or 1


def outlook(cycle: Cycle, entries: list[Entry], policy: ScoringPolicy, at: datetime) -> Outlook:
    """`entries` are all of `readings.to_be_read(cycle)`, `policy` is the cycle's."""
    profiles = list(Scorer.objects.readers())
    found = facts.of_cycle(cycle, entries, profiles, policy, at)
    plan = found.plan()
    by_key, names = {entry.pk: entry for entry in entries}, {one.user_id: one.user.name for one in profiles}
    minutes = {case.key: case.minutes for case in found.cases}
    missing = [_missing(by_key[one.case], one, minutes[one.case], names) for one in plan.readings]
    return Outlook(missing, _desks(found, missing, names), found.fingerprint(), plan.is_proven)


def _missing(entry: Entry, one: planner.Reading, minutes: int, names: dict[int, str]) -> Missing:
    return Missing(
        entry=entry.pk,
        code=entry.registration.code,
        factor=entry.factor.number,
        role=one.role,
        reason=one.reason,
        minutes=minutes,
        scorer=one.scorer,
        name=names.get(one.scorer or 0, ""),
        why="" if one.scorer else ties.in_words(one.against) or "there is no active scorer",
    )


def _desks(found: facts.Facts, missing: list[Missing], names: dict[int, str]) -> list[Desk]:
    more = Counter(one.scorer for one in missing)
    minutes = Counter[int | None]()
    for one in missing:
        minutes[one.scorer] += one.minutes
    desks = [
        Desk(names[one.key], found.readings[one.key], one.minutes, more[one.key], minutes[one.key])
        for one in found.readers
    ]
    return sorted(desks, key=lambda desk: desk.name)
