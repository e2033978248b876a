"""A look at who was held back or excepted, and why. Both are done on the release pages."""

from django.contrib import admin

from icg_cert.lib.admin import ReadOnlyAdmin
from scoring.models import GateException, ResultHold


@admin.register(GateException)
class GateExceptionAdmin(ReadOnlyAdmin):
    list_display = ["registration", "cycle", "rule", "words", "reason", "signed_by", "signed_at", "withdrawn_at"]
    list_filter = ["cycle", "rule", ("withdrawn_at", admin.EmptyFieldListFilter)]
    search_fields = ["registration__code", "reason"]
    list_select_related = ["registration__cohort", "cycle", "signed_by"]


@admin.register(ResultHold)
class ResultHoldAdmin(ReadOnlyAdmin):
    list_display = [
        "registration",
        "cycle",
        "reason",
        "hear_on",
        "set_by",
        "set_at",
        "told_at",
        "lifted_at",
    ]
    list_filter = ["cycle", ("lifted_at", admin.EmptyFieldListFilter)]
    search_fields = ["registration__code", "reason"]
    list_select_related = ["registration__cohort", "cycle", "set_by"]
