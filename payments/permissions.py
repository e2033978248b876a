"""Who may see money. Candidates see their own; finance and staff see all."""

from typing import Any

from django.db.models import Q

from candidates.permissions import is_office


def payments_visible_to(user: Any) -> Q:
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_office(user) else Q(registration__user=user)
