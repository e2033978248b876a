"""What providers sent us, as it came."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models

from payments.models.attempts import Attempt


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> "DeliveryQuerySet":
        """Waiting for its first or its next try."""
        return self.filter(state__in=Delivery.WAITING, next_try_at__lte=at)


class Delivery(models.Model):
    """One event a provider sent and we found to be its own. Its bytes are kept; what they say is only a hint."""

    class State(models.TextChoices):
        NEW = "new", "New"
        FAILED = "failed", "To be tried again"
        DONE = "done", "Done"
        IGNORED = "ignored", "Nothing to do"
        DEAD = "dead", "Given up"

    WAITING = [State.NEW, State.FAILED]
    # After the first try, within the three days in which providers themselves deliver again.
    BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720)]

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    body = models.BinaryField()
    headers: Any = models.JSONField(default=dict, help_text="Those that prove who sent it")
    refs: Any = models.JSONField(default=list, help_text="What it speaks of: [kind, name] pairs")
    attempt = models.ForeignKey(Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries")
    attempt_public_id = models.UUIDField(null=True, blank=True, help_text="As the event names it")
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True, help_text="What a person should know of it")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="delivery_once")]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="delivery_newest"),
            models.Index(fields=["next_try_at"], condition=models.Q(state__in=["new", "failed"]), name="delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"
