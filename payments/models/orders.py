"""Purchase orders, and the checks and transfers that arrive for them."""

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import F, Q, Sum

from candidates.models import Cohort, Registration, User
from icg_cert.lib.money import Money
from payments import permissions
from payments.models.payers import Payer
from payments.models.quotes import Quote


def purchase_order_path(order: Any = None, filename: str = "") -> str:
    return f"purchase-orders/{uuid4().hex}.pdf"


class PurchaseOrderQuerySet(models.QuerySet["PurchaseOrder"]):
    def visible_to(self, user: Any) -> "PurchaseOrderQuerySet":
        return self.filter(permissions.orders_visible_to(user))

    def live(self) -> "PurchaseOrderQuerySet":
        """Being checked or accepted: at most one per quote, and per payer and number."""
        return self.filter(state__in=PurchaseOrder.LIVE)


class PurchaseOrder(models.Model):
    """A payer's promise to pay for seats. Accepted, it holds them; only a remittance is money."""

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

    payer = models.ForeignKey(Payer, on_delete=models.PROTECT, related_name="orders")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="orders")
    quote = models.ForeignKey(
        Quote,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="orders",
        help_text="What it answers; its signed link is the contact's page. Empty where a coach handed in their own",
    )
    contact_name = models.CharField(max_length=150, blank=True, help_text="Who gets the seat codes and our letters")
    contact_email = models.EmailField(blank=True)
    payable_email = models.EmailField("accounts payable e-mail", help_text="As typed; the payer's once accepted")
    bill_to = models.TextField(blank=True, help_text="As on the order: where the invoice goes")
    ship_to = models.TextField(blank=True, help_text="As on the order: the school or person it is for")
    valid_until = models.DateField(null=True, blank=True, help_text="As on the order, where it says so")
    number = models.CharField("purchase order number", max_length=60)
    number_normalised = models.CharField(max_length=60, editable=False)
    issued_on = models.DateField("date on the purchase order")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    document = models.FileField(upload_to=purchase_order_path)
    document_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUBMITTED)
    submitted_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty where the contact did it through the signed link",
    )
    submitted_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="What we told them: a question, why refused, why cancelled")

    objects = PurchaseOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        indexes = [models.Index(fields=["-submitted_at", "-id"], name="purchase_order_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["payer", "number_normalised"],
                condition=Q(state__in=["submitted", "accepted"]),
                name="purchase_order_number_once",
            ),
            models.UniqueConstraint(
                fields=["quote"], condition=Q(state__in=["submitted", "accepted"]), name="purchase_order_one_of_quote"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("submitted_by")),
                name="purchase_order_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"Purchase order {self.number} of {self.payer}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class SeatQuerySet(models.QuerySet["Seat"]):
    def visible_to(self, user: Any) -> "SeatQuerySet":
        return self.filter(permissions.payments_visible_to(user))

    def live(self) -> "SeatQuerySet":
        """Neither given back nor of an order that was refused or cancelled."""
        return self.exclude(state=Seat.State.RELEASED).filter(order__state__in=PurchaseOrder.LIVE)

    def claimed(self) -> "SeatQuerySet":
        """Live, and somebody's: at most one per registration."""
        return self.filter(state=Seat.State.CLAIMED, order__state__in=PurchaseOrder.LIVE)

    def billed(self) -> "SeatQuerySet":
        """Of accepted orders, and not given back: what districts owe for."""
        return self.exclude(state=Seat.State.RELEASED).filter(order__state=PurchaseOrder.State.ACCEPTED)

    def with_open(self) -> "SeatQuerySet":
        """Each with `open_minor`: what of its price no money is allocated to."""
        given = Sum("allocations__amount_minor", filter=Q(allocations__undone_at=None), default=0)
        return self.annotate(open_minor=F("price_minor") - given)


class Seat(models.Model):
    """A place in the cohort that an order pays for: free until somebody gives its code, then one registration's.

    Of an order that is being checked it holds nothing yet, and has no code. Given back, it stays as what it was.
    """

    class State(models.TextChoices):
        FREE = "free", "Free"
        CLAIMED = "claimed", "Taken"
        RELEASED = "released", "Given back"

    NEXT: dict[str, set[str]] = {
        State.FREE: {State.CLAIMED, State.RELEASED},
        State.CLAIMED: {State.FREE, State.RELEASED},
        State.RELEASED: set(),
    }

    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="seats")
    price_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FREE)
    registration = models.ForeignKey(
        Registration, null=True, blank=True, on_delete=models.PROTECT, related_name="seats"
    )
    nonce = models.UUIDField(default=uuid4, editable=False, help_text="The code is made of it and a secret")
    code_sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.TextField(blank=True, help_text="What the coach was told when it was given back")

    objects = SeatQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["registration"], condition=Q(state="claimed"), name="seat_one_each"),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(registration__isnull=False), name="seat_claimed_by_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(state="free") | Q(registration__isnull=True), name="seat_free_of_everybody"
            ),
        ]

    def __str__(self) -> str:
        return f"Seat {self.pk} of {self.order_id}"

    @property
    def money(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def open(self) -> Money:
        """Of one read `with_open`."""
        return Money(self.open_minor, self.currency)  # type: ignore[attr-defined]
