"""Staff choose who does one reading, and may set most ties aside: with a reason, which is kept."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios.models import Entry
from scoring import appeal_readings, appeals, assignment, facts, handover, planner, policies, readings, ties
from scoring.models import Appeal, Assignment, Scorer, Sheet


@dataclass(frozen=True, slots=True)
class Option:
    """One scorer who could do a reading: what they hold of the cycle, and what speaks against them."""

    profile: Scorer
    minutes: int
    tie: str

    @property
    def is_possible(self) -> bool:
        return self.tie not in ties.NEVER

    @property
    def words(self) -> str:
        return ties.WORDS[self.tie][0] if self.tie else ""


def options(entry: Entry, role: str, at: datetime) -> list[Option]:
    """Everybody of the right kind, who is free of ties first, then by how little they have to do."""
    profiles = list(assignment.profiles_for(role))
    case, readers = facts.of_one(entry, profiles, policies.policy_of(entry.cycle), at)
    others = {scorer for other, scorer in case.readers.items() if other != role}
    minutes = {one.key: one.minutes for one in readers}
    found = [
        Option(one, minutes[one.user_id], ties.READS_IT if one.user_id in others else case.barred.get(one.user_id, ""))
        for one in profiles
        if one.user_id != case.readers.get(role)
    ]
    return sorted(found, key=lambda one: (one.tie != "", not one.is_possible, one.minutes, one.profile.user_id))


@transaction.atomic
def give(entry_id: int, role: str, *, to: int, reason: str, sets_aside: bool, by: User, at: datetime) -> Assignment:
    """Give one reading to the user `to`; from whoever holds it, as long as it is not final.

    Refused "not-read" (nobody reads this entry, or not in this role), "final", "no-scorer", "never" (no reason makes up
    for it), "tied" with what speaks against it until `sets_aside`, "no-reason".
    """
    assignment.hold_still()
    entry = assignment.for_update(Entry.objects.all()).get(pk=entry_id)
    reading = entry.assignments.select_related("sheet").filter(role=role).first()
    why, due_at = _purpose(entry, role, reading, at)
    option = next((one for one in options(entry, role, at) if one.profile.user_id == to), None)
    if option is None:
        raise Refused("no-scorer", "This person cannot do this reading, or holds it already. Choose somebody else.")
    _refuse_unless_allowed(option, reason, sets_aside)
    if reading:
        handover.take_away(reading, by=by, at=at)
    new = assignment.New(entry, role, why, to, by_hand=reason.strip(), due_at=due_at)
    [given] = assignment.give([new], entry.cycle, by=by, at=at)
    after = {"role": role, "scorer": to, "set_aside": option.tie}
    trail.record("assignment.by_hand", given, by=by, at=at, reason=reason.strip(), after=after)
    return given


def _purpose(entry: Entry, role: str, reading: Assignment | None, at: datetime) -> tuple[str, datetime | None]:
    """What the reading is for, and until when it is due where that is not the release."""
    if role not in Assignment.OF_APPEALS:
        return _reason(entry, role, reading), None
    appeal = Appeal.objects.open().filter(entry=entry).first()
    found = appeal_readings.of(appeal) if appeal and entry.registration.is_standing else None
    if appeal is None or found is None or (reading is None and found.wanted != role):
        raise Refused("not-read", "Nobody reads this entry now.")
    _refuse_final(reading)
    return appeal_readings.REASON, appeals.reader_due(appeal, at)


def _refuse_final(reading: Assignment | None) -> None:
    if reading and reading.sheet.status == Sheet.Status.FINAL:
        raise Refused("final", "This reading is final and counts already, so it stays where it is.")


def _reason(entry: Entry, role: str, reading: Assignment | None) -> str:
    """What the reading is for: as it was, or as the rules would ask for it."""
    _refuse_final(reading)
    if not entry.registration.is_standing or entry.status != Entry.Status.LOCKED or entry.outcome != Entry.Outcome.NONE:
        raise Refused("not-read", "Nobody reads this entry now.")
    if reading:
        return reading.reason
    follows = readings.judged([entry])[entry.pk].follows(policies.policy_of(entry.cycle).rules())
    if follows and follows[0] == role:
        return follows[1]
    if role == planner.ADJUDICATION:
        raise Refused("not-read", "This entry needs no decision by a lead scorer now.")
    return planner.COVERAGE if role == planner.FIRST else planner.CHOSEN


def _refuse_unless_allowed(option: Option, reason: str, sets_aside: bool) -> None:
    name = option.profile.user.name
    if not option.is_possible:
        raise Refused("never", f"{name} {option.words}. No reason makes up for that. Choose somebody else.")
    if not reason.strip():
        raise Refused("no-reason", "Say why you choose them.", fields={"reason": "Say why you choose them."})
    if option.tie and not sets_aside:
        message = (
            f"{name} {option.words}. If they should read it all the same, say so below; it is kept with your name."
        )
        raise Refused("tied", message, fields={"sets_aside": message})
