"""How far the scoring of a cycle is, for leads and staff. Candidates stand here by code alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Q

from candidates.models import Cycle, User
from portfolios import catalogue
from portfolios.models import Entry, Factor
from scoring import policies, readings, timing
from scoring.models import Assignment, BackReading, Scorer, Sheet
from scoring.outlook import Outlook, outlook
from scoring.readings import Judged
from scoring.scores import NEEDS_ADJUDICATION, Rules


class Stage(StrEnum):
    UNASSIGNED = "unassigned"
    IN_PROGRESS = "in progress"
    ADJUDICATION = "waiting for adjudication"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the cycle's readings one scorer has not begun, has in progress, has finalised; notes of leads."""

    name: str
    waiting: int
    begun: int
    final: int
    read_along: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How long readings of a factor took: the median in minutes, films included, of so many sheets."""

    factor: Factor
    minutes: int
    sheets: int


@dataclass(frozen=True, slots=True)
class Board:
    """One cycle: entries by stage, the readings nobody holds, the decisions nobody may take, who reads how much."""

    cycle: Cycle
    entries: int
    stages: dict[Stage, int]
    outlook: Outlook
    without_lead: list[Entry]
    scorers: list[Share]
    times: list[Pace]


def board(cycle: Cycle, at: datetime) -> Board:
    """The board of a cycle, in a number of queries that does not grow."""
    policy = policies.policy_of(cycle)
    rules = policy.rules()
    entries = entries_of(cycle)
    judged = readings.judged(entries)
    stages = dict.fromkeys(Stage, 0)
    for entry in entries:
        stages[stage(judged[entry.pk], rules)] += 1
    return Board(
        cycle=cycle,
        entries=len(entries),
        stages=stages,
        outlook=outlook(cycle, entries, policy, at),
        without_lead=[entry for entry in entries if _waits_in_vain(judged[entry.pk], rules)],
        scorers=_shares(cycle),
        times=_times(cycle),
    )


def _times(cycle: Cycle) -> list[Pace]:
    found = timing.medians(cycle)
    return [Pace(factor, *found[factor.pk]) for factor in catalogue.factors() if factor.pk in found]


def entries_of(cycle: Cycle) -> list[Entry]:
    """All that is to be read, with factors from memory."""
    factors = {factor.pk: factor for factor in catalogue.factors()}
    entries = list(readings.to_be_read(cycle).prefetch_related(None).prefetch_related("registration__user"))
    for entry in entries:
        entry.cycle, entry.factor = cycle, factors.get(entry.factor_id) or entry.factor
    return entries


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


def _shares(cycle: Cycle) -> list[Share]:
    """Everybody who holds readings of this cycle, and every active scorer who holds none yet."""
    draft = Q(sheet__status=Sheet.Status.DRAFT)
    counted = (
        Assignment.objects.filter(entry__cycle=cycle, sheet__isnull=False)
        .order_by()
        .values_list("scorer")
        .annotate(
            waiting=Count("pk", filter=draft & Q(sheet__saved_at=None)),
            begun=Count("pk", filter=draft & Q(sheet__saved_at__isnull=False)),
            final=Count("pk", filter=Q(sheet__status=Sheet.Status.FINAL)),
        )
    )
    along = BackReading.objects.filter(sheet__assignment__entry__cycle=cycle, sent_at__isnull=False)
    read_along = dict(along.order_by().values_list("sheet__assignment__scorer").annotate(Count("pk")))
    held = {scorer: (waiting, begun, final) for scorer, waiting, begun, final in counted}
    active = Scorer.objects.active().order_by().values("user")
    people = User.objects.filter(Q(pk__in=active) | Q(pk__in=held)).order_by("name", "pk").values_list("pk", "name")
    return [Share(name, *held.get(pk, (0, 0, 0)), read_along=read_along.get(pk, 0)) for pk, name in people]
