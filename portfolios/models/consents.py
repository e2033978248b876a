"""The ledger of consents: what the people seen in a film agreed to, and what they took back."""

import pgtrigger
from django.db import models
from django.db.models import Q

from candidates.models import PolicyText, User
from portfolios.models.uploads import Upload

# Rows are added and never changed, with one exception: the names of the release forms name people, so they go when
# the film goes. What was agreed, by which text, when, and who said so, stays.
append_only = [
    pgtrigger.Protect(name="append_only", operation=pgtrigger.Delete),
    pgtrigger.ReadOnly(name="releases_alone_change", exclude=["releases"]),
    pgtrigger.Protect(
        name="releases_are_only_forgotten", operation=pgtrigger.Update, condition=~pgtrigger.Q(new__releases="")
    ),
]


class Consent(models.Model):
    """One thing the candidate, or staff, stated about the people in one film. The newest of its purpose stands."""

    class Purpose(models.TextChoices):
        SCORING = "scoring", "Scoring"
        TRAINING = "training", "Training of scorers"

    class Act(models.TextChoices):
        GIVEN = "given", "Given"
        WITHDRAWN = "withdrawn", "Withdrawn"

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    act = models.CharField(max_length=10, choices=Act.choices)
    text = models.ForeignKey(
        PolicyText, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="What was agreed to"
    )
    releases = models.TextField(
        blank=True,
        help_text="The signed forms the candidate holds, one a line. Shown to them and staff; deleted with the film",
    )
    reason = models.TextField(blank=True, help_text="Of a withdrawal")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["upload", "at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(act="withdrawn", releases="") | Q(act="given", text__isnull=False, reason=""),
                name="consent_given_to_a_text",
            ),
        ]
        triggers = append_only

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_act_display().lower()}"

    @property
    def is_given(self) -> bool:
        return self.act == self.Act.GIVEN
