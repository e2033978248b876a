"""The office's side of money: everything to look at, and purchase orders to judge. What changes, the verbs change."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import invoices, permissions, purchase_orders
from payments.forms import ReasonForm
from payments.models import (
    Account,
    Attempt,
    LedgerEntry,
    PolicyAcceptance,
    ProviderCall,
    ProviderRef,
    PurchaseOrder,
)


@admin.display(description="amount", ordering="amount_minor")
def amount(row: Attempt | LedgerEntry | PurchaseOrder) -> Money:
    return row.money


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


class EntryInline(LookInline):
    model = LedgerEntry
    fields = ["kind", amount, "provider", "txn_ref", "occurred_at", "recorded_at"]
    readonly_fields = [amount]


class AttemptInline(LookInline):
    model = Attempt
    fields = ["provider", amount, "state", "opened_at", "problem"]
    readonly_fields = [amount]


class OrderInline(LookInline):
    model = PurchaseOrder
    fields = ["number", "payer_name", amount, "state", "submitted_at"]
    readonly_fields = [amount]


class AcceptanceInline(LookInline):
    model = PolicyAcceptance
    fields = ["text", "accepted_at"]


class CallInline(LookInline):
    model = ProviderCall
    fields = ["operation", "started_at", "finished_at", "outcome"]


class RefInline(LookInline):
    model = ProviderRef
    fields = ["kind", "ref"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "kind", amount, "provider", "registration_code", "txn_ref", "actor"]
    list_filter = ["kind", "provider", ("registration", admin.EmptyFieldListFilter)]
    search_fields = ["txn_ref", "registration__code", "registration__user__email"]
    list_select_related = ["registration", "actor"]
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="registration", empty_value="unmatched")
    def registration_code(self, entry: LedgerEntry) -> str | None:
        return entry.registration.code if entry.registration else None


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["opened_at", "provider", amount, "state", "registration_code", "problem"]
    list_filter = ["state", "provider"]
    search_fields = ["public_id", "registration__code", "registration__user__email", "refs__ref"]
    list_select_related = ["registration"]
    date_hierarchy = "opened_at"
    show_full_result_count = False
    list_per_page = 50
    exclude = ["url", "request"]
    inlines = [CallInline, RefInline, EntryInline]

    @admin.display(description="registration")
    def registration_code(self, attempt: Attempt) -> str:
        return attempt.registration.code


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["code", "user", "cohort", "status", "payment_status", "fee", "balance"]
    list_filter = ["payment_status", "cohort", "status"]
    search_fields = ["code", "user__email", "user__name", "district"]
    list_select_related = ["user", "cohort"]
    show_full_result_count = False
    list_per_page = 50
    fields = ["code", "user", "cohort", "status", "payment_status", "fee", "balance"]
    inlines = [EntryInline, AttemptInline, OrderInline, AcceptanceInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        mine = LedgerEntry.objects.filter(registration=OuterRef("pk"), currency=OuterRef("currency")).order_by()
        total = mine.values("registration").annotate(total=Sum("amount_minor")).values("total")
        rows: QuerySet[Account] = super().get_queryset(request)
        return rows.annotate(balance_minor=Coalesce(Subquery(total), 0))

    @admin.display(ordering="balance_minor")
    def balance(self, account: Any) -> Money:
        return Money(account.balance_minor, account.currency)


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyAdmin):
    """Staff compare the document with what was typed and accept or refuse; finance enters the money that comes."""

    list_display = ["number", "payer_name", amount, "state", "candidate", "submitted_at", "decided_by"]
    list_filter = ["state", "registration__cohort"]
    search_fields = ["number", "number_normalised", "payer_name", "registration__code", "registration__user__email"]
    list_select_related = ["registration__user", "decided_by"]
    date_hierarchy = "submitted_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "state", "candidate", "fee", "payer_name", "payer_email", "number", "issued_on", amount, "pdf",
        "document_sha256", "submitted_by", "submitted_at", "decided_by", "decided_at", "reason",
    ]  # fmt: skip
    actions = ["accept_selected"]
    change_form_template = "admin/payments/purchaseorder_detail.html"

    @admin.display(description="candidate", ordering="registration__user__name")
    def candidate(self, order: PurchaseOrder) -> str:
        return f"{order.registration.user.name} ({order.registration.code})"

    @admin.display(description="fee to cover")
    def fee(self, order: PurchaseOrder) -> Money:
        return order.registration.fee

    @admin.display(description="document")
    def pdf(self, order: PurchaseOrder) -> str:
        return format_html('<a href="{}">Download</a>', reverse("payments:purchase-order-document", args=[order.pk]))

    @admin.action(description="Accept and hold the seats", permissions=["decide"])
    def accept_selected(self, request: HttpRequest, orders: QuerySet[PurchaseOrder]) -> None:
        for order in orders:
            try:
                purchase_orders.accept(order.pk, by=request.user, at=request.at)  # type: ignore[attr-defined]
            except Refused as refusal:
                messages.error(request, f"{order}: {refusal.message}")
            else:
                messages.success(request, f"{order}: accepted. The candidate is told.")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return permissions.may_decide_orders(request.user)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        order = context.get("original")
        context["may_decide"] = self.has_decide_permission(request)
        context["missing"] = invoices.owed(order) if order else None
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        names = [("accept", self.accept), ("refuse", self.refuse), ("cancel", self.cancel)]
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"payments_purchaseorder_{name}")
            for name, view in names
        ]
        return own + super().get_urls()

    def accept(self, request: HttpRequest, pk: int) -> HttpResponse:
        def verb(form: forms.Form, **who: Any) -> None:
            purchase_orders.accept(pk, **who)

        what = "The seat is held from now on, and the candidate is told. The money may follow."
        return self._ask(request, pk, "Accept", what, forms.Form(request.POST or None), verb)

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        def verb(form: forms.Form, **who: Any) -> None:
            purchase_orders.refuse(pk, reason=form.cleaned_data["reason"], **who)

        what = "The candidate reads the reason and can hand in a corrected order while registration is open."
        return self._ask(request, pk, "Refuse", what, ReasonForm(request.POST or None), verb)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        def verb(form: forms.Form, **who: Any) -> None:
            purchase_orders.cancel(pk, reason=form.cleaned_data["reason"], **who)

        what = "The seat is no longer held by it, and the candidate reads the reason."
        return self._ask(request, pk, "Cancel", what, ReasonForm(request.POST or None), verb)

    def _ask(
        self,
        request: HttpRequest,
        pk: int,
        action: str,
        what: str,
        form: forms.Form,
        verb: Callable[..., None],
    ) -> HttpResponse:
        """The page between a button and its verb: what will happen, what must be typed."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        order = get_object_or_404(PurchaseOrder.objects.select_related("registration__user"), pk=pk)
        if request.method == "POST" and form.is_valid():
            try:
                verb(form, by=request.user, at=request.at)  # type: ignore[attr-defined]
            except Refused as refusal:
                refuse_form(form, refusal)
            else:
                messages.success(request, f"{order}: done, and written down.")
                return redirect("admin:payments_purchaseorder_change", pk)
        title = f"{action} this purchase order"
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "order": order}
        context |= {"form": form, "what": what, "action": title, "missing": invoices.owed(order)}
        return render(request, "admin/payments/purchaseorder_ask.html", context)
