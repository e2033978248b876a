"""Whether a scorer still values as they did when they qualified. Pure and exact.

Two sources. Benchmarks among live readings have a reference, so they decide. Readings shared with somebody else say
only that the two differ, and either may be the one who moved: they make leads look, and pause nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from scoring.agreement import FEWEST
from scoring.qualifying import OFF, Pair, nearness

UNKNOWN, STEADY, WATCH, DRIFTS = "unknown", "steady", "watch", "drifts"


@dataclass(frozen=True, slots=True)
class Rule:
    """How many benchmarks back, on how few values nothing is said, which share off (percent) and which mean (points)
    is too much: what lies beyond is, what equals it is not.
    """

    last: int
    fewest: int
    off_percent: int
    severity: Fraction


@dataclass(frozen=True, slots=True)
class Values:
    """Values on benchmarks, each with its reference."""

    pairs: tuple[Pair, ...]

    @property
    def off(self) -> int:
        return sum(nearness(*pair) == OFF for pair in self.pairs)

    @property
    def severity(self) -> Fraction | None:
        return _mean([Fraction(given) - Fraction(reference) for given, reference in self.pairs])


@dataclass(frozen=True, slots=True)
class Seeded:
    """One benchmark that was read among live readings, and when."""

    at: datetime
    values: Values

    def is_good(self, rule: Rule) -> bool:
        return not self.values.off and abs(self.values.severity or Fraction(0)) <= rule.severity


@dataclass(frozen=True, slots=True)
class Look:
    """What the last benchmarks, and the last shared readings, come to.

    `severity` is the mean of own value less reference, `beside` of own score less the co-reader's, in points; + is
    generous. None where nothing is there. `since` is when a benchmark was last read well: none off, the mean within.
    """

    values: int
    off: int
    severity: Fraction | None
    shared: int
    beside: Fraction | None
    since: datetime | None
    state: str


def look(rule: Rule, seeded: Sequence[Seeded], shared: Sequence[Fraction]) -> Look:
    """`seeded` and `shared` (score less the co-reader's, per entry) in order, the newest last."""
    window = seeded[-rule.last :]
    whole = Values(tuple(pair for one in window for pair in one.values.pairs))
    recent = shared[-FEWEST:]
    beside = _mean(recent)
    return Look(
        values=len(whole.pairs),
        off=whole.off,
        severity=whole.severity,
        shared=len(recent),
        beside=beside,
        since=max((one.at for one in seeded if one.is_good(rule)), default=None),
        state=_state(rule, whole, beside if len(recent) == FEWEST else None),
    )


def _state(rule: Rule, whole: Values, beside: Fraction | None) -> str:
    seen = UNKNOWN
    if len(whole.pairs) >= rule.fewest:
        is_off = whole.off * 100 > rule.off_percent * len(whole.pairs)
        if is_off or abs(whole.severity or Fraction(0)) > rule.severity:
            return DRIFTS
        seen = STEADY
    return WATCH if beside is not None and abs(beside) > rule.severity else seen


def _mean(numbers: Sequence[Fraction]) -> Fraction | None:
    return sum(numbers, Fraction(0)) / len(numbers) if numbers else None
