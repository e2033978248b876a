"""What the programme asks for: its success factors and the requirements of each."""

from django.db import models
from django.db.models import F, Q

from candidates.models import new_edition


class Factor(models.Model):
    """One of the programme's success factors; a candidate hands in one entry for each."""

    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=100)
    summary = models.TextField(help_text="What this entry shows, in a sentence or two")

    class Meta:
        ordering = ["number"]
        triggers = [new_edition]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"


class Requirement(models.Model):
    """One thing an entry must (or may) hold, with its limits."""

    class Kind(models.TextChoices):
        DOCUMENT = "document", "Document"
        VIDEO = "video", "Video"
        FORM = "form", "Completed form"

    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="requirements")
    key = models.SlugField(help_text="Stable name within the factor, used by the programme file")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=120)
    instructions = models.TextField()
    minimum = models.PositiveSmallIntegerField(default=1, help_text="0 means optional")
    maximum = models.PositiveSmallIntegerField(default=1)
    max_minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Videos: longest allowed")
    max_pages = models.PositiveSmallIntegerField(null=True, blank=True, help_text="PDF documents: most pages allowed")

    class Meta:
        ordering = ["factor", "position"]
        constraints = [
            models.UniqueConstraint(fields=["factor", "key"], name="requirement_key"),
            models.CheckConstraint(
                condition=Q(minimum__lte=F("maximum")) & Q(maximum__gte=1), name="requirement_counts"
            ),
            models.CheckConstraint(
                condition=Q(kind="video") | Q(max_minutes=None), name="requirement_minutes_of_videos"
            ),
        ]
        triggers = [new_edition]

    def __str__(self) -> str:
        return f"{self.factor.number}. {self.title}"

    @property
    def is_optional(self) -> bool:
        return self.minimum == 0

    @property
    def is_video(self) -> bool:
        return self.kind == self.Kind.VIDEO
