"""What candidates hand in: factors and their requirements, entries, and the files in them."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q

from candidates.models import Cycle, Extension, PolicyText, Registration, User, new_code, new_edition
from portfolios import permissions


class Factor(models.Model):
    """One of the programme's success factors; a candidate hands in one entry for each."""

    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=100)
    summary = models.TextField(help_text="What this entry shows, in a sentence or two")

    class Meta:
        ordering = ["number"]
        triggers = [new_edition]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"


class Requirement(models.Model):
    """One thing an entry must (or may) hold, with its limits."""

    class Kind(models.TextChoices):
        DOCUMENT = "document", "Document"
        VIDEO = "video", "Video"
        FORM = "form", "Completed form"

    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="requirements")
    key = models.SlugField(help_text="Stable name within the factor, used by the programme file")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=120)
    instructions = models.TextField()
    minimum = models.PositiveSmallIntegerField(default=1, help_text="0 means optional")
    maximum = models.PositiveSmallIntegerField(default=1)
    max_minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Videos: longest allowed")
    max_pages = models.PositiveSmallIntegerField(null=True, blank=True, help_text="PDF documents: most pages allowed")

    class Meta:
        ordering = ["factor", "position"]
        constraints = [
            models.UniqueConstraint(fields=["factor", "key"], name="requirement_key"),
            models.CheckConstraint(
                condition=Q(minimum__lte=F("maximum")) & Q(maximum__gte=1), name="requirement_counts"
            ),
            models.CheckConstraint(
                condition=Q(kind="video") | Q(max_minutes=None), name="requirement_minutes_of_videos"
            ),
        ]
        triggers = [new_edition]

    def __str__(self) -> str:
        return f"{self.factor.number}. {self.title}"

    @property
    def is_optional(self) -> bool:
        return self.minimum == 0

    @property
    def is_video(self) -> bool:
        return self.kind == self.Kind.VIDEO


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: Any) -> "EntryQuerySet":
        return self.filter(permissions.entries_visible_to(user))

    def owned_by(self, user: Any) -> "EntryQuerySet":
        """Whose work it is: staff may look at an entry, only its candidate acts on it."""
        return self.filter(permissions.entries_owned_by(user))

    def with_slots(self) -> "EntryQuerySet":
        """With all that completeness looks at, from the tables: a fixed number of queries for any number of entries."""
        alive = Upload.objects.exclude(state__in=Upload.GONE)
        return self.select_related("registration__cohort", "registration__user", "cycle", "factor").prefetch_related(
            "factor__requirements",
            "registration__extensions",
            Prefetch("uploads", alive.select_related("requirement", "consent")),
        )

    def with_files(self) -> "EntryQuerySet":
        """With their files alone; portfolios/entries.py completes them from memory, for pages."""
        return self.prefetch_related(Prefetch("uploads", Upload.objects.exclude(state__in=Upload.GONE)))

    def revivable(self, at: datetime) -> "EntryQuerySet":
        """Lapsed, but their candidate was granted a closing that is still to come."""
        granted = Extension.objects.filter(registration=OuterRef("registration"), cycle=OuterRef("cycle"))
        return self.filter(Exists(granted.filter(closes_at__gt=at)), status=Entry.Status.LAPSED)

    def locked(self) -> "EntryQuerySet":
        """Handed in for good, at the closing of their window: what scoring works on."""
        return self.filter(status=Entry.Status.LOCKED)


class Entry(models.Model):
    """What one candidate hands in for one factor in one cycle. A retake is another entry of a later cycle."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        LOCKED = "locked", "Handed in"
        LAPSED = "lapsed", "Not handed in"

    NEXT: dict[str, set[str]] = {
        Status.DRAFT: {Status.SUBMITTED, Status.LAPSED},
        Status.SUBMITTED: {Status.DRAFT, Status.LOCKED},
        Status.LOCKED: set(),
        Status.LAPSED: {Status.DRAFT},  # by an extension that was granted after the closing
    }

    class Outcome(models.TextChoices):
        NONE = "", "Not released"
        BANKED = "banked", "Accomplished"
        FELL_SHORT = "fell_short", "Fell short"

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="entries")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="entries")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="entries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    is_retake = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    was_auto_submitted = models.BooleanField(default=False, help_text="Complete at closing, so the portal submitted it")
    locked_at = models.DateTimeField(null=True, blank=True)
    manifest: Any = models.JSONField(
        null=True, blank=True, help_text="Frozen at submission: every file with size, fingerprint and time"
    )
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    receipt_code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    outcome = models.CharField(
        max_length=10,
        choices=Outcome.choices,
        default=Outcome.NONE,
        blank=True,
        help_text="Written by the release of its score",
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["factor__number", "cycle__year"]
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["registration", "factor", "cycle"], name="entry_once_per_cycle"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "lapsed"])
                | Q(submitted_at__isnull=False, manifest__isnull=False) & ~Q(manifest_sha256=""),
                name="entry_submitted_has_manifest",
            ),
            models.CheckConstraint(
                condition=~Q(status="locked") | Q(locked_at__isnull=False), name="entry_locked_has_time"
            ),
        ]
        indexes = [models.Index(fields=["cycle", "status"], name="entry_cycle_status")]

    def __str__(self) -> str:
        return f"Entry {self.pk}: factor {self.factor_id}, cycle {self.cycle_id}"

    @property
    def is_editable(self) -> bool:
        return self.status == self.Status.DRAFT


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: Any) -> "UploadQuerySet":
        return self.filter(permissions.uploads_visible_to(user))

    def owned_by(self, user: Any) -> "UploadQuerySet":
        return self.filter(permissions.uploads_owned_by(user))

    def open(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.OPEN)

    def current(self) -> "UploadQuerySet":
        """What stands in its slot: arrived and not refused, replaced or removed."""
        return self.filter(state__in=Upload.HANDED_IN)

    def awaiting_check(self, at: datetime) -> "UploadQuerySet":
        """Arrived and never looked at, or due for another try after a failure of ours."""
        failed = [
            Q(state=Upload.State.FAILED, check_tries=tries, checked_at__lte=at - wait)
            for tries, wait in enumerate(Upload.CHECK_WAITS, start=1)
        ]
        return self.filter(reduce(or_, failed, Q(state=Upload.State.STORED)))

    def left_in_check(self, at: datetime) -> "UploadQuerySet":
        """Taken into a check that never ended: its worker died."""
        return self.filter(state=Upload.State.CHECKING, checked_at__lte=at - Upload.CHECK_TAKES_AT_MOST)


class Upload(models.Model):
    """One file on its way into one requirement's slot of one entry, and then the stored file itself."""

    class State(models.TextChoices):
        OPEN = "open", "Uploading"
        STORED = "stored", "Received"
        CHECKING = "checking", "Being checked"
        READY = "ready", "Ready"
        REJECTED = "rejected", "Cannot be used"
        FAILED = "failed", "Check failed on our side"
        ABORTED = "aborted", "Cancelled"
        EXPIRED = "expired", "Not finished in time"
        REPLACED = "replaced", "Replaced"
        REMOVED = "removed", "Removed"

    NEXT: dict[str, set[str]] = {
        State.OPEN: {State.STORED, State.ABORTED, State.EXPIRED},
        State.STORED: {State.CHECKING, State.REPLACED, State.REMOVED},
        State.CHECKING: {State.STORED, State.READY, State.REJECTED, State.FAILED, State.REPLACED, State.REMOVED},
        State.FAILED: {State.CHECKING, State.REPLACED, State.REMOVED},
        State.READY: {State.REPLACED, State.REMOVED},
        State.REJECTED: {State.REMOVED, State.REPLACED},
        State.ABORTED: set(),
        State.EXPIRED: set(),
        State.REPLACED: set(),
        State.REMOVED: set(),
    }
    HANDED_IN = [State.STORED, State.CHECKING, State.READY, State.FAILED]
    # Waits after a failed check of ours, before the next; there are settings.UPLOAD_PROCESSING_ATTEMPTS tries in all.
    CHECK_WAITS = [timedelta(minutes=1), timedelta(minutes=5)]
    CHECK_TAKES_AT_MOST = timedelta(minutes=30)
    GONE = [State.ABORTED, State.EXPIRED, State.REPLACED, State.REMOVED]

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="uploads")
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
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    consent = models.ForeignKey(
        PolicyText,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Videos: the text confirmed for the people seen",
    )
    consented_at = models.DateTimeField(null=True, blank=True)

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
        return f"{self.requirement.key}-{str(self.pk)[:8]}{self.extension}"

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)


class UploadPart(models.Model):
    """One part that has arrived: written once its bytes are on disk and their digest was right."""

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
