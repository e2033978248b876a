"""Payers to keep and to verify, how they stand with us, and the money that comes from them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from icg_cert.audit.changes import AuditedAdmin
from icg_cert.lib.money import Money
from payments import balances, payers, permissions, remittances
from payments.admin.looking import LookInline, OrderInline, amount, ask
from payments.forms.money import PayerDetailsForm, RemittanceForm
from payments.models import LedgerEntry, Payer, Remittance
from payments.order_views import download


class RemittanceInline(LookInline):
    model = Remittance
    fields = ["kind", "number", amount, "received_on", "entered_by", "reversed_at"]
    readonly_fields = [amount]


class EntryInline(LookInline):
    model = LedgerEntry
    fields = ["kind", amount, "occurred_at", "reason", "actor"]
    readonly_fields = [amount]


class StandingFilter(admin.SimpleListFilter):
    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owes", "Owes"), ("credit", "Has credit")]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        choices = {"owes": {"owed_minor__gt": 0}, "credit": {"unapplied_minor__gt": 0}}
        return rows.filter(**choices.get(self.value() or "", {}))


def sum_column(name: str, words: str) -> Any:
    """A column of the sums that payments.balances makes."""

    @admin.display(description=words, ordering=f"{name}_minor")
    def column(row: Any) -> Money:
        return Money(getattr(row, f"{name}_minor"))

    return column


SUMS = [
    sum_column("owed", "owed"),
    sum_column("received", "received"),
    sum_column("returned", "went back"),
    sum_column("allocated", "for seats"),
    sum_column("unapplied", "credit"),
]


@admin.register(Payer)
class PayerAdmin(AuditedAdmin):
    """Made by the orders that name them. Their address and their certificate are kept here."""

    list_display = ["name", *SUMS, "email", "verified_at"]
    list_filter = [StandingFilter, ("verified_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "name_normalised", "email"]
    show_full_result_count = False
    list_per_page = 50
    form = PayerDetailsForm
    readonly_fields = ["name", "certificate", *SUMS, "verified_by", "verified_at"]
    fields = ["name", "email", "bill_to", "certificate", "exemption", *SUMS, "verified_by", "verified_at"]
    inlines = [OrderInline, RemittanceInline, EntryInline]
    change_form_template = "admin/payments/payer_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payer]:
        return balances.of_payers(super().get_queryset(request))

    @admin.display(description="certificate on file")
    def certificate(self, payer: Payer) -> str:
        if not payer.exemption:
            return "None"
        return format_html('<a href="{}">Download</a>', reverse("admin:payments_payer_exemption", args=[payer.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_decide"] = permissions.may_decide_orders(request.user)
        context["may_enter_money"] = permissions.may_enter_money(request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<int:pk>/{v.__name__}/", self.admin_site.admin_view(v), name=f"payments_payer_{v.__name__}")
            for v in (self.verify, self.money, self.exemption)
        ]
        return own + super().get_urls()

    def verify(self, request: HttpRequest, pk: int) -> HttpResponse:
        payer, form = get_object_or_404(Payer, pk=pk), forms.Form(request.POST or None)
        what = "You have made sure that it exists and is called so. It is remembered for all its orders."

        def verb(**who: Any) -> None:
            payers.verify(pk, **who)

        is_allowed = permissions.may_decide_orders(request.user)
        return ask(request, self, payer, "Verify this payer", what, form, verb, is_allowed=is_allowed)

    def money(self, request: HttpRequest, pk: int) -> HttpResponse:
        payer = get_object_or_404(Payer, pk=pk)
        form = RemittanceForm(request.POST or None, payer=payer)

        def verb(**who: Any) -> str:
            entered = remittances.enter(pk, **form.cleaned_data, **who)
            is_new = entered.entered_at == who["at"]
            return "" if is_new else f"{entered} was entered before. Nothing was posted again."

        what = "What it brought is posted to the ledger and cannot be changed afterwards. One that bounces is reversed."
        is_allowed = permissions.may_enter_money(request.user)
        return ask(request, self, payer, "Enter a check or transfer", what, form, verb, is_allowed=is_allowed)

    def exemption(self, request: HttpRequest, pk: int) -> FileResponse:
        payer = get_object_or_404(Payer, pk=pk)
        if not self.has_view_permission(request, payer):
            raise PermissionDenied
        if not payer.exemption:
            raise Http404
        return download(payer.exemption, f"tax-exemption-{payer.pk}.pdf")
