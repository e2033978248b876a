"""Rows to look at, in lists and below their parents; and the page between a button and its verb."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse

from icg_cert.lib.doors import refuse_form
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import permissions
from payments.models import LedgerEntry, PurchaseOrder


@admin.display(description="amount", ordering="amount_minor")
def amount(row: Any) -> Money:
    """Of any row that is about money."""
    money: Money = row.money
    return money


@admin.display(description="account")
def whose(entry: LedgerEntry) -> str:
    """In whose account an entry stands: a registration's code, a payer's name, or nobody's."""
    return entry.registration.code if entry.registration else str(entry.payer or "nobody")


def named(model_admin: admin.ModelAdmin, views: list[tuple[str, Callable[..., HttpResponse]]]) -> list[URLPattern]:
    """Addresses of a model's own pages, each called as its view: admin:payments_refund_approve."""
    name = f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    wrap = model_admin.admin_site.admin_view
    return [path(address, wrap(view), name=f"{name}_{view.__name__}") for address, view in views]


class LookInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows to look at, for whoever may look at their parent."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return permissions.may_see_money(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderInline(LookInline):
    model = PurchaseOrder
    fields = ["number", amount, "state", "contact_name", "submitted_at"]
    readonly_fields = [amount]


def ask(
    request: HttpRequest,
    model_admin: admin.ModelAdmin,  # type: ignore[type-arg]
    row: Model,
    action: str,
    what: str,
    form: forms.Form,
    verb: Callable[..., object],
    *,
    is_allowed: bool,
    template: str = "admin/payments/ask.html",
    **context: Any,
) -> HttpResponse:
    """The page between a button and its verb: what will happen, what must be typed. Back to the row once it is done.

    `verb(by=, at=)` reads what was typed from `form` itself; a refusal stands in the form. A text that it returns
    is said in place of "done": there was nothing to do.
    """
    if not is_allowed:
        raise PermissionDenied
    back = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    if request.method == "POST" and form.is_valid():
        try:
            said = verb(by=request.user, at=request.at)  # type: ignore[attr-defined]
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            done = said if isinstance(said, str) and said else f"{row}: done, and written down."
            messages.success(request, done)
            return redirect(back)
    context |= {"title": action, "row": row, "what": what, "form": form, "action": action, "back": back}
    context |= {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return render(request, template, context)
