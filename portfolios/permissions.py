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


def entries_owned_by(user: Any) -> Q:
    """The candidate's own: what they may change. Staff look, and act through admin."""
    return Q(registration__user=user) if user.is_authenticated else Q(pk__in=[])


def uploads_owned_by(user: Any) -> Q:
    return Q(entry__registration__user=user) if user.is_authenticated else Q(pk__in=[])


__all__ = ["entries_owned_by", "entries_visible_to", "is_staff", "uploads_owned_by", "uploads_visible_to"]
