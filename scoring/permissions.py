"""Who may judge what, and who may see what was judged."""

from typing import Any

from django.db.models import Q

from candidates.permissions import LEAD, SCORER, has_role, is_lead, is_office, is_scorer, is_staff


def sheets_visible_to(user: Any) -> Q:
    """A scorer sees their own sheets and nobody else's; staff and leads go by the board, not by the sheet."""
    return Q(assignment__scorer=user) | Q(trial__scorer=user) if user.is_authenticated else Q(pk__in=[])


def files_visible_to(user: Any) -> Q:
    """Of sheets: whose entry's files one may look at. Leads also where they sign a reference or read along."""
    mine = sheets_visible_to(user)
    return mine | Q(reference__isnull=False) | Q(back_readings__lead=user) if is_lead(user) else mine


def reads_entries() -> Q:
    """Of scorer profiles: who is given first and second readings."""
    return Q(user__groups__name=SCORER)


def adjudicates() -> Q:
    """Of scorer profiles: who decides where two readings lie too far apart."""
    return Q(user__groups__name=LEAD)


def sees_board(user: Any) -> bool:
    """Leads and staff follow the progress of scoring; everybody on it is a code."""
    return has_role(user, LEAD) or is_staff(user)


def results_visible_to(user: Any) -> Q:
    """Candidates see their own; staff see all. Only ever combined with `released(at)` for candidates."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)


def appeals_visible_to(user: Any) -> Q:
    """Candidates see their own, staff all, and scorers none: a reader must not know that there is one."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(entry__registration__user=user)


def certificates_visible_to(user: Any) -> Q:
    """The document: its holder and staff. Whether a code is valid, anyone may ask (certificates.verify)."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)


__all__ = [
    "adjudicates",
    "appeals_visible_to",
    "certificates_visible_to",
    "files_visible_to",
    "is_lead",
    "is_office",
    "is_scorer",
    "is_staff",
    "reads_entries",
    "results_visible_to",
    "sees_board",
    "sheets_visible_to",
]
