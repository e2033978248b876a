"""Who judges what: scorers, assignments, sheets, ratings."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from candidates.models import Cycle, Registration, User
from portfolios.models import Entry
from scoring import permissions
from scoring.models.rubrics import Criterion, FeedbackStatement, Rubric
from scoring.scores import VALUES


class ScorerQuerySet(models.QuerySet["Scorer"]):
    def active(self) -> "ScorerQuerySet":
        return self.filter(is_active=True, user__is_active=True).select_related("user").order_by("user")

    def readers(self) -> "ScorerQuerySet":
        """Who is given first and second readings."""
        return self.active().filter(permissions.reads_entries())

    def leads(self) -> "ScorerQuerySet":
        """Who adjudicates."""
        return self.active().filter(permissions.adjudicates())


class Scorer(models.Model):
    """A person trained to score, with what could be a conflict of interest."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="scorer")
    district = models.CharField(max_length=150, blank=True)
    employer = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)

    objects = ScorerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.user.name


class Recusal(models.Model):
    """That a scorer declared a conflict of interest with one candidate, and so reads nothing of theirs any more."""

    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recusals")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="recusals")
    reason = models.TextField(blank=True)
    declared_at = models.DateTimeField()

    class Meta:
        ordering = ["-declared_at"]
        constraints = [models.UniqueConstraint(fields=["scorer", "registration"], name="recusal_once")]

    def __str__(self) -> str:
        return f"Recusal of {self.scorer_id} from {self.registration_id}"


class Assignment(models.Model):
    """That one scorer is to judge one entry, blind."""

    class Role(models.TextChoices):
        FIRST = "first", "First reading"
        SECOND = "second", "Second reading"
        ADJUDICATION = "adjudication", "Adjudication"
        APPEAL = "appeal", "Reading for an appeal"
        APPEAL_LEAD = "appeal_lead", "Adjudication of an appeal"

    OF_APPEALS = [Role.APPEAL, Role.APPEAL_LEAD]

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="assignments")
    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=15, choices=Role.choices)
    reason = models.CharField(
        max_length=60, help_text="Why this reading: coverage, retake, random, band, first entries, gap"
    )
    assigned_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="Where it is not the release of the entry's cycle")
    by_hand = models.TextField(blank=True, help_text="Why staff chose this scorer themselves, and what they set aside")

    class Meta:
        ordering = ["assigned_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "scorer"], name="assignment_reads_once"),
            models.UniqueConstraint(fields=["entry", "role"], name="assignment_one_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of entry {self.entry_id}"

    @property
    def code(self) -> str:
        return self.entry.registration.code

    @property
    def cycle(self) -> Cycle:
        return self.entry.cycle

    @property
    def label(self) -> str:
        """The role as its reader is told it: nobody may know that what they read is an appeal."""
        shown = {self.Role.APPEAL: self.Role.SECOND, self.Role.APPEAL_LEAD: self.Role.ADJUDICATION}
        return self.Role(shown.get(self.Role(self.role), self.role)).label

    @property
    def stands_alone(self) -> bool:
        """Whether its score counts instead of all others."""
        return self.role in (self.Role.ADJUDICATION, self.Role.APPEAL_LEAD)

    @property
    def ends_at(self) -> datetime:
        """Until when the sheet should be final."""
        return self.due_at or self.entry.cycle.releases_at


class SheetQuerySet(models.QuerySet["Sheet"]):
    def visible_to(self, user: Any) -> "SheetQuerySet":
        return self.filter(permissions.sheets_visible_to(user))

    def with_files_for(self, user: Any) -> "SheetQuerySet":
        return self.filter(permissions.files_visible_to(user)).distinct()

    def queued(self) -> Any:
        """What stands in queues: readings, and the benchmarks among them, which nothing tells apart.

        With code, factor_number, factor_name, cycle_year and due_at of either.
        """
        entry, benchmark = "assignment__entry", "trial__benchmark__entry"
        return self.filter(Q(assignment__isnull=False) | Q(trial__use="seed")).annotate(
            code=Coalesce(f"{entry}__registration__code", "trial__code"),
            factor_number=Coalesce(f"{entry}__factor__number", f"{benchmark}__factor__number"),
            factor_name=Coalesce(f"{entry}__factor__name", f"{benchmark}__factor__name"),
            cycle_year=Coalesce(f"{entry}__cycle__year", "trial__cycle__year"),
            due_at=Coalesce("assignment__due_at", f"{entry}__cycle__releases_at", "trial__cycle__releases_at"),
        )

    def final(self) -> "SheetQuerySet":
        return self.filter(status=Sheet.Status.FINAL)


class Sheet(models.Model):
    """One scorer's judgement of one entry. `version` rises with each save, so that a second tab never overwrites.

    It belongs to an assignment, and counts, or to a trial (models/calibration.py), and never does.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "In progress"
        FINAL = "final", "Final"

    NEXT: dict[str, set[str]] = {Status.DRAFT: {Status.FINAL}, Status.FINAL: set()}

    assignment = models.OneToOneField(Assignment, null=True, blank=True, on_delete=models.PROTECT, related_name="sheet")
    trial = models.OneToOneField("scoring.Trial", null=True, blank=True, on_delete=models.PROTECT, related_name="sheet")
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="sheets")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=0)
    comment = models.TextField("comment to the candidate", blank=True)
    feedback = models.ManyToManyField(FeedbackStatement, blank=True, related_name="+")
    saved_at = models.DateTimeField(null=True, blank=True)
    finalised_at = models.DateTimeField(null=True, blank=True)

    objects = SheetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(finalised_at__isnull=False), name="sheet_final_has_time"
            ),
            models.CheckConstraint(
                condition=Q(assignment__isnull=False, trial=None) | Q(assignment=None, trial__isnull=False),
                name="sheet_counts_or_is_a_trial",
            ),
        ]

    def __str__(self) -> str:
        return f"Sheet {self.pk}"

    @property
    def task(self) -> Any:
        """The assignment or the trial. Both know their entry, code, cycle, role and label; pages ask nothing else."""
        return self.assignment or self.trial

    @property
    def entry(self) -> Entry:
        entry: Entry = self.task.entry
        return entry


class Rating(models.Model):
    """The value one sheet gives one criterion, and the evidence for it."""

    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="ratings")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="ratings")
    value = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True)
    evidence = models.TextField(blank=True)

    class Meta:
        ordering = ["criterion__position"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "criterion"], name="rating_once"),
            models.CheckConstraint(condition=Q(value=None) | Q(value__in=VALUES), name="rating_is_one_of_twelve"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.value}"
