"""How far the scoring of a cycle is, for leads and staff. Candidates stand here by code alone."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Q, QuerySet

from candidates.models import Cycle, User
from portfolios.models import Entry
from scoring import assignment, readings
from scoring.assignment import Missing
from scoring.models import Scorer, Sheet
from scoring.readings import Judged
from scoring.scores import NEEDS_ADJUDICATION, Rules


class Stage(StrEnum):
    UNASSIGNED = "unassigned"
    IN_PROGRESS = "in progress"
    ADJUDICATION = "waiting for adjudication"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Board:
    """One cycle: how many entries at each stage, the readings nobody holds, the decisions nobody may take, the scorers.

    `scorers` are users with `waiting`, `begun` and `final` counts of this cycle's readings.
    """

    cycle: Cycle
    entries: int
    stages: dict[Stage, int]
    missing: list[Missing]
    without_lead: list[Entry]
    scorers: QuerySet[User]

    @property
    def stuck(self) -> list[Missing]:
        return [one for one in self.missing if one.is_stuck]

    @property
    def assignable(self) -> list[Missing]:
        return [one for one in self.missing if not one.is_stuck]


def board(cycle: Cycle) -> Board:
    """The board of a cycle, in a number of queries that does not grow."""
    rules = assignment.current_rules()
    entries = list(readings.to_be_read(cycle))
    judged = readings.judged(entries)
    stages = dict.fromkeys(Stage, 0)
    for entry in entries:
        stages[stage(judged[entry.pk], rules)] += 1
    return Board(
        cycle=cycle,
        entries=len(entries),
        stages=stages,
        missing=assignment.outlook(cycle, entries),
        without_lead=[entry for entry in entries if _waits_in_vain(judged[entry.pk], rules)],
        scorers=_scorers(cycle),
    )


def stage(one: Judged, rules: Rules) -> Stage:
    """Where an entry stands."""
    if not one.open and not one.final:
        return Stage.UNASSIGNED
    if "adjudication" in one.open or _waits_in_vain(one, rules):
        return Stage.ADJUDICATION
    return Stage.IN_PROGRESS if one.outcome(rules) is None else Stage.FINAL


def _waits_in_vain(one: Judged, rules: Rules) -> bool:
    """Two readings lie apart, and no lead has been given the decision: nobody may take it yet."""
    outcome = one.outcome(rules)
    return outcome is not None and outcome.how == NEEDS_ADJUDICATION


def _scorers(cycle: Cycle) -> QuerySet[User]:
    """Everybody who holds readings of this cycle, and every active scorer who holds none yet."""
    theirs = Q(assignments__entry__cycle=cycle)
    draft, final = (
        theirs & Q(assignments__sheet__status=status) for status in (Sheet.Status.DRAFT, Sheet.Status.FINAL)
    )
    counted = User.objects.annotate(
        waiting=Count("assignments", filter=draft & Q(assignments__sheet__saved_at=None), distinct=True),
        begun=Count("assignments", filter=draft & Q(assignments__sheet__saved_at__isnull=False), distinct=True),
        final=Count("assignments", filter=final, distinct=True),
    )
    active = Scorer.objects.active().order_by().values("user")
    return counted.filter(Q(pk__in=active) | Q(waiting__gt=0) | Q(begun__gt=0) | Q(final__gt=0)).order_by("name", "pk")
