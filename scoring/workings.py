"""How a number came about, written out: what a report opens to. Reads what a result froze; decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from icg_cert.lib.words import three_decimals
from scoring import scores
from scoring.models import FactorScore

HOW = {
    FactorScore.How.SINGLE: "One scorer read this entry.",
    FactorScore.How.AVERAGED: "Two scorers read this entry independently; their scores are averaged.",
    FactorScore.How.ADJUDICATED: "Two scorers read this entry independently and lay more than {gap} apart, so a lead "
    "scorer read it as well. The lead scorer's score stands alone.",
    FactorScore.How.VERIFIED: "You asked for this score to be verified. Another scorer read the entry without "
    "knowing of it, and the score was raised.",
    FactorScore.How.CORRECTED: "We found a mistake in this score and corrected it.",
}


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
    arithmetic: str
    levels: tuple[Level, ...]
    aside: str


def plain(number: Fraction) -> str:
    """A number of the rules as people write it: 2.75, 19.25, 3. For numbers that end."""
    return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"


def printed(score: Fraction) -> str:
    """Three decimals, and the exact fraction behind them where they had to be rounded: "2.917 (exactly 35/12)"."""
    rounded = three_decimals(score)
    return rounded if Fraction(rounded) == score else f"{rounded} (exactly {score})"


def beside(score: Fraction, mark: Fraction) -> str:
    """ "2.917 (exactly 35/12) is at or above 2.75", or below it; says so where three decimals would mislead."""
    if score >= mark:
        return f"{printed(score)} is at or above {plain(mark)}"
    below = f"{printed(score)} is below {plain(mark)}"
    if Fraction(three_decimals(score)) < mark:
        return below
    return f"{below}: rounding makes it look like {plain(mark)}, but only the exact number is compared"


def how(row: FactorScore) -> str:
    gap = plain(Fraction(*row.detail["policy"]["adjudication_gap"]))
    return HOW[FactorScore.How(row.how)].format(gap=gap)


def of_factor(row: FactorScore) -> Iterable[str]:
    """One line for each reading, then one for the factor's score."""
    counting = []
    for name, reading in _named(row.detail):
        score = Fraction(*reading["score"])
        aside = "" if reading["counts"] else "; does not count"
        yield f"{name}: {_mean(reading['values'], score)}{aside}"
        if reading["counts"]:
            counting.append(score)
    if row.how == FactorScore.How.CORRECTED:
        told = [printed(Fraction(*one["from"])) for one in row.detail["corrected"]]
        yield f"Factor score: corrected from {', then '.join(told)} to {printed(row.score)}"
    elif len(counting) > 1:
        yield f"Factor score: {_mean([three_decimals(score) for score in counting], row.score)}"
    else:
        yield f"Factor score: {printed(row.score)}"


def _mean(values: Sequence[str], result: Fraction) -> str:
    return f"({' + '.join(values)}) ÷ {len(values)} = {printed(result)}"


def _named(detail: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Readings are numbered in the order in which they were given out; who read is nowhere in them."""
    for index, reading in enumerate(detail["readings"], start=1):
        yield reading.get("name") or ("Lead scorer" if reading["is_lead"] else f"Scorer {index}"), reading


def of_criteria(row: FactorScore) -> Iterable[CriterionReport]:
    for index, criterion in enumerate(row.detail["criteria"]):
        given = [(name, reading["values"][index], reading["counts"]) for name, reading in _named(row.detail)]
        counting = [(name, value) for name, value, counts in given if counts]
        others = " and ".join(f"{name} gave {value}" for name, value, counts in given if not counts)
        mean = Fraction(*criterion["mean"])
        yield CriterionReport(
            name=criterion["name"],
            question=criterion["question"],
            mean=mean,
            arithmetic=_mean([value for _, value in counting], mean) if len(counting) > 1 else "",
            levels=tuple(_levels(counting, row.detail["levels"])),
            aside=f"{others}; these do not count, for a lead scorer decided." if others else "",
        )


def _levels(given: Sequence[tuple[str, str]], levels: Mapping[str, Any]) -> Iterable[Level]:
    """The chosen levels, highest first, each once."""
    by_level: dict[int, list[str]] = {}
    for name, value in given:
        by_level.setdefault(scores.level_of(Decimal(value)), []).append(f"{value} ({name[0].lower()}{name[1:]})")
    for number, values in sorted(by_level.items(), reverse=True):
        words = levels[str(number)]
        yield Level(words["name"], words["words"], ", ".join(values))


def of_sum(added: Sequence[Fraction], total: Fraction) -> Iterable[str]:
    """ "2.917 + 3.000 = 5.917", and the same in exact fractions where a number had to be rounded."""
    yield f"{' + '.join(three_decimals(score) for score in added)} = {printed(total)}"
    if any(Fraction(three_decimals(score)) != score for score in (*added, total)):
        yield f"Exactly: {' + '.join(map(str, added))} = {total}"
