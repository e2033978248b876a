"""What one candidate hands in for one factor in one cycle."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q

from candidates.models import Cycle, Extension, Registration, new_code
from portfolios import permissions
from portfolios.models.catalogue import Factor
from portfolios.models.uploads import Upload


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: Any) -> "EntryQuerySet":
        return self.filter(permissions.entries_visible_to(user))

    def owned_by(self, user: Any) -> "EntryQuerySet":
        """Whose work it is: staff may look at an entry, only its candidate acts on it."""
        return self.filter(permissions.entries_owned_by(user))

    def with_slots(self) -> "EntryQuerySet":
        """With all that completeness looks at, from the tables: a fixed number of queries for any number of entries."""
        alive = Upload.objects.exclude(state__in=Upload.GONE)
        return self.select_related("registration__cohort", "registration__user", "cycle", "factor").prefetch_related(
            "factor__requirements",
            "registration__extensions",
            Prefetch("uploads", alive.select_related("requirement", "consent__text")),
        )

    def with_files(self) -> "EntryQuerySet":
        """With their files alone; portfolios/entries.py completes them from memory, for pages."""
        alive = Upload.objects.exclude(state__in=Upload.GONE)
        return self.prefetch_related(Prefetch("uploads", alive.select_related("consent")))

    def revivable(self, at: datetime) -> "EntryQuerySet":
        """Lapsed, but their candidate was granted a closing that is still to come."""
        granted = Extension.objects.filter(registration=OuterRef("registration"), cycle=OuterRef("cycle"))
        return self.filter(Exists(granted.filter(closes_at__gt=at)), status=Entry.Status.LAPSED)

    def locked(self) -> "EntryQuerySet":
        """Handed in for good, at the closing of their window: what scoring works on."""
        return self.filter(status=Entry.Status.LOCKED)


class Entry(models.Model):
    """What one candidate hands in for one factor in one cycle. A retake is another entry of a later cycle."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        LOCKED = "locked", "Handed in"
        LAPSED = "lapsed", "Not handed in"

    NEXT: dict[str, set[str]] = {
        Status.DRAFT: {Status.SUBMITTED, Status.LAPSED},
        Status.SUBMITTED: {Status.DRAFT, Status.LOCKED},
        Status.LOCKED: set(),
        Status.LAPSED: {Status.DRAFT},  # by an extension that was granted after the closing
    }

    class Outcome(models.TextChoices):
        NONE = "", "Not released"
        BANKED = "banked", "Accomplished"
        FELL_SHORT = "fell_short", "Fell short"

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="entries")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="entries")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="entries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    is_retake = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    was_auto_submitted = models.BooleanField(default=False, help_text="Complete at closing, so the portal submitted it")
    locked_at = models.DateTimeField(null=True, blank=True)
    manifest: Any = models.JSONField(
        null=True, blank=True, help_text="Frozen at submission: every file with size, fingerprint and time"
    )
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    receipt_code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    outcome = models.CharField(
        max_length=10,
        choices=Outcome.choices,
        default=Outcome.NONE,
        blank=True,
        help_text="Written by the release of its score",
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["factor__number", "cycle__year"]
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["registration", "factor", "cycle"], name="entry_once_per_cycle"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "lapsed"])
                | Q(submitted_at__isnull=False, manifest__isnull=False) & ~Q(manifest_sha256=""),
                name="entry_submitted_has_manifest",
            ),
            models.CheckConstraint(
                condition=~Q(status="locked") | Q(locked_at__isnull=False), name="entry_locked_has_time"
            ),
        ]
        indexes = [models.Index(fields=["cycle", "status"], name="entry_cycle_status")]

    def __str__(self) -> str:
        return f"Entry {self.pk}: factor {self.factor_id}, cycle {self.cycle_id}"

    @property
    def is_editable(self) -> bool:
        return self.status == self.Status.DRAFT
