"""What a district owes for an accepted order, and what of it was taken back. Documents never change; they are voided or
credited."""

from datetime import date
from typing import Any
from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import Case, F, IntegerField, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce

from icg_cert.lib.money import Money
from payments.models.orders import PurchaseOrder
from payments.models.remittances import Allocation


def invoice_path(row: object = None, filename: str = "") -> str:
    return f"invoices/{uuid4().hex}.pdf"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: Any) -> "InvoiceQuerySet":
        """To whoever may read its order."""
        return self.filter(order__in=PurchaseOrder.objects.visible_to(user))

    def standing(self) -> "InvoiceQuerySet":
        return self.exclude(state=Invoice.State.VOID)

    def overdue(self, on: date) -> "InvoiceQuerySet":
        """Open, and due before a day."""
        return self.open().filter(due_on__lt=on)

    def with_sums(self) -> "InvoiceQuerySet":
        """Each with `credited_minor`, `paid_minor` and what is left of it, `owed_minor`; nothing of a void one."""
        notes = CreditNote.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
        given = Allocation.objects.standing().filter(seat__order=OuterRef("order")).order_by().values("seat__order")
        owed = F("amount_minor") - F("credited_minor") - F("paid_minor")
        return self.annotate(
            credited_minor=Coalesce(Subquery(notes.annotate(total=Sum("amount_minor")).values("total")), 0),
            paid_minor=Coalesce(Subquery(given.annotate(total=Sum("amount_minor")).values("total")), 0),
        ).annotate(owed_minor=Case(When(state=Invoice.State.VOID, then=0), default=owed, output_field=IntegerField()))

    def open(self) -> "InvoiceQuerySet":
        """Standing, with something still owed."""
        return self.standing().with_sums().filter(owed_minor__gt=0)  # type: ignore[misc]


class Invoice(models.Model):
    """One per purchase order, dated on or after it."""

    class State(models.TextChoices):
        ISSUED = "issued", "Issued"
        VOID = "void", "Void"

    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=20, unique=True)
    issued_on = models.DateField()
    due_on = models.DateField()
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    content: Any = models.JSONField(
        help_text="Everything the PDF says, frozen: lines, bill-to, ship-to, remit-to, terms"
    )
    document = models.FileField(upload_to=invoice_path)
    document_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ISSUED)
    issued_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=~Q(state="void"), name="invoice_one_standing"),
            models.CheckConstraint(condition=Q(due_on__gte=F("issued_on")), name="invoice_due_after_issued"),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def owed(self) -> Money:
        """Of an invoice read `with_sums`."""
        return Money(self.owed_minor, self.currency)  # type: ignore[attr-defined]


class CreditNote(models.Model):
    """What of an invoice is no longer owed: seats that were released, or an order that was cancelled."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=20, unique=True)
    issued_on = models.DateField()
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    content: Any = models.JSONField()
    document = models.FileField(upload_to=invoice_path)
    document_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(amount_minor__gt=0), name="credit_note_of_something")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Credit note {self.number}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
