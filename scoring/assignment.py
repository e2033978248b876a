"""Giving readings to scorers: a cycle at once, and one more where it must follow. Taking them away: handover.py."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios.models import Entry
from scoring import facts, outlook, planner, policies, readings, seeds
from scoring.models import Assignment, Rubric, Scorer, ScoringPolicy, Sheet
from scoring.outlook import Missing


@dataclass(frozen=True, slots=True)
class New:
    """A reading about to be written."""

    entry: Entry
    role: str
    reason: str
    scorer: int
    by_hand: str = ""
    due_at: datetime | None = None  # where it is not the release of the entry's cycle


@dataclass(frozen=True, slots=True)
class Assigned:
    """How many readings were given out, and which could not be."""

    given: int
    stuck: list[Missing]


@transaction.atomic
def assign_cycle(cycle_id: int, *, by: User, at: datetime, seen: str | None = None) -> Assigned:
    """Give out every reading of the cycle that is missing. What somebody holds already stays with them.

    `seen` is the fingerprint of the preview that was looked at. Refused "nothing-handed-in", "no-policy", "no-rubric";
    "facts-changed" when the plan is made of other facts by now; "nobody-may" when readings are missing and not one of
    them could be given. Where only some could not, the rest is given and `stuck` names them.
    """
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle_id)
    entries = list(readings.to_be_read(cycle).select_for_update(of=("self",), no_key=True))
    if not entries:
        raise Refused(
            "nothing-handed-in", f"No entry of {cycle.year} is handed in for good yet. Come back after closing."
        )
    plan = outlook.outlook(cycle, entries, policies.policy_of(cycle), at)
    if seen is not None and seen != plan.fingerprint:
        raise Refused(
            "facts-changed",
            "Something changed since you looked: a reading was given or passed on, or a scorer's or candidate's facts "
            "are others now. Nothing was given out. Look at the new plan, then give it out.",
        )
    by_key = {entry.pk: entry for entry in entries}
    new = [New(by_key[one.entry], one.role, one.reason, one.scorer) for one in plan.missing if one.scorer is not None]
    if plan.stuck and not new:
        raise Refused("nobody-may", _nobody_may(plan.stuck))
    if new:
        give(new, cycle, by=by, at=at)
        after = {"readings": len(new), "without_scorer": [str(one) for one in plan.stuck]}
        trail.record("cycle.assign", cycle, by=by, at=at, after=after)
    return Assigned(len(new), plan.stuck)


@transaction.atomic
def follow_up(entry_id: int, *, by: User | None, at: datetime) -> Assignment | None:
    """Add the reading that the final ones ask for: a second one near a mark, a lead's where two lie apart.

    None when nothing must follow, or nobody may do it yet; the job asks again.
    """
    entry = for_update(Entry.objects.all()).get(pk=entry_id)
    if entry.outcome != Entry.Outcome.NONE:
        return None  # told: what is read now is read for an appeal
    wanted = readings.judged([entry])[entry.pk].follows(policies.policy_of(entry.cycle).rules())
    return add(entry, *wanted, by=by, at=at) if wanted else None


def follow_up_due() -> list[int]:
    """The keys of entries whose final readings ask for another one, in cycles that are not released yet."""
    if not ScoringPolicy.objects.exists():
        return []
    waiting = Entry.objects.locked().filter(outcome=Entry.Outcome.NONE, assignments__sheet__status=Sheet.Status.FINAL)
    standing = waiting.exclude(registration__status__in=Registration.ENDED)
    entries = list(standing.distinct().only("is_retake", "cycle"))
    rules, judged = policies.rules_by_cycle(entry.cycle_id for entry in entries), readings.judged(entries)
    return sorted(entry.pk for entry in entries if judged[entry.pk].follows(rules[entry.cycle_id]))


def hold_still() -> None:
    """Keep everybody else from giving out whole cycles until the transaction ends. Before any entry is locked."""
    list(Cycle.objects.order_by("pk").select_for_update(no_key=True))


def lock_entry_of(sheet_id: int) -> None:
    """Keep everybody else from giving out or passing on readings of the sheet's entry until the transaction ends."""
    list(for_update(Entry.objects.filter(assignments__sheet=sheet_id)))


def for_update(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Entries under lock: where a sheet is locked as well, its entry comes first, or two would wait for each other."""
    return (
        entries.order_by("pk")
        .select_for_update(of=("self",), no_key=True)
        .select_related("registration__user", "cycle")
    )


def add(
    entry: Entry,
    role: str,
    reason: str,
    *,
    by: User | None,
    at: datetime,
    but: int | None = None,
    due_at: datetime | None = None,
) -> Assignment | None:
    """One more reading of an entry `for_update`, to whoever may, is not `but`, and has the fewest.

    None when nobody may, and for who withdrew, of whom nothing more is read.
    """
    if not entry.registration.is_standing:
        return None
    profiles = list(profiles_for(role).exclude(user=but))
    case, readers = facts.of_one(entry, profiles, policies.policy_of(entry.cycle), at)
    scorer = planner.lightest(case, readers)
    if scorer is None:
        return None
    new = New(entry, role, reason, scorer, due_at=due_at)
    [assignment] = give([new], entry.cycle, by=by, at=at)
    after = {"role": role, "reason": reason, "scorer": scorer}
    trail.record("assignment.add", assignment, by=by, at=at, after=after)
    return assignment


def profiles_for(role: str) -> "QuerySet[Scorer]":
    """Who does readings of this kind: leads decide, scorers read."""
    is_decision = role in (planner.ADJUDICATION, planner.APPEAL_LEAD)
    return Scorer.objects.leads() if is_decision else Scorer.objects.readers()


def give(new: list[New], cycle: Cycle, *, by: User | None, at: datetime) -> list[Assignment]:
    """Write readings of one cycle, each with its empty sheet, and tell each scorer once. Its policy stands from now."""
    policies.bind(cycle, by=by, at=at)
    rubrics = _rubrics([one.entry for one in new])
    assignments = Assignment.objects.bulk_create(
        Assignment(
            entry=one.entry,
            scorer_id=one.scorer,
            role=one.role,
            reason=one.reason,
            by_hand=one.by_hand,
            due_at=one.due_at,
            assigned_by=by,
            assigned_at=at,
        )
        for one in new
    )
    Sheet.objects.bulk_create(Sheet(assignment=one, rubric_id=rubrics[one.entry_id]) for one in assignments)
    _tell(assignments, seeds.sow(assignments, cycle, at=at), cycle, at)
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


def _tell(assignments: list[Assignment], sown: Counter[int], cycle: Cycle, at: datetime) -> None:
    """What each finds in their queue now."""
    theirs = defaultdict(list)
    for assignment in assignments:
        theirs[assignment.scorer_id].append(assignment)
    for scorer in User.objects.filter(pk__in=theirs).order_by("pk"):
        given = theirs[scorer.pk]
        count = len(given) + sown[scorer.pk]
        outbox.queue(
            "assigned",
            to=scorer,
            key=f"assigned:{given[0].pk}:{count}",  # stands in the mail's head, so it says no other number
            at=at,
            count=count,
            adjudications=sum(one.stands_alone for one in given),
            cycle_year=cycle.year,
            due_at=min(one.due_at or cycle.releases_at for one in given),
        )


def _nobody_may(stuck: list[Missing]) -> str:
    named = "; ".join(str(one) for one in stuck[:10])
    more = f"; and {len(stuck) - 10} more" if len(stuck) > 10 else ""
    return f"These readings can be given to nobody: {named}{more}. Add scorers, or choose somebody by hand."
