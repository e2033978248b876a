"""The scoring policy's versions. Results remember theirs, so a change is always another version."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring.models import ScoringPolicy

NUMBERS = [
    "threshold",
    "floor",
    "adjudication_gap",
    "double_band",
    "double_percent",
    "double_first_entries",
    "retake_rule",
]


@transaction.atomic
def adopt(*, by: User | None, at: datetime, **numbers: Any) -> ScoringPolicy:
    """Make these the rules of releases prepared from now on. The same numbers as now are the version that stands.

    `numbers` are all of NUMBERS. Refused "floor-above-threshold" when no score could pass one and fail the other.
    """
    refuse_contradiction(numbers)
    newest = ScoringPolicy.objects.select_for_update().order_by("-version").first()
    if newest and model_to_dict(newest, NUMBERS) == numbers:
        return newest
    policy = ScoringPolicy.objects.create(version=newest.version + 1 if newest else 1, **numbers)
    trail.record("scoring_policy.adopt", policy, by=by, at=at, after={"version": policy.version})
    return policy


def refuse_contradiction(numbers: dict[str, Any]) -> None:
    """Refused where the numbers cannot all be meant; the form asks before it saves."""
    if numbers["floor"] > numbers["threshold"]:
        message = "The floor of a factor cannot lie above the overall threshold. Lower the one or raise the other."
        raise Refused("floor-above-threshold", message, fields={"floor": message})
