"""Charges that a payer's bank questions."""

from django.db import models

from icg_cert.lib.money import Money
from payments.models.attempts import Attempt


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> "DisputeQuerySet":
        return self.filter(standing=Dispute.Standing.OPEN)


class Dispute(models.Model):
    """As the provider last told it. What it moved stands in the ledger."""

    class Standing(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Decided for us"
        LOST = "lost", "Decided for the payer"

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=200)
    standing = models.CharField(max_length=10, choices=Standing.choices)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()
    answer_by = models.DateTimeField(null=True, blank=True, help_text="Until when the provider takes our evidence")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "ref"], name="dispute_once")]

    def __str__(self) -> str:
        return f"Dispute {self.ref}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
