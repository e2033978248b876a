"""When our books were held against the providers', and what did not agree."""

from typing import Any

from django.db import models


class Reconciliation(models.Model):
    """One run. `findings` are [code, words] pairs, the first two hundred; `counts` says how much was looked at."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(help_text="What happened at the providers from then on was compared")
    counts: Any = models.JSONField(default=dict)
    findings: Any = models.JSONField(default=list)
    drift = models.PositiveIntegerField(default=0, help_text="How many things did not agree")

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"Reconciliation of {self.started_at:%Y-%m-%d %H:%M} UTC"
