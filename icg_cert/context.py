"""What every page has around it: where one is, what comes next, and in the demo the clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from candidates import announced
from candidates.permissions import is_lead, is_office, is_scorer, is_staff
from icg_cert import rehearsal
from icg_cert.next_steps import next_step


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the header's menu."""

    label: str
    url: str
    current: bool


PUBLIC = [
    ("The portfolio", "process-portfolio"),
    ("Scoring", "process-scoring"),
    ("Submitting", "process-submit"),
    ("Policies", "policies"),
]


def frame(request: HttpRequest) -> dict[str, Any]:
    """For templates: nav, next_step, contact_email (each asked for only where shown) and, in the demo, rehearsal."""
    at = getattr(request, "at", None)
    user = getattr(request, "user", None)
    if at is None or user is None:  # a page of the framework's, rendered before or without our middleware
        return {}
    return {
        "nav": SimpleLazyObject(lambda: nav(user, request.path)),
        "next_step": SimpleLazyObject(lambda: next_step(user, at)),
        "contact_email": SimpleLazyObject(_contact_email),
        "rehearsal": SimpleLazyObject(lambda: _rehearsal(at)) if settings.DEMO else None,
    }


# Pages that stand below an entry of the menu whose address is not the beginning of theirs.
BELOW = {
    "scoring:agreement": "scoring:board",
    "scoring:qualification-list": "scoring:board",
    "scoring:benchmark-list": "scoring:board",
    "scoring:back-reading-list": "scoring:board",
}


def nav(user: Any, path: str) -> list[NavItem]:
    """The menu by role. The longest address that begins the path is where one is."""
    links = [(label, reverse(name)) for label, name in _menu(user)]
    path = next((reverse(above) for page, above in BELOW.items() if path.startswith(reverse(page))), path)
    here = max((url for _, url in links if path.startswith(url)), key=len, default="")
    return [NavItem(label, url, url == here) for label, url in links]


def _menu(user: Any) -> list[tuple[str, str]]:
    if not user.is_authenticated:
        return PUBLIC
    menu = [("Dashboard", "dashboard")]
    if is_scorer(user):
        menu.append(("To score", "scoring:queue"))
    if is_lead(user) or is_staff(user):
        menu.append(("Scoring board", "scoring:board"))
    if is_staff(user):
        menu.append(("Releases", "scoring:release-list"))
    if is_office(user):
        menu.append(("Admin", "admin:index"))
    if len(menu) == 1:
        menu += [("Entries", "portfolios:entry-list"), ("Results", "scoring:result-list")]
        menu += [("The portfolio", "process-portfolio"), ("Scoring", "process-scoring")]
    return menu


def _contact_email() -> str:
    programme = announced.programme()
    return programme.contact_email if programme else ""


def _rehearsal(at: datetime) -> rehearsal.Rehearsal:
    return rehearsal.Rehearsal(at, rehearsal.jumps())
