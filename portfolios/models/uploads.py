"""The files in an entry: on their way, arrived, judged; and what the portal makes from them for those who read."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from candidates.models import User
from portfolios import permissions
from portfolios.models.catalogue import Requirement


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: Any) -> "UploadQuerySet":
        return self.filter(permissions.uploads_visible_to(user))

    def owned_by(self, user: Any) -> "UploadQuerySet":
        return self.filter(permissions.uploads_owned_by(user))

    def open(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.OPEN)

    def current(self) -> "UploadQuerySet":
        """What stands in its slot and can be read: arrived, not refused, replaced or removed, and still kept."""
        return self.filter(state__in=Upload.HANDED_IN, purged_at=None)

    def taken_back(self) -> "UploadQuerySet":
        """Films withdrawn from what stands as it was submitted, where nothing can take their place."""
        return self.filter(state=Upload.State.WITHDRAWN, consent__at__gte=F("entry__submitted_at"))

    def awaiting_check(self, at: datetime) -> "UploadQuerySet":
        """Arrived and never looked at, or due for another try after a failure of ours."""
        failed = [
            Q(state=Upload.State.FAILED, processing_tries=0, check_tries=tries, checked_at__lte=at - wait)
            for tries, wait in enumerate(Upload.CHECK_WAITS, start=1)
        ]
        return self.filter(reduce(or_, failed, Q(state=Upload.State.STORED)))

    def left_in_check(self, at: datetime) -> "UploadQuerySet":
        """Taken into a check that never ended: its worker died."""
        return self.filter(state=Upload.State.CHECKING, checked_at__lte=at - Upload.CHECK_TAKES_AT_MOST)

    def awaiting_processing(self, at: datetime) -> "UploadQuerySet":
        """Films that nobody has in hand: untouched, due for another try, or of a worker that died."""
        due = [
            Q(percent=None, processing_tries=tries, worked_at__lte=at - wait)
            for tries, wait in enumerate(Upload.PROCESSING_WAITS, start=1)
        ]
        silent = Q(percent__isnull=False, worked_at__lte=at - Upload.WORKER_SILENT_AT_MOST)
        left = self.filter(state=Upload.State.PROCESSING, processing_tries__lte=len(Upload.PROCESSING_WAITS))
        return left.filter(reduce(or_, due, Q(worked_at=None) | silent))

    def left_in_processing(self, at: datetime) -> "UploadQuerySet":
        """Films whose worker died in the last of all tries."""
        silent = self.filter(state=Upload.State.PROCESSING, percent__isnull=False)
        silent = silent.filter(worked_at__lte=at - Upload.WORKER_SILENT_AT_MOST)
        return silent.filter(processing_tries__gt=len(Upload.PROCESSING_WAITS))


class Upload(models.Model):
    """One file on its way into one requirement's slot of one entry, and then the stored file itself."""

    class State(models.TextChoices):
        OPEN = "open", "Uploading"
        STORED = "stored", "Received"
        CHECKING = "checking", "Being checked"
        PROCESSING = "processing", "Being prepared for viewing"
        READY = "ready", "Ready"
        REJECTED = "rejected", "Cannot be used"
        FAILED = "failed", "Failed on our side"
        ABORTED = "aborted", "Cancelled"
        EXPIRED = "expired", "Not finished in time"
        REPLACED = "replaced", "Replaced"
        REMOVED = "removed", "Removed"
        WITHDRAWN = "withdrawn", "Consent withdrawn"

    NEXT: dict[str, set[str]] = {
        State.OPEN: {State.STORED, State.ABORTED, State.EXPIRED},
        State.STORED: {State.CHECKING, State.REPLACED, State.REMOVED, State.WITHDRAWN},
        State.CHECKING: {
            State.STORED,
            State.PROCESSING,
            State.READY,
            State.REJECTED,
            State.FAILED,
            State.REPLACED,
            State.REMOVED,
            State.WITHDRAWN,
        },
        State.PROCESSING: {State.READY, State.FAILED, State.REPLACED, State.REMOVED, State.WITHDRAWN},
        State.FAILED: {State.STORED, State.CHECKING, State.PROCESSING, State.REPLACED, State.REMOVED, State.WITHDRAWN},
        State.READY: {State.REPLACED, State.REMOVED, State.WITHDRAWN},
        State.REJECTED: {State.REMOVED, State.REPLACED, State.WITHDRAWN},
        State.ABORTED: set(),
        State.EXPIRED: set(),
        State.REPLACED: {State.WITHDRAWN},  # whose bytes are kept for a while, but not against somebody's will
        State.REMOVED: {State.WITHDRAWN},
        State.WITHDRAWN: set(),
    }
    HANDED_IN = [State.STORED, State.CHECKING, State.PROCESSING, State.READY, State.FAILED]
    # Waits after a failed check of ours, before the next; there are settings.UPLOAD_PROCESSING_ATTEMPTS tries in all.
    CHECK_WAITS = [timedelta(minutes=1), timedelta(minutes=5)]
    CHECK_WAITS_AT_MOST = timedelta(hours=1)
    CHECK_TAKES_AT_MOST = timedelta(minutes=30)
    # The same for making a film ready, counted by itself.
    PROCESSING_WAITS = [timedelta(minutes=1), timedelta(minutes=10)]
    WORKER_SILENT_AT_MOST = timedelta(minutes=2)
    GONE = [State.ABORTED, State.EXPIRED, State.REPLACED, State.REMOVED, State.WITHDRAWN]

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey("portfolios.Entry", on_delete=models.PROTECT, related_name="uploads")
    requirement = models.ForeignKey(Requirement, on_delete=models.PROTECT, related_name="uploads")
    filename = models.CharField(max_length=255, help_text="As the candidate called it; shown to them alone")
    extension = models.CharField(max_length=10, help_text="Lower case, with its dot")
    size = models.BigIntegerField(help_text="Bytes, fixed at creation")
    part_size = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="The client's quick hash of the file, to resume by")
    storage_key = models.CharField(max_length=200, unique=True)
    storage_upload_id = models.CharField(
        max_length=200, blank=True, help_text="The store's own name of an open multipart upload"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    tree_sha256 = models.CharField(
        max_length=60, blank=True, help_text="base64(sha256(part digests))-N, see portfolios/storage"
    )
    created_at = models.DateTimeField()
    stored_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_tries = models.PositiveSmallIntegerField(default=0)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True, help_text="Words the candidate can act on")
    processing_tries = models.PositiveSmallIntegerField(default=0)
    worked_at = models.DateTimeField(
        null=True, blank=True, help_text="Films: the last sign of life of the worker that makes it ready, or made it"
    )
    percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Films: how far it is made ready, while a worker has it in hand"
    )
    remarks: Any = models.JSONField(
        default=list,
        blank=True,
        help_text="What the candidate should look at though the file is usable: a list of {code, words}",
    )
    remarks_seen_at = models.DateTimeField(null=True, blank=True, help_text="When the candidate said it is meant so")
    is_damaged = models.BooleanField(default=False, help_text="Films: the decoder complained; scorers are told")
    has_sound = models.BooleanField(null=True, blank=True)
    transcript = models.TextField(blank=True, help_text="Films: what is said, for whoever cannot hear it")
    purged_at = models.DateTimeField(null=True, blank=True, help_text="When its bytes were deleted; the row stays")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    consent = models.ForeignKey(
        "portfolios.Consent",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Videos: the newest line of the ledger for scoring, which stands; written with that line alone",
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "entry", "requirement", "fingerprint"],
                condition=Q(state="open"),
                name="upload_one_open_per_file",
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="upload_state")]

    def __str__(self) -> str:
        return f"Upload {self.pk}"

    @property
    def neutral_name(self) -> str:
        """The name everybody but the candidate sees: says what it is and nothing of whom."""
        return f"{self.neutral_stem}{self.extension}"

    @property
    def neutral_stem(self) -> str:
        return f"{self.requirement.key}-{str(self.pk)[:8]}"

    @property
    def consented_at(self) -> datetime | None:
        """When the candidate last stated that everyone seen agreed; None when they have not, or it was taken back."""
        return self.consent.at if self.consent and self.consent.is_given else None

    @property
    def has_consent(self) -> bool:
        """Whether that is stated and the signed releases are named."""
        return bool(self.consented_at and self.consent and self.consent.releases)

    @property
    def is_silence_a_question(self) -> bool:
        """A film without a sound track, which may be meant so: its candidate has not said yet."""
        return self.has_sound is False and self.remarks_seen_at is None

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)


class UploadPart(models.Model):
    """One part that has arrived, its digest found right; or, where parts go to the store itself, that was signed."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField(help_text="From 1")
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=44, help_text="base64")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="upload_part_number")]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.upload_id}"
