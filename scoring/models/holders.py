"""What certified coaches let others see of them."""

from django.db import models
from django.db.models import Q

from candidates.models import User


class HolderChoices(models.Model):
    """One person's choices, for every certificate of theirs. Without a row, the defaults hold (scoring/privacy.py)."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="holder_choices")
    shows_name = models.BooleanField(help_text="On the verification page")
    is_listed = models.BooleanField(help_text="In the public directory")
    state = models.CharField(max_length=2, blank=True, help_text="Shown in the directory; a key of scoring/states.py")
    shows_district = models.BooleanField(help_text="In the directory")
    names_email = models.BooleanField(help_text="As a salted hash, in the badge")
    chosen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "holders' choices"
        constraints = [
            models.CheckConstraint(condition=Q(is_listed=False) | Q(shows_name=True), name="listed_shows_name"),
        ]

    def __str__(self) -> str:
        return f"Choices of {self.user_id}"
