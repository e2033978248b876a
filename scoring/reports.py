"""The score report: a released result turned into words and lines. Reads what was frozen; decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from candidates.models import Cycle
from icg_cert.lib.words import three_decimals
from portfolios.models import Factor
from scoring import scores
from scoring.models import FactorScore, Result
from scoring.scores import Overall, Rules
from scoring.standing import LAST_YEAR


def plain(number: Fraction) -> str:
    """A number of the rules as people write it: 2.75, 19.25, 3. For numbers that end."""
    return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"


def printed(score: Fraction) -> str:
    """Three decimals, and the exact fraction behind them where they had to be rounded: "2.917 (exactly 35/12)"."""
    rounded = three_decimals(score)
    return rounded if Fraction(rounded) == score else f"{rounded} (exactly {score})"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the rubric that readings chose: its words, and which values they gave ("2.75 (scorer 2)")."""

    name: str
    words: str
    values: str


@dataclass(frozen=True, slots=True)
class CriterionReport:
    """`levels` holds what the readings that count chose; `aside` says in words what the others gave."""

    name: str
    question: str
    mean: Fraction
    levels: tuple[Level, ...]
    aside: str


@dataclass(frozen=True, slots=True)
class FactorReport:
    """One entry scored in this cycle. `arithmetic` is one line a step, ending with the score."""

    number: int
    name: str
    score: Fraction
    how: str
    is_retake: bool
    is_banked: bool
    threshold: str
    arithmetic: tuple[str, ...]
    criteria: tuple[CriterionReport, ...]
    feedback: tuple[str, ...]
    comments: tuple[str, ...]
    rubric: str


@dataclass(frozen=True, slots=True)
class Line:
    """One factor in the chart, "1. The Impact Cycle": its standing score and that score's year, None without one."""

    number: int
    name: str
    score: Fraction | None
    year: int | None
    state: str
    tone: str

    @property
    def value(self) -> Fraction | None:
        """The score under the name the chart asks for."""
        return self.score


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One of the two rules. `passed` is None while factors are still to come."""

    title: str
    passed: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    result: Result
    lines: tuple[Line, ...]
    factors: tuple[FactorReport, ...]
    overall: Overall
    sum_words: str
    rules: tuple[RuleLine, ...]
    policy: Rules
    next_cycle: Cycle | None

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
    def next_year(self) -> int:
        return self.result.cycle.year + 1

    @property
    def policy_words(self) -> str:
        return (
            "Of several scores of one factor, the "
            + ("best" if self.policy.retake == "best" else "latest")
            + " counts."
        )

    @property
    def short_words(self) -> str:
        """ "factor 3", "factors 3, 4 and 6"."""
        numbers = [str(line.number) for line in self.short]
        return f"factors {', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else f"factor {numbers[0]}"

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
    lines = tuple(_line(factor, stand.get(factor.number), rules) for factor in Factor.objects.all())
    rows = result.factor_scores.select_related("entry")
    return Report(
        result=result,
        lines=lines,
        factors=tuple(_factor(row) for row in rows),
        overall=overall,
        sum_words=_sum_words(overall, lines, rules),
        rules=(_total_rule(overall, len(stand), rules), _floor_rule(overall, len(stand), rules)),
        policy=rules,
        next_cycle=Cycle.objects.filter(year=result.cycle.year + 1).first(),
    )


def _line(factor: Factor, row: dict[str, Any] | None, rules: Rules) -> Line:
    if row is None:
        return Line(factor.number, str(factor), None, None, "No score yet", "muted")
    score = Fraction(*row["score"])
    return Line(factor.number, f"{factor.number}. {row['name']}", score, row["year"], *_state(score, rules))


def _state(score: Fraction, rules: Rules) -> tuple[str, str]:
    """The words of a standing score and the tone they are said in."""
    if scores.is_banked(score, rules):
        return "Accomplished", "good"
    return ("Below the floor", "bad") if score < rules.floor else ("Below the threshold", "warn")


def _factor(row: FactorScore) -> FactorReport:
    detail = row.detail
    threshold = Fraction(*detail["policy"]["threshold"])
    names = [_reading_name(index, reading) for index, reading in enumerate(detail["readings"], start=1)]
    return FactorReport(
        number=detail["factor"]["number"],
        name=detail["factor"]["name"],
        score=row.score,
        how=_how(row),
        is_retake=row.entry.is_retake,
        is_banked=row.score >= threshold,
        threshold=plain(threshold),
        arithmetic=tuple(_arithmetic(row, names)),
        criteria=tuple(_criterion(index, detail, names) for index in range(len(detail["criteria"]))),
        feedback=tuple(detail["feedback"]),
        comments=tuple(detail["comments"]),
        rubric=f"Rubric version {detail['rubric']['version']} ({detail['rubric']['hash'][:12]})",
    )


def _reading_name(index: int, reading: dict[str, Any]) -> str:
    return reading.get("name") or ("Lead scorer" if reading["is_lead"] else f"Scorer {index}")


def _how(row: FactorScore) -> str:
    gap = plain(Fraction(*row.detail["policy"]["adjudication_gap"]))
    return {
        FactorScore.How.SINGLE: "One scorer read this entry.",
        FactorScore.How.AVERAGED: "Two scorers read this entry independently; their scores are averaged.",
        FactorScore.How.ADJUDICATED: f"Two scorers read this entry independently and lay more than {gap} apart, so a "
        "lead scorer read it as well. The lead scorer's score stands alone.",
        FactorScore.How.VERIFIED: "You asked for this score to be verified. Another scorer read the entry without "
        "knowing of it, and the score was raised.",
        FactorScore.How.CORRECTED: "We found a mistake in this score and corrected it.",
    }[FactorScore.How(row.how)]


def _arithmetic(row: FactorScore, names: Sequence[str]) -> Iterable[str]:
    counting = []
    for name, reading in zip(names, row.detail["readings"], strict=True):
        score = Fraction(*reading["score"])
        values = " + ".join(reading["values"])
        aside = "" if reading["counts"] else "; does not count"
        yield f"{name}: ({values}) ÷ {len(reading['values'])} = {printed(score)}{aside}"
        if reading["counts"]:
            counting.append(score)
    if row.how == FactorScore.How.CORRECTED:
        told = [printed(Fraction(*one["from"])) for one in row.detail["corrected"]]
        yield f"Factor score: corrected from {', then '.join(told)} to {printed(row.score)}"
    elif len(counting) > 1:
        added = " + ".join(three_decimals(score) for score in counting)
        yield f"Factor score: ({added}) ÷ {len(counting)} = {printed(row.score)}"
    else:
        yield f"Factor score: {printed(row.score)}"


def _criterion(index: int, detail: dict[str, Any], names: Sequence[str]) -> CriterionReport:
    criterion = detail["criteria"][index]
    pairs = zip(names, detail["readings"], strict=True)
    given = [(name, reading["values"][index], reading["counts"]) for name, reading in pairs]
    aside = " and ".join(f"{name} gave {value}" for name, value, counts in given if not counts)
    return CriterionReport(
        name=criterion["name"],
        question=criterion["question"],
        mean=Fraction(*criterion["mean"]),
        levels=tuple(_levels([(name, value) for name, value, counts in given if counts], detail["levels"])),
        aside=f"{aside}; these do not count, for a lead scorer decided." if aside else "",
    )


def _levels(given: Sequence[tuple[str, str]], levels: dict[str, Any]) -> Iterable[Level]:
    """The chosen levels, highest first, each once."""
    by_level: dict[int, list[str]] = {}
    for name, value in given:
        by_level.setdefault(scores.level_of(Decimal(value)), []).append(f"{value} ({name[0].lower()}{name[1:]})")
    for number, values in sorted(by_level.items(), reverse=True):
        words = levels[str(number)]
        yield Level(words["name"], words["words"], ", ".join(values))


def _sum_words(overall: Overall, lines: Sequence[Line], rules: Rules) -> str:
    added = [three_decimals(line.score) for line in lines if line.score is not None]
    if not added:
        return "no factor has a score yet"
    total = f"{' + '.join(added)} = {printed(overall.total)}"
    if not overall.is_complete:
        return f"{total}, from {len(added)} of {rules.factors} factors"
    return f"{total}; divided by {rules.factors}: {printed(overall.mean)}"


def _total_rule(overall: Overall, count: int, rules: Rules) -> RuleLine:
    needed = plain(rules.total_needed)
    title = f"Overall {plain(rules.threshold)} or better: the {rules.factors} scores add up to {needed} or more"
    if overall.reaches_total:
        return RuleLine(title, True, f"{printed(overall.total)} reaches {needed}.")
    if not overall.is_complete:
        words = f"{count} of {rules.factors} factors have a score; so far they add up to {printed(overall.total)}."
        return RuleLine(title, None, words)
    return RuleLine(title, False, f"{printed(overall.total)} is below {needed}.")


def _floor_rule(overall: Overall, count: int, rules: Rules) -> RuleLine:
    title = f"No factor below {plain(rules.floor)}"
    if overall.below_floor:
        numbers = _listed(overall.below_floor)
        return RuleLine(title, False, f"{numbers} below {plain(rules.floor)}.")
    if not overall.is_complete:
        return RuleLine(title, None, f"None of the {count} scored so far is below {plain(rules.floor)}.")
    return RuleLine(title, True, f"All {rules.factors} factors are at {plain(rules.floor)} or above.")


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Factor {numbers[0]} is"
    return f"Factors {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} are"
