from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from scoring import policies
from scoring.models import CyclePolicy, ScoringPolicy
from scoring.policies import adopt
from tests.factories import at, make_cycle, make_locked, make_policy, make_reading, make_release, make_scorer

NOW = at(2026, 11, 2, 9)
NUMBERS: dict[str, Any] = {
    "threshold": Decimal("2.75"),
    "floor": Decimal("1.75"),
    "adjudication_gap": Decimal("1.25"),
    "double_band": Decimal("0.25"),
    "double_percent": 15,
    "double_first_entries": 3,
    "retake_rule": "best",
    "max_share_percent": 67,
    "requires_qualification": False,
    "requires_statement": True,
    "appeal_days": 30,
    "appeal_decision_days": 45,
    "appeal_fee_minor": 0,
}


def _versions() -> list[tuple[int, Decimal, str]]:
    return list(ScoringPolicy.objects.order_by("version").values_list("version", "floor", "retake_rule"))


def test_adopt_makes_the_next_version_and_leaves_the_others(staff: User) -> None:
    adopt(by=staff, at=NOW, **NUMBERS)
    adopt(by=staff, at=NOW, **{**NUMBERS, "retake_rule": "latest"})

    assert _versions() == [(1, Decimal("1.75"), "best"), (2, Decimal("1.75"), "latest")]
    assert list(Event.objects.order_by("pk").values_list("verb", "actor", "after")) == [
        ("scoring_policy.adopt", staff.pk, {"version": 1}),
        ("scoring_policy.adopt", staff.pk, {"version": 2}),
    ]


def test_adopt_of_the_same_numbers_changes_nothing(staff: User) -> None:
    assert adopt(by=staff, at=NOW, **NUMBERS) == adopt(by=staff, at=NOW, **NUMBERS)
    assert _versions() == [(1, Decimal("1.75"), "best")]


def test_a_cycle_keeps_its_policy_and_the_policy_its_numbers(staff: User) -> None:
    first = adopt(by=staff, at=NOW, **NUMBERS)
    cycle, other = make_cycle(2027), make_cycle(2028)
    assert policies.policy_of(cycle) == first
    ScoringPolicy.objects.update(double_percent=20)  # nothing is scored by it yet
    policies.bind(cycle, by=staff, at=NOW)
    second = adopt(by=staff, at=NOW, **NUMBERS)
    assert policies.bind(cycle, by=staff, at=NOW) == first
    assert {key: rules.version for key, rules in policies.rules_by_cycle([cycle.pk, other.pk]).items()} == {
        cycle.pk: first.version,
        other.pk: second.version,
    }
    changes: list[Callable[[], object]] = [
        lambda: ScoringPolicy.objects.filter(pk=first.pk).update(floor="1.00"),
        lambda: CyclePolicy.objects.update(policy=second),
        lambda: CyclePolicy.objects.all().delete(),
        lambda: ScoringPolicy.objects.filter(pk=first.pk).delete(),
    ]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    ScoringPolicy.objects.filter(pk=second.pk).update(double_percent=20)


def test_cycles_that_were_begun_before_policies_were_bound_get_theirs(staff: User) -> None:
    old, new = make_policy(1), make_policy(2)
    released, begun, untouched = make_cycle(2027), make_cycle(2028), make_cycle(2029)
    for cycle in (released, begun):
        make_reading(make_locked(cycle=cycle), make_scorer())
    make_release(released, policy=old)
    import_module("scoring.migrations.0006_bind_cycles").bind(apps, None)
    assert {bound.cycle: bound.policy for bound in CyclePolicy.objects.all()} == {released: old, begun: new}
    assert policies.policy_of(untouched) == new


@pytest.mark.parametrize("share", [0, 101])
def test_a_share_is_a_percentage(share: int, staff: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        adopt(by=staff, at=NOW, **{**NUMBERS, "max_share_percent": share})


def test_adopt_refuses_a_floor_above_the_threshold(staff: User) -> None:
    with pytest.raises(Refused) as refused:
        adopt(by=staff, at=NOW, **{**NUMBERS, "floor": Decimal("2.76")})
    assert (refused.value.code, list(refused.value.fields)) == ("floor-above-threshold", ["floor"])
    assert adopt(by=staff, at=NOW, **{**NUMBERS, "floor": Decimal("2.75")}).floor == Decimal("2.75")
