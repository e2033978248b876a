"""What scorers are measured by: benchmarks with a reference, trials of scorers on them, and what came of it.

A trial is a sheet of a benchmark, not of somebody's entry: it hangs on no assignment, so nothing that counts readings
can reach it.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from candidates.models import Cycle, User, new_code
from portfolios.models import Entry, Factor
from scoring import drift, qualifying
from scoring.models.readings import Assignment, Sheet
from scoring.models.rubrics import Criterion, Rubric
from scoring.scores import VALUES

PERCENT = [MinValueValidator(0), MaxValueValidator(100)]
SIGNATURES = 2


class Standard(models.Model):
    """What is asked of those who read a factor, or, without one, every factor that has no standard of its own.

    The newest stands. A calibration keeps the one it began with.
    """

    factor = models.ForeignKey(Factor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    benchmarks = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1)], help_text="How many a calibration takes"
    )
    exact_percent = models.PositiveSmallIntegerField(
        validators=PERCENT, help_text="Of all values, equal to the reference, at least"
    )
    near_percent = models.PositiveSmallIntegerField(
        validators=PERCENT, help_text="Equal, or its next lower or next higher of the twelve values, at least"
    )
    farthest = models.DecimalField(
        max_digits=3, decimal_places=2, help_text="In points: no value lies farther from its reference"
    )
    seed_every = models.PositiveSmallIntegerField(
        default=0, help_text="A benchmark among live readings for every so many of a scorer; 0: none"
    )
    watch_last = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1)], help_text="How many of the last such benchmarks are looked at"
    )
    watch_fewest = models.PositiveSmallIntegerField(
        default=6, validators=[MinValueValidator(1)], help_text="Values on them; fewer say nothing"
    )
    off_percent = models.PositiveSmallIntegerField(
        default=40, validators=PERCENT, help_text="A larger share of values neither equal nor next to it: drifting"
    )
    severity = models.DecimalField(
        max_digits=3, decimal_places=2, default="0.50", help_text="In points: a mean farther from zero: drifting"
    )
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["factor", "-pk"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [models.CheckConstraint(condition=Q(benchmarks__gte=1), name="standard_takes_a_benchmark")]

    def __str__(self) -> str:
        return f"Standard {self.pk} of {self.factor or 'every factor'}"

    def qualifying(self) -> qualifying.Rule:
        return qualifying.Rule(self.benchmarks, self.exact_percent, self.near_percent, Fraction(self.farthest))

    def drift(self) -> drift.Rule:
        return drift.Rule(self.watch_last, self.watch_fewest, self.off_percent, Fraction(self.severity))


class BenchmarkQuerySet(models.QuerySet["Benchmark"]):
    def standing(self) -> "BenchmarkQuerySet":
        return self.filter(retired_at=None)


class Benchmark(models.Model):
    """A released entry that scorers are measured by; whoever reads it knows it by another code each."""

    class Use(models.TextChoices):
        CALIBRATION = "calibration", "Calibration"
        SEED = "seed", "Among live readings"

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="benchmark")
    use = models.CharField(max_length=15, choices=Use.choices)
    position = models.PositiveSmallIntegerField(help_text="In which order those of a factor are given")
    permission = models.TextField(
        help_text="How the author agreed that what they wrote is used to train scorers, and where that is kept"
    )
    chosen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.TextField(blank=True)

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        ordering = ["entry__factor__number", "use", "position", "pk"]

    def __str__(self) -> str:
        return f"Benchmark {self.pk}"


class ReferenceQuerySet(models.QuerySet["Reference"]):
    def signed(self) -> "ReferenceQuerySet":
        return self.annotate(names=Count("signatures")).filter(names__gte=SIGNATURES)

    def in_force(self) -> "ReferenceQuerySet":
        """Of each benchmark that stands the newest that two leads signed, if the rubric it values by is today's."""
        newer = Reference.objects.signed().filter(benchmark=OuterRef("benchmark"), version__gt=OuterRef("version"))
        signed = self.signed().filter(benchmark__retired_at=None, rubric__is_current=True)
        return signed.filter(~Exists(newer))


class Reference(models.Model):
    """What leads say a benchmark deserves, criterion by criterion, by one rubric. Written once, then signed."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="references")
    version = models.PositiveSmallIntegerField()
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    sheet = models.OneToOneField(Sheet, on_delete=models.PROTECT, related_name="reference")
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        ordering = ["benchmark", "-version"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [models.UniqueConstraint(fields=["benchmark", "version"], name="reference_version")]

    def __str__(self) -> str:
        return f"Reference {self.version} of benchmark {self.benchmark_id}"


class ReferenceValue(models.Model):
    """One criterion's value and why."""

    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="values")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="+")
    value = models.DecimalField(max_digits=3, decimal_places=2)
    rationale = models.TextField()

    class Meta:
        ordering = ["criterion__position"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["reference", "criterion"], name="reference_value_once"),
            models.CheckConstraint(condition=Q(value__in=VALUES), name="reference_is_one_of_twelve"),
            models.CheckConstraint(condition=~Q(rationale=""), name="reference_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.value}"


class ReferenceSignature(models.Model):
    """That one lead stands behind a reference. Whoever wrote it is the first."""

    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="signatures")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [models.UniqueConstraint(fields=["reference", "by"], name="reference_signed_once_each")]

    def __str__(self) -> str:
        return f"{self.by_id} under {self.reference_id}"


class Calibration(models.Model):
    """One scorer's way through the benchmarks of a factor; `passed` once it is finished."""

    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calibrations")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="+")
    standard = models.ForeignKey(Standard, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    passed = models.BooleanField(null=True, blank=True)
    words = models.TextField(blank=True, help_text="How it ended, as the scorer was told")

    class Meta:
        ordering = ["-begun_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["scorer", "factor"], condition=Q(finished_at=None), name="calibration_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, passed=None) | Q(finished_at__isnull=False, passed__isnull=False),
                name="calibration_finished_has_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"Calibration of {self.scorer_id} for factor {self.factor_id}"


class Trial(models.Model):
    """That one person is to judge one benchmark. `cycle` is the one a seed is read among; others have none."""

    class Use(models.TextChoices):
        REFERENCE = "reference", "Reference"
        CALIBRATION = "calibration", "Calibration"
        SEED = "seed", "Among live readings"

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="trials")
    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="trials")
    use = models.CharField(max_length=15, choices=Use.choices)
    reference = models.ForeignKey(
        Reference, null=True, blank=True, on_delete=models.PROTECT, related_name="trials", help_text="Compared with it"
    )
    calibration = models.ForeignKey(Calibration, null=True, blank=True, on_delete=models.PROTECT, related_name="trials")
    cycle = models.ForeignKey(Cycle, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    given_at = models.DateTimeField()

    class Meta:
        ordering = ["given_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "scorer"], condition=~Q(use="reference"), name="trial_reads_once"
            ),
            models.CheckConstraint(
                condition=Q(use="reference", reference=None, calibration=None, cycle=None)
                | Q(use="calibration", reference__isnull=False, calibration__isnull=False, cycle=None)
                | Q(use="seed", reference__isnull=False, calibration=None, cycle__isnull=False),
                name="trial_has_what_its_use_needs",
            ),
        ]

    def __str__(self) -> str:
        return f"Trial {self.pk}"

    # What a sheet's page asks of an assignment, in the same words.

    @property
    def entry(self) -> Entry:
        return self.benchmark.entry

    @property
    def role(self) -> str:
        """A seed is a first reading like any other."""
        return Assignment.Role.FIRST if self.use == self.Use.SEED else ""

    @property
    def label(self) -> str:
        return Assignment.Role.FIRST.label if self.use == self.Use.SEED else self.get_use_display()

    @property
    def stands_alone(self) -> bool:
        return False

    @property
    def ends_at(self) -> datetime | None:
        return self.cycle.releases_at if self.cycle else None

    @property
    def is_seed(self) -> bool:
        return self.use == self.Use.SEED


class PauseQuerySet(models.QuerySet["Pause"]):
    def standing(self) -> "PauseQuerySet":
        return self.filter(lifted_at=None)

    def in_force(self, at: datetime) -> "PauseQuerySet":
        return self.filter(Q(lifted_at=None) | Q(lifted_at__gt=at), began_at__lte=at)


class Pause(models.Model):
    """That a scorer is given nothing of a factor for a while. What they read since `since` is read once more."""

    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="pauses")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    since = models.DateTimeField(null=True, blank=True, help_text="The last good check; empty: there was none")
    reason = models.TextField()
    figures: Any = models.JSONField(default=dict)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_reason = models.TextField(blank=True)

    objects = PauseQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["scorer", "factor"], condition=Q(lifted_at=None), name="pause_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Pause of {self.scorer_id} for factor {self.factor_id}"
