"""Who may read which factor, what was signed, who knows whom, and how long readings take."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from icg_cert.lib.admin import ReadOnlyAdmin
from scoring import qualifications
from scoring.models import CyclePolicy, DeclaredTie, PublicMailDomain, Qualification, ReadingTime, Statement


@admin.register(Qualification)
class QualificationAdmin(admin.ModelAdmin):
    """Entered with a reason, ended with a reason; what ended stays."""

    list_display = ["scorer", "factor", "qualified_at", "lapsed_at"]
    list_filter = ["factor", ("lapsed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["scorer", "factor"]
    search_fields = ["scorer__name", "scorer__email"]
    autocomplete_fields = ["scorer"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        new = ["scorer", "factor", "reason"]
        return [*new, "qualified_at", "lapsed_at", "lapsed_reason"] if obj else new

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["scorer", "factor", "reason", "qualified_at", "lapsed_at"]
        if obj is None:
            return []
        return [*fixed, "lapsed_reason"] if obj.lapsed_at else fixed

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "lapsed_reason" in form.base_fields:
            form.base_fields["lapsed_reason"].required = True
            form.base_fields["lapsed_reason"].help_text = "Saving ends the qualification: say why. It cannot be undone."
        return form

    def save_model(self, request: HttpRequest, obj: Qualification, form: ModelForm, change: bool) -> None:
        if change:
            reason = form.cleaned_data["lapsed_reason"]
            qualifications.lapse(obj.pk, reason=reason, by=request.user, at=request.at)
        else:
            made = qualifications.qualify(obj.scorer, obj.factor, reason=obj.reason, by=request.user, at=request.at)
            obj.pk = made.pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = ["scorer", "cycle", "text", "signed_at"]
    list_filter = ["cycle"]
    list_select_related = ["scorer", "cycle", "text"]


@admin.register(DeclaredTie)
class DeclaredTieAdmin(ReadOnlyAdmin):
    list_display = ["declared_by", "name", "email", "relation", "declared_at"]
    list_filter = ["relation"]
    list_select_related = ["declared_by"]
    search_fields = ["declared_by__email", "name", "email"]


@admin.register(CyclePolicy)
class CyclePolicyAdmin(ReadOnlyAdmin):
    """Which rules a cycle is scored by: bound with its first reading, by the portal."""

    list_display = ["cycle", "policy", "bound_at", "bound_by"]
    list_select_related = ["cycle", "policy", "bound_by"]


@admin.register(PublicMailDomain)
class PublicMailDomainAdmin(admin.ModelAdmin):
    """Mail providers for everybody: an address of theirs is no tie to anybody."""

    list_display = ["domain"]
    search_fields = ["domain"]


@admin.register(ReadingTime)
class ReadingTimeAdmin(admin.ModelAdmin):
    """Estimates, free to edit: they share work, and change no result."""

    list_display = ["factor", "minutes"]
    list_select_related = ["factor"]
