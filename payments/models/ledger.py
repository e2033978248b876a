"""Money that moved."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from candidates.models import Registration, User
from icg_cert.lib.money import Money
from payments import permissions
from payments.models.attempts import Attempt
from payments.models.payers import Payer


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: Any) -> "LedgerEntryQuerySet":
        return self.filter(permissions.payments_visible_to(user))

    def unmatched(self) -> "LedgerEntryQuerySet":
        """Money that belongs to nobody yet."""
        return self.filter(registration=None, payer=None)


class LedgerEntry(models.Model):
    """Money that moved. Append-only by trigger; a mistake is corrected by another entry."""

    class Kind(models.TextChoices):
        CHARGE = "charge", "Charge"
        REFUND = "refund", "Refund"
        REFUND_FAILED = "refund_failed", "Refund that came back"
        DISPUTE_WITHDRAWN = "dispute_withdrawn", "Withdrawn by dispute"
        DISPUTE_REINSTATED = "dispute_reinstated", "Reinstated after dispute"
        PO_MONEY = "po_money", "Purchase order money"
        ADJUSTMENT = "adjustment", "Adjustment"
        REVERSAL = "reversal", "Reversal"
        TRANSFER = "transfer", "Transfer"

    registration = models.ForeignKey(
        Registration,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger",
        help_text="Empty for a payer's money, and for money that could not be matched",
    )
    payer = models.ForeignKey(
        Payer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger",
        help_text="Whose it is until it is allocated to a seat",
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        help_text="What this one moves on, returns or takes back",
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    amount_minor = models.IntegerField(help_text="Signed: what came in is positive")
    currency = models.CharField(max_length=3)
    provider = models.CharField(max_length=20)
    txn_ref = models.CharField(max_length=200)
    attempt = models.ForeignKey(Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger")
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at", "-pk"]
        indexes = [models.Index(fields=["-recorded_at", "-id"], name="ledger_newest")]
        verbose_name_plural = "ledger entries"
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "txn_ref"], name="ledger_fact_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["charge", "refund_failed", "dispute_reinstated", "po_money"], amount_minor__gt=0)
                | Q(kind__in=["refund", "dispute_withdrawn", "reversal"], amount_minor__lt=0)
                | Q(kind__in=["adjustment", "transfer"]) & ~Q(amount_minor=0),
                name="ledger_sign_by_kind",
            ),
            models.CheckConstraint(condition=Q(registration=None) | Q(payer=None), name="ledger_of_one_account"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Account(Registration):
    """A registration seen from the money's side: what is owed, what came in. The office looks at it in the admin."""

    class Meta:
        proxy = True
        ordering = ["-registered_at", "-pk"]
        verbose_name = "registration balance"
