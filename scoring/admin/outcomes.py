"""A look at what is told: releases and results."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from icg_cert.lib.admin import ReadOnlyAdmin
from scoring.models import FactorScore, Release, Result


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
