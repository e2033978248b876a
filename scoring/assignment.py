"""Giving readings to scorers: a cycle at once, and one more where it must follow. Taking them away: handover.py."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios.models import Entry
from scoring import conflicts, planner, readings
from scoring.models import Assignment, Rubric, Scorer, ScoringPolicy, Sheet
from scoring.scores import Rules


@dataclass(frozen=True, slots=True)
class Missing:
    """A reading that nobody holds, by codes; `is_stuck` when nobody may do it either."""

    entry: int
    code: str
    factor: int
    role: str
    reason: str
    is_stuck: bool

    @property
    def role_label(self) -> str:
        return Assignment.Role(self.role).label

    def __str__(self) -> str:
        return f"{self.code}, factor {self.factor}: no scorer may do the {self.role_label.lower()}"


@dataclass(frozen=True, slots=True)
class Assigned:
    """How many readings were given out, and which could not be."""

    given: int
    stuck: list[Missing]


@transaction.atomic
def assign_cycle(cycle_id: int, *, by: User, at: datetime) -> Assigned:
    """Give out every reading of the cycle that is missing. What somebody holds already stays with them.

    Refused "nothing-handed-in", "no-policy", "no-rubric"; and "nobody-may" when readings are missing and not one of
    them could be given. Where only some could not, the rest is given and `stuck` names them.
    """
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle_id)
    entries = list(readings.to_be_read(cycle).select_for_update(of=("self",), no_key=True))
    if not entries:
        raise Refused(
            "nothing-handed-in", f"No entry of {cycle.year} is handed in for good yet. Come back after closing."
        )
    plan = _plan(entries, cycle, current_rules())
    by_key = {entry.pk: entry for entry in entries}
    stuck = [_missing(by_key[one.case], one) for one in plan if one.scorer is None]
    given = _give([(by_key[one.case], one, one.scorer) for one in plan if one.scorer is not None], by=by, at=at)
    if stuck and not given:
        raise Refused("nobody-may", _nobody_may(stuck))
    if given:
        after = {"readings": len(given), "without_scorer": [str(one) for one in stuck]}
        trail.record("cycle.assign", cycle, by=by, at=at, after=after)
    return Assigned(len(given), stuck)


def outlook(cycle: Cycle, entries: list[Entry], rules: Rules) -> list[Missing]:
    """The readings nobody holds yet: what `assign_cycle` would give out now, and what it could not.

    `entries` are all of `readings.to_be_read(cycle)`.
    """
    by_key = {entry.pk: entry for entry in entries}
    return [_missing(by_key[one.case], one) for one in _plan(entries, cycle, rules)] if entries else []


@transaction.atomic
def follow_up(entry_id: int, *, by: User | None, at: datetime) -> Assignment | None:
    """Add the reading that the final ones ask for: a second one near a mark, a lead's where two lie apart.

    None when nothing must follow, or nobody may do it yet; the job asks again.
    """
    entry = for_update(Entry.objects.all()).get(pk=entry_id)
    wanted = readings.judged([entry])[entry.pk].follows(current_rules())
    return add(entry, *wanted, by=by, at=at) if wanted else None


def follow_up_due() -> list[int]:
    """The keys of entries whose final readings ask for another one, in cycles that are not released yet."""
    if not ScoringPolicy.objects.exists():
        return []
    rules = current_rules()
    waiting = Entry.objects.locked().filter(outcome=Entry.Outcome.NONE, assignments__sheet__status=Sheet.Status.FINAL)
    standing = waiting.exclude(registration__status__in=Registration.ENDED)
    judged = readings.judged(standing.distinct().only("is_retake"))
    return sorted(key for key, one in judged.items() if one.follows(rules))


def lock_entry_of(sheet_id: int) -> None:
    """Keep everybody else from giving out or passing on readings of the sheet's entry until the transaction ends."""
    list(for_update(Entry.objects.filter(assignments__sheet=sheet_id)))


def current_rules() -> Rules:
    """The rules in force. Refused "no-policy" until the programme is loaded."""
    policy = ScoringPolicy.objects.order_by("-version").first()
    if policy is None:
        raise Refused("no-policy", "There is no scoring policy yet. Load the programme first.")
    return policy.rules()


def _plan(entries: list[Entry], cycle: Cycle, rules: Rules) -> list[planner.Reading]:
    profiles = list(Scorer.objects.readers())
    return planner.plan(_cases(entries, profiles, rules), _readers(profiles, cycle), rules)


def _missing(entry: Entry, one: planner.Reading) -> Missing:
    return Missing(
        entry.pk, entry.registration.code, entry.factor.number, one.role, one.reason, is_stuck=one.scorer is None
    )


def for_update(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Entries under lock: where a sheet is locked as well, its entry comes first, or two would wait for each other."""
    return entries.order_by("pk").select_for_update(of=("self",), no_key=True).select_related("registration", "cycle")


def add(
    entry: Entry, role: str, reason: str, *, by: User | None, at: datetime, but: int | None = None
) -> Assignment | None:
    """One more reading of an entry `for_update`, to whoever may, is not `but`, and has the fewest.

    None when nobody may, and for who withdrew, of whom nothing more is read.
    """
    if not entry.registration.is_standing:
        return None
    leads = role == planner.ADJUDICATION
    profiles = list((Scorer.objects.leads() if leads else Scorer.objects.readers()).exclude(user=but))
    case = _case(entry, conflicts.barred([entry], profiles), dict(entry.assignments.values_list("role", "scorer")))
    scorer = planner.lightest(case, _readers(profiles, entry.cycle))
    if scorer is None:
        return None
    [assignment] = _give([(entry, planner.Reading(entry.pk, role, reason, scorer), scorer)], by=by, at=at)
    after = {"role": role, "reason": reason, "scorer": scorer}
    trail.record("assignment.add", assignment, by=by, at=at, after=after)
    return assignment


def _give(plan: list[tuple[Entry, planner.Reading, int]], *, by: User | None, at: datetime) -> list[Assignment]:
    """Write the readings, each with its empty sheet, and tell each scorer once."""
    rubrics = _rubrics([entry for entry, _, _ in plan])
    assignments = Assignment.objects.bulk_create(
        Assignment(entry=entry, scorer_id=scorer, role=one.role, reason=one.reason, assigned_by=by, assigned_at=at)
        for entry, one, scorer in plan
    )
    Sheet.objects.bulk_create(Sheet(assignment=one, rubric_id=rubrics[one.entry_id]) for one in assignments)
    _tell(assignments, at)
    return assignments


def _rubrics(entries: Iterable[Entry]) -> dict[int, int]:
    """Per entry the rubric all its readings use: that of its first sheet, else the factor's current one."""
    entries = list(entries)
    current = dict(Rubric.objects.current().values_list("factor", "pk"))
    used = dict(Sheet.objects.filter(assignment__entry__in=entries).values_list("assignment__entry", "rubric"))
    missing = sorted({entry.factor_id for entry in entries if entry.pk not in used and entry.factor_id not in current})
    if missing:
        raise Refused(
            "no-rubric", f"Factors without a current rubric: {missing}. Add their rubrics, then assign again."
        )
    return {entry.pk: used.get(entry.pk) or current[entry.factor_id] for entry in entries}


def _tell(assignments: list[Assignment], at: datetime) -> None:
    theirs = defaultdict(list)
    for assignment in assignments:
        theirs[assignment.scorer_id].append(assignment)
    for scorer in User.objects.filter(pk__in=theirs).order_by("pk"):
        given = theirs[scorer.pk]
        cycle = given[0].entry.cycle
        outbox.queue(
            "assigned",
            to=scorer,
            key=f"assigned:{given[0].pk}:{len(given)}",
            at=at,
            count=len(given),
            adjudications=sum(one.role == Assignment.Role.ADJUDICATION for one in given),
            cycle_year=cycle.year,
            due_at=cycle.releases_at,
        )


def _readers(profiles: Iterable[Scorer], cycle: Cycle) -> list[planner.Reader]:
    load = Counter(Assignment.objects.filter(entry__cycle=cycle).values_list("scorer", flat=True))
    ever = dict(Assignment.objects.values_list("scorer").annotate(Count("pk")).order_by())
    return [planner.Reader(one.user_id, load[one.user_id], ever.get(one.user_id, 0)) for one in profiles]


def _cases(entries: list[Entry], profiles: list[Scorer], rules: Rules) -> list[planner.Case]:
    barred = conflicts.barred(entries, profiles)
    readers: dict[int, dict[str, int]] = defaultdict(dict)
    for entry, role, scorer in Assignment.objects.filter(entry__in=entries).values_list("entry", "role", "scorer"):
        readers[entry][role] = scorer
    novices = _read_by_novices(rules.double_first_entries)
    return [_case(entry, barred, readers[entry.pk], entry.pk in novices) for entry in entries]


def _case(
    entry: Entry, barred: dict[int, frozenset[int]], readers: dict[str, int], by_novice: bool = False
) -> planner.Case:
    return planner.Case(
        key=entry.pk,
        candidate=entry.registration.user_id,
        is_retake=entry.is_retake,
        barred=barred[entry.pk],
        readers=readers,
        by_novice=by_novice,
    )


def _read_by_novices(first_entries: int) -> set[int]:
    """Entries that were among the first few of one of their scorers."""
    nth = Window(RowNumber(), partition_by=F("scorer"), order_by=["assigned_at", "pk"])
    return set(Assignment.objects.annotate(nth=nth).filter(nth__lte=first_entries).values_list("entry", flat=True))


def _nobody_may(stuck: list[Missing]) -> str:
    named = "; ".join(str(one) for one in stuck[:10])
    more = f"; and {len(stuck) - 10} more" if len(stuck) > 10 else ""
    return f"These readings can be given to nobody: {named}{more}. Add or activate scorers from other districts."
