"""Staff's side of the portfolio: what is asked for. What candidates hand in is only looked at, held, or withdrawn."""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from candidates.permissions import is_staff
from icg_cert.audit.models import Event
from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import clock_words, day_of
from portfolios import consents, permissions, processing, retention
from portfolios.models import Consent, Entry, Factor, Hold, Purge, Requirement, Upload
from portfolios.upload_rows import file_url

LOOKS_SHOWN = 50


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the record. Write no names of students, parents or teachers.",
    )


class HoldForm(ReasonForm):
    whole = forms.BooleanField(required=False, label="All entries of this candidate", help_text="In every cycle")


def ask(
    request: HttpRequest,
    on: admin.ModelAdmin,
    row: Model,
    form: forms.Form,
    verb: Callable[..., object],
    *,
    action: str,
    what: str,
) -> HttpResponse:
    """The page between a button and its verb: what will happen, and why. Back to the row once it is done."""
    if not is_staff(request.user):
        raise PermissionDenied
    back = reverse(f"admin:portfolios_{row._meta.model_name}_change", args=[row.pk])
    if request.method == "POST" and form.is_valid():
        try:
            changed = verb(reason=form.cleaned_data["reason"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            done = f"{row}: done, and written down." if changed else f"{row}: there was nothing to do."
            messages.success(request, done)
            return redirect(back)
    context = {"title": action, "row": row, "what": what, "form": form, "action": action, "back": back}
    context |= {**on.admin_site.each_context(request), "opts": on.opts}
    return render(request, "admin/portfolios/ask.html", context)


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
        return super().get_queryset(request).select_related("requirement__factor", "consent")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="File")
    def file(self, upload: Upload) -> str:
        return _link(upload)


def _link(upload: Upload) -> str:
    if upload.state not in Upload.HANDED_IN or upload.purged_at:
        return upload.neutral_name
    return format_html('<a href="{}">{}</a>', file_url(upload), upload.neutral_name)


def _look(event: Event) -> tuple[str, str, str]:
    """When, who, and which rendition by which door, where that was noted."""
    home = event.at.astimezone(ZoneInfo(settings.TIME_ZONE))
    how = f" ({event.after['shown_as']}, by {event.after['door']})" if event.after else ""
    return f"{day_of(event.at)}, {clock_words(home)}", str(event.actor), how


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
    actions = ["try_again"]
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
        return _link(upload)

    @admin.action(description="Prepare the film again", permissions=["prepare"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Upload]) -> None:
        for row in rows:
            try:
                processing.try_again(row.pk, by=request.user, at=request.at)
            except Refused as refusal:
                messages.error(request, f"{row}: {refusal.message}")
            else:
                messages.success(request, f"{row}: it is prepared again as soon as a worker is free.")

    def has_prepare_permission(self, request: HttpRequest) -> bool:
        return permissions.may_have_prepared(request.user)

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


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """The ledger: lines are added by what candidates and staff do, and never changed."""

    list_display = ["upload", "candidate", "purpose", "act", "text", "by", "at"]
    list_filter = ["purpose", "act", "upload__entry__cycle"]
    list_select_related = ["upload__entry__registration", "text", "by"]
    search_fields = ["upload__entry__registration__code"]
    ordering = ["-at", "-pk"]
    show_full_result_count = False

    @admin.display(description="Candidate", ordering="upload__entry__registration__code")
    def candidate(self, line: Consent) -> str:
        return line.upload.entry.registration.code


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """What keeps files from being deleted. Set on an entry's page, or by an appeal; lifted here."""

    list_display = ["__str__", "candidate", "reason", "by", "at", "lifted_by", "lifted_at"]
    list_filter = [("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["registration__cohort", "entry", "by", "lifted_by"]
    search_fields = ["registration__code"]
    show_full_result_count = False
    change_form_template = "admin/portfolios/hold_detail.html"

    @admin.display(description="Candidate", ordering="registration__code")
    def candidate(self, hold: Hold) -> str:
        return hold.registration.code

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.lift_view)
        return [path("<int:pk>/lift/", view, name="portfolios_hold_lift"), *super().get_urls()]

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        hold = get_object_or_404(Hold, pk=pk)
        what = "What is due for deletion is deleted by the next run, within minutes."
        form = ReasonForm(request.POST or None)
        return ask(
            request, self, hold, form, lambda **why: retention.lift(pk, **why), action="Lift this hold", what=what
        )


@admin.register(Purge)
class PurgeAdmin(ReadOnlyAdmin):
    """What was deleted and why; of dry runs, what would have been. Each file has its line in the audit trail."""

    list_display = ["__str__", "uploads", "files", "bytes", "held", "failed"]
    list_filter = ["is_dry"]
    show_full_result_count = False
