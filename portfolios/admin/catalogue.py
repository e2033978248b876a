"""What the programme asks for."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portfolios.models import Factor, Requirement


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
