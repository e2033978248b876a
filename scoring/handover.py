"""Readings that go to somebody else: one side knows the other, a scorer stands down, or staff give one away.

What was noted on an unfinished sheet is thrown away, so that it cannot count and the next reader cannot see it; final
sheets stay and count.
"""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios.models import Entry
from scoring import assignment, conflicts, trials
from scoring.models import Assignment, DeclaredTie, Recusal, Scorer, Sheet, Trial
from scoring.ties import Declared

MOST_TIES = 50


@transaction.atomic
def recuse(sheet_id: int, *, reason: str, by: User, at: datetime) -> None:
    """`by` declares a conflict with the candidate: all their unfinished readings of them go to somebody else.

    What was noted so far is thrown away, so that it cannot count and the next reader cannot see it. Where nobody else
    may read, the reading is open again and the board says so. Refused "final" once the sheet counts.
    """
    mine = Sheet.objects.visible_to(by).select_related(
        "assignment__entry__registration", "trial__benchmark__entry__registration"
    )
    candidate = mine.get(pk=sheet_id).entry.registration.user_id
    unfinished = _locked(Assignment.objects.filter(scorer=by, entry__registration__user=candidate))
    sheet = mine.get(pk=sheet_id)
    if sheet.status == Sheet.Status.FINAL:
        raise Refused("final", "This sheet is final and counts already. Tell a lead scorer about the conflict.")
    Recusal.objects.get_or_create(
        scorer=by,
        registration=sheet.entry.registration,
        defaults={"reason": reason.strip(), "declared_at": at},
    )
    trials.take_away(Trial.objects.filter(scorer=by, benchmark__entry__registration__user=candidate), by=by, at=at)
    _pass_on_all(unfinished, by=by, at=at)


@transaction.atomic
def declare(*, name: str, email: str, relation: str, by: User, at: datetime) -> int:
    """`by` knows a person or a place; unfinished readings between the two go to others. How many those were.

    Said again, it changes nothing. Refused "too-many" beyond MOST_TIES.
    """
    assignment.hold_still()
    names = {"name": " ".join(name.split()), "email": email.strip().casefold()}
    if DeclaredTie.objects.filter(declared_by=by).count() >= MOST_TIES:
        raise Refused("too-many", f"You have named {MOST_TIES} already. Write to us about others.")
    tie, is_new = DeclaredTie.objects.get_or_create(
        declared_by=by, **names, defaults={"relation": relation, "declared_at": at}
    )
    if not is_new:
        return 0
    trail.record("tie.declare", tie, by=by, at=at, after={"relation": relation})
    between = _between(by, Declared(**names))
    return _pass_on_all(_locked(Assignment.objects.filter(pk__in=between)), by=by, at=at)


def _between(by: User, tie: Declared) -> list[int]:
    """The readings of `by`, or of what `by` handed in, whose other side is the one that was named."""
    rows = Assignment.objects.filter(Q(scorer=by) | Q(entry__registration__user=by), sheet__status=Sheet.Status.DRAFT)
    found = []
    for row in rows.select_related("scorer__scorer", "entry__registration__user").defer("entry__manifest"):
        sides = conflicts.scorer_person(row.scorer.scorer), conflicts.candidate_person(row.entry.registration)
        mine, other = sides if row.scorer_id == by.pk else sides[::-1]
        if replace(mine, declared=(tie,)).declares(other):
            found.append(row.pk)
    return found


@transaction.atomic
def stand_down(scorer_id: int, *, by: User, at: datetime) -> int:
    """Give the user `scorer_id` nothing more, and pass their unfinished readings on; how many those were."""
    unfinished = _locked(Assignment.objects.filter(scorer=scorer_id))
    scorer = Scorer.objects.select_for_update(of=("self",), no_key=True).get(user=scorer_id)
    if scorer.is_active:
        Scorer.objects.filter(pk=scorer.pk).update(is_active=False)
        trail.record("scorer.stand_down", scorer, by=by, at=at, before={"is_active": True}, after={"is_active": False})
    trials.take_away(Trial.objects.filter(scorer=scorer_id), by=by, at=at)
    return _pass_on_all(unfinished, by=by, at=at)


def pass_on_factor(scorer_id: int, factor_id: int, *, by: User | None, at: datetime) -> int:
    """Their unfinished readings of one factor go to others, benchmarks among them away; how many readings those were.

    First in the caller's transaction: it locks entries.
    """
    unfinished = _locked(
        Assignment.objects.filter(scorer=scorer_id, entry__factor=factor_id).exclude(role=Assignment.Role.ADJUDICATION)
    )
    seeded = Trial.objects.filter(scorer=scorer_id, use=Trial.Use.SEED, benchmark__entry__factor=factor_id)
    trials.take_away(seeded, by=by, at=at)
    return _pass_on_all(unfinished, by=by, at=at)


@transaction.atomic
def give_away(assignment_id: int, *, by: User, at: datetime) -> Assignment:
    """Take one unfinished reading from its scorer and give it to another one, who may get others as before.

    Refused "final", "nobody-may". Assignment.DoesNotExist when it went to somebody already.
    """
    unfinished = _locked(Assignment.objects.filter(pk=assignment_id))
    if not unfinished and Assignment.objects.get(pk=assignment_id):
        raise Refused("final", "This reading is final and counts already, so it stays where it is.")
    [(reading, entry)] = unfinished
    given = _pass_on(reading, entry, by=by, at=at)
    if given is None:
        raise Refused("nobody-may", "Nobody else may do this reading, so it stays where it is. Add a scorer first.")
    return given


def _locked(assignments: QuerySet[Assignment]) -> list[tuple[Assignment, Entry]]:
    """Those that are not final, with their entries, so that nobody gives the role out or finishes it meanwhile.

    Whoever gives out a whole cycle at this moment is through with it, and what they gave is among these; or begins
    after us and finds what we wrote.
    """
    assignment.hold_still()
    unfinished = assignments.filter(sheet__status=Sheet.Status.DRAFT)
    entries = {entry.pk: entry for entry in assignment.for_update(Entry.objects.filter(assignments__in=unfinished))}
    rows = unfinished.filter(entry__in=entries).select_related("sheet").select_for_update(of=("self", "sheet"))
    return [(row, entries[row.entry_id]) for row in rows.order_by("pk")]


def _pass_on_all(unfinished: list[tuple[Assignment, Entry]], *, by: User | None, at: datetime) -> int:
    for reading, entry in unfinished:
        _pass_on(reading, entry, by=by, at=at)
    return len(unfinished)


def _pass_on(reading: Assignment, entry: Entry, *, by: User | None, at: datetime) -> Assignment | None:
    """To somebody else, or to nobody where nobody may: then it is open again, and the board says so."""
    take_away(reading, by=by, at=at)
    but, due_at = reading.scorer_id, reading.due_at
    return assignment.add(entry, reading.role, reading.reason, by=by, at=at, but=but, due_at=due_at)


def take_away(reading: Assignment, *, by: User | None, at: datetime) -> None:
    """An unfinished reading of a locked entry, with what was noted on its sheet."""
    before = {"role": reading.role, "scorer": reading.scorer_id}
    trail.record("assignment.pass_on", reading, by=by, at=at, before=before)
    reading.sheet.ratings.all().delete()
    reading.sheet.delete()
    reading.delete()
