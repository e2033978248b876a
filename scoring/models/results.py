"""What is told, and when: releases, results, certificates."""

from datetime import datetime
from fractions import Fraction
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q

from candidates.models import Cycle, Registration, User, new_code
from portfolios.models import Entry
from scoring import permissions
from scoring.models.gate import DryRun
from scoring.models.rubrics import Rubric, ScoringPolicy


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
    run = models.ForeignKey(
        DryRun,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="releases",
        help_text="What was prepared and is approved; empty for releases from before there were dry runs",
    )
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

    @classmethod
    def locked(cls) -> "models.QuerySet[Release]":
        """Under lock and nothing else: their order by year would lock cycles, too, which whoever prepares holds."""
        return cls.objects.select_for_update(of=("self",))


class ResultQuerySet(models.QuerySet["Result"]):
    def visible_to(self, user: Any) -> "ResultQuerySet":
        return self.filter(permissions.results_visible_to(user))

    def due(self, at: datetime) -> "ResultQuerySet":
        """What is out at `at`, whether or not it is withheld: approved by two, the instant reached, not superseded."""
        return self._out(at).filter(superseded_at=None)

    def earlier(self, at: datetime) -> "ResultQuerySet":
        """What was told once and has been replaced since: kept, and still to be read."""
        return self._out(at).filter(superseded_at__lte=at, told_at__isnull=False)

    def _out(self, at: datetime) -> "ResultQuerySet":
        return self.filter(
            cycle__release__state__in=[Release.State.APPROVED, Release.State.RELEASED],
            cycle__release__releases_at__lte=at,
            released_at__lte=at,
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
    superseded_reason = models.TextField(blank=True, help_text="The candidate reads it")
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", help_text="An earlier one"
    )

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
    def is_withheld(self) -> bool:
        """Whether it waits for the fee: that it waits may be said, nothing of it may be shown."""
        return not self.registration.is_settled

    @property
    def total(self) -> Fraction:
        return Fraction(self.total_numerator, self.total_denominator)


class FactorScore(models.Model):
    """The released score of one entry, exact, with how it came about. Never recomputed."""

    class How(models.TextChoices):
        SINGLE = "single", "One scorer"
        AVERAGED = "averaged", "Two scorers, averaged"
        ADJUDICATED = "adjudicated", "Decided by a lead scorer"
        VERIFIED = "verified", "Raised by an appeal"
        CORRECTED = "corrected", "Corrected"

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
        """Certificates that exist at `at`, revoked and replaced ones too."""
        return self.filter(issued_at__lte=at)

    def ended(self, at: datetime) -> "CertificateQuerySet":
        """What was issued and no longer holds: revoked, or replaced by one with another name."""
        return self.issued(at).filter(Q(revoked_at__lte=at) | Q(replaced_at__lte=at))

    def in_force(self, at: datetime) -> "CertificateQuerySet":
        return (
            self.issued(at)
            .filter(Q(revoked_at=None) | Q(revoked_at__gt=at))
            .filter(Q(replaced_at=None) | Q(replaced_at__gt=at))
        )


class Certificate(models.Model):
    """That somebody is certified, as anyone may verify by its code. Append-only but for its end, which is final."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="certificates")
    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="certificates")
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", editable=False
    )
    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    holder_name = models.CharField(max_length=150, help_text="As on the day it was issued")
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.TextField(blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"], condition=Q(replaced_at=None), name="certificate_one_standing"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="append_only", exclude=["revoked_at", "revoked_reason", "replaced_at"]),
            pgtrigger.Protect(
                name="end_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__revoked_at__isnull=False) | pgtrigger.Q(old__replaced_at__isnull=False),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Certificate {self.code}"

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_replaced(self) -> bool:
        return self.replaced_at is not None

    @property
    def awarded_at(self) -> datetime:
        """When its holder became certified; one that replaces another keeps the day."""
        return self.result.released_at
