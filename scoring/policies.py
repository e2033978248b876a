"""The scoring policy's versions, and which one a cycle is scored by.

Results remember theirs, so a change is always another version. A cycle takes the newest until its first reading is
given out; from then on it keeps what it has, whatever is adopted for the cycles after it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict

from candidates.models import Cycle, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring.models import CyclePolicy, ScoringPolicy
from scoring.scores import Rules

NUMBERS = [
    "threshold",
    "floor",
    "adjudication_gap",
    "double_band",
    "double_percent",
    "double_first_entries",
    "retake_rule",
    "max_share_percent",
    "requires_qualification",
    "requires_statement",
    "appeal_days",
    "appeal_decision_days",
    "appeal_fee_minor",
]


def policy_of(cycle: Cycle) -> ScoringPolicy:
    """What the cycle is bound to, else the newest. Refused "no-policy" until the programme is loaded."""
    bound = ScoringPolicy.objects.filter(cycles__cycle=cycle).first()
    return bound or _newest()


def rules_by_cycle(cycles: Iterable[int]) -> dict[int, Rules]:
    """The same for many cycles, by key, as exact numbers. Refused "no-policy" where one is bound to none."""
    wanted = set(cycles)
    bound = CyclePolicy.objects.filter(cycle__in=wanted).select_related("policy")
    rules = {one.cycle_id: one.policy.rules() for one in bound}
    if unbound := wanted - set(rules):
        rules |= dict.fromkeys(unbound, _newest().rules())
    return rules


def bind(cycle: Cycle, *, by: User | None, at: datetime) -> ScoringPolicy:
    """Keep the cycle to the policy it has now; a repeat changes nothing. Call it inside the caller's transaction."""
    policy = policy_of(cycle)
    return CyclePolicy.objects.get_or_create(cycle=cycle, defaults={"policy": policy, "bound_by": by, "bound_at": at})[
        0
    ].policy


def _newest() -> ScoringPolicy:
    policy = ScoringPolicy.objects.order_by("-version").first()
    if policy is None:
        raise Refused("no-policy", "There is no scoring policy yet. Load the programme first.")
    return policy


@transaction.atomic
def adopt(*, by: User | None, at: datetime, **numbers: Any) -> ScoringPolicy:
    """Make these the rules of cycles whose scoring has not begun. The same numbers as now are the version that stands.

    `numbers` are all of NUMBERS. Refused "floor-above-threshold" when no score could pass one and fail the other,
    "appeal-fee" for any.
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
    if numbers["appeal_fee_minor"]:
        message = "The portal cannot take a fee for an appeal yet. Leave this at 0."
        raise Refused("appeal-fee", message, fields={"appeal_fee_minor": message})
