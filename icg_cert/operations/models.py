"""One row a job: when it last ran, and how. Times are the wall clock's, for a moved rehearsal clock moves no worker."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce


class JobQuerySet(models.QuerySet["Job"]):
    def late(self, at: datetime) -> "JobQuerySet":
        """Those that did not do what they should for a quarter of an hour, whether they failed or never came."""
        return self.alias(well=Coalesce("ended_at", "known_since")).filter(well__lte=at - Job.LATE_AFTER)

    def failing(self) -> "JobQuerySet":
        return self.filter(failures__gt=0)


class Job(models.Model):
    LATE_AFTER = timedelta(minutes=15)

    name = models.CharField(max_length=100, unique=True, help_text="As icg_cert/celery.py lists it")
    known_since = models.DateTimeField()
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it last did what it should")
    seconds = models.FloatField(null=True, blank=True, help_text="How long that took")
    done = models.PositiveIntegerField(null=True, blank=True, help_text="How many rows it moved then")
    failed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row")
    error = models.CharField(
        max_length=100, blank=True, help_text="The kind of the last error; what it said stands in the log"
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(failures=0) | Q(failed_at__isnull=False), name="job_failed_has_time")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def well_at(self) -> datetime:
        """When it last did what it should; since when it is known, when it never did."""
        return self.ended_at or self.known_since

    def is_late(self, at: datetime) -> bool:
        return at - self.well_at >= self.LATE_AFTER
