"""The score report: a released result turned into words and lines. Reads what was frozen; decides nothing.

One `Report` is what the page shows and what its PDF prints.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Q, QuerySet

from candidates.models import Cycle
from icg_cert.lib.words import shown
from portfolios.models import Factor
from scoring import record, scores, workings
from scoring.models import FactorScore, Result
from scoring.record import FactorRecord
from scoring.scores import Overall, Rules
from scoring.standing import LAST_YEAR
from scoring.workings import CriterionReport, plain


@dataclass(frozen=True, slots=True)
class FactorReport:
    """One entry scored in this cycle. `arithmetic` is one line a step, ending with the score; `beside` compares it."""

    number: int
    name: str
    score: Fraction
    shown: str
    how: str
    is_retake: bool
    is_banked: bool
    state: str
    tone: str
    arithmetic: tuple[str, ...]
    beside: tuple[str, ...]
    criteria: tuple[CriterionReport, ...]
    feedback: tuple[str, ...]
    comments: tuple[str, ...]
    policy: int
    rubric: int
    rubric_hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """One factor in the chart, "1. The Impact Cycle": its standing score and that score's year, None without one."""

    number: int
    name: str
    score: Fraction | None
    shown: str
    year: int | None
    state: str
    tone: str

    @property
    def value(self) -> Fraction | None:
        """The score under the name the chart asks for."""
        return self.score


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One of the two rules. `passed` is None while factors are still to come; `steps` is all that was compared."""

    title: str
    passed: bool | None
    words: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    result: Result
    lines: tuple[Line, ...]
    factors: tuple[FactorReport, ...]
    overall: Overall
    sum_words: str
    rules: tuple[RuleLine, ...]
    policy: Rules
    record: tuple[FactorRecord, ...]
    cycles: tuple[Cycle, ...]

    @property
    def year(self) -> int:
        """1, 2 or 3: which year of the candidate's process this was."""
        return self.result.cycle.year - self.result.registration.cohort.year

    @property
    def short(self) -> tuple[Line, ...]:
        """Scored, and below the threshold: what a retake would be for."""
        return tuple(line for line in self.lines if line.score is not None and line.score < self.policy.threshold)

    @property
    def threshold(self) -> str:
        return plain(self.policy.threshold)

    @property
    def floor(self) -> str:
        return plain(self.policy.floor)

    @property
    def next_year(self) -> int:
        return self.result.cycle.year + 1

    @property
    def next_cycle(self) -> Cycle | None:
        return next((cycle for cycle in self.cycles if cycle.year == self.next_year), None)

    @property
    def retake_cycle(self) -> Cycle | None:
        """The cycle that is for retakes, if it is still to come and made already."""
        return next((cycle for cycle in self.cycles if cycle.year == self.retake_year), None)

    @property
    def policy_words(self) -> str:
        return retake_words(self.policy)

    @property
    def short_words(self) -> str:
        return listed([line.number for line in self.short])

    @property
    def retake_year(self) -> int:
        """The year of the cycle that is for retakes."""
        return self.result.registration.cohort.year + LAST_YEAR

    @property
    def unscored(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.score is None)


def report(result: Result) -> Report:
    """Of a result loaded with its registration, cohort, cycle and policy; three queries."""
    rules = result.policy.rules()
    stand = {row["factor"]: row for row in result.standing}
    overall = scores.overall({number: Fraction(*row["score"]) for number, row in stand.items()}, rules)
    rows = list(_scores_until(result))
    factors = list(Factor.objects.all())
    lines = tuple(_line(factor, stand.get(factor.number), rules) for factor in factors)
    return Report(
        result=result,
        lines=lines,
        factors=tuple(_factor(row) for row in rows if row.result_id == result.pk),
        overall=overall,
        sum_words=_sum_words(overall, lines, rules),
        rules=(_total_rule(overall, lines, rules), _floor_rule(overall, lines, rules)),
        policy=rules,
        record=tuple(_record(line, rows, stand.get(line.number), result, rules) for line in lines),
        cycles=tuple(
            Cycle.objects.filter(
                year__gt=result.cycle.year, year__lte=result.registration.cohort.year + LAST_YEAR
            ).order_by("year")
        ),
    )


def _scores_until(result: Result) -> "QuerySet[FactorScore]":
    """Its own scores, and those of the person's earlier results of this registration that stand."""
    earlier = Q(
        result__registration=result.registration_id,
        result__cycle__year__lt=result.cycle.year,
        result__superseded_at=None,
    )
    rows = FactorScore.objects.filter(Q(result=result) | earlier)
    return rows.select_related("entry__factor", "result__cycle").defer("entry__manifest")


def _record(
    line: Line, rows: Sequence[FactorScore], stands: dict[str, Any] | None, result: Result, rules: Rules
) -> FactorRecord:
    own = [row for row in rows if row.entry.factor.number == line.number]
    return record.of_factor(line.number, line.name, own, stands, result, rules)


def _line(factor: Factor, row: dict[str, Any] | None, rules: Rules) -> Line:
    if row is None:
        return Line(factor.number, str(factor), None, "no score yet", None, "No score yet", "muted")
    score = Fraction(*row["score"])
    words = shown(score, rules.floor, rules.threshold)
    state, tone = _state(score, rules.floor, rules.threshold)
    return Line(factor.number, f"{factor.number}. {row['name']}", score, words, row["year"], state, tone)


def _state(score: Fraction, floor: Fraction, threshold: Fraction) -> tuple[str, str]:
    """The words of a score and the tone they are said in."""
    if score >= threshold:
        return "Accomplished", "good"
    return ("Below the floor", "bad") if score < floor else ("Below the threshold", "warn")


def _factor(row: FactorScore) -> FactorReport:
    detail = row.detail
    threshold, floor = Fraction(*detail["policy"]["threshold"]), Fraction(*detail["policy"]["floor"])
    state, tone = _state(row.score, floor, threshold)
    return FactorReport(
        number=detail["factor"]["number"],
        name=detail["factor"]["name"],
        score=row.score,
        shown=shown(row.score, floor, threshold),
        how=workings.how(row),
        is_retake=row.entry.is_retake,
        is_banked=row.score >= threshold,
        state=state,
        tone=tone,
        arithmetic=tuple(workings.of_factor(row)),
        beside=(
            f"Floor: {workings.beside(row.score, floor)}.",
            f"Threshold: {workings.beside(row.score, threshold)}.",
        ),
        criteria=tuple(workings.of_criteria(row)),
        feedback=tuple(detail["feedback"]),
        comments=tuple(detail["comments"]),
        policy=detail["policy"]["version"],
        rubric=detail["rubric"]["version"],
        rubric_hash=detail["rubric"]["hash"],
    )


def _sum_words(overall: Overall, lines: Sequence[Line], rules: Rules) -> str:
    added = [line.score for line in lines if line.score is not None]
    if not added:
        return "no factor has a score yet"
    total, *_ = workings.of_sum(added, overall.total)
    if not overall.is_complete:
        return f"{total}, from {len(added)} of {rules.factors} factors"
    return f"{total}; divided by {rules.factors}: {workings.printed(overall.mean)}"


def _total_rule(overall: Overall, lines: Sequence[Line], rules: Rules) -> RuleLine:
    needed = plain(rules.total_needed)
    title = f"Overall {plain(rules.threshold)} or better: the {rules.factors} scores add up to {needed} or more"
    steps = tuple(_total_steps(overall, lines, rules))
    total = workings.printed(overall.total)
    if overall.reaches_total:
        return RuleLine(title, True, f"{total} reaches {needed}.", steps)
    if not overall.is_complete:
        count = sum(line.score is not None for line in lines)
        words = f"{count} of {rules.factors} factors have a score; so far they add up to {total}."
        return RuleLine(title, None, words, steps)
    return RuleLine(title, False, f"{workings.beside(overall.total, rules.total_needed)}.", steps)


def _total_steps(overall: Overall, lines: Sequence[Line], rules: Rules) -> Iterable[str]:
    added = [line.score for line in lines if line.score is not None]
    if added:
        yield from workings.of_sum(added, overall.total)
    if overall.is_complete:
        yield f"The sum: {workings.beside(overall.total, rules.total_needed)}."
        yield f"Divided by {rules.factors}: {workings.beside(overall.mean, rules.threshold)}."


def _floor_rule(overall: Overall, lines: Sequence[Line], rules: Rules) -> RuleLine:
    title, floor = f"No factor below {plain(rules.floor)}", plain(rules.floor)
    scored = [line for line in lines if line.score is not None]
    steps = tuple(
        f"{line.name}: {workings.beside(line.score, rules.floor)}." for line in scored if line.score is not None
    )
    if overall.below_floor:
        return RuleLine(title, False, f"{_listed(overall.below_floor)} below {floor}.", steps)
    if not overall.is_complete:
        return RuleLine(title, None, f"None of the {len(scored)} scored so far is below {floor}.", steps)
    return RuleLine(title, True, f"All {rules.factors} factors are at {floor} or above.", steps)


def retake_words(rules: Rules) -> str:
    return f"Of several scores of one factor, the {rules.retake} counts."


def _listed(numbers: Sequence[int]) -> str:
    return f"{listed(numbers).capitalize()} {'is' if len(numbers) == 1 else 'are'}"


def listed(numbers: Sequence[int]) -> str:
    """ "factor 3", "factors 3, 4 and 6"."""
    *others, last = map(str, numbers)
    return f"factors {', '.join(others)} and {last}" if others else f"factor {last}"
