"""Who may read at all, and who knows whom: qualifications, signed statements, declared ties."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import F, Q

from candidates.models import Cycle, PolicyText, User
from portfolios.models import Factor


class QualificationQuerySet(models.QuerySet["Qualification"]):
    def in_force(self, at: datetime) -> "QualificationQuerySet":
        return self.filter(Q(lapsed_at=None) | Q(lapsed_at__gt=at), qualified_at__lte=at)


class Qualification(models.Model):
    """That a scorer may read entries of one factor, from when to when."""

    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="qualifications")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="+")
    qualified_at = models.DateTimeField()
    lapsed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(help_text="How it was found that they are qualified")
    lapsed_reason = models.TextField(blank=True, help_text="Why it holds no longer")

    objects = QualificationQuerySet.as_manager()

    class Meta:
        ordering = ["scorer", "factor", "-qualified_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["scorer", "factor"], condition=Q(lapsed_at=None), name="qualification_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(lapsed_at=None) | Q(lapsed_at__gte=F("qualified_at")),
                name="qualification_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"Qualification of {self.scorer_id} for factor {self.factor_id}"


class Statement(models.Model):
    """That a scorer signed, for one cycle, to say whom they know and to judge without regard to it."""

    scorer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="statements")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    text = models.ForeignKey(PolicyText, on_delete=models.PROTECT, related_name="+")
    signature = models.CharField(max_length=150)
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["-signed_at"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [models.UniqueConstraint(fields=["scorer", "cycle"], name="statement_once")]

    def __str__(self) -> str:
        return f"Statement of {self.scorer_id} for {self.cycle}"


class DeclaredTie(models.Model):
    """That a candidate or a scorer knows somebody, or has worked somewhere, in their own words.

    Nobody sees who is on the other side, so it names people and places and points at no row.
    """

    class Relation(models.TextChoices):
        COACHED_ME = "coached_me", "They coached or trained me"
        COACHED_BY_ME = "coached_by_me", "I coached or trained them"
        COLLEAGUE = "colleague", "We work or worked together"
        CLOSE = "close", "Family, friend or partner"
        PLACE = "place", "A district, employer or school I worked with"
        OTHER = "other", "Something else"

    declared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="declared_ties")
    name = models.CharField(max_length=150, help_text="A person's full name, or a district, employer or school")
    email = models.EmailField(blank=True)
    relation = models.CharField(max_length=15, choices=Relation.choices)
    declared_at = models.DateTimeField()

    class Meta:
        ordering = ["-declared_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["declared_by", "name", "email"], name="tie_declared_once")]

    def __str__(self) -> str:
        return f"Tie declared by {self.declared_by_id}"


class PublicMailDomain(models.Model):
    """A mail provider for everybody: two addresses of it say nothing about their owners."""

    domain = models.CharField(max_length=100, unique=True, help_text="In small letters, as gmail.com")

    class Meta:
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain
