"""The office's side of money: everything to look at, orders to judge. What changes, the verbs change."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.money import Money
from payments.admin.invoices import CreditNoteAdmin, InvoiceAdmin
from payments.admin.looking import LookInline, amount
from payments.admin.orders import PurchaseOrderAdmin, SeatAdmin
from payments.admin.payers import PayerAdmin
from payments.admin.quotes import QuoteAdmin
from payments.admin.remittances import RemittanceAdmin
from payments.admin.vendor import VendorAdmin
from payments.models import Account, Attempt, LedgerEntry, PolicyAcceptance, ProviderCall, ProviderRef, Seat

__all__ = [
    "AccountAdmin",
    "AttemptAdmin",
    "CreditNoteAdmin",
    "InvoiceAdmin",
    "LedgerEntryAdmin",
    "PayerAdmin",
    "PurchaseOrderAdmin",
    "QuoteAdmin",
    "RemittanceAdmin",
    "SeatAdmin",
    "VendorAdmin",
]


class EntryInline(LookInline):
    model = LedgerEntry
    fields = ["kind", amount, "provider", "txn_ref", "occurred_at", "recorded_at"]
    readonly_fields = [amount]


class AttemptInline(LookInline):
    model = Attempt
    fields = ["provider", amount, "state", "opened_at", "problem"]
    readonly_fields = [amount]


class SeatInline(LookInline):
    model = Seat
    fields = ["order", amount, "state", "claimed_at", "released_at"]
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


class AccountFilter(admin.SimpleListFilter):
    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("registration", "Of a registration"), ("payer", "Of a payer"), ("unmatched", "Unmatched")]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        choices = {
            "registration": lambda: rows.exclude(registration=None),
            "payer": lambda: rows.exclude(payer=None),
            "unmatched": lambda: rows.unmatched(),
        }
        return choices[self.value()]() if self.value() in choices else rows


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "kind", amount, "provider", "account", "txn_ref", "actor"]
    list_filter = ["kind", "provider", AccountFilter]
    search_fields = ["txn_ref", "registration__code", "registration__user__email", "payer__name"]
    list_select_related = ["registration", "payer", "actor"]
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="account", empty_value="unmatched")
    def account(self, entry: LedgerEntry) -> str | None:
        owner = entry.registration.code if entry.registration else entry.payer
        return str(owner) if owner else None


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
    inlines = [EntryInline, AttemptInline, SeatInline, AcceptanceInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        mine = LedgerEntry.objects.filter(registration=OuterRef("pk"), currency=OuterRef("currency")).order_by()
        total = mine.values("registration").annotate(total=Sum("amount_minor")).values("total")
        rows: QuerySet[Account] = super().get_queryset(request)
        return rows.annotate(balance_minor=Coalesce(Subquery(total), 0))

    @admin.display(ordering="balance_minor")
    def balance(self, account: Any) -> Money:
        return Money(account.balance_minor, account.currency)
