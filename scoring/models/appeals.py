"""What may still change about a result that was told: appeals of candidates, corrections by staff."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import models
from django.db.models import F, Q

from candidates.models import Cycle, User
from portfolios.models import Entry, Hold
from scoring import permissions
from scoring.models.results import FactorScore, Result


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: Any) -> "AppealQuerySet":
        return self.filter(permissions.appeals_visible_to(user))

    def open(self) -> "AppealQuerySet":
        return self.filter(state=Appeal.State.OPEN)

    def standing(self) -> "AppealQuerySet":
        """All but those taken back."""
        return self.exclude(state=Appeal.State.WITHDRAWN)

    def before(self, cycle: Cycle) -> "AppealQuerySet":
        """About scores of the candidates who are in their three years in this cycle, told at earlier releases."""
        years = (cycle.year - 3, cycle.year - 1)
        return self.filter(entry__registration__cohort__year__range=years, entry__cycle__year__lt=cycle.year)


class Appeal(models.Model):
    """That a candidate asks for one released score to be verified by somebody who has not read the entry."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DECIDED = "decided", "Decided"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", "Score confirmed"
        RAISED = "raised", "Score raised"

    NEXT: dict[str, set[str]] = {
        State.OPEN: {State.DECIDED, State.WITHDRAWN},
        State.DECIDED: set(),
        State.WITHDRAWN: set(),
    }

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="appeals")
    score = models.ForeignKey(
        FactorScore, on_delete=models.PROTECT, related_name="appeals", help_text="As it stood when it was asked for"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.TextField(help_text="The candidate's own words; no reader sees them")
    asked_at = models.DateTimeField()
    decide_by = models.DateTimeField(help_text="The first instant that is later than what the candidate was told")
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="+", help_text="Keeps the entry's files")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    numerator = models.PositiveIntegerField(null=True, blank=True, help_text="What the readings come to together")
    denominator = models.PositiveIntegerField(null=True, blank=True)
    words = models.TextField(blank=True, help_text="What staff say to the candidate with the decision")
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was decided or taken back")
    result = models.ForeignKey(
        Result, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Made by a raised score"
    )

    objects = AppealQuerySet.as_manager()

    class Meta:
        ordering = ["decide_by", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["entry"], condition=~Q(state="withdrawn"), name="appeal_once"),
            models.CheckConstraint(condition=Q(state="open") | Q(ended_at__isnull=False), name="appeal_end_has_time"),
            models.CheckConstraint(
                condition=~Q(state="decided")
                | Q(decided_by__isnull=False, numerator__isnull=False, denominator__gt=0) & ~Q(outcome=""),
                name="appeal_decided_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="raised", result__isnull=False) | ~Q(outcome="raised") & Q(result=None),
                name="appeal_raised_has_result",
            ),
        ]

    def __str__(self) -> str:
        return f"Appeal of entry {self.entry_id}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def verified(self) -> Fraction | None:
        """What the readings came to together; lower than the score where that is confirmed all the same."""
        return None if self.numerator is None or not self.denominator else Fraction(self.numerator, self.denominator)

    def is_late(self, at: datetime) -> bool:
        return self.is_open and at >= self.decide_by


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def proposed(self) -> "CorrectionQuerySet":
        return self.filter(state=Correction.State.PROPOSED)


class Correction(models.Model):
    """That staff found a released score to be wrong: proposed by one, made by another's approval."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        WITHDRAWN = "withdrawn", "Withdrawn"

    NEXT: dict[str, set[str]] = {
        State.PROPOSED: {State.APPROVED, State.WITHDRAWN},
        State.APPROVED: set(),
        State.WITHDRAWN: set(),
    }

    result = models.ForeignKey(
        Result, on_delete=models.PROTECT, related_name="corrections", help_text="What it replaces"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    scores: Any = models.JSONField(help_text="Entry to its right score, as [numerator, denominator]")
    reason = models.TextField(help_text="The candidate reads it")
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was approved or taken back")
    made = models.ForeignKey(Result, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["result"], condition=Q(state="proposed"), name="correction_one_proposed"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")), name="correction_takes_two"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | Q(approved_by__isnull=False, ended_at__isnull=False, made__isnull=False),
                name="correction_approved_has_result",
            ),
        ]

    def __str__(self) -> str:
        return f"Correction of result {self.result_id}"
