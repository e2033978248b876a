"""Purchase orders, and the checks and transfers that arrive for them."""

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q

from candidates.models import Registration, User
from icg_cert.lib.money import Money
from payments import permissions


def purchase_order_path(order: Any = None, filename: str = "") -> str:
    return f"purchase-orders/{uuid4().hex}.pdf"


class PurchaseOrderQuerySet(models.QuerySet["PurchaseOrder"]):
    def visible_to(self, user: Any) -> "PurchaseOrderQuerySet":
        return self.filter(permissions.payments_visible_to(user))

    def live(self) -> "PurchaseOrderQuerySet":
        """Being checked or accepted: at most one per registration."""
        return self.filter(state__in=PurchaseOrder.LIVE)


class PurchaseOrder(models.Model):
    """A district's promise to pay. Accepted, it holds a seat; only a remittance is money."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", "Being checked"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        CANCELLED = "cancelled", "Cancelled"

    LIVE = [State.SUBMITTED, State.ACCEPTED]
    NEXT: dict[str, set[str]] = {
        State.SUBMITTED: {State.ACCEPTED, State.REFUSED, State.CANCELLED},
        State.ACCEPTED: {State.CANCELLED},
        State.REFUSED: set(),
        State.CANCELLED: set(),
    }

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="purchase_orders")
    payer_name = models.CharField("district or organisation", max_length=150)
    payer_email = models.EmailField("accounts payable e-mail")
    number = models.CharField("purchase order number", max_length=60)
    number_normalised = models.CharField(max_length=60, editable=False)
    issued_on = models.DateField("date on the purchase order")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    document = models.FileField(upload_to=purchase_order_path)
    document_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUBMITTED)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="What the candidate is told about a refusal")

    objects = PurchaseOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        indexes = [models.Index(fields=["-submitted_at", "-id"], name="purchase_order_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"],
                condition=Q(state__in=["submitted", "accepted"]),
                name="purchase_order_one_live",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("submitted_by")),
                name="purchase_order_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"Purchase order {self.number} of {self.payer_name}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Remittance(models.Model):
    """A check or bank transfer that arrived for an accepted purchase order, entered by finance."""

    class Kind(models.TextChoices):
        CHECK = "check", "Check"
        ACH = "ach", "Bank transfer (ACH)"

    purchase_order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="remittances")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.CharField("check or trace number", max_length=60)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    received_on = models.DateField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ["-entered_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["purchase_order", "kind", "number"], name="remittance_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
