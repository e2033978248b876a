"""Who takes part, what they stated, and what staff asked or granted."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Exists, OuterRef, Q

from candidates import permissions
from candidates.eligibility import Hours
from candidates.models.people import User, new_code
from candidates.models.programme import PolicyText
from candidates.models.years import Cohort, Cycle
from icg_cert.lib.money import Money


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: Any) -> "RegistrationQuerySet":
        return self.filter(permissions.registrations_visible_to(user))

    def standing(self) -> "RegistrationQuerySet":
        """Neither refused nor withdrawn nor lapsed."""
        return self.exclude(status__in=Registration.ENDED)

    def taking_part(self) -> "RegistrationQuerySet":
        """Who may hand in entries: standing, with a seat held by money or by an accepted purchase order."""
        return self.standing().filter(payment_status__in=Registration.SEAT_HELD)

    def under_way(self, at: datetime) -> "RegistrationQuerySet":
        """Taking part in a process whose last release is still to come: nobody is in two at once."""
        last = Cycle.objects.filter(year=OuterRef("cohort__year") + 3, releases_at__gt=at)
        return self.taking_part().filter(Exists(last))

    def in_cycle(self, cycle: Cycle) -> "RegistrationQuerySet":
        return self.filter(cohort__year__range=(cycle.year - 3, cycle.year - 1))


class Registration(models.Model):
    """One person in one cohort: what they stated, what became of it, and what they owe for it."""

    class Status(models.TextChoices):
        REGISTERED = "registered", "Registered"
        EVIDENCE_REQUESTED = "evidence_requested", "Evidence requested"
        EVIDENCE_RECEIVED = "evidence_received", "Evidence received"
        APPROVED = "approved", "Eligibility approved"
        REFUSED = "refused", "Not eligible"
        WITHDRAWN = "withdrawn", "Withdrawn"
        LAPSED = "lapsed", "Lapsed"

    NEXT: dict[str, set[str]] = {
        Status.REGISTERED: {
            Status.EVIDENCE_REQUESTED,
            Status.APPROVED,
            Status.REFUSED,
            Status.WITHDRAWN,
            Status.LAPSED,
        },
        Status.EVIDENCE_REQUESTED: {
            Status.EVIDENCE_RECEIVED,
            Status.APPROVED,
            Status.REFUSED,
            Status.WITHDRAWN,
            Status.LAPSED,
        },
        Status.EVIDENCE_RECEIVED: {
            Status.EVIDENCE_REQUESTED,
            Status.APPROVED,
            Status.REFUSED,
            Status.WITHDRAWN,
            Status.LAPSED,
        },
        Status.APPROVED: {Status.EVIDENCE_REQUESTED, Status.REFUSED, Status.WITHDRAWN, Status.LAPSED},
        Status.REFUSED: {Status.APPROVED},
        Status.WITHDRAWN: set(),
        Status.LAPSED: set(),
    }
    ENDED = [Status.REFUSED, Status.WITHDRAWN, Status.LAPSED]

    class Payment(models.TextChoices):
        UNPAID = "unpaid", "Not paid"
        PENDING = "pending", "Payment being confirmed"
        PO_REQUESTED = "po_requested", "Purchase order being checked"
        PO_COMMITTED = "po_committed", "Seat held by purchase order"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"
        OVERPAID = "overpaid", "Overpaid"
        DISPUTED = "disputed", "Payment disputed"
        REFUNDED = "refunded", "Refunded"

    SEAT_HELD = [Payment.PO_COMMITTED, Payment.PAID, Payment.OVERPAID, Payment.DISPUTED]
    SETTLED = [Payment.PAID, Payment.OVERPAID]

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="registrations")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="registrations")
    code = models.CharField(
        max_length=12,
        unique=True,
        default=new_code,
        editable=False,
        help_text="The candidate code scorers see instead of a name",
    )
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.REGISTERED)
    status_reason = models.TextField(blank=True, help_text="What the candidate is told about a refusal")
    registered_at = models.DateTimeField()

    employer = models.CharField(max_length=150)
    district = models.CharField(max_length=150, help_text="School district, diocese or network")
    school = models.CharField(max_length=150, blank=True)
    role_title = models.CharField("role", max_length=100)
    is_full_time = models.BooleanField("employed full-time as an instructional coach")
    supervisor_name = models.CharField(max_length=150)
    supervisor_email = models.EmailField()
    hours_coaching = models.DecimalField(max_digits=5, decimal_places=2)
    hours_administrative = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    hours_testing = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    hours_intervention = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    hours_other = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    attestation = models.ForeignKey(PolicyText, on_delete=models.PROTECT, related_name="+")
    signature = models.CharField(max_length=150)
    signed_at = models.DateTimeField()

    fee_minor = models.PositiveIntegerField(help_text="The cohort's fee when they registered")
    currency = models.CharField(max_length=3)
    payment_status = models.CharField(
        max_length=20,
        choices=Payment.choices,
        default=Payment.UNPAID,
        help_text="A cache of the ledger, written by payments alone",
    )

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["-registered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "cohort"], name="registration_once_per_cohort"),
        ]
        indexes = [
            models.Index(fields=["cohort", "status", "payment_status"], name="registration_funnel"),
            models.Index(fields=["-registered_at", "-id"], name="registration_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.code} in {self.cohort}"

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def hours(self) -> Hours:
        kinds = ("coaching", "administrative", "testing", "intervention", "other")
        return Hours(**{kind: getattr(self, f"hours_{kind}") for kind in kinds})

    @property
    def is_standing(self) -> bool:
        return self.status not in self.ENDED

    @property
    def holds_seat(self) -> bool:
        return self.payment_status in self.SEAT_HELD

    @property
    def is_taking_part(self) -> bool:
        return self.is_standing and self.holds_seat

    @property
    def is_settled(self) -> bool:
        return self.payment_status in self.SETTLED


def evidence_path(request: "EvidenceRequest", filename: str) -> str:
    return f"evidence/{uuid4().hex}.pdf"


class EvidenceRequestQuerySet(models.QuerySet["EvidenceRequest"]):
    def visible_to(self, user: Any) -> "EvidenceRequestQuerySet":
        return self.filter(permissions.evidence_visible_to(user))

    def open(self) -> "EvidenceRequestQuerySet":
        """Waiting for the candidate. One that staff decided without waits no more."""
        return self.filter(answered_at=None, registration__status=Registration.Status.EVIDENCE_REQUESTED)


class EvidenceRequest(models.Model):
    """Staff ask one candidate for proof of eligibility; the candidate answers with words and a PDF."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="evidence_requests")
    question = models.TextField(help_text="What is asked for; the candidate reads it")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    document = models.FileField(upload_to=evidence_path, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = EvidenceRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"], condition=Q(answered_at=None), name="evidence_one_open_request"
            ),
        ]

    def __str__(self) -> str:
        return f"Evidence for {self.registration_id}"


class Extension(models.Model):
    """One person's later closing for one cycle (accommodation, outage)."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="extensions")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="extensions")
    closes_at = models.DateTimeField()
    reason = models.TextField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()

    class Meta:
        ordering = ["-closes_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.cycle} until {self.closes_at:%Y-%m-%d %H:%M} UTC for {self.registration_id}"
