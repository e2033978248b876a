"""Staff's side of the portfolio: what is asked for. What candidates hand in is only looked at, or checked again."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from candidates.permissions import is_staff
from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.refusal import Refused
from portfolios import checks
from portfolios.models import Entry, Factor, Requirement, Upload
from portfolios.upload_rows import file_url


class RequirementInline(admin.StackedInline):
    model = Requirement
    extra = 0
    fieldsets = [
        (None, {"fields": [("position", "kind"), "title", "instructions"]}),
        ("Limits", {"fields": [("minimum", "maximum", "max_minutes", "max_pages")]}),
        ("Key", {"fields": ["key"], "classes": ["collapse"]}),
    ]
    prepopulated_fields = {"key": ["title"]}


@admin.register(Factor)
class FactorAdmin(admin.ModelAdmin):
    list_display = ["number", "name", "summary"]
    list_display_links = ["name"]
    inlines = [RequirementInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The number names the factor in results and certificates."""
        return ["number"] if obj else []


class UploadInline(admin.TabularInline):
    """The files of one entry, under their neutral names."""

    model = Upload
    fields = readonly_fields = ["requirement", "file", "state", "size", "stored_at", "reason_code", "consented_at"]
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("requirement__factor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="File")
    def file(self, upload: Upload) -> str:
        return _link(upload)


def _link(upload: Upload) -> str:
    if upload.state not in Upload.HANDED_IN:
        return upload.neutral_name
    return format_html('<a href="{}">{}</a>', file_url(upload), upload.neutral_name)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "candidate", "factor", "cycle", "status", "is_retake", "submitted_at", "locked_at"]
    list_filter = ["status", "cycle", "factor", "is_retake", "was_auto_submitted"]
    list_select_related = ["registration", "factor", "cycle"]
    search_fields = ["registration__code", "registration__user__email", "receipt_code"]
    ordering = ["-pk"]
    show_full_result_count = False
    readonly_fields = ["extension"]
    inlines = [UploadInline]

    @admin.display(description="Candidate", ordering="registration__code")
    def candidate(self, entry: Entry) -> str:
        return entry.registration.code

    @admin.display(description="More time")
    def extension(self, entry: Entry) -> str:
        """The page on which this one person's window is made longer, with a reason."""
        url = reverse("admin:candidates_registration_decide", args=["extend"])
        return format_html('<a href="{}?ids={}">Grant this candidate an extension</a>', url, entry.registration_id)


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files by what the portal calls them. The candidate's own name for a file is shown to the candidate alone."""

    list_display = ["__str__", "entry", "requirement", "state", "reason_code", "size", "created_at", "stored_at"]
    list_filter = ["state", "requirement__kind", "entry__cycle"]
    list_select_related = ["entry", "requirement__factor"]
    search_fields = ["=id", "entry__registration__code", "storage_key"]
    ordering = ["-created_at"]
    show_full_result_count = False
    exclude = ["filename", "storage_upload_id", "fingerprint"]
    readonly_fields = ["file"]
    actions = ["check_again"]

    @admin.display(description="File")
    def file(self, upload: Upload) -> str:
        return _link(upload)

    @admin.action(description="Check again", permissions=["check"])
    def check_again(self, request: HttpRequest, rows: Any) -> None:
        for row in rows:
            try:
                checks.check_again(row.pk, by=request.user, at=request.at)
            except Refused as refusal:
                messages.warning(request, f"{row}: {refusal.message}")
            else:
                messages.success(request, f"{row}: it is checked again within a minute.")

    def has_check_permission(self, request: HttpRequest) -> bool:
        return is_staff(request.user)
