"""Files, by what the portal calls them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from candidates.permissions import is_staff
from icg_cert.audit.models import Event
from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import clock_words, day_of
from portfolios import checks, consents, processing
from portfolios.admin.asking import ReasonForm, ask
from portfolios.models import Consent, Upload
from portfolios.upload_rows import file_url

LOOKS_SHOWN = 50


def link(upload: Upload) -> str:
    if upload.state not in Upload.HANDED_IN or upload.purged_at:
        return upload.neutral_name
    return format_html('<a href="{}">{}</a>', file_url(upload), upload.neutral_name)


def _look(event: Event) -> tuple[str, str, str]:
    """When, who, and which rendition by which door, where that was noted."""
    home = event.at.astimezone(ZoneInfo(settings.TIME_ZONE))
    how = f" ({event.after['shown_as']}, by {event.after['door']})" if event.after else ""
    return f"{day_of(event.at)}, {clock_words(home)}", str(event.actor), how


class ConsentInline(admin.TabularInline):
    """What the people seen agreed to. The names of releases are the candidate's and staff's to read."""

    model = Consent
    fields = readonly_fields = ["purpose", "act", "text", "releases", "reason", "by", "at"]
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consent]:
        return super().get_queryset(request).select_related("text", "by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files by what the portal calls them. The candidate's own name for a file is shown to the candidate alone."""

    list_display = [
        "__str__", "entry", "requirement", "state", "percent", "reason_code", "size", "created_at", "stored_at",
    ]  # fmt: skip
    list_filter = ["state", "requirement__kind", "entry__cycle"]
    list_select_related = ["entry", "requirement__factor"]
    search_fields = ["=id", "entry__registration__code", "storage_key"]
    ordering = ["-created_at"]
    show_full_result_count = False
    exclude = ["filename", "storage_upload_id", "fingerprint", "consent"]
    readonly_fields = ["file", "words", "watched_by"]
    actions = ["check_again", "prepare_again"]
    inlines = [ConsentInline]
    change_form_template = "admin/portfolios/upload_detail.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.withdraw_view)
        return [
            path("<uuid:pk>/withdraw/<slug:purpose>/", view, name="portfolios_upload_withdraw"),
            *super().get_urls(),
        ]

    def withdraw_view(self, request: HttpRequest, pk: UUID, purpose: str) -> HttpResponse:
        verb, action, what = WITHDRAWALS.get(purpose) or _no_such_purpose()
        upload = get_object_or_404(Upload, pk=pk)
        form = ReasonForm(request.POST or None)
        return ask(request, self, upload, form, lambda **why: verb(pk, **why), action=action, what=what)

    @admin.display(description="File")
    def file(self, upload: Upload) -> str:
        return link(upload)

    @admin.action(description="Check again", permissions=["act"])
    def check_again(self, request: HttpRequest, rows: QuerySet[Upload]) -> None:
        _each(request, rows, checks.check_again, "it is checked again within a minute.")

    @admin.action(description="Prepare the film again", permissions=["act"])
    def prepare_again(self, request: HttpRequest, rows: QuerySet[Upload]) -> None:
        _each(request, rows, processing.try_again, "it is prepared again as soon as a worker is free.")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return is_staff(request.user)

    @admin.display(description="Captions and transcript")
    def words(self, upload: Upload) -> str:
        """Staff may add them for somebody who needs them, at any time."""
        if not upload.requirement.is_video or upload.state not in Upload.HANDED_IN:
            return "-"
        return format_html('<a href="{}">Change them</a>', reverse("portfolios:upload-captions", args=[upload.pk]))

    @admin.display(description="Watched by")
    def watched_by(self, upload: Upload) -> str:
        """Everybody but its candidate who opened the file, the latest first."""
        looks = Event.objects.about(upload).filter(verb="upload.view").select_related("actor")[:LOOKS_SHOWN]
        return format_html_join("", "{}: {}{}<br>", map(_look, looks)) or "Nobody yet"


def _each(request: HttpRequest, rows: QuerySet[Upload], verb: Callable[..., object], done: str) -> None:
    for row in rows:
        try:
            verb(row.pk, by=request.user, at=request.at)
        except Refused as refusal:
            messages.warning(request, f"{row}: {refusal.message}")
        else:
            messages.success(request, f"{row}: {done}")


def _no_such_purpose() -> Any:
    raise Http404("no such purpose")


WITHDRAWALS: dict[str, tuple[Callable[..., object], str, str]] = {
    Consent.Purpose.SCORING: (
        consents.withdraw,
        "Withdraw this video",
        "Nobody can see it from this moment, and it is deleted within minutes. A submitted entry is a draft again "
        "until its window closes; an entry that is handed in for good stands, and its scorers read that a video was "
        "withdrawn. The candidate is told, without your reason. This cannot be undone.",
    ),
    Consent.Purpose.TRAINING: (
        consents.withdraw_training,
        "End its use for training",
        "The video is used for scoring alone from now on. The candidate is told, without your reason.",
    ),
}
