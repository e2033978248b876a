"""What staff see and decide before results are told: dry runs, exceptions they sign, candidates they hold back."""

from fractions import Fraction
from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Q, Value, When

from candidates.models import Cycle, Registration, User
from scoring.models.rubrics import ScoringPolicy


class DryRun(models.Model):
    """What a release would tell everybody, were it now. A release is prepared with one, and approved as that one.

    `digest` names all of it: who is ready, held or excepted, and every word each candidate would read.
    """

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="dry_runs")
    policy = models.ForeignKey(ScoringPolicy, on_delete=models.PROTECT, related_name="+")
    run_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    run_at = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-run_at", "-pk"]

    def __str__(self) -> str:
        return f"Dry run {self.pk} of {self.cycle_id}"


class DryRunRowQuerySet(models.QuerySet["DryRunRow"]):
    def blocked(self) -> "DryRunRowQuerySet":
        """Who keeps the release from going on."""
        return self.filter(is_held=False).exclude(missing=[])

    def in_the_way_first(self) -> "DryRunRowQuerySet":
        in_the_way = Case(When(Q(is_held=False) & ~Q(missing=[]), then=Value(0)), default=Value(1))
        return self.order_by(in_the_way, "registration__code")

    def failing(self, rule: str) -> "DryRunRowQuerySet":
        return self.filter(missing__contains=[rule])


class DryRunRow(models.Model):
    """One candidate of a dry run: every rule with its proof, and what they would be told."""

    run = models.ForeignKey(DryRun, on_delete=models.CASCADE, related_name="rows")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(help_text="Of their process: 1, 2 or 3")
    entries = models.PositiveSmallIntegerField()
    checks: Any = models.JSONField(help_text="Per rule its code, verdict and words, in their order")
    missing = ArrayField(models.CharField(max_length=20), help_text="Codes of the rules that fail")
    excepted = ArrayField(models.CharField(max_length=20), help_text="Codes of those that staff excepted")
    is_held = models.BooleanField()
    is_withheld = models.BooleanField(help_text="Whether the fee was not settled then")
    status = models.CharField(max_length=15, blank=True, help_text="A status of results; empty where there is none yet")
    total = models.CharField(max_length=40, blank=True, help_text="Sum of the standing factor scores, exact: 77/4")
    digest = models.CharField(max_length=64, blank=True, help_text="Names every word they would be told")

    objects = DryRunRowQuerySet.as_manager()

    class Meta:
        ordering = ["registration__code"]
        constraints = [models.UniqueConstraint(fields=["run", "registration"], name="dry_run_row_once")]

    def __str__(self) -> str:
        return f"{self.registration_id} in {self.run_id}"

    @property
    def is_ready(self) -> bool:
        return not self.missing

    @property
    def sum(self) -> Fraction | None:
        return Fraction(self.total) if self.total else None


class GateException(models.Model):
    """That one candidate's results may be told although a rule of the gate fails: signed, with a reason.

    It covers the `words` in which the rule failed that day; a failure in other words is not covered.
    """

    class Rule(models.TextChoices):
        """The only rules that can be excepted; the database knows them, too."""

        COVERAGE = "coverage", "Coverage"
        CONFLICT = "conflict", "No conflict of interest"
        QUALIFIED = "qualified", "Signed and qualified"
        EDITION = "edition", "One edition of the rubric"

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="gate_exceptions")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="gate_exceptions")
    rule = models.CharField(max_length=20, choices=Rule.choices)
    words = models.TextField(help_text="What was missing when it was signed")
    reason = models.TextField()
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["registration__code", "rule"]
        triggers = [
            pgtrigger.Protect(name="stays", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="words_stand", exclude=["withdrawn_by", "withdrawn_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "registration", "rule"], condition=Q(withdrawn_at=None), name="exception_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(rule__in=["coverage", "conflict", "qualified", "edition"]), name="exception_may_be"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="exception_has_reason"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="exception_withdrawn_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} of {self.registration_id} in {self.cycle_id}"


class ResultHoldQuerySet(models.QuerySet["ResultHold"]):
    def in_force(self) -> "ResultHoldQuerySet":
        return self.filter(lifted_at=None)


class ResultHold(models.Model):
    """That a release goes on without one candidate, until the hold is lifted. They are told that it takes longer."""

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="result_holds")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="result_holds")
    reason = models.TextField(help_text="Read by staff alone")
    hear_on = models.DateField(help_text="The day until which the candidate is told to hear from us")
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the candidate was told that it takes longer")
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_digest = models.CharField(
        max_length=64, blank=True, help_text="What was looked at when it was lifted after the approval"
    )

    objects = ResultHoldQuerySet.as_manager()

    class Meta:
        ordering = ["-set_at", "-pk"]
        triggers = [pgtrigger.Protect(name="stays", operation=pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "registration"], condition=Q(lifted_at=None), name="hold_one_in_force"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="hold_lifted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"Hold of {self.registration_id} in {self.cycle_id}"
