"""What the dashboard shows each role: panels, composed from the apps' own querysets.

A panel is a template and the rows for it. Somebody with several roles gets a panel for each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from candidates import announced
from candidates.models import Registration
from candidates.permissions import is_finance, is_scorer, is_staff, is_team
from icg_cert import timeline
from icg_cert.candidacy import Candidacy
from icg_cert.waiting import Waiting, for_finance, for_staff
from payments.overview import KINDS
from portfolios.models import Entry
from scoring.models import Appeal, AppealQuerySet, Result, Sheet
from scoring.results import may_plan_retakes

ENTRY_KIND = {
    Entry.Status.DRAFT: "warn",
    Entry.Status.SUBMITTED: "good",
    Entry.Status.LOCKED: "good",
    Entry.Status.LAPSED: "muted",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the dashboard: `template` reads `panel.rows[...]`."""

    template: str
    rows: dict[str, Any] = field(default_factory=dict)


def panels(mine: Candidacy) -> list[Panel]:
    """The parts of this person's dashboard, in order."""
    user, at, found = mine.user, mine.at, []
    if is_staff(user):
        found.append(_waiting("What needs a human now", for_staff(user, at)))
    if is_finance(user):
        found.append(_waiting("Money that needs a human", for_finance(user, at)))
    if is_scorer(user):
        found.append(_scorer(user))
    if mine.registrations or not is_team(user):
        found += _candidate(mine, at)
    return found


def _candidate(mine: Candidacy, at: datetime) -> list[Panel]:
    """Their newest registration in full, with a line for each earlier one; without any, the way in."""
    if not mine.registrations:
        return [
            Panel(
                "_dashboard_newcomer.html",
                {"banner": timeline.banner(at), "calendar": timeline.calendar(announced.programme(), at)},
            )
        ]
    newest, *earlier = mine.registrations
    return [Panel("_dashboard_candidate.html", {**_tracker(mine, newest, at), "earlier": earlier})]


def _tracker(mine: Candidacy, registration: Registration, at: datetime) -> dict[str, Any]:
    cycles = announced.cycles_of(registration.cohort)
    entries = [entry for entry in mine.entries if entry.registration_id == registration.pk]
    now = next((cycle for cycle in cycles if cycle.closes_at > at), None)
    own = [result for result in mine.results if result.registration_id == registration.pk]
    results = [result for result in own if not result.is_withheld]
    certified = next((result.cycle for result in results if result.status == Result.Status.CERTIFIED), None)
    return {
        "registration": registration,
        "payment_kind": KINDS[Registration.Payment(registration.payment_status)],
        "timeline": timeline.of_registration(registration, cycles, entries, at, certified),
        "cycle": now,
        "is_open": now is not None and now.window.contains(at),
        "entries": [_entry_task(entry) for entry in entries if now and entry.cycle_id == now.pk],
        "results": results,
        "may_plan_retakes": may_plan_retakes(results, cycles, at),
        "appeals": list(_appeals(registration)) if results else [],
        "is_certified": certified is not None,
    }


def _appeals(registration: Registration) -> AppealQuerySet:
    mine = Appeal.objects.open().filter(entry__registration=registration)
    return mine.select_related("entry__factor", "entry__cycle")


def _entry_task(entry: Entry) -> dict[str, str]:
    return {
        "name": f"{entry.factor}{' (retake)' if entry.is_retake else ''}",
        "state_word": entry.get_status_display(),
        "state_kind": ENTRY_KIND[Entry.Status(entry.status)],
        "url": reverse("portfolios:entry-detail", args=[entry.pk]),
    }


def _waiting(title: str, lines: list[Waiting]) -> Panel:
    return Panel("_dashboard_waiting.html", {"title": title, "tasks": lines})


def _scorer(user: Any) -> Panel:
    draft, final = Q(status=Sheet.Status.DRAFT), Q(status=Sheet.Status.FINAL)
    by_cycle = (
        Sheet.objects.visible_to(user)
        .queued()
        .values("cycle_year")
        .annotate(
            to_do=Count("pk", filter=draft & Q(saved_at=None)),
            begun=Count("pk", filter=draft & Q(saved_at__isnull=False)),
            done=Count("pk", filter=final),
        )
        .order_by("-cycle_year")
    )
    return Panel("_dashboard_scorer.html", {"cycles": _progress(by_cycle)})


def _progress(rows: Iterable[Any]) -> list[dict[str, int]]:
    return [
        {
            "year": row["cycle_year"],
            "total": row["to_do"] + row["begun"] + row["done"],
            **{name: row[name] for name in ("to_do", "begun", "done")},
        }
        for row in rows
    ]
