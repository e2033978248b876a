"""Staff's side of scoring: what is judged by, and a look at what was judged."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form, whole_number
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring import assignment, certificates, policies, rubrics
from scoring.models import (
    Assignment,
    Certificate,
    Criterion,
    FactorScore,
    FeedbackStatement,
    Level,
    Rating,
    Recusal,
    Release,
    Result,
    Rubric,
    Scorer,
    ScoringPolicy,
    Sheet,
)
from scoring.permissions import is_staff
from scoring.release_forms import RevokeForm
from scoring.rubric_form import RubricForm, initial_of


class LevelInline(admin.TabularInline):
    model = Level
    extra = 0
    can_delete = False


class CriterionInline(admin.TabularInline):
    model = Criterion
    extra = 0
    can_delete = False


@admin.register(Rubric)
class RubricAdmin(ReadOnlyAdmin):
    """A rubric is never changed; "Add" writes the next version, beginning with the words of the current one."""

    list_display = ["__str__", "factor", "version", "is_current", "content_hash"]
    list_filter = ["factor", "is_current"]
    list_select_related = ["factor"]
    fields = ["factor", "version", "is_current", "content_hash"]
    inlines = [LevelInline, CriterionInline]
    change_form_template = "admin/scoring/rubric_detail.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scoring.add_rubric")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RubricForm(request.POST or None, initial=_words_now(request.GET.get("factor", "")))
        if form.is_valid():
            try:
                rubric = rubrics.publish(
                    form.cleaned_data["factor"],
                    form.levels(),
                    form.criteria(),
                    by=request.user,  # type: ignore[arg-type]
                    at=request.at,  # type: ignore[attr-defined]
                )
            except Refused as refusal:
                refuse_form(form, refusal)
            else:
                messages.success(request, f"{rubric} is what this factor is scored by from now on.")
                return redirect("admin:scoring_rubric_change", rubric.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Write a rubric", "form": form}
        return render(request, "admin/scoring/rubric_write.html", context)


def _words_now(factor_pk: str) -> dict[str, Any]:
    key = whole_number(factor_pk)
    factor = Factor.objects.first() if key is None else Factor.objects.filter(pk=key).first()
    if factor is None:
        return {}
    rubric = factor.rubrics.current().first()
    return initial_of(factor, *rubrics.words_of(rubric)) if rubric else {"factor": factor.pk}


class PolicyForm(ModelForm):  # type: ignore[type-arg]
    """Shape, and the rule about its numbers, said before they are saved."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                policies.refuse_contradiction(data)
            except Refused as refusal:
                refuse_form(self, refusal)
        return data


@admin.register(ScoringPolicy)
class ScoringPolicyAdmin(ReadOnlyAdmin):
    """A policy is never changed; "Add" adopts the next version, beginning with the numbers of the current one."""

    list_display = ["version", "threshold", "floor", "adjudication_gap", "double_percent", "retake_rule"]
    fields = policies.NUMBERS

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scoring.add_scoringpolicy")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        newest = ScoringPolicy.objects.order_by("-version").values(*policies.NUMBERS).first()
        return {**(newest or {}), **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=PolicyForm, **kwargs)

    def save_model(self, request: HttpRequest, obj: ScoringPolicy, form: Any, change: bool) -> None:
        numbers = {name: form.cleaned_data[name] for name in policies.NUMBERS}
        adopted = policies.adopt(by=request.user, at=request.at, **numbers)  # type: ignore[arg-type, attr-defined]
        obj.pk, obj.version = adopted.pk, adopted.version


@admin.register(FeedbackStatement)
class FeedbackStatementAdmin(admin.ModelAdmin):
    """Free to edit: a released result keeps the words it was told with."""

    list_display = ["text", "factor", "position"]
    list_filter = ["factor"]
    list_select_related = ["factor"]


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """A look at the decisions; they are taken on the release page, by two people."""

    list_display = ["cycle", "state", "releases_at", "prepared_by", "approved_by", "released_at", "page"]
    list_select_related = ["cycle", "prepared_by", "approved_by"]

    @admin.display(description="release page")
    def page(self, release: Release) -> str:
        return format_html('<a href="{}">Open</a>', reverse("scoring:release", args=[release.cycle_id]))


class FactorScoreInline(admin.TabularInline):
    model = FactorScore
    fields = ["entry", "score", "how", "rubric"]
    readonly_fields = ["score"]
    extra = 0
    can_delete = False


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = ["registration", "cycle", "status", "released_at", "told_at", "superseded_at", "report"]
    list_filter = ["cycle", "status", ("told_at", admin.EmptyFieldListFilter)]
    search_fields = ["registration__code", "registration__user__email", "registration__user__name"]
    list_select_related = ["registration__cohort", "cycle"]
    inlines = [FactorScoreInline]
    show_full_result_count = False

    @admin.display(description="report")
    def report(self, result: Result) -> str:
        url = reverse("scoring:result-of", args=[result.cycle_id, result.registration.code])
        return format_html('<a href="{}">Read</a>', url)


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["code", "holder_name", "issued_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["code", "holder_name", "registration__code", "registration__user__email"]
    list_select_related = ["registration__cohort"]
    change_form_template = "admin/scoring/certificate_detail.html"

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="scoring_certificate_revoke"
        )
        return [revoke, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not is_staff(request.user):
            raise PermissionDenied
        certificate = get_object_or_404(Certificate, pk=pk)
        form = RevokeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            certificates.revoke(pk, reason=reason, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
            messages.success(request, f"Certificate {certificate.code} is revoked.")
            return redirect("admin:scoring_certificate_change", pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Revoke this certificate"}
        return render(
            request, "admin/scoring/certificate_revoke.html", {**context, "certificate": certificate, "form": form}
        )


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
                assignment.stand_down(scorer.user_id, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
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
    """Who reads what. Given out on the scoring board."""

    list_display = ["entry", "candidate", "role", "reason", "scorer", "assigned_at", "state"]
    list_filter = ["entry__cycle", "role", "reason", "sheet__status"]
    search_fields = ["entry__registration__code", "scorer__name", "scorer__email"]
    list_select_related = ["entry__registration", "scorer", "sheet"]
    show_full_result_count = False

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
