"""Who may judge what, and who may see what was judged."""

from typing import Any

from django.db.models import Q

from candidates.permissions import is_lead, is_office, is_staff


def sheets_visible_to(user: Any) -> Q:
    """A scorer sees their own sheets and nobody else's; staff and leads go by the board, not by the sheet."""
    return Q(assignment__scorer=user) if user.is_authenticated else Q(pk__in=[])


def results_visible_to(user: Any) -> Q:
    """Candidates see their own; staff see all. Only ever combined with `released(at)` for candidates."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)


def certificates_visible_to(user: Any) -> Q:
    """The document: its holder and staff. Whether a code is valid, anyone may ask (certificates.verify)."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)


__all__ = [
    "certificates_visible_to",
    "is_lead",
    "is_office",
    "is_staff",
    "results_visible_to",
    "sheets_visible_to",
]
