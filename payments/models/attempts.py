"""Tries to pay with a provider, what the provider calls them, and the calls that may move money."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q

from candidates.models import PolicyText, Registration
from icg_cert.lib.money import Money
from payments import permissions


class PolicyAcceptance(models.Model):
    """That a candidate accepted a version of the no-refund text, and when: shown and stored before any payment."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="policy_acceptances")
    text = models.ForeignKey(PolicyText, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registration", "text"], name="policy_accepted_once")]

    def __str__(self) -> str:
        return f"{self.text} by {self.registration_id}"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible_to(self, user: Any) -> "AttemptQuerySet":
        return self.filter(permissions.payments_visible_to(user))

    def live(self) -> "AttemptQuerySet":
        return self.filter(state__in=Attempt.LIVE)

    def unresolved(self, before: datetime) -> "AttemptQuerySet":
        """Live attempts opened before an instant: nobody came back with the answer, so we go and ask."""
        return self.live().filter(opened_at__lt=before)


class Attempt(models.Model):
    """One try to pay one registration's fee with one provider."""

    class State(models.TextChoices):
        CREATED = "created", "Created"
        OPENING = "opening", "Opening"
        OPEN = "open", "Open"
        PROCESSING = "processing", "Being confirmed"
        UNKNOWN = "unknown", "Being looked up"
        PAID = "paid", "Paid"
        FAILED = "failed", "Declined"
        EXPIRED = "expired", "Expired"
        CLOSED = "closed", "Closed"

    LIVE = [State.CREATED, State.OPENING, State.OPEN, State.PROCESSING, State.UNKNOWN]
    # Money may have moved and we do not know; a page that merely waits for the payer is not in doubt.
    IN_DOUBT = [State.PROCESSING, State.UNKNOWN]
    # Late truth wins: what looked over may still turn out paid. UNKNOWN is left only by asking the provider.
    NEXT: dict[str, set[str]] = {
        State.CREATED: {State.OPENING, State.CLOSED},
        State.OPENING: {
            State.OPEN,
            State.PROCESSING,
            State.UNKNOWN,
            State.PAID,
            State.FAILED,
            State.EXPIRED,
            State.CLOSED,
        },
        State.OPEN: {State.PROCESSING, State.UNKNOWN, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.PROCESSING: {State.UNKNOWN, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.UNKNOWN: {State.OPEN, State.PROCESSING, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.FAILED: {State.PAID},
        State.EXPIRED: {State.PAID},
        State.CLOSED: {State.PAID},
        State.PAID: set(),
    }

    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=20)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CREATED)
    idem_key = models.CharField(max_length=80, unique=True)
    request: Any = models.JSONField(
        default=dict, help_text="Exactly what was asked of the provider, frozen with the key"
    )
    url = models.URLField(max_length=2000, blank=True)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    facts_at = models.DateTimeField(null=True, blank=True, help_text="When the newest applied facts were fetched")
    problem = models.CharField(max_length=200, blank=True, help_text="Why it was declined, in words for the payer")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="attempt_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"],
                condition=Q(state__in=["created", "opening", "open", "processing", "unknown"]),
                name="attempt_one_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.public_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderRef(models.Model):
    """A name the provider gave to something of an attempt: session, charge, order, capture, dispute."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refs")
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    ref = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "kind", "ref"], name="provider_ref_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.ref}"


class ProviderCall(models.Model):
    """A call to a provider that may move money, committed before it leaves, so that a crash leaves a trace."""

    class Outcome(models.TextChoices):
        PENDING = "pending", "Under way"
        OK = "ok", "Answered"
        ERROR = "error", "Refused"
        UNKNOWN = "unknown", "No answer"

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="calls")
    operation = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.PENDING)

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.operation} of {self.attempt_id}: {self.outcome}"
