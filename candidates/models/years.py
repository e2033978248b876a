"""Cohorts and cycles: the windows of each year."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from candidates.models.programme import new_edition
from icg_cert.lib.money import Money
from icg_cert.lib.windows import Phase, Window, last_day


class CohortQuerySet(models.QuerySet["Cohort"]):
    def open(self, at: datetime) -> "CohortQuerySet":
        return self.filter(registration_opens_at__lte=at, registration_closes_at__gt=at)


class Cohort(models.Model):
    """All who register in one window. `year` is the autumn in which it opens; their cycles are year + 1, + 2, + 3."""

    year = models.PositiveSmallIntegerField(unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    registration_opens_at = models.DateTimeField()
    registration_closes_at = models.DateTimeField(help_text="The first instant that is too late")
    fee_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["-year"]
        triggers = [new_edition]
        constraints = [
            models.CheckConstraint(
                condition=Q(registration_opens_at__lt=F("registration_closes_at")), name="cohort_opens_before_it_closes"
            ),
        ]

    def __str__(self) -> str:
        return f"Cohort {self.number} ({self.year})"

    @property
    def window(self) -> Window:
        return Window(self.registration_opens_at, self.registration_closes_at)

    def phase(self, at: datetime) -> Phase:
        return self.window.phase(at)

    @property
    def last_day(self) -> date:
        return last_day(self.registration_closes_at, settings.TIME_ZONE)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def cycle_years(self) -> range:
        return range(self.year + 1, self.year + 4)


class Cycle(models.Model):
    """One submission window and its release, shared by the three cohorts in their years 1, 2 and 3."""

    year = models.PositiveSmallIntegerField(unique=True)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField(help_text="The first instant that is too late to begin")
    grace_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="An upload that began in time may finish within these"
    )
    releases_at = models.DateTimeField(
        help_text="The announced instant; the release itself is prepared and approved by two people"
    )
    directions = models.TextField(
        blank=True, help_text="Submission directions for this year, shown and sent in advance"
    )

    class Meta:
        ordering = ["-year"]
        triggers = [new_edition]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")) & Q(closes_at__lt=F("releases_at")),
                name="cycle_opens_closes_releases",
            ),
        ]

    def __str__(self) -> str:
        return f"Cycle {self.year}"

    @property
    def window(self) -> Window:
        return Window(self.opens_at, self.closes_at)

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.grace_minutes)

    @property
    def last_day(self) -> date:
        return last_day(self.closes_at, settings.TIME_ZONE)
