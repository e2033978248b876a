"""The checks and transfers that payers send, and what of them goes to which seat."""

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from candidates.models import User
from icg_cert.lib.money import Money
from payments.models.ledger import LedgerEntry
from payments.models.orders import Seat
from payments.models.payers import Payer
from payments.models.refunds import Refund


class RemittanceQuerySet(models.QuerySet["Remittance"]):
    def with_left(self) -> "RemittanceQuerySet":
        """Each with `given_minor`, what is for seats, and `left_minor`, what is for none and was not asked back.

        Below zero when more went back than was left of it.
        """
        given = Allocation.objects.standing().filter(remittance=OuterRef("pk")).order_by().values("remittance")
        back = LedgerEntry.objects.filter(corrects=OuterRef("entry")).exclude(kind=LedgerEntry.Kind.TRANSFER)
        asked = Refund.objects.filter(entry=OuterRef("entry"), state__in=Refund.LIVE).order_by().values("entry")
        return self.annotate(
            given_minor=_total(given),
            back_minor=_total(back.order_by().values("corrects")),
            asked_minor=_total(asked),
            left_minor=F("amount_minor") + F("back_minor") - F("given_minor") - F("asked_minor"),
        )


def _total(rows: models.QuerySet) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(total=Sum("amount_minor")).values("total")), 0)


class Remittance(models.Model):
    """A check or bank transfer of a payer, entered by finance. A check that bounced is reversed, never deleted."""

    class Kind(models.TextChoices):
        CHECK = "check", "Check"
        ACH = "ach", "Bank transfer (ACH)"

    payer = models.ForeignKey(Payer, on_delete=models.PROTECT, related_name="remittances")
    entry = models.OneToOneField(
        LedgerEntry, on_delete=models.PROTECT, related_name="remittance", help_text="The fact that it came"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.CharField("check or trace number", max_length=60)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    received_on = models.DateField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    reversed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reversed_at = models.DateTimeField(null=True, blank=True)
    reversal_reason = models.TextField(blank=True)

    objects = RemittanceQuerySet.as_manager()

    class Meta:
        ordering = ["-entered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["payer", "kind", "number"], name="remittance_once_of_payer"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="remittance_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def left(self) -> Money:
        """Of one read `with_left`."""
        return Money(self.left_minor, self.currency)  # type: ignore[attr-defined]


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def standing(self) -> "AllocationQuerySet":
        return self.filter(undone_at=None)


class Allocation(models.Model):
    """So much of a remittance for so much of a seat. Undone when the check bounces or the seat is given back."""

    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="allocations")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="allocations")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(amount_minor__gt=0), name="allocation_of_something")]

    def __str__(self) -> str:
        return f"{self.money} of {self.remittance_id} for {self.seat_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
