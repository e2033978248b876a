"""Leads read along sheets that count, and coach their scorers. Whoever read along is no independent third reader any
more, so nothing of that candidate's factor goes to them for a decision (scoring/conflicts.py).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import MD5, Cast, Coalesce

from candidates.models import Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios.models import Entry
from scoring import assignment, policies, readings, trials
from scoring.models import Assignment, BackReading, Scorer, Sheet, SheetQuerySet
from scoring.planner import ADJUDICATION

PROPOSED = 10
LONGEST = 2000
SHOWN = [
    "assignment__entry__factor",
    "assignment__entry__registration",
    "assignment__entry__cycle",
    "assignment__scorer",
]


def live(lead: User) -> SheetQuerySet:
    """Sheets that count or will, of others, of entries the lead has no part in and nobody is to decide."""
    mine = Assignment.objects.filter(entry=OuterRef("assignment__entry"))
    parts = mine.filter(Q(scorer=lead) | Q(role=ADJUDICATION))
    standing = Sheet.objects.filter(assignment__isnull=False).exclude(
        assignment__entry__registration__status__in=Registration.ENDED
    )
    return standing.filter(~Exists(parts)).exclude(assignment__scorer=lead)


def proposed(lead: User, at: datetime) -> list[Sheet]:
    """Final ones nobody has read along, of scorers who were least read along first; a draw that anyone can check."""
    of_scorer = BackReading.objects.filter(sheet__assignment__scorer=OuterRef("assignment__scorer"))
    counted = of_scorer.order_by().values("sheet__assignment__scorer").annotate(n=Count("pk")).values("n")
    fresh = live(lead).final().filter(assignment__entry__cycle__releases_at__gt=at, back_readings=None)
    drawn = fresh.annotate(times=Coalesce(Subquery(counted), 0)).order_by("times", MD5(Cast("pk", TextField())), "pk")
    return list(drawn.select_related(*SHOWN)[:PROPOSED])


@transaction.atomic
def open_sheet(sheet_id: int, *, by: User, at: datetime) -> BackReading:
    """Let a lead read along; opened again, it is the same. Sheet.DoesNotExist of what never counts.

    Refused "has-part" (they read the entry, or it waits for a lead's decision), "tied".
    """
    sheet = Sheet.objects.filter(assignment__isnull=False).select_related("assignment__entry").get(pk=sheet_id)
    [entry] = assignment.for_update(Entry.objects.filter(pk=sheet.entry.pk))
    if found := BackReading.objects.filter(sheet=sheet, lead=by).first():
        return found
    wanted = readings.judged([entry])[entry.pk].follows(policies.policy_of(entry.cycle).rules())
    if not live(by).filter(pk=sheet_id).exists() or (wanted and wanted[0] == ADJUDICATION):
        raise Refused("has-part", "You have a part in this entry, or a lead has to decide it. Read along another one.")
    if not trials.may_meet(entry, Scorer.objects.filter(user=by).select_related("user").first()):
        raise Refused("tied", "You may not judge this candidate. Read along another one.")
    made = BackReading.objects.create(sheet=sheet, lead=by, opened_at=at)
    trail.record("back_reading.open", made, by=by, at=at, after={"sheet": sheet_id})
    return made


@transaction.atomic
def send(pk: int, *, view: str, note: str, by: User, at: datetime) -> BackReading:
    """Say it to the scorer, once. Refused "no-note" unless the lead would value it the same, "sent"."""
    found = (
        BackReading.objects.select_for_update(of=("self",))
        .select_related("sheet__assignment__entry__factor")
        .get(pk=pk, lead=by)
    )
    words = note.strip()
    if found.sent_at:
        if (found.view, found.note) == (view, words):
            return found
        raise Refused("sent", "You have sent your note already. It stands as it is.")
    if view != BackReading.View.SAME and not words:
        message = "Say what you saw, so that they can learn from it."
        raise Refused("no-note", message, fields={"note": message})
    found.view, found.note, found.sent_at = view, words, at
    found.save(update_fields=["view", "note", "sent_at"])
    trail.record("back_reading.send", found, by=by, at=at, after={"view": view})
    task = found.sheet.task
    path = f"/scoring/sheets/{found.sheet_id}/"
    outbox.queue("read_along", to=task.scorer, key=f"read-along:{pk}", at=at, factor=task.entry.factor.name, path=path)
    return found


def notes_for(scorer: User) -> QuerySet[BackReading]:
    """What leads said to a scorer, newest first."""
    said = BackReading.objects.filter(sheet__assignment__scorer=scorer, sent_at__isnull=False)
    return said.select_related("lead", "sheet__assignment__entry__factor", "sheet__assignment__entry__registration")
