"""Roles. Each app's permissions module builds on these questions; nothing else in the project names a group."""

from typing import Any

from django.db.models import Q

SCORER = "scorer"
LEAD = "lead scorer"
STAFF = "staff"
FINANCE = "finance"
ROLES = [SCORER, LEAD, STAFF, FINANCE]
OFFICE = [STAFF, FINANCE]


def has_role(user: Any, *roles: str) -> bool:
    """Whether the person is in one of the groups. Asked once a request and person, then remembered on the object."""
    if not user.is_authenticated or not user.is_active:
        return False
    if not hasattr(user, "_roles"):
        user._roles = frozenset(user.groups.values_list("name", flat=True))
    return bool(user._roles.intersection(roles))


def is_staff(user: Any) -> bool:
    return has_role(user, STAFF)


def is_finance(user: Any) -> bool:
    return has_role(user, FINANCE)


def is_scorer(user: Any) -> bool:
    return has_role(user, SCORER, LEAD)


def is_lead(user: Any) -> bool:
    return has_role(user, LEAD)


def is_office(user: Any) -> bool:
    """Who works in Django admin: staff, and finance for the money."""
    return has_role(user, *OFFICE)


def is_team(user: Any) -> bool:
    """Who works for the programme, in whichever role."""
    return has_role(user, *ROLES)


def needs_second_factor(user: Any) -> bool:
    """Who can see or change what belongs to others may not depend on a password alone; a superuser has no role."""
    return is_team(user) or user.is_staff or user.is_superuser


def registrations_visible_to(user: Any) -> Q:
    """Candidates see their own; staff and finance see all; scorers see none (scoring is blind)."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_office(user) else Q(user=user)


def evidence_visible_to(user: Any) -> Q:
    """Candidates see their own; staff see all. Finance has no business with letters about somebody's work."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_staff(user) else Q(registration__user=user)
