"""The appeals as staff see them: what each waits for, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scoring import appeal_readings, planner
from scoring.appeal_readings import Next, Verification
from scoring.models import Appeal, Scorer

WAITS_FOR = {
    Next.READER: "a scorer who may read it",
    Next.READING: "a scorer who reads it",
    Next.LEAD: "a lead scorer who may decide",
    Next.ADJUDICATION: "a lead scorer who reads it",
    Next.DECISION: "your decision",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One appeal; `found` is None once it is over."""

    appeal: Appeal
    found: Verification | None
    is_late: bool

    @property
    def waits_for(self) -> str:
        return WAITS_FOR[self.found.next] if self.found else ""

    @property
    def is_due(self) -> bool:
        """Whether somebody must do something: decide, or find a reader where the rules find none."""
        return self.found is not None and self.found.next in (Next.DECISION, Next.READER, Next.LEAD)

    @property
    def role(self) -> str:
        """Of the reading that may be given by hand; empty where none may."""
        by_next = {Next.READING: planner.APPEAL, Next.ADJUDICATION: planner.APPEAL_LEAD}
        return (self.found.wanted or by_next.get(self.found.next, "")) if self.found else ""

    @property
    def reader(self) -> Scorer | None:
        """Who has the reading it waits for."""
        waiting = (
            [one for one in (self.found.again, self.found.lead) if one and one.score is None] if self.found else []
        )
        return waiting[0].assignment.scorer.scorer if waiting else None


def line(appeal: Appeal, at: datetime) -> Line:
    return Line(appeal, appeal_readings.of(appeal) if appeal.is_open else None, appeal.is_late(at))


def lines(appeals: Iterable[Appeal], at: datetime) -> list[Line]:
    """Open ones come a few at a time; each is looked up by itself."""
    return [line(appeal, at) for appeal in appeals]


def due(at: datetime) -> list[Line]:
    """The open ones that wait for staff, the most urgent first."""
    return [one for one in lines(Appeal.objects.open(), at) if one.is_due or one.is_late]
