"""What is owed and how it was settled. The ledger is the truth; every status is computed from it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import Q

from candidates.models import PolicyText, Registration, User
from icg_cert.lib.money import Money
from payments import permissions


class PolicyAcceptance(models.Model):
    """That a candidate accepted a version of the no-refund text, and when: shown and stored before any payment."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="policy_acceptances")
    text = models.ForeignKey(PolicyText, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registration", "text"], name="policy_accepted_once")]

    def __str__(self) -> str:
        return f"{self.text} by {self.registration_id}"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible_to(self, user: Any) -> "AttemptQuerySet":
        return self.filter(permissions.payments_visible_to(user))

    def live(self) -> "AttemptQuerySet":
        return self.filter(state__in=Attempt.LIVE)

    def unresolved(self, before: datetime) -> "AttemptQuerySet":
        """Live attempts opened before an instant: nobody came back with the answer, so we go and ask."""
        return self.live().filter(opened_at__lt=before)


class Attempt(models.Model):
    """One try to pay one registration's fee with one provider."""

    class State(models.TextChoices):
        CREATED = "created", "Created"
        OPENING = "opening", "Opening"
        OPEN = "open", "Open"
        PROCESSING = "processing", "Being confirmed"
        UNKNOWN = "unknown", "Being looked up"
        PAID = "paid", "Paid"
        FAILED = "failed", "Declined"
        EXPIRED = "expired", "Expired"
        CLOSED = "closed", "Closed"

    LIVE = [State.CREATED, State.OPENING, State.OPEN, State.PROCESSING, State.UNKNOWN]
    # Money may have moved and we do not know; a page that merely waits for the payer is not in doubt.
    IN_DOUBT = [State.PROCESSING, State.UNKNOWN]
    # Late truth wins: what looked over may still turn out paid. UNKNOWN is left only by asking the provider.
    NEXT: dict[str, set[str]] = {
        State.CREATED: {State.OPENING, State.CLOSED},
        State.OPENING: {State.OPEN, State.UNKNOWN, State.FAILED, State.CLOSED, State.PAID},
        State.OPEN: {State.PROCESSING, State.UNKNOWN, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.PROCESSING: {State.UNKNOWN, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.UNKNOWN: {State.OPEN, State.PROCESSING, State.PAID, State.FAILED, State.EXPIRED, State.CLOSED},
        State.FAILED: {State.PAID},
        State.EXPIRED: {State.PAID},
        State.CLOSED: {State.PAID},
        State.PAID: set(),
    }

    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=20)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CREATED)
    idem_key = models.CharField(max_length=80, unique=True)
    request: Any = models.JSONField(
        default=dict, help_text="Exactly what was asked of the provider, frozen with the key"
    )
    url = models.URLField(max_length=2000, blank=True)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    facts_at = models.DateTimeField(null=True, blank=True, help_text="When the newest applied facts were fetched")
    problem = models.CharField(max_length=200, blank=True, help_text="Why it was declined, in words for the payer")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"],
                condition=Q(state__in=["created", "opening", "open", "processing", "unknown"]),
                name="attempt_one_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.public_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderRef(models.Model):
    """A name the provider gave to something of an attempt: session, charge, order, capture, dispute."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refs")
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    ref = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "kind", "ref"], name="provider_ref_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.ref}"


class ProviderCall(models.Model):
    """A call to a provider that may move money, committed before it leaves, so that a crash leaves a trace."""

    class Outcome(models.TextChoices):
        PENDING = "pending", "Under way"
        OK = "ok", "Answered"
        ERROR = "error", "Refused"
        UNKNOWN = "unknown", "No answer"

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="calls")
    operation = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.PENDING)

    class Meta:
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.operation} of {self.attempt_id}: {self.outcome}"


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: Any) -> "LedgerEntryQuerySet":
        return self.filter(permissions.payments_visible_to(user))


class LedgerEntry(models.Model):
    """Money that moved. Append-only by trigger; a mistake is corrected by another entry."""

    class Kind(models.TextChoices):
        CHARGE = "charge", "Charge"
        REFUND = "refund", "Refund"
        DISPUTE_WITHDRAWN = "dispute_withdrawn", "Withdrawn by dispute"
        DISPUTE_REINSTATED = "dispute_reinstated", "Reinstated after dispute"
        PO_MONEY = "po_money", "Purchase order money"
        ADJUSTMENT = "adjustment", "Adjustment"
        REVERSAL = "reversal", "Reversal"

    registration = models.ForeignKey(
        Registration,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ledger",
        help_text="Empty for money that could not be matched",
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
        verbose_name_plural = "ledger entries"
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "txn_ref"], name="ledger_fact_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["charge", "dispute_reinstated", "po_money"], amount_minor__gt=0)
                | Q(kind__in=["refund", "dispute_withdrawn", "reversal"], amount_minor__lt=0)
                | Q(kind="adjustment") & ~Q(amount_minor=0),
                name="ledger_sign_by_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


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


class Account(Registration):
    """A registration seen from the money's side: what is owed, what came in. The office looks at it in the admin."""

    class Meta:
        proxy = True
        ordering = ["-registered_at", "-pk"]
        verbose_name = "registration balance"
