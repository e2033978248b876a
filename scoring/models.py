"""How entries are judged, and when it is told."""

from datetime import datetime
from fractions import Fraction
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q

from candidates.models import Cycle, Registration, User, new_code
from portfolios.models import Entry, Factor
from scoring import permissions
from scoring.scores import VALUES, Rules


class ScoringPolicy(models.Model):
    """The rules of scoring as data with a version. Results remember theirs; a change is a new version."""

    class RetakeRule(models.TextChoices):
        BEST = "best", "The best score counts"
        LATEST = "latest", "The latest score counts"

    version = models.PositiveSmallIntegerField(unique=True)
    threshold = models.DecimalField(max_digits=3, decimal_places=2, help_text="Overall, at least")
    floor = models.DecimalField(max_digits=3, decimal_places=2, help_text="Each factor, at least")
    adjudication_gap = models.DecimalField(
        max_digits=3, decimal_places=2, help_text="A gap above this goes to a lead scorer"
    )
    double_band = models.DecimalField(
        max_digits=3, decimal_places=2, help_text="A single score this near to the floor or threshold is scored again"
    )
    double_percent = models.PositiveSmallIntegerField(help_text="Random share of entries scored twice")
    double_first_entries = models.PositiveSmallIntegerField(
        help_text="How many of a scorer's first entries are scored twice"
    )
    retake_rule = models.CharField(max_length=10, choices=RetakeRule.choices, default=RetakeRule.BEST)

    class Meta:
        ordering = ["-version"]
        verbose_name_plural = "scoring policies"

    def __str__(self) -> str:
        return f"Scoring policy {self.version}"

    @classmethod
    def current(cls) -> "ScoringPolicy":
        """The newest version. DoesNotExist until the programme is loaded."""
        return cls.objects.order_by("-version")[:1].get()

    def rules(self) -> Rules:
        """The same as exact numbers, for the pure code."""
        return Rules(
            version=self.version,
            threshold=Fraction(self.threshold),
            floor=Fraction(self.floor),
            adjudication_gap=Fraction(self.adjudication_gap),
            double_band=Fraction(self.double_band),
            double_percent=self.double_percent,
            double_first_entries=self.double_first_entries,
            retake=self.retake_rule,
        )


class RubricQuerySet(models.QuerySet["Rubric"]):
    def current(self) -> "RubricQuerySet":
        return self.filter(is_current=True)


class Rubric(models.Model):
    """What one factor is judged by. Identified by the hash of its words; once used it never changes."""

    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="rubrics")
    version = models.PositiveSmallIntegerField()
    content_hash = models.CharField(
        max_length=64, help_text="SHA-256 of its levels and criteria, see scoring/rubrics.py"
    )
    is_current = models.BooleanField(default=True)

    objects = RubricQuerySet.as_manager()

    class Meta:
        ordering = ["factor", "-version"]
        triggers = [pgtrigger.ReadOnly(name="words_stand", fields=["factor", "version", "content_hash"])]
        constraints = [
            models.UniqueConstraint(fields=["factor", "version"], name="rubric_version"),
            models.UniqueConstraint(fields=["factor"], condition=Q(is_current=True), name="rubric_one_current"),
        ]

    def __str__(self) -> str:
        return f"Rubric {self.factor.number} v{self.version}"


class Level(models.Model):
    """One of the four levels in words: 4 clear, consistent and convincing evidence ... 1 little or none."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="levels")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    words = models.TextField()

    class Meta:
        ordering = ["-number"]
        triggers = [pgtrigger.Protect(name="words_stand", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["rubric", "number"], name="level_number"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=4), name="level_one_to_four"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Criterion(models.Model):
    """One thing a scorer values on its own."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="criteria")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    question = models.TextField(help_text="What the scorer asks of the evidence")

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "criteria"
        triggers = [pgtrigger.Protect(name="words_stand", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [models.UniqueConstraint(fields=["rubric", "position"], name="criterion_position")]

    def __str__(self) -> str:
        return self.name


class FeedbackStatement(models.Model):
    """A sentence of feedback a scorer may choose instead of writing it anew."""

    factor = models.ForeignKey(
        Factor,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="feedback_statements",
        help_text="Empty: for every factor",
    )
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300, unique=True)

    class Meta:
        ordering = ["factor", "position"]

    def __str__(self) -> str:
        return self.text


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

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="assignments")
    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=15, choices=Role.choices)
    reason = models.CharField(
        max_length=60, help_text="Why this reading: coverage, retake, random, band, first entries, gap"
    )
    assigned_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField()

    class Meta:
        ordering = ["assigned_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "scorer"], name="assignment_reads_once"),
            models.UniqueConstraint(fields=["entry", "role"], name="assignment_one_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of entry {self.entry_id}"


class SheetQuerySet(models.QuerySet["Sheet"]):
    def visible_to(self, user: Any) -> "SheetQuerySet":
        return self.filter(permissions.sheets_visible_to(user))

    def final(self) -> "SheetQuerySet":
        return self.filter(status=Sheet.Status.FINAL)


class Sheet(models.Model):
    """One scorer's judgement of one entry. `version` rises with each save, so that a second tab never overwrites."""

    class Status(models.TextChoices):
        DRAFT = "draft", "In progress"
        FINAL = "final", "Final"

    NEXT: dict[str, set[str]] = {Status.DRAFT: {Status.FINAL}, Status.FINAL: set()}

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="sheet")
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
        ]

    def __str__(self) -> str:
        return f"Sheet {self.pk}"


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


class Release(models.Model):
    """The stored human decision that a cycle's results are told: prepared by one, approved by another, then due."""

    class State(models.TextChoices):
        PREPARED = "prepared", "Prepared"
        APPROVED = "approved", "Approved"
        RELEASED = "released", "Released"

    NEXT: dict[str, set[str]] = {
        State.PREPARED: {State.APPROVED},
        State.APPROVED: {State.PREPARED, State.RELEASED},
        State.RELEASED: set(),
    }

    cycle = models.OneToOneField(Cycle, on_delete=models.PROTECT, related_name="release")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    policy = models.ForeignKey(ScoringPolicy, on_delete=models.PROTECT, related_name="+")
    prepared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    releases_at = models.DateTimeField(help_text="The instant the approvers decided on")
    released_at = models.DateTimeField(null=True, blank=True, help_text="When the job was through with everybody")

    class Meta:
        ordering = ["-cycle__year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("prepared_by")), name="release_takes_two"
            ),
            models.CheckConstraint(
                condition=Q(state="prepared") | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="release_approved_has_approver",
            ),
        ]

    def __str__(self) -> str:
        return f"Release of {self.cycle}"


class ResultQuerySet(models.QuerySet["Result"]):
    def visible_to(self, user: Any) -> "ResultQuerySet":
        return self.filter(permissions.results_visible_to(user))

    def due(self, at: datetime) -> "ResultQuerySet":
        """What is out at `at`, whether or not it is withheld: approved by two, the instant reached, not superseded."""
        return self.filter(
            cycle__release__state__in=[Release.State.APPROVED, Release.State.RELEASED],
            cycle__release__releases_at__lte=at,
            released_at__lte=at,
            superseded_at=None,
        )

    def released(self, at: datetime) -> "ResultQuerySet":
        """What candidates may read at `at`: what is due, where the fee is settled."""
        return self.due(at).filter(registration__payment_status__in=Registration.SETTLED)

    def withheld(self, at: datetime) -> "ResultQuerySet":
        """What waits for the fee. That it waits may be said; nothing of it may be shown."""
        return self.due(at).exclude(registration__payment_status__in=Registration.SETTLED)


class Result(models.Model):
    """What one candidate is told at one release: the factors of this cycle, all that is banked, the decision."""

    class Status(models.TextChoices):
        CERTIFIED = "certified", "Certified"
        IN_PROGRESS = "in_progress", "In progress"
        NOT_YET = "not_yet", "Not yet certified"
        NOT_CERTIFIED = "not_certified", "Not certified"

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="results")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="results")
    policy = models.ForeignKey(ScoringPolicy, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=15, choices=Status.choices)
    total_numerator = models.PositiveIntegerField(help_text="Sum of the standing factor scores, exact")
    total_denominator = models.PositiveIntegerField()
    factors_scored = models.PositiveSmallIntegerField(help_text="How many of the factors have a standing score")
    standing: Any = models.JSONField(
        default=list, help_text="Frozen: per factor its number, name, standing score as [numerator, denominator], year"
    )
    released_at = models.DateTimeField()
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When the candidate could first read it; empty while withheld"
    )
    superseded_at = models.DateTimeField(null=True, blank=True)
    superseded_reason = models.TextField(blank=True)

    objects = ResultQuerySet.as_manager()

    class Meta:
        ordering = ["-cycle__year"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "cycle"], condition=Q(superseded_at=None), name="result_one_standing"
            ),
            models.CheckConstraint(condition=Q(total_denominator__gt=0), name="result_total_is_a_number"),
        ]
        indexes = [models.Index(fields=["cycle"], condition=Q(told_at=None), name="result_untold")]

    def __str__(self) -> str:
        return f"Result of {self.registration_id} in {self.cycle_id}"

    @property
    def total(self) -> Fraction:
        return Fraction(self.total_numerator, self.total_denominator)


class FactorScore(models.Model):
    """The released score of one entry, exact, with how it came about. Never recomputed."""

    class How(models.TextChoices):
        SINGLE = "single", "One scorer"
        AVERAGED = "averaged", "Two scorers, averaged"
        ADJUDICATED = "adjudicated", "Decided by a lead scorer"

    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="factor_scores")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="scores")
    numerator = models.PositiveIntegerField()
    denominator = models.PositiveIntegerField()
    how = models.CharField(max_length=15, choices=How.choices)
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    rubric_hash = models.CharField(max_length=64)
    detail: Any = models.JSONField(
        help_text="Frozen: per criterion its name, values and mean; feedback statements; comments"
    )

    class Meta:
        ordering = ["entry__factor__number"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["result", "entry"], name="factor_score_once"),
            models.CheckConstraint(condition=Q(denominator__gt=0), name="factor_score_is_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.score}"

    @property
    def score(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def visible_to(self, user: Any) -> "CertificateQuerySet":
        return self.filter(permissions.certificates_visible_to(user))

    def issued(self, at: datetime) -> "CertificateQuerySet":
        """Certificates that exist at `at`, revoked ones too."""
        return self.filter(issued_at__lte=at)


class Certificate(models.Model):
    """That somebody is certified, as anyone may verify by its code."""

    registration = models.OneToOneField(Registration, on_delete=models.PROTECT, related_name="certificate")
    result = models.OneToOneField(Result, on_delete=models.PROTECT, related_name="certificate")
    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    holder_name = models.CharField(max_length=150, help_text="As on the day it was issued")
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.TextField(blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return f"Certificate {self.code}"

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None
