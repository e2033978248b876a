"""Who may take part, in which cohort and cycle."""

import secrets
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from candidates import permissions
from candidates.eligibility import Hours
from icg_cert.lib.money import Money
from icg_cert.lib.windows import Phase, Window, last_day

# No vowels (no words), nothing that is misread over the telephone.
CODE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


def new_code(length: int = 8) -> str:
    """A random code for people to read and type: unguessable enough to be public, never derived from anybody."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account, known by e-mail address. Roles are groups (candidates/permissions.py)."""

    email = models.EmailField(unique=True)
    name = models.CharField("full name", max_length=150)
    time_zone = models.CharField(max_length=60, blank=True, help_text="IANA name; empty means the browser's own")
    is_staff = models.BooleanField("may open the admin", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


month_day = RegexValidator(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", "Month and day as MM-DD")


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

    kind = models.CharField(max_length=20, choices=Kind.choices)
    version = models.PositiveSmallIntegerField()
    body = models.TextField()

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="policy_text_version")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"

    @classmethod
    def current(cls, kind: str) -> "PolicyText":
        """The newest version. DoesNotExist until the programme is loaded."""
        return cls.objects.filter(kind=kind).order_by("-version")[:1].get()


class CohortQuerySet(models.QuerySet["Cohort"]):
    def open(self, at: datetime) -> "CohortQuerySet":
        return self.filter(registration_opens_at__lte=at, registration_closes_at__gt=at)

    def foremost(self, at: datetime) -> "Cohort | None":
        """The cohort the public page speaks of: open now, else opening next, else closed last."""
        upcoming = self.filter(registration_closes_at__gt=at).order_by("registration_opens_at").first()
        return upcoming or self.order_by("-registration_closes_at").first()


class Cohort(models.Model):
    """All who register in one window. `year` is the autumn in which it opens; their cycles are year + 1, + 2, + 3."""

    year = models.PositiveSmallIntegerField(unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    registration_opens_at = models.DateTimeField()
    registration_closes_at = models.DateTimeField(help_text="The first instant that is too late")
    fee_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(registration_opens_at__lt=F("registration_closes_at")), name="cohort_opens_before_it_closes"
            ),
        ]

    def __str__(self) -> str:
        return f"Cohort {self.number} ({self.year})"

    @property
    def window(self) -> Window:
        return Window(self.registration_opens_at, self.registration_closes_at)

    def phase(self, at: datetime) -> Phase:
        return self.window.phase(at)

    @property
    def last_day(self) -> date:
        return last_day(self.registration_closes_at, settings.TIME_ZONE)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def cycle_years(self) -> range:
        return range(self.year + 1, self.year + 4)


class CycleQuerySet(models.QuerySet["Cycle"]):
    def of(self, cohort: Cohort) -> "CycleQuerySet":
        return self.filter(year__in=cohort.cycle_years).order_by("year")

    def current_or_next(self, at: datetime) -> "Cycle | None":
        return self.filter(closes_at__gt=at).order_by("opens_at").first()


class Cycle(models.Model):
    """One submission window and its release, shared by the three cohorts in their years 1, 2 and 3."""

    year = models.PositiveSmallIntegerField(unique=True)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField(help_text="The first instant that is too late to begin")
    grace_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="An upload that began in time may finish within these"
    )
    releases_at = models.DateTimeField(
        help_text="The announced instant; the release itself is prepared and approved by two people"
    )
    directions = models.TextField(
        blank=True, help_text="Submission directions for this year, shown and sent in advance"
    )

    objects = CycleQuerySet.as_manager()

    class Meta:
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")) & Q(closes_at__lt=F("releases_at")),
                name="cycle_opens_closes_releases",
            ),
        ]

    def __str__(self) -> str:
        return f"Cycle {self.year}"

    @property
    def window(self) -> Window:
        return Window(self.opens_at, self.closes_at)

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.grace_minutes)

    @property
    def last_day(self) -> date:
        return last_day(self.closes_at, settings.TIME_ZONE)


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: Any) -> "RegistrationQuerySet":
        return self.filter(permissions.registrations_visible_to(user))

    def standing(self) -> "RegistrationQuerySet":
        """Neither refused nor withdrawn nor lapsed."""
        return self.exclude(status__in=Registration.ENDED)

    def taking_part(self) -> "RegistrationQuerySet":
        """Who may hand in entries: standing, with a seat held by money or by an accepted purchase order."""
        return self.standing().filter(payment_status__in=Registration.SEAT_HELD)

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
        indexes = [models.Index(fields=["cohort", "status", "payment_status"], name="registration_funnel")]

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
