"""What is asked of scorers, as data: adopted by staff, the newest stands, and none is ever changed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from candidates.models import User
from icg_cert.audit import trail
from portfolios.models import Factor
from scoring.models import Standard

NUMBERS = ["benchmarks", "exact_percent", "near_percent", "farthest"]
NUMBERS += ["seed_every", "watch_last", "watch_fewest", "off_percent", "severity"]


def adopt(factor: Factor | None, *, by: User | None, at: datetime, **numbers: Any) -> Standard:
    """From now on this is asked; `numbers` are all of NUMBERS."""
    made = Standard.objects.create(factor=factor, made_by=by, made_at=at, **numbers)
    trail.record("standard.adopt", made, by=by, at=at, after={"factor": factor.number if factor else None})
    return made


def standards(factors: Iterable[int]) -> dict[int, Standard]:
    """Factor to the newest of its own, else the newest for every factor; those that have either."""
    wanted = set(factors)
    rows = Standard.objects.filter(Q(factor__in=wanted) | Q(factor=None)).order_by("pk")
    newest = {row.factor_id: row for row in rows}
    found = {factor: newest.get(factor) or newest.get(None) for factor in wanted}
    return {factor: one for factor, one in found.items() if one is not None}
