from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from candidates import calendar, policies
from candidates.models import Cohort, Cycle, PolicyText, Programme
from icg_cert.audit.changes import AuditedAdmin
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.refusal import Refused


@admin.register(Programme)
class ProgrammeAdmin(AuditedAdmin):
    """One row: the calendar from which years are made. Changing it leaves the years that exist as they are."""

    list_display = ["name", "registration_first", "registration_last", "submission_first", "submission_last", "fee"]
    readonly_fields = ["currency"]  # another one joins in icg_cert.lib.money first

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PolicyText)
class PolicyTextAdmin(admin.ModelAdmin):
    """A text is never changed; "Add" adopts the next version."""

    list_display = ["__str__", "kind", "version"]
    list_filter = ["kind"]
    fields = ["kind", "body"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        made = policies.adopt(obj.kind, obj.body, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
        obj.pk, obj.version = made.pk, made.version


class YearForm(forms.Form):
    year = forms.IntegerField(
        min_value=2000,
        max_value=2200,
        help_text="The autumn in which registration opens. Its cycles are the next three.",
    )


@admin.register(Cohort)
class CohortAdmin(AuditedAdmin):
    """Made from the calendar by "Make a year"; dates and fee may then be changed."""

    list_display = ["__str__", "registration_opens_at", "registration_closes_at", "fee"]
    readonly_fields = ["year", "number", "currency"]
    change_list_template = "admin/candidates/cohort_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.make_year)
        return [path("make-year/", view, name="candidates_cohort_make_year"), *super().get_urls()]

    def make_year(self, request: HttpRequest) -> HttpResponse:
        """The page that asks which year, and makes its cohort and cycles."""
        if not request.user.has_perm("candidates.add_cohort"):
            raise PermissionDenied
        at = request.at  # type: ignore[attr-defined]
        form = YearForm(request.POST or None, initial={"year": calendar.year_to_open(at)})
        if request.method == "POST" and form.is_valid():
            try:
                cohort = calendar.open_year(form.cleaned_data["year"], by=request.user, at=at)  # type: ignore[arg-type]
            except Refused as refusal:
                refuse_form(form, refusal)
            else:
                years = ", ".join(str(year) for year in cohort.cycle_years)
                messages.success(request, f"{cohort} and the cycles {years} are there. Look at their dates.")
                return redirect("admin:candidates_cohort_changelist")
        context = {**self.admin_site.each_context(request), "title": "Make a year", "form": form, "opts": self.opts}
        return render(request, "admin/candidates/cohort_make_year.html", context)


@admin.register(Cycle)
class CycleAdmin(AuditedAdmin):
    """Made together with a cohort; dates, grace and directions may be changed."""

    list_display = ["__str__", "opens_at", "closes_at", "releases_at", "has_directions"]
    readonly_fields = ["year"]

    @admin.display(boolean=True, description="directions")
    def has_directions(self, cycle: Cycle) -> bool:
        return bool(cycle.directions)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
