"""Staff's side of what is judged by: rubrics, the policy, feedback statements."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form, whole_number
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring import policies, rubrics
from scoring.models import (
    Criterion,
    FeedbackStatement,
    Level,
    Rubric,
    ScoringPolicy,
)
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
    """A policy is never changed; "Add" adopts the next version, beginning with the numbers of the current one.

    Cycles whose scoring has begun keep theirs; the newest is for those to come.
    """

    list_display = ["version", "threshold", "floor", "adjudication_gap", "double_percent", "retake_rule", "used_by"]
    fields = policies.NUMBERS

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScoringPolicy]:
        return super().get_queryset(request).prefetch_related("cycles__cycle")

    @admin.display(description="cycles bound to it")
    def used_by(self, policy: ScoringPolicy) -> str:
        return ", ".join(str(bound.cycle.year) for bound in policy.cycles.all())

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
