"""Who may see and touch entries and files. Scoring adds its own door for scorers: by assignment, and blind."""

from typing import Any

from django.db.models import Q

from candidates.permissions import is_staff


def entries_visible_to(user: Any) -> Q:
    """Candidates see their own; staff see all. Finance and scorers see none by this way."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)


def uploads_visible_to(user: Any) -> Q:
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(entry__registration__user=user)
