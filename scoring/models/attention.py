"""How long a sheet took, and who read along."""

from django.db import models
from django.db.models import Q

from candidates.models import User
from scoring.models.readings import Sheet


class TimeOnSheet(models.Model):
    """Seconds somebody was at a sheet. A figure to plan by; it judges nobody and stands in no public place."""

    sheet = models.OneToOneField(Sheet, on_delete=models.CASCADE, related_name="time")
    seconds = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField(help_text="The last sign of life")
    is_estimated = models.BooleanField(default=True, help_text="From saves alone: the page ran no script")

    def __str__(self) -> str:
        return f"Time on sheet {self.sheet_id}"


class BackReading(models.Model):
    """That a lead read along one sheet that counts, and what they said to its scorer. It changes no value."""

    class View(models.TextChoices):
        SAME = "same", "I would value it the same"
        NEAR = "near", "Close; see my note"
        TALK = "talk", "Let us talk about it"

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="back_readings")
    lead = models.ForeignKey(User, on_delete=models.PROTECT, related_name="back_readings")
    opened_at = models.DateTimeField()
    view = models.CharField(max_length=5, choices=View.choices, blank=True)
    note = models.TextField(blank=True, help_text="To the scorer")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "lead"], name="back_reading_once"),
            models.CheckConstraint(condition=Q(sent_at=None) | ~Q(view=""), name="back_reading_sent_says_something"),
        ]

    def __str__(self) -> str:
        return f"Back-reading of sheet {self.sheet_id}"
