"""What the portal makes from an upload. Scorers see these and never the file as it came."""

from django.db import models

from portfolios.models.uploads import Upload


class Rendition(models.Model):
    """One file made from an upload. Every derived file has its row, so that purging finds them all."""

    class Kind(models.TextChoices):
        QUICK = "quick", "The same film in a container that plays at once, without metadata"
        FILM = "film", "The film at 720p in H.264 and AAC, without metadata"
        POSTER = "poster", "The first picture"
        CAPTIONS = "captions", "Captions as WebVTT"
        CLEAN = "clean", "The document without its author's data"
        PREVIEW = "preview", "The document as PDF"

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    storage_key = models.CharField(max_length=200, unique=True)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="Bytes")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["upload", "kind"]
        constraints = [models.UniqueConstraint(fields=["upload", "kind"], name="rendition_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.upload_id}"
