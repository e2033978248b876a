"""What the fee for a number of coaches would cost: the paper with which a district begins."""

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q

from candidates.models import Cohort, Registration, User
from icg_cert.lib.money import Money
from payments import permissions


def quote_path(row: object = None, filename: str = "") -> str:
    return f"quotes/{uuid4().hex}.pdf"


class QuoteQuerySet(models.QuerySet["Quote"]):
    def visible_to(self, user: Any) -> "QuoteQuerySet":
        return self.filter(permissions.quotes_visible_to(user))


class Quote(models.Model):
    """Frozen when made. Whoever holds its signed link opens it, hands in the order it led to, and follows that one."""

    number = models.CharField(max_length=20, unique=True)
    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="quotes")
    registration = models.ForeignKey(
        Registration,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="quotes",
        help_text="The coach it is for, where a candidate asked for their own seat",
    )
    payer_name = models.CharField("district or organisation", max_length=150)
    contact_name = models.CharField(max_length=150)
    contact_email = models.EmailField()
    seats = models.PositiveSmallIntegerField()
    price_minor = models.PositiveIntegerField(help_text="Of one seat: the cohort's fee when it was made")
    currency = models.CharField(max_length=3)
    content: Any = models.JSONField(help_text="Everything the PDF says, frozen")
    document = models.FileField(upload_to=quote_path)
    document_sha256 = models.CharField(max_length=64)
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    valid_until = models.DateTimeField(help_text="The first instant that is too late")

    objects = QuoteQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(seats__gte=1), name="quote_for_somebody")]

    def __str__(self) -> str:
        return f"Quote {self.number}"

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def money(self) -> Money:
        return self.price * self.seats


class NumberSeries(models.Model):
    """The last number given out in a year: "Q" quotes, "INV" invoices, "CN" credit notes. Locked while it is raised."""

    kind = models.CharField(max_length=5)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="number_series_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}: {self.last}"
