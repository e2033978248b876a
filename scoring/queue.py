"""What waits for one person in scoring: a scorer's queue, and the one next thing to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import MD5, Cast, Coalesce
from django.urls import reverse

from candidates import announced
from candidates.models import Registration
from icg_cert.lib.next_step import NextStep
from portfolios.models import Entry
from scoring import permissions
from scoring.effort import Effort
from scoring.models import Assignment, Sheet

# Adjudications first: a candidate's score waits for them alone. Within a factor in no order that tells when a sheet was
# made, or what was added later would stand out.
IS_ADJUDICATION = Q(assignment__role__in=[Assignment.Role.ADJUDICATION, Assignment.Role.APPEAL_LEAD])
ORDER: list[Any] = ["due_at", "-is_adjudication", "factor_number", MD5(Cast("pk", TextField())), "pk"]

UNREAD = Entry.objects.locked().filter(assignments=None).exclude(registration__status__in=Registration.ENDED)


def open_sheets(user: Any) -> Any:
    """The sheets a scorer still has to finalise, soonest release first. Of who withdrew, nothing is read any more."""
    ended = Registration.ENDED
    return _mine(user).filter(status=Sheet.Status.DRAFT).exclude(assignment__entry__registration__status__in=ended)


def done_sheets(user: Any, at: datetime) -> Any:
    """The final ones of cycles that are not released yet."""
    return _mine(user).filter(status=Sheet.Status.FINAL, due_at__gt=at)


@dataclass(frozen=True, slots=True)
class Workload:
    """How far a scorer is in cycles that are not released, and about how many minutes each open sheet still takes."""

    done: int
    left: dict[int, int]

    @property
    def total(self) -> int:
        return self.done + len(self.left)

    @property
    def minutes(self) -> int:
        return sum(self.left.values())


def workload(user: Any, at: datetime) -> Workload:
    """Four queries. A sheet that took longer than expected still takes a minute."""
    keys = {
        "entry_key": Coalesce("assignment__entry", "trial__benchmark__entry"),
        "factor_key": Coalesce("assignment__entry__factor", "trial__benchmark__entry__factor"),
    }
    columns = ("pk", *keys, "time__seconds")
    open_ = list(open_sheets(user).annotate(**keys).values_list(*columns))
    expected = Effort.among({entry for _, entry, _, _ in open_})
    left = {pk: max(1, expected.minutes(entry, factor) - (seconds or 0) // 60) for pk, entry, factor, seconds in open_}
    return Workload(done_sheets(user, at).count(), left)


def _mine(user: Any) -> Any:
    """Just what a line of the queue says: fifty whole candidates with their manifests weigh more than the page."""
    sheets = Sheet.objects.visible_to(user).queued().annotate(is_adjudication=IS_ADJUDICATION)
    related = sheets.select_related("assignment", "trial")
    return related.only("status", "saved_at", "finalised_at", "assignment__role", "trial__use").order_by(*ORDER)


def next_step(user: Any, at: datetime) -> NextStep | None:
    """A scorer's or lead's readings; else, for staff, a cycle whose entries wait to be given out. None otherwise."""
    if permissions.is_scorer(user):
        return _to_read(user)
    return _to_assign(at) if permissions.is_staff(user) else None


def _to_read(user: Any) -> NextStep:
    waiting = open_sheets(user).values_list("pk", "saved_at", "code", "factor_name", "due_at")
    if not waiting:
        return NextStep(
            title="Nothing waits for your reading",
            text="We e-mail you as soon as an entry is given to you.",
            url=reverse("scoring:queue"),
            action="Open your queue",
            kind="wait",
        )
    pk, saved_at, code, factor, due_at = waiting[0]
    return NextStep(
        title="Read one entry" if len(waiting) == 1 else f"Read {len(waiting)} entries",
        text=f"Next: {factor}, candidate {code}.",
        url=reverse("scoring:sheet", args=[pk]),
        action="Continue this sheet" if saved_at else "Open this sheet",
        deadline=due_at,
    )


def _to_assign(at: datetime) -> NextStep | None:
    closed = [cycle for cycle in announced.cycles() if cycle.closes_at <= at < cycle.releases_at]
    cycle = next((cycle for cycle in closed if UNREAD.filter(cycle=cycle).exists()), None)
    if cycle is None:
        return None
    return NextStep(
        title=f"Give the entries of {cycle.year} to scorers",
        text="Entries are handed in for good and nobody reads them yet.",
        url=f"{reverse('scoring:board')}?cycle={cycle.year}",
        action="Open the scoring board",
        deadline=cycle.releases_at,
    )
