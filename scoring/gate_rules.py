"""The rules of the gate: each looks at one candidate and says in words what it found. Nothing is asked of the database.

RULES is the only list of them. Which may be excepted stands in `GateException.Rule`.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from scoring import coverage, impartial, planner, scores, standing
from scoring.coverage import Covered, Wanted
from scoring.impartial import Finding
from scoring.models import GateException, Result
from scoring.scores import Rules
from scoring.second_path import SecondPath
from scoring.standing import Candidate, Judged


class Verdict(StrEnum):
    PASSED = "passed"
    EXCEPTED = "excepted"
    MISSING = "missing"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one candidate. Only MISSING holds a release back. `reason`: of whoever excepted it."""

    code: str
    verdict: Verdict
    words: str
    reason: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.code]

    @property
    def is_missing(self) -> bool:
        return self.verdict is Verdict.MISSING

    @property
    def may_be_excepted(self) -> bool:
        return self.is_missing and self.code in GateException.Rule.values


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one candidate beyond their own entries.

    `novel`: entries among the first of a scorer. `editions`: factor to the rubric that most sheets of the cycle use.
    `last`: what they were told before this cycle. `exceptions`: by rule.
    """

    at: datetime
    novel: Set[int]
    editions: Mapping[int, int]
    findings: tuple[Finding, ...]
    again: SecondPath
    last: Result | None
    exceptions: Mapping[str, GateException]


Rule = Callable[[Candidate, Rules, Known], Check]


def checks(candidate: Candidate, rules: Rules, known: Known) -> tuple[Check, ...]:
    """Every rule, exceptions applied, in the order of RULES."""
    return tuple(_excepted(rule(candidate, rules, known), known) for rule in RULES.values())


def _excepted(check: Check, known: Known) -> Check:
    """An exception covers what was missing when it was signed, and nothing that came later."""
    exception = known.exceptions.get(check.code)
    if not check.may_be_excepted or exception is None or exception.words != check.words:
        return check
    return Check(check.code, Verdict.EXCEPTED, check.words, exception.reason)


def _check(code: str, passed: str, missing: list[str]) -> Check:
    if missing:
        return Check(code, Verdict.MISSING, "; ".join(missing) + ".")
    return Check(code, Verdict.PASSED, passed)


def name(judged: Judged) -> str:
    return f"factor {judged.entry.factor.number}"


def _closed(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [f"{name(one)} may still be changed by the candidate" for one in candidate.entries if not one.is_locked]
    if candidate.open_until and candidate.open_until > known.at:
        missing.append("their extension is still running")
    return _check("closed", "Every entry is locked.", missing)


def _scored(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [f"{name(one)} has no final first reading" for one in candidate.entries if one.outcome is None]
    return _check("scored", f"{len(candidate.entries)} of {len(candidate.entries)} entries scored.", missing)


def _final(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [
        f"{name(one)}: {reading.assignment.get_role_display().lower()} is not final"
        for one in candidate.entries
        for reading in one.readings
        if reading.score is None
    ]
    return _check("final", "Every assigned reading is final.", missing)


def covered(candidate: Candidate, rules: Rules, novel: Set[int]) -> tuple[Wanted, ...]:
    """Every reading this candidate's entries need, with the rules that ask for it."""
    return coverage.proof(
        (
            Covered(
                key=one.entry.pk,
                name=name(one),
                is_retake=one.entry.is_retake,
                by_novice=one.entry.pk in novel,
                final={reading.role: reading.score for reading in one.readings if reading.score is not None},
            )
            for one in candidate.entries
        ),
        rules,
    )


def _coverage(candidate: Candidate, rules: Rules, known: Known) -> Check:
    """A first reading and a decision have rules of their own, which cannot be excepted."""
    wanted = [one for one in covered(candidate, rules, known.novel) if one.role == planner.SECOND]
    missing = [one.words for one in wanted if not one.is_there]
    passed = f"{len(wanted)} second readings asked for, all of them there."
    return _check("coverage", passed.replace("1 second readings", "1 second reading"), missing)


def _adjudicated(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [
        f"{name(one)}: the two readings lie too far apart, a lead scorer must decide"
        for one in candidate.entries
        if one.outcome and one.outcome.how == scores.NEEDS_ADJUDICATION
    ]
    return _check("adjudicated", "No open adjudication.", missing)


def _independent(candidate: Candidate, rules: Rules, known: Known) -> Check:
    found = [one.words for one in known.findings if one.rule == impartial.INDEPENDENT]
    return _check("independent", "Nobody read their own entry, or a second attempt after the first.", found)


def _conflict(candidate: Candidate, rules: Rules, known: Known) -> Check:
    return _against(impartial.CONFLICT, "Nobody who read it has a tie to the candidate.", known)


def _qualified(candidate: Candidate, rules: Rules, known: Known) -> Check:
    return _against(impartial.QUALIFIED, "Everybody who read it was free to.", known)


def _against(rule: str, passed: str, known: Known) -> Check:
    """What staff set aside when they gave the reading by hand, with a reason, passes and stays visible."""
    found = [one for one in known.findings if one.rule == rule]
    set_aside = [f"{one.words}; set aside when it was given by hand: {one.reason}" for one in found if one.reason]
    return _check(rule, " ".join([passed, *set_aside]), [one.words for one in found if not one.reason])


def _rubric(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [
        f"{name(one)} was read by two versions of its rubric"
        for one in candidate.entries
        if len({reading.sheet.rubric_id for reading in one.readings if reading.sheet}) > 1
    ]
    return _check("rubric", "All readings of an entry used the same rubric.", missing)


def _edition(candidate: Candidate, rules: Rules, known: Known) -> Check:
    missing = [
        f"{name(one)} was read by another version of its rubric (version {sheet.rubric.version}) than most of the cycle"
        for one in candidate.entries
        for sheet in [next((reading.sheet for reading in one.readings if reading.sheet), None)]
        if sheet and sheet.rubric_id != known.editions.get(one.entry.factor_id, sheet.rubric_id)
    ]
    return _check("edition", "Judged by the same rubrics as everybody of the cycle.", missing)


def _totals(candidate: Candidate, rules: Rules, known: Known) -> Check:
    """What is about to be told, against the other path; and what was told last, against the scores it came from."""
    differing = [
        f"{name(one)} comes to {one.score} and, computed again, to {known.again.scores.get(one.entry.pk)}"
        for one in candidate.entries
        if one.score is not None and one.score != known.again.scores.get(one.entry.pk)
    ]
    if not differing and all(one.score is not None for one in candidate.entries):
        differing += _sums(candidate, rules, known)
    if known.last is not None and known.last.total != _total_then(candidate, known.last):
        differing.append("the last released total is not the sum of the factor scores released until then")
    return _check("totals", "Computed in two separate ways, the same.", differing)


def _sums(candidate: Candidate, rules: Rules, known: Known) -> list[str]:
    mine = standing.overall(candidate.standing(rules), rules)
    again = known.again.sum_of(candidate.registration.pk)
    if (mine.total, mine.is_certified) == (again.total, again.is_certified(rules)):
        return []
    return [f"the sum comes to {mine.total} and, computed again, to {again.total}"]


def _total_then(candidate: Candidate, last: Result) -> Fraction:
    rules = last.policy.rules()
    return standing.overall(standing.stand(candidate.earned, rules), rules).total


def _fee(candidate: Candidate, rules: Rules, known: Known) -> Check:
    registration = candidate.registration
    words = f"{registration.get_payment_status_display()}."
    if not registration.is_settled:
        words += " The result will be withheld until the fee is settled."
    return Check("fee", Verdict.INFORMATION, words)


RULES: dict[str, Rule] = {
    "closed": _closed,
    "scored": _scored,
    "final": _final,
    "coverage": _coverage,
    "adjudicated": _adjudicated,
    "independent": _independent,
    "conflict": _conflict,
    "qualified": _qualified,
    "rubric": _rubric,
    "edition": _edition,
    "totals": _totals,
    "fee": _fee,
}
TITLES: dict[str, str] = {
    "closed": "Handed in for good",
    "scored": "Scored",
    "final": "Sheets final",
    "adjudicated": "Adjudicated",
    "independent": "Independent readings",
    "rubric": "One rubric an entry",
    "totals": "Totals agree",
    "fee": "Fee",
    **{rule.value: str(rule.label) for rule in GateException.Rule},
}
