"""What is asked of scorers, and what came of it. Leads and staff work on the scoring board; here one looks."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from icg_cert.lib.admin import ReadOnlyAdmin
from scoring import standards
from scoring.models import Benchmark, Calibration, Pause, Standard


@admin.register(Standard)
class StandardAdmin(ReadOnlyAdmin):
    """A standard is never changed; "Add" adopts another one, beginning with the newest for every factor."""

    list_display = ["__str__", "benchmarks", "exact_percent", "near_percent", "farthest", "seed_every", "made_at"]
    list_filter = ["factor"]
    list_select_related = ["factor"]
    fields = ["factor", *standards.NUMBERS]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scoring.add_standard")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        newest = Standard.objects.filter(factor=None).order_by("-pk").values(*standards.NUMBERS).first()
        return {**(newest or {}), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Standard, form: ModelForm, change: bool) -> None:
        numbers = {name: form.cleaned_data[name] for name in standards.NUMBERS}
        obj.pk = standards.adopt(form.cleaned_data["factor"], by=request.user, at=request.at, **numbers).pk


@admin.register(Benchmark)
class BenchmarkAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "entry", "use", "position", "chosen_at", "retired_at"]
    list_filter = ["use", "entry__factor"]
    list_select_related = ["entry"]


@admin.register(Calibration)
class CalibrationAdmin(ReadOnlyAdmin):
    list_display = ["scorer", "factor", "begun_at", "finished_at", "passed"]
    list_filter = ["factor", "passed"]
    list_select_related = ["scorer", "factor"]


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    list_display = ["scorer", "factor", "began_at", "lifted_at", "reason"]
    list_filter = ["factor"]
    list_select_related = ["scorer", "factor"]
