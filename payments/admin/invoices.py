"""What we billed: invoices with how they stand, and credit notes. Papers never change; a wrong one is issued again."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import DateField, QuerySet, Value
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.money import Money
from icg_cert.lib.spreadsheet import download
from payments import invoices, permissions
from payments.admin.looking import LookInline, amount, ask
from payments.forms.money import ReissueForm
from payments.invoices import today
from payments.models import CreditNote, Invoice


def state_words(row: Any) -> str:
    """ "Overdue by 3 days" of an invoice read with its sums and with `today`."""
    if row.state == Invoice.State.VOID:
        return "Void"
    if row.owed_minor <= 0:
        return "Paid" if row.paid_minor else "Credited"
    late = (row.today - row.due_on).days
    if late > 0:
        return f"Overdue by {late} day{'' if late == 1 else 's'}"
    return "Open"


class StandingFilter(admin.SimpleListFilter):
    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue"), ("paid", "Nothing owed"), ("void", "Void")]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        on = today(request.at)  # type: ignore[attr-defined]
        choices = {
            "open": lambda: rows.open(),
            "overdue": lambda: rows.overdue(on),
            "paid": lambda: rows.standing().filter(owed_minor__lte=0),
            "void": lambda: rows.filter(state=Invoice.State.VOID),
        }
        return choices[self.value()]() if self.value() in choices else rows


class CreditNoteInline(LookInline):
    model = CreditNote
    fields = ["number", amount, "issued_on", "reason"]
    readonly_fields = [amount]


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["number", "payer", "standing", "owed", "due_on", amount, "order_number", "issued_on"]
    list_filter = [StandingFilter, "order__cohort"]
    search_fields = ["number", "order__number", "order__number_normalised", "order__payer__name"]
    list_select_related = ["order__payer"]
    date_hierarchy = "issued_on"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "number", "standing", "payer", "order", amount, "credited", "paid", "owed", "issued_on", "due_on", "lines",
        "pdf", "document_sha256", "issued_at", "voided_at",
    ]  # fmt: skip
    inlines = [CreditNoteInline]
    actions = ["export"]
    change_form_template = "admin/payments/invoice_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        rows: Any = super().get_queryset(request)
        return rows.with_sums().annotate(today=Value(today(request.at), DateField()))  # type: ignore[attr-defined]

    @admin.display(ordering="order__payer__name")
    def payer(self, row: Invoice) -> str:
        return row.order.payer.name

    @admin.display(description="purchase order", ordering="order__number")
    def order_number(self, row: Invoice) -> str:
        return row.order.number

    @admin.display(ordering="owed_minor")
    def owed(self, row: Invoice) -> Money:
        return row.owed

    @admin.display(description="credited")
    def credited(self, row: Any) -> Money:
        return Money(row.credited_minor, row.currency)

    @admin.display(description="paid")
    def paid(self, row: Any) -> Money:
        return Money(row.paid_minor, row.currency)

    @admin.display(description="state", ordering="due_on")
    def standing(self, row: Invoice) -> str:
        return state_words(row)

    @admin.display(description="lines")
    def lines(self, row: Invoice) -> SafeString:
        cells = ((n, line["coach"] or "a free seat", line["amount"]) for n, line in enumerate(row.content["lines"], 1))
        return format_html_join("", "{}. {}: {}<br>", cells)

    @admin.display(description="document")
    def pdf(self, row: Invoice) -> SafeString:
        return format_html('<a href="{}">Download</a>', reverse("payments:invoice-document", args=[row.pk]))

    @admin.action(description="Download as CSV", permissions=["view"])
    def export(self, request: HttpRequest, rows: QuerySet[Invoice]) -> StreamingHttpResponse:
        name = f"invoices-{today(request.at)}.csv"  # type: ignore[attr-defined]
        heads = ["number", "payer", "purchase order", "issued", "due", "currency", "amount", "credited", "paid", "owed"]
        rows = rows.select_related("order__payer").order_by("number")
        return download(name, [*heads, "state"], (_cells(row) for row in rows))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_enter_money"] = permissions.may_enter_money(request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/reissue/", self.admin_site.admin_view(self.reissue), name="payments_invoice_reissue")
        return [own, *super().get_urls()]

    def reissue(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(Invoice.objects.select_related("order__payer"), pk=pk)
        said = {"bill_to": invoice.content["bill_to"], "ship_to": invoice.content["ship_to"]}
        form = ReissueForm(request.POST or None, initial=said)

        def verb(**who: Any) -> None:
            invoices.reissue(pk, **form.cleaned_data, **who)

        what = "This one becomes void, another with its own number takes its place, and the payer's office is told."
        is_allowed = permissions.may_enter_money(request.user)
        return ask(request, self, invoice, "Void and issue again", what, form, verb, is_allowed=is_allowed)


def _cells(row: Any) -> list[object]:
    order = row.order
    sums = [Money(minor, row.currency).amount for minor in (row.credited_minor, row.paid_minor, row.owed_minor)]
    days: list[date] = [row.issued_on, row.due_on]
    return [row.number, order.payer.name, order.number, *days, row.currency, row.money.amount, *sums, state_words(row)]


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin):
    list_display = ["number", "invoice", "payer", amount, "issued_on", "reason"]
    search_fields = ["number", "invoice__number", "invoice__order__number", "invoice__order__payer__name"]
    list_select_related = ["invoice__order__payer"]
    date_hierarchy = "issued_on"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = ["number", "invoice", "payer", amount, "issued_on", "reason", "pdf", "document_sha256", "issued_at"]

    @admin.display(ordering="invoice__order__payer__name")
    def payer(self, row: CreditNote) -> str:
        return row.invoice.order.payer.name

    @admin.display(description="document")
    def pdf(self, row: CreditNote) -> SafeString:
        return format_html('<a href="{}">Download</a>', reverse("payments:credit-note-document", args=[row.pk]))
