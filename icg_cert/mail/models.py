"""The outbox: a message is a row, written with the change it tells of, and sent after commit until it is out."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, at: datetime) -> "MessageQuerySet":
        return self.filter(state=Message.State.QUEUED, next_try_at__lte=at).order_by("next_try_at", "pk")


class Message(models.Model):
    """One e-mail to one address. `key` makes it at most one per fact: queueing the same key again does nothing."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"

    # Waits before the second, third ... try; after the last the message is given up and staff see it.
    BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720, 1440)]

    key = models.CharField(max_length=120, unique=True)
    event = models.CharField(max_length=60)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body_text = models.TextField()
    body_html = models.TextField()
    attachment = models.CharField(max_length=200, blank=True, help_text="Its name in the storage; read when sent")
    attachment_name = models.CharField(max_length=100, blank=True, help_text="As the reader sees it")
    context: Any = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at", "-pk"]
        indexes = [models.Index(fields=["next_try_at"], condition=models.Q(state="queued"), name="message_due")]

    def __str__(self) -> str:
        return f"{self.event} {self.key}"
