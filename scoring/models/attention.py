"""How long a sheet took."""

from django.db import models

from scoring.models.readings import Sheet


class TimeOnSheet(models.Model):
    """Seconds somebody was at a sheet. A figure to plan by; it judges nobody and stands in no public place."""

    sheet = models.OneToOneField(Sheet, on_delete=models.CASCADE, related_name="time")
    seconds = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField(help_text="The last sign of life")
    is_estimated = models.BooleanField(default=True, help_text="From saves alone: the page ran no script")

    def __str__(self) -> str:
        return f"Time on sheet {self.sheet_id}"
