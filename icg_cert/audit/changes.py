"""Rows that staff edit freely in the admin, with every change in the trail."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from icg_cert.audit import trail


class AuditedAdmin(admin.ModelAdmin):
    """Records what was changed from what to what; for models without rules beyond their constraints."""

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        before = {name: str(form.initial.get(name)) for name in form.changed_data} if change else None
        super().save_model(request, obj, form, change)
        after = {name: str(form.cleaned_data.get(name)) for name in form.changed_data}
        verb = f"{obj._meta.model_name}.{'change' if change else 'add'}"
        if after:
            at = request.at  # type: ignore[attr-defined]
            trail.record(verb, obj, by=request.user, at=at, before=before, after=after)
