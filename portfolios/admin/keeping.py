"""How long files are kept, and what the people in them agreed to."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from icg_cert.lib.admin import ReadOnlyAdmin
from portfolios import retention
from portfolios.admin.asking import ReasonForm, ask
from portfolios.models import Consent, Hold, Purge


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
