"""Money that goes back: duplicates, overpayments, and nothing else. Two people."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from candidates.models import User
from icg_cert.lib.money import Money
from payments.models.ledger import LedgerEntry


class Refund(models.Model):
    """One return of money, asked for by one person and approved by another before anything leaves.

    `entry` is what came in: a charge, which goes back through its provider, or a remittance, which goes back by a check
    whose number is `reference`. What really went back stands in the ledger.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Waits for approval"
        DECLINED = "declined", "Not approved"
        APPROVED = "approved", "Approved, not sent yet"
        UNKNOWN = "unknown", "Sent, no answer yet"
        DONE = "done", "Returned"
        FAILED = "failed", "Could not be returned"

    LIVE = [State.REQUESTED, State.APPROVED, State.UNKNOWN]
    NEXT: dict[str, set[str]] = {
        State.REQUESTED: {State.DECLINED, State.APPROVED},
        State.DECLINED: set(),
        State.APPROVED: {State.UNKNOWN, State.DONE, State.FAILED},
        State.UNKNOWN: {State.DONE, State.FAILED},
        State.DONE: {State.FAILED},
        State.FAILED: set(),
    }

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="refunds")
    key = models.UUIDField(unique=True, default=uuid4, editable=False, help_text="Told to the provider, stored first")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    reference = models.CharField(
        max_length=200, blank=True, help_text="The provider's name of it, or our check's number"
    )
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="refund_decided_by_another"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_of_something"),
        ]

    def __str__(self) -> str:
        return f"Refund of {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
