"""How long files are kept: what holds them back, and what each deletion did."""

from typing import Any

from django.db import models
from django.db.models import Q

from candidates.models import Registration, User
from portfolios.models.entries import Entry


class HoldQuerySet(models.QuerySet["Hold"]):
    def standing(self) -> "HoldQuerySet":
        return self.filter(lifted_at=None)


class Hold(models.Model):
    """While it stands, no file of the entry is deleted; without an entry, none of the whole registration."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="holds")
    entry = models.ForeignKey(Entry, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "entry", "reason"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="hold_once_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return f"Hold on {self.entry or self.registration}"


class Purge(models.Model):
    """One deletion of files that were due: what went and why, or, of a dry run, what would have."""

    at = models.DateTimeField()
    is_dry = models.BooleanField("dry run")
    uploads = models.PositiveIntegerField()
    files = models.PositiveIntegerField(help_text="With what the portal had made of them")
    bytes = models.BigIntegerField()
    held = models.PositiveIntegerField(help_text="Due, but held back")
    failed = models.PositiveIntegerField(help_text="The store did not answer; tried again by the next run")
    reasons: Any = models.JSONField(default=dict, help_text="By reason: uploads, files, bytes")

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{'Dry run' if self.is_dry else 'Purge'} of {self.at:%Y-%m-%d %H:%M} UTC"
