"""What stands beside a result once it is told: which scores may be verified, appeals, earlier versions, the notice."""

from dataclasses import dataclass
from datetime import datetime

from candidates import announced, deadlines
from icg_cert.lib.windows import Window
from scoring import appeals, results
from scoring.models import Appeal, FactorScore, Result
from scoring.standing import LAST_YEAR


@dataclass(frozen=True, slots=True)
class Verifiable:
    """One score of the result: until when its candidate may ask for it to be verified, and the appeal, if any."""

    score: FactorScore
    window: Window
    appeal: Appeal | None
    may_ask: bool

    @property
    def number(self) -> int:
        return self.score.entry.factor.number

    @property
    def name(self) -> str:
        return str(self.score.entry.factor)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """All of it. `earlier` are the versions it replaced, the latest first."""

    scores: tuple[Verifiable, ...]
    earlier: tuple[Result, ...]
    is_final: bool
    may_retake: bool

    @property
    def may_ask(self) -> tuple[Verifiable, ...]:
        return tuple(one for one in self.scores if one.may_ask)

    @property
    def appealed(self) -> tuple[Verifiable, ...]:
        return tuple(one for one in self.scores if one.appeal)

    @property
    def ask_until(self) -> datetime | None:
        """The last end among those that are still open."""
        return max((one.window.closes_at for one in self.may_ask), default=None)


def of(result: Result, at: datetime) -> Aftermath:
    """Of a result that stands and may be read, loaded with its registration and policy; four queries."""
    # Who paid a moment ago reads it already; the job that tells it comes within a minute.
    told = result.factor_scores.filter(result__told_at__isnull=False)
    rows = list(told.select_related("entry__factor", "result__policy"))
    standing = Appeal.objects.standing().filter(entry__in=[row.entry_id for row in rows])
    asked = {appeal.entry_id: appeal for appeal in standing}
    windows = appeals.windows(rows)
    scores = tuple(_verifiable(row, windows[row.entry_id], asked.get(row.entry_id), result, at) for row in rows)
    earlier = Result.objects.earlier(at).filter(registration=result.registration_id, cycle=result.cycle_id)
    return Aftermath(
        scores=scores,
        earlier=tuple(earlier.order_by("-superseded_at", "-pk")),
        is_final=results.is_final(result),
        may_retake=_may_retake(result, at),
    )


def _may_retake(result: Result, at: datetime) -> bool:
    """Whether the third year is the next one, its window is not over, and something is left to do in it."""
    registration, year = result.registration, result.cycle.year
    if year - registration.cohort.year != LAST_YEAR - 1 or results.is_final(result) or not registration.is_taking_part:
        return False
    third = next((cycle for cycle in announced.cycles() if cycle.year == year + 1), None)
    return third is not None and at < deadlines.closes_at(registration, third)


def _verifiable(row: FactorScore, window: Window, appeal: Appeal | None, result: Result, at: datetime) -> Verifiable:
    may_ask = appeal is None and window.contains(at) and result.registration.is_standing
    return Verifiable(row, window, appeal, may_ask)
