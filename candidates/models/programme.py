"""What the programme says for every year, and the texts people accept."""

from fractions import Fraction

import pgtrigger
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from icg_cert.lib.money import Money

month_day = RegexValidator(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", "Month and day as MM-DD")


# On every table whose rows are kept in memory (candidates/edition.py). The key is never one that was there before, so
# that a transaction taken back leaves nothing behind that could be mistaken for what follows.
new_edition = pgtrigger.Trigger(
    name="new_edition",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    func="INSERT INTO candidates_edition (id, key) VALUES (1, gen_random_uuid()) "
    "ON CONFLICT (id) DO UPDATE SET key = excluded.key; RETURN NULL;",
)


class Edition(models.Model):
    """Which edition of the programme stands. One row, written by `new_edition` alone."""

    key = models.UUIDField()

    def __str__(self) -> str:
        return str(self.key)


class Programme(models.Model):
    """The calendar and the defaults from which each year's cohort and cycle are made. One row.

    Days are inclusive and in the programme's zone (`settings.TIME_ZONE`); "MM-DD".
    """

    name = models.CharField(max_length=100)
    first_cohort_year = models.PositiveSmallIntegerField(help_text="The autumn in which cohort 1 registered")
    registration_first = models.CharField(max_length=5, validators=[month_day])
    registration_last = models.CharField(
        max_length=5,
        validators=[month_day],
        help_text="In the following year when earlier in the year than the first day",
    )
    submission_first = models.CharField(max_length=5, validators=[month_day])
    submission_last = models.CharField(max_length=5, validators=[month_day])
    release_on = models.CharField(max_length=5, validators=[month_day])
    release_hour = models.PositiveSmallIntegerField(default=9, validators=[MaxValueValidator(23)])
    grace_minutes = models.PositiveSmallIntegerField(default=30)
    fee_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    coaching_percent = models.PositiveSmallIntegerField(default=70, validators=[MaxValueValidator(100)])
    contact_email = models.EmailField()

    class Meta:
        verbose_name_plural = "programme"
        triggers = [new_edition]

    def __str__(self) -> str:
        return self.name

    @property
    def coaching_share(self) -> Fraction:
        return Fraction(self.coaching_percent, 100)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)


class PolicyText(models.Model):
    """A text people accept. What was accepted stays as it was: a change is a new version."""

    class Kind(models.TextChoices):
        ATTESTATION = "attestation", "Eligibility attestation"
        NO_REFUNDS = "no_refunds", "No refunds"
        CONSENT = "consent", "Consent of the people in a video"
        TRAINING = "training", "Use of a video for training scorers"
        IMPARTIALITY = "impartiality", "Statement of scorers"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    version = models.PositiveSmallIntegerField()
    body = models.TextField()

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="policy_text_version")]
        triggers = [new_edition]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"

    @classmethod
    def current(cls, kind: str) -> "PolicyText":
        """The newest version. DoesNotExist until the programme is loaded."""
        return cls.objects.filter(kind=kind).order_by("-version")[:1].get()
