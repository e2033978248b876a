"""The page between a button and its verb, where a reason is asked for."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from candidates.permissions import is_staff
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.refusal import Refused


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the record. Write no names of students, parents or teachers.",
    )


class HoldForm(ReasonForm):
    whole = forms.BooleanField(required=False, label="All entries of this candidate", help_text="In every cycle")


def ask(
    request: HttpRequest,
    on: admin.ModelAdmin,
    row: Model,
    form: forms.Form,
    verb: Callable[..., object],
    *,
    action: str,
    what: str,
) -> HttpResponse:
    """The page between a button and its verb: what will happen, and why. Back to the row once it is done."""
    if not is_staff(request.user):
        raise PermissionDenied
    back = reverse(f"admin:portfolios_{row._meta.model_name}_change", args=[row.pk])
    if request.method == "POST" and form.is_valid():
        try:
            changed = verb(reason=form.cleaned_data["reason"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            done = f"{row}: done, and written down." if changed else f"{row}: there was nothing to do."
            messages.success(request, done)
            return redirect(back)
    context = {"title": action, "row": row, "what": what, "form": form, "action": action, "back": back}
    context |= {**on.admin_site.each_context(request), "opts": on.opts}
    return render(request, "admin/portfolios/ask.html", context)
