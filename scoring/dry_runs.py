"""Dry runs: what a release would tell everybody, kept so that two people can look at the same thing.

A run is made from the gate, candidate by candidate, and never holds them all in memory. Pages read its rows.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Func, Q

from candidates.models import Cycle, User
from icg_cert.audit import trail
from scoring import gate_rules, policies, release_gate
from scoring.gate_rules import Check, Verdict
from scoring.models import DryRun, DryRunRow, Result, ScoringPolicy
from scoring.release_gate import Row

CHUNK = 200


@dataclass(slots=True)
class Tally:
    """What a pass over the gate came to: how many are to be told, how many stand in the way, and what names it all."""

    to_tell: int = 0
    blocking: int = 0
    digest: str = ""

    def over(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The same rows, counted as they go by; the digest is there when they are through."""
        names = sha256()
        for row in rows:
            self.to_tell += row.hold is None
            self.blocking += row.is_blocking
            names.update(_named(row))
            yield row
        self.digest = names.hexdigest()


def _named(row: Row) -> bytes:
    """Everything that is decided of one candidate. Not what is for information: the fee may be paid meanwhile."""
    checks = [
        [one.code, one.verdict, one.words, one.reason] for one in row.checks if one.verdict != Verdict.INFORMATION
    ]
    told = row.told.digest if row.told else ""
    return json.dumps([row.registration.code, row.hold is not None, told, checks]).encode()


def tally(cycle: Cycle, policy: ScoringPolicy, at: datetime) -> Tally:
    """How everybody stands now, without keeping it."""
    found = Tally()
    for _ in found.over(release_gate.rows(cycle, policy, at)):
        pass
    return found


@transaction.atomic
def run(cycle_id: int, *, by: User, at: datetime) -> DryRun:
    """Look at every candidate, and keep it beside the run before. Refused: `no-policy`."""
    cycle = Cycle.objects.get(pk=cycle_id)
    kept, found = keep(cycle, policies.policy_of(cycle), by=by, at=at)
    trail.record("release.dry_run", kept, by=by, at=at, after={"digest": kept.digest, "blocking": found.blocking})
    return kept


def keep(cycle: Cycle, policy: ScoringPolicy, *, by: User, at: datetime) -> tuple[DryRun, Tally]:
    """The same, inside the caller's transaction."""
    found, made = Tally(), DryRun.objects.create(cycle=cycle, policy=policy, run_by=by, run_at=at)
    some: list[DryRunRow] = []
    for row in found.over(release_gate.rows(cycle, policy, at)):
        some.append(_kept(made, row))
        if len(some) == CHUNK:
            DryRunRow.objects.bulk_create(some)
            some = []
    DryRunRow.objects.bulk_create(some)
    made.digest = found.digest
    made.save(update_fields=["digest"])
    _forget_older(made)
    return made, found


def _kept(made: DryRun, row: Row) -> DryRunRow:
    return DryRunRow(
        run=made,
        registration=row.registration,
        year=row.year,
        entries=row.entries,
        checks=[[one.code, one.verdict, one.words, one.reason] for one in row.checks],
        missing=[one.code for one in row.missing],
        excepted=[one.code for one in row.excepted],
        is_held=row.hold is not None,
        is_withheld=row.is_withheld,
        status=row.told.status if row.told else "",
        total=str(row.told.total) if row.told else "",
        digest=row.told.digest if row.told else "",
    )


def _forget_older(made: DryRun) -> None:
    """Each is as long as the cycle; only the one before is compared with, and only a release's is approved."""
    before = previous(made)
    if before:
        DryRun.objects.filter(cycle=made.cycle_id, releases=None, pk__lt=before.pk).delete()


def latest(cycle: Cycle) -> DryRun | None:
    return DryRun.objects.filter(cycle=cycle).select_related("run_by").first()


def previous(made: DryRun) -> DryRun | None:
    """The run before this one, to compare it with."""
    return DryRun.objects.filter(cycle=made.cycle_id, pk__lt=made.pk).order_by("-pk").first()


# ---- What a run says


def checks(row: DryRunRow) -> list[Check]:
    """What each rule found of one candidate that day."""
    return [Check(code, Verdict(verdict), words, reason) for code, verdict, words, reason in row.checks]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many candidates pass one rule, are excepted from it, fail it."""

    code: str
    passed: int
    excepted: int
    missing: int

    @property
    def title(self) -> str:
        return gate_rules.TITLES[self.code]

    @property
    def all(self) -> int:
        return self.passed + self.excepted + self.missing


@dataclass(frozen=True, slots=True)
class Summary:
    candidates: int
    blocked: int
    held: int
    withheld: int
    excepted: int
    rules: tuple[RuleCount, ...]

    @property
    def is_open(self) -> bool:
        """Whether the release may go on: somebody is to be told, and nobody stands in the way."""
        return self.candidates > self.held and not self.blocked

    @property
    def failing(self) -> list[RuleCount]:
        return sorted((one for one in self.rules if one.missing), key=lambda one: -one.missing)


def summary(made: DryRun) -> Summary:
    """Three queries, however many candidates."""
    counts = made.rows.aggregate(
        candidates=Count("pk"),
        blocked=Count("pk", filter=Q(is_held=False) & ~Q(missing=[])),
        held=Count("pk", filter=Q(is_held=True)),
        withheld=Count("pk", filter=Q(is_withheld=True)),
        excepted=Count("pk", filter=~Q(excepted=[])),
    )
    missing, excepted = _by_rule(made, "missing"), _by_rule(made, "excepted")
    rules = (
        RuleCount(code, counts["candidates"] - missing[code] - excepted[code], excepted[code], missing[code])
        for code in gate_rules.RULES
        if code != "fee"
    )
    return Summary(rules=tuple(rules), **counts)


def _by_rule(made: DryRun, field: str) -> Counter[str]:
    codes = Func(F(field), function="unnest", set_returning=True)
    return Counter(dict(made.rows.order_by().values_list(codes).annotate(Count("pk"))))


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many would be told this, and how many by the run before (None without one)."""

    status: str
    label: str
    count: int
    before: int | None


def approved_outcomes(made: DryRun) -> list[OutcomeCount]:
    """How many would be told what, without those who are held back."""
    counts = _by_status(made, is_held=False)
    return [OutcomeCount(value, str(label), counts[value], None) for value, label in Result.Status.choices]


def outcomes(made: DryRun, before: DryRun | None) -> list[OutcomeCount]:
    """Every status, and last those of whom nothing can be told yet."""
    now, then = _by_status(made), _by_status(before) if before else None
    labels = [*Result.Status.choices, ("", "Nothing to tell yet")]
    return [OutcomeCount(value, str(label), now[value], then[value] if then else None) for value, label in labels]


def _by_status(made: DryRun, **only: bool) -> Counter[str]:
    return Counter(dict(made.rows.filter(**only).order_by().values_list("status").annotate(Count("pk"))))


@dataclass(frozen=True, slots=True)
class Change:
    """One candidate who would be told something else than by the run before; None: not part of that run."""

    registration: int
    now: DryRunRow | None
    before: DryRunRow | None

    @property
    def both(self) -> tuple[DryRunRow | None, DryRunRow | None]:
        return self.before, self.now


def changes(made: DryRun, before: DryRun) -> list[Change]:
    """By registration. Whose digest and state are the same did not change."""
    now, then = _compared(made), _compared(before)
    return [
        Change(key, now.get(key), then.get(key))
        for key in sorted(now.keys() | then.keys())
        if _facts(now.get(key)) != _facts(then.get(key))
    ]


def _compared(made: DryRun) -> dict[int, DryRunRow]:
    fields = ("run", "registration", "status", "total", "digest", "is_held", "missing")
    return {row.registration_id: row for row in made.rows.only(*fields).order_by()}


def _facts(row: DryRunRow | None) -> tuple[Any, ...] | None:
    return (row.digest, row.status, row.is_held, row.is_ready) if row else None
