"""The readings of an appeal: which are there, which must follow, and what they come to (scoring/rescore.py)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from scoring import planner, rescore, results, standing
from scoring.models import Appeal, Assignment, FactorScore, Sheet
from scoring.rescore import kept
from scoring.results import Frozen, frozen
from scoring.scores import Rules
from scoring.standing import Reading
from scoring.superseding import Change

REASON = "appeal"
FOR_THE_DECISION = timedelta(days=7)  # what readers leave of the time until it was promised
NAMES = {planner.APPEAL: "Independent scorer", planner.APPEAL_LEAD: "Lead scorer who verified it"}


class Next(StrEnum):
    """What an open appeal waits for."""

    READER = "reader"
    READING = "reading"
    LEAD = "lead"
    ADJUDICATION = "adjudication"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Verification:
    """The score as it stands, the readings made to verify it, and what they come to together (None: not yet)."""

    score: FactorScore
    again: Reading | None
    lead: Reading | None
    verified: Fraction | None
    rules: Rules

    @property
    def kept(self) -> Fraction | None:
        """The score after the appeal."""
        return None if self.verified is None else kept(self.score.score, self.verified)

    @property
    def is_raised(self) -> bool:
        return self.kept is not None and self.kept > self.score.score

    @property
    def next(self) -> Next:
        if self.verified is not None:
            return Next.DECISION
        if self.again is None:
            return Next.READER
        if self.again.score is None:
            return Next.READING
        return Next.ADJUDICATION if self.lead else Next.LEAD

    @property
    def wanted(self) -> str | None:
        """The role of the reading that somebody must be given now."""
        return {Next.READER: planner.APPEAL, Next.LEAD: planner.APPEAL_LEAD}.get(self.next)

    @property
    def has_begun(self) -> bool:
        """Whether a reader has written anything."""
        sheets = [one.sheet for one in (self.again, self.lead) if one and one.sheet]
        return any(sheet.saved_at or sheet.status == Sheet.Status.FINAL for sheet in sheets)


def of(appeal: Appeal) -> Verification:
    """As the database has it now."""
    score = FactorScore.objects.select_related("result__policy").get(entry=appeal.entry_id, result__superseded_at=None)
    rules = score.result.policy.rules()
    rows = Assignment.objects.filter(entry=appeal.entry_id, role__in=Assignment.OF_APPEALS)
    rows = rows.select_related("scorer", "sheet__rubric").prefetch_related(
        "sheet__ratings", "sheet__feedback", "sheet__rubric__criteria"
    )
    by_role = {row.role: standing.reading(row) for row in rows}
    again, lead = by_role.get(planner.APPEAL), by_role.get(planner.APPEAL_LEAD)
    first, second = (one.score if one else None for one in (again, lead))
    found = rescore.verified(score.score, _counting(score), first, second, rules)
    return Verification(score, again, lead, found, rules)


def _counting(score: FactorScore) -> list[Fraction]:
    """The readings that made it; where staff put it right, the score itself."""
    if score.how == FactorScore.How.CORRECTED:
        return [score.score]
    return [Fraction(*one["score"]) for one in score.detail["readings"] if one["counts"]]


def change(found: Verification) -> Change:
    """The raised score with how it came about, for the result that tells it. ValueError where it is not raised."""
    if found.kept is None or not found.is_raised:
        raise ValueError(f"The score of entry {found.score.entry_id} is not raised")
    return Change(found.kept, FactorScore.How.VERIFIED, _detail(found))


def _detail(found: Verification) -> Frozen:
    """What was frozen before and the new readings: numbered or named by their part, as ever, and never by person."""
    old = found.score.detail
    new = [one for one in (found.again, found.lead) if one]
    stands_alone = found.lead is not None
    before = [{**one, "counts": one["counts"] and not stands_alone} for one in old["readings"]]
    readings = [*before, *(_frozen(one, counts=one is found.lead or not stands_alone) for one in new)]
    sheets = [one.sheet for one in new if one.sheet and (one is found.lead or not stands_alone)]
    feedback = [statement.text for sheet in sheets for statement in sheet.feedback.all()]
    comments = [sheet.comment.strip() for sheet in sheets if sheet.comment.strip()]
    told = (old["feedback"], old["comments"]) if not stands_alone else ([], [])
    return {
        **old,
        "readings": readings,
        "criteria": [_criterion(place, one, readings) for place, one in enumerate(old["criteria"])],
        "feedback": list(dict.fromkeys([*told[0], *feedback])),
        "comments": [*told[1], *comments],
        "verified": {"from": frozen(found.score.score)},
    }


def _frozen(reading: Reading, *, counts: bool) -> Frozen:
    criteria = sorted(reading.assignment.sheet.rubric.criteria.all(), key=lambda one: one.position)
    return {**results.frozen_reading(reading, criteria, counts=counts), "name": NAMES[reading.role]}


def _criterion(place: int, told: Frozen, readings: list[Frozen]) -> Frozen:
    values = [Fraction(one["values"][place]) for one in readings if one["counts"]]
    return {**told, "mean": frozen(sum(values, Fraction(0)) / len(values))}
