"""Who judges, and a look at what was judged; and giving a reading to somebody else."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.refusal import Refused
from scoring import handover
from scoring.models import (
    Assignment,
    Rating,
    Recusal,
    Scorer,
    Sheet,
)
from scoring.permissions import is_staff


@admin.register(Scorer)
class ScorerAdmin(admin.ModelAdmin):
    """Who scores, and what could be a conflict of interest. The role itself is given to the person's account."""

    list_display = ["user", "roles", "district", "employer", "is_active"]
    list_filter = ["is_active", "user__groups"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__email", "district", "employer"]
    autocomplete_fields = ["user"]
    actions = ["stand_down"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scorer]:
        return super().get_queryset(request).prefetch_related("user__groups")

    @admin.display(description="roles")
    def roles(self, scorer: Scorer) -> str:
        return ", ".join(sorted(group.name for group in scorer.user.groups.all())) or "none: give one to the account"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user"] if obj else []

    @admin.action(permissions=["change"], description="Stand down: give their unfinished readings to others")
    def stand_down(self, request: HttpRequest, queryset: QuerySet[Scorer]) -> HttpResponse | None:
        if "sure" in request.POST:
            passed_on = [
                handover.stand_down(scorer.user_id, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
                for scorer in queryset
            ]
            messages.success(request, f"Done. Unfinished readings taken from them: {sum(passed_on)}.")
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Stand down",
            "scorers": queryset,
        }
        return render(request, "admin/scoring/scorer_stand_down.html", context)


@admin.register(Recusal)
class RecusalAdmin(ReadOnlyAdmin):
    list_display = ["scorer", "registration", "declared_at", "reason"]
    list_select_related = ["scorer", "registration__cohort"]


class RatingInline(admin.TabularInline):
    model = Rating
    fields = ["criterion", "value", "evidence"]
    extra = 0
    can_delete = False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """Who reads what. Given out on the scoring board; one reading may be given to somebody else."""

    list_display = ["entry", "candidate", "role", "reason", "scorer", "assigned_at", "state"]
    list_filter = ["entry__cycle", "role", "reason", "sheet__status"]
    search_fields = ["entry__registration__code", "scorer__name", "scorer__email"]
    list_select_related = ["entry__registration", "scorer", "sheet"]
    show_full_result_count = False
    change_form_template = "admin/scoring/assignment_detail.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.give_away_view)
        return [path("<int:pk>/give-away/", view, name="scoring_assignment_give_away"), *super().get_urls()]

    def give_away_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page between the button and the verb; about a reading that went to somebody already, a 404."""
        if not is_staff(request.user):
            raise PermissionDenied
        reading = get_object_or_404(Assignment.objects.select_related("entry__registration", "scorer"), pk=pk)
        if request.method == "POST":
            try:
                given = handover.give_away(pk, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
            except Refused as refusal:
                messages.error(request, refusal.message)
                return redirect("admin:scoring_assignment_change", pk)
            messages.success(request, f"{given.scorer.name} reads it now, and is told.")
            return redirect("admin:scoring_assignment_change", given.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Give to somebody else"}
        return render(request, "admin/scoring/assignment_give_away.html", {**context, "reading": reading})

    @admin.display(description="candidate")
    def candidate(self, one: Assignment) -> str:
        return one.entry.registration.code

    @admin.display(description="sheet")
    def state(self, one: Assignment) -> str:
        return one.sheet.get_status_display()


@admin.register(Sheet)
class SheetAdmin(ReadOnlyAdmin):
    """A look at what was judged; only its scorer writes on a sheet."""

    list_display = ["__str__", "assignment", "status", "saved_at", "finalised_at"]
    list_filter = ["status", "assignment__entry__cycle", "assignment__role"]
    search_fields = ["assignment__entry__registration__code", "assignment__scorer__email"]
    list_select_related = ["assignment"]
    inlines = [RatingInline]
    show_full_result_count = False
