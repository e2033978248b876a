"""The books: every movement, the tries behind it, and how each registration stands. Money of nobody is matched here."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.money import Money
from icg_cert.lib.spreadsheet import download
from payments import permissions, refunds, unmatched
from payments.admin.looking import LookInline, amount, ask, named, whose
from payments.forms.money import MatchForm, RefundForm
from payments.models import (
    Account,
    Attempt,
    Dispute,
    LedgerEntry,
    PolicyAcceptance,
    ProviderCall,
    ProviderRef,
    Refund,
    Seat,
)


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


class DisputeInline(LookInline):
    model = Dispute
    fields = ["ref", amount, "standing", "answer_by"]
    readonly_fields = [amount]


class RefundInline(LookInline):
    model = Refund
    fields = [amount, "state", "reason", "requested_by", "decided_by"]
    readonly_fields = [amount]


class CorrectionInline(EntryInline):
    verbose_name_plural = "what became of it"
    fk_name = "corrects"
    fields = ["kind", amount, whose, "provider", "txn_ref", "occurred_at", "recorded_at"]
    readonly_fields = [amount, whose]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        return super().get_queryset(request).select_related("registration", "payer")


class AccountFilter(admin.SimpleListFilter):
    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("registration", "Of a registration"),
            ("payer", "Of a payer"),
            ("unmatched", "Of nobody"),
            ("waiting", "Of nobody, to be matched or returned"),
        ]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        choices = {
            "registration": lambda: rows.exclude(registration=None),
            "payer": lambda: rows.exclude(payer=None),
            "unmatched": lambda: rows.unmatched(),
            "waiting": lambda: rows.filter(pk__in=unmatched.waiting().values("pk")),
        }
        return choices[self.value()]() if self.value() in choices else rows


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "kind", amount, "provider", whose, "txn_ref", "actor"]
    list_filter = ["kind", "provider", AccountFilter]
    search_fields = ["txn_ref", "registration__code", "registration__user__email", "payer__name"]
    list_select_related = ["registration", "payer", "actor"]
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount, whose]
    fields = [
        "kind", amount, whose, "provider", "txn_ref", "attempt", "corrects", "actor", "reason", "occurred_at",
        "recorded_at",
    ]  # fmt: skip
    inlines = [CorrectionInline, RefundInline]
    actions = ["export"]
    change_list_template = "admin/payments/ledgerentry_list.html"
    change_form_template = "admin/payments/ledgerentry_detail.html"

    @admin.action(description="Download as CSV", permissions=["view"])
    def export(self, request: HttpRequest, rows: QuerySet[LedgerEntry]) -> StreamingHttpResponse:
        return export(rows, f"ledger-{request.at:%Y-%m-%d}.csv")  # type: ignore[attr-defined]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        entry, may = context.get("original"), permissions.may_enter_money(request.user)
        context["may_match"] = may and entry and unmatched.waiting().filter(pk=entry.pk).exists()
        context["returnable"] = refunds.returnable(entry) if may and entry else None
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [("<int:pk>/match/", self.match), ("<int:pk>/refund/", self.refund), ("all.csv", self.all_csv)]
        return named(self, own) + super().get_urls()

    def all_csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """The whole ledger, whose amounts add up to what the programme holds."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return export(LedgerEntry.objects.all(), f"ledger-{request.at:%Y-%m-%d}.csv")  # type: ignore[attr-defined]

    def match(self, request: HttpRequest, pk: int) -> HttpResponse:
        entry, form = get_object_or_404(LedgerEntry, pk=pk), MatchForm(request.POST or None)

        def verb(**who: Any) -> None:
            unmatched.match(pk, **form.cleaned_data, **who)

        what = "The money counts for that registration from now on, and the candidate is told."
        is_allowed = permissions.may_enter_money(request.user)
        return ask(request, self, entry, "Match to a registration", what, form, verb, is_allowed=is_allowed)

    def refund(self, request: HttpRequest, pk: int) -> HttpResponse:
        entry = get_object_or_404(LedgerEntry, pk=pk)
        most = refunds.returnable(entry)
        form = RefundForm(request.POST or None, initial={"amount": most.amount})

        def verb(**who: Any) -> None:
            refunds.request(pk, **form.cleaned_data, **who)

        what = f"At most {most} of this can go back. Nothing leaves before somebody else has approved it."
        is_allowed = permissions.may_enter_money(request.user)
        return ask(request, self, entry, "Ask for a refund", what, form, verb, is_allowed=is_allowed)


HEADS = [
    "recorded", "occurred", "kind", "currency", "amount", "registration", "payer", "provider", "reference", "reason",
]  # fmt: skip


def export(rows: QuerySet[LedgerEntry], name: str) -> StreamingHttpResponse:
    """Line by line, oldest first, however long the ledger is."""
    rows = rows.select_related("registration", "payer").order_by("recorded_at", "pk")
    return download(name, HEADS, (_cells(row) for row in rows.iterator(500)))


def _cells(row: LedgerEntry) -> list[object]:
    whose = [row.registration.code if row.registration else "", row.payer.name if row.payer else ""]
    when = [row.recorded_at.isoformat(), row.occurred_at.isoformat()]
    return [*when, row.kind, row.currency, row.money.amount, *whose, row.provider, row.txn_ref, row.reason]


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
    inlines = [CallInline, RefInline, EntryInline, DisputeInline]

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
