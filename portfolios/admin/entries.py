"""Entries, with their files."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from icg_cert.lib.admin import ReadOnlyAdmin
from portfolios import retention
from portfolios.admin.asking import HoldForm, ask
from portfolios.admin.uploads import link
from portfolios.models import Entry, Hold, Upload


class UploadInline(admin.TabularInline):
    """The files of one entry, under their neutral names."""

    model = Upload
    fields = readonly_fields = ["requirement", "file", "state", "size", "stored_at", "reason_code", "consented_at"]
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("requirement__factor", "consent")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="File")
    def file(self, upload: Upload) -> str:
        return link(upload)


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
    change_form_template = "admin/portfolios/entry_detail.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.hold_view)
        return [path("<int:pk>/hold/", view, name="portfolios_entry_hold"), *super().get_urls()]

    def hold_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        entry = get_object_or_404(Entry, pk=pk)
        form = HoldForm(request.POST or None)
        what = (
            "No file of this entry is deleted, whatever our rules say, until somebody lifts the hold. "
            "Who may see what does not change."
        )

        def hold(**why: Any) -> Hold:
            entry_id = None if form.cleaned_data["whole"] else pk
            return retention.hold(entry.registration_id, entry_id=entry_id, **why)

        return ask(request, self, entry, form, hold, action="Hold its files", what=what)

    @admin.display(description="Candidate", ordering="registration__code")
    def candidate(self, entry: Entry) -> str:
        return entry.registration.code

    @admin.display(description="More time")
    def extension(self, entry: Entry) -> str:
        """The page on which this one person's window is made longer, with a reason."""
        url = reverse("admin:candidates_registration_decide", args=["extend"])
        return format_html('<a href="{}?ids={}">Grant this candidate an extension</a>', url, entry.registration_id)
