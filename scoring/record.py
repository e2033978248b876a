"""A candidate's record over the years: every attempt at each factor, which counts, what is accomplished since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from icg_cert.lib.words import day_of, shown
from scoring.models import FactorScore, Result
from scoring.scores import Rules

HOW = {
    FactorScore.How.SINGLE: "one scorer",
    FactorScore.How.AVERAGED: "two scorers, averaged",
    FactorScore.How.ADJUDICATED: "decided by a lead scorer",
    FactorScore.How.VERIFIED: "verified and raised",
    FactorScore.How.CORRECTED: "corrected by us",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One released score of one factor. `is_banked` by the policy it was released under."""

    cycle: int
    year: int
    released_at: datetime
    score: Fraction
    shown: str
    how: str
    is_retake: bool
    is_banked: bool
    counts: bool


@dataclass(frozen=True, slots=True)
class FactorRecord:
    """All attempts at one factor, the earliest first, and what follows from them in words."""

    number: int
    name: str
    attempts: tuple[Attempt, ...]
    words: str

    @property
    def is_banked(self) -> bool:
        return any(attempt.is_banked for attempt in self.attempts)


def of_factor(
    number: int, name: str, rows: Sequence[FactorScore], stands: Mapping[str, Any] | None, result: Result, rules: Rules
) -> FactorRecord:
    """`rows` are the released scores of this factor up to the result, `stands` what the result froze as counting."""
    attempts = tuple(_attempt(row, stands) for row in sorted(rows, key=lambda row: row.result.cycle.year))
    return FactorRecord(number, name, attempts, " ".join(_words(attempts, result, rules)))


def _attempt(row: FactorScore, stands: Mapping[str, Any] | None) -> Attempt:
    policy = row.detail["policy"]
    threshold, floor = Fraction(*policy["threshold"]), Fraction(*policy["floor"])
    return Attempt(
        cycle=row.result.cycle_id,
        year=row.result.cycle.year,
        released_at=row.result.released_at,
        score=row.score,
        shown=shown(row.score, floor, threshold),
        how=HOW[FactorScore.How(row.how)],
        is_retake=row.entry.is_retake,
        is_banked=row.score >= threshold,
        counts=stands is not None and stands["year"] == row.result.cycle.year,
    )


def _words(attempts: Sequence[Attempt], result: Result, rules: Rules) -> Iterable[str]:
    counting = next((attempt for attempt in attempts if attempt.counts), None)
    if counting is None:
        yield "No score yet."
        return
    if len(attempts) > 1:
        yield _which(attempts, counting, rules)
    banked = next((attempt for attempt in attempts if attempt.is_banked), None)
    if banked:
        yield f"Accomplished since {day_of(banked.released_at)}, and it stays so."
    elif result.status == Result.Status.CERTIFIED:
        yield f"{counting.shown} counts for your certificate as it is."
    else:
        so_far = "" if result.status == Result.Status.NOT_CERTIFIED else " so far"
        yield f"Not accomplished{so_far}: {counting.shown}, from {counting.year}, is what counts."


def _which(attempts: Sequence[Attempt], counting: Attempt, rules: Rules) -> str:
    last = attempts[-1]
    if rules.retake == "best" and counting is not last:
        return f"The retake of {last.year} did not come out higher, so the score of {counting.year} still counts."
    return f"Of {len(attempts)} scores the {rules.retake} counts, that of {counting.year}."
