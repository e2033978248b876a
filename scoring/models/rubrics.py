"""What is judged by, as data with versions: the policy, rubrics, feedback statements."""

from fractions import Fraction

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from candidates.models import Cycle, User
from portfolios.models import Factor
from scoring.scores import Rules


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
    max_share_percent = models.PositiveSmallIntegerField(
        "largest share of one candidate, in percent",
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of one candidate's readings in a cycle, what one scorer may hold at most; one reading always",
    )
    requires_qualification = models.BooleanField(
        default=False, help_text="Scorers are given only factors they are qualified for"
    )
    requires_statement = models.BooleanField(
        default=False, help_text="Scorers are given nothing before they have signed the cycle's statement"
    )

    appeal_days = models.PositiveSmallIntegerField(
        "days to ask for a score to be verified",
        default=30,
        help_text="Whole days after the day on which the score was told",
    )
    appeal_decision_days = models.PositiveSmallIntegerField(
        "days to decide on it", default=45, help_text="What candidates are told; whole days after the day of asking"
    )
    appeal_fee_minor = models.PositiveIntegerField(
        "fee for it, in cents", default=0, help_text="The portal takes none yet, so this stays 0"
    )

    class Meta:
        ordering = ["-version"]
        verbose_name_plural = "scoring policies"
        constraints = [
            models.CheckConstraint(condition=Q(appeal_fee_minor=0), name="policy_appeals_are_free"),
            models.CheckConstraint(
                condition=Q(max_share_percent__gte=1, max_share_percent__lte=100), name="policy_share_is_a_share"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="used_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                IF EXISTS (SELECT 1 FROM scoring_cyclepolicy WHERE policy_id = OLD.id) THEN
                    RAISE EXCEPTION 'A scoring policy that a cycle is bound to cannot be changed';
                END IF;
                RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"Scoring policy {self.version}"

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
            max_share_percent=self.max_share_percent,
        )


class CyclePolicy(models.Model):
    """The policy a cycle is scored by, from its first reading on and for good. Until then it is the newest."""

    cycle = models.OneToOneField(Cycle, on_delete=models.PROTECT, related_name="scored_by")
    policy = models.ForeignKey(ScoringPolicy, on_delete=models.PROTECT, related_name="cycles")
    bound_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    bound_at = models.DateTimeField()

    class Meta:
        ordering = ["-cycle__year"]
        verbose_name_plural = "policies of cycles"
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.policy} for {self.cycle}"


class ReadingTime(models.Model):
    """How long it takes to read and judge an entry of one factor, films apart. An estimate, to share work by."""

    factor = models.OneToOneField(Factor, on_delete=models.PROTECT, related_name="reading_time")
    minutes = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1)], help_text="Documents and the sheet; the length of its films comes on top"
    )

    class Meta:
        ordering = ["factor"]

    def __str__(self) -> str:
        return f"{self.factor}: {self.minutes} minutes"


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
