"""What came in: checks and transfers, by hand or from a file, what they are for, and those that bounced."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import allocation, permissions, remittance_file, remittances
from payments.admin.looking import LookInline, amount, ask, named
from payments.forms.money import AllocateForm, FileForm, PayerForm, ReverseForm
from payments.models import Allocation, Remittance


class LeftFilter(admin.SimpleListFilter):
    title = "what is left of it"
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("credit", "Credit of the payer"), ("reversed", "Came back")]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        choices = {"credit": {"left_minor__gt": 0}, "reversed": {"reversed_at__isnull": False}}
        return rows.filter(**choices.get(self.value() or "", {}))


class AllocationInline(LookInline):
    model = Allocation
    fields = ["seat", amount, "by", "at", "undone_at"]
    readonly_fields = [amount]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        return super().get_queryset(request).select_related("seat__order__payer", "seat__registration__cohort", "by")


@admin.register(Remittance)
class RemittanceAdmin(ReadOnlyAdmin):
    list_display = ["received_on", "kind", "number", "payer", amount, "given", "left", "entered_by", "reversed_at"]
    list_filter = ["kind", LeftFilter]
    search_fields = ["number", "payer__name"]
    list_select_related = ["payer", "entered_by"]
    date_hierarchy = "received_on"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "payer", "kind", "number", amount, "received_on", "given", "left", "entry", "entered_by", "entered_at",
        "reversed_by", "reversed_at", "reversal_reason",
    ]  # fmt: skip
    inlines = [AllocationInline]
    change_form_template = "admin/payments/remittance_detail.html"
    change_list_template = "admin/payments/remittance_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Remittance]:
        rows: Any = super().get_queryset(request)
        return rows.with_left()

    @admin.display(description="for seats", ordering="given_minor")
    def given(self, row: Any) -> Money:
        return Money(row.given_minor, row.currency)

    @admin.display(description="credit", ordering="left_minor")
    def left(self, row: Remittance) -> Money:
        return row.left

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"may_enter_money": permissions.may_enter_money(request.user), **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_enter_money"] = permissions.may_enter_money(request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        names = [
            ("choose/", self.choose), ("file/", self.file), ("template/", self.template),
            ("<int:pk>/allocate/", self.allocate), ("<int:pk>/reverse/", self.reverse),
        ]  # fmt: skip
        return named(self, names) + super().get_urls()

    def choose(self, request: HttpRequest) -> HttpResponse:
        """The first of two steps: from whom. The page of the payer then knows what is open."""
        form = PayerForm(request.GET or None)
        self._check_allowed(request)
        if form.is_valid():
            return redirect("admin:payments_payer_money", form.cleaned_data["payer"].pk)
        return self._page(request, "admin/payments/remittance_choose.html", "Enter a check or transfer", form=form)

    def file(self, request: HttpRequest) -> HttpResponse:
        """Choose a file, look at what it would do, then enter the same."""
        self._check_allowed(request)
        form = FileForm(request.POST or None, request.FILES or None)
        page: dict[str, Any] = {"columns": remittance_file.COLUMNS}
        try:
            if "text" in request.POST:
                page |= self._entered(request, request.POST["text"])
                form = FileForm()
            elif form.is_valid():
                page |= self._tried(request, form.text())
        except Refused as refusal:
            refuse_form(form, refusal)
        return self._page(request, "admin/payments/remittance_file.html", "Enter from a file", form=form, **page)

    def _tried(self, request: HttpRequest, text: str) -> dict[str, Any]:
        lines = remittance_file.read(text)
        return {"text": text, "outcomes": remittance_file.try_out(lines, by=request.user, at=request.at)}  # type: ignore[attr-defined]

    def _entered(self, request: HttpRequest, text: str) -> dict[str, Any]:
        lines = remittance_file.read(text)
        outcomes = remittance_file.enter(lines, by=request.user, at=request.at)  # type: ignore[attr-defined]
        entered = sum(outcome.is_new is True for outcome in outcomes)
        messages.success(request, f"{entered} of {len(outcomes)} lines are entered now.")
        return {"outcomes": outcomes, "is_done": True}

    def template(self, request: HttpRequest) -> HttpResponse:
        self._check_allowed(request)
        response = HttpResponse(remittance_file.template(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="checks-and-transfers.csv"'
        return response

    def allocate(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row(pk)
        form = AllocateForm(request.POST or None, payer=row.payer)

        def verb(**who: Any) -> None:
            allocation.allocate(pk, form.cleaned_data["seats"], **who)

        what = f"{row.left} of it is the payer's credit. What you choose is paid from it."
        return self._ask(request, row, "Use the credit", what, form, verb)

    def reverse(self, request: HttpRequest, pk: int) -> HttpResponse:
        row, form = self._row(pk), ReverseForm(request.POST or None)

        def verb(**who: Any) -> None:
            remittances.reverse(pk, reason=form.cleaned_data["reason"], **who)

        what = "What it paid for is owed again. Seats stay held, and coaches are not told. This cannot be undone."
        return self._ask(request, row, "It came back from the bank", what, form, verb)

    def _row(self, pk: int) -> Remittance:
        return get_object_or_404(Remittance.objects.with_left().select_related("payer"), pk=pk)

    def _check_allowed(self, request: HttpRequest) -> None:
        if not permissions.may_enter_money(request.user):
            raise PermissionDenied

    def _ask(
        self, request: HttpRequest, row: Remittance, action: str, what: str, form: forms.Form, verb: Any
    ) -> HttpResponse:
        is_allowed = permissions.may_enter_money(request.user)
        return ask(request, self, row, action, what, form, verb, is_allowed=is_allowed)

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return render(request, template, context)
