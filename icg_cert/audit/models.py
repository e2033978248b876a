"""Who did what to what, when and why. Append-only: the database refuses UPDATE and DELETE."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models

append_only = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, obj: models.Model) -> "EventQuerySet":
        return self.filter(object_type=obj._meta.label, object_id=str(obj.pk))


class Event(models.Model):
    """One change of the world. `actor` is empty for what the portal did by itself."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    before: Any = models.JSONField(null=True, blank=True)
    after: Any = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="event_object")]
        triggers = [append_only]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"
