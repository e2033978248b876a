"""What the providers told us, and how our books compare with theirs."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from icg_cert.lib.admin import ReadOnlyAdmin
from payments import deliveries, permissions
from payments.admin.looking import amount
from payments.models import Delivery, Dispute, Reconciliation


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The inbox of webhooks. Their bytes stay in the database: they hold payers' names."""

    list_display = ["received_at", "provider", "type", "state", "tries", "attempt", "note"]
    list_filter = ["state", "provider", "type"]
    search_fields = ["event_id", "attempt__public_id"]
    list_select_related = ["attempt"]
    date_hierarchy = "received_at"
    show_full_result_count = False
    list_per_page = 50
    fields = [
        "provider", "event_id", "type", "state", "attempt", "refs", "received_at", "tries", "next_try_at",
        "note", "size",
    ]  # fmt: skip
    actions = ["try_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("body", "headers")

    @admin.display(description="bytes")
    def size(self, delivery: Delivery) -> int:
        return len(delivery.body)

    @admin.action(description="Try again", permissions=["money"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        for row in rows:
            deliveries.retry(row.pk, by=request.user, at=request.at)  # type: ignore[attr-defined]
        messages.success(request, "What had failed is tried again within a minute.")

    def has_money_permission(self, request: HttpRequest) -> bool:
        return permissions.may_enter_money(request.user)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["opened_at", amount, "standing", "candidate", "reason", "answer_by", "closed_at"]
    list_filter = ["standing", "provider"]
    search_fields = ["ref", "attempt__registration__code", "attempt__registration__user__email"]
    list_select_related = ["attempt__registration__user"]
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "standing",
        amount,
        "candidate",
        "provider",
        "ref",
        "attempt",
        "reason",
        "opened_at",
        "answer_by",
        "closed_at",
    ]

    @admin.display(ordering="attempt__registration__user__name")
    def candidate(self, dispute: Dispute) -> str:
        registration = dispute.attempt.registration
        return f"{registration.user.name} ({registration.code})"


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "agrees", "drift", "since", "finished_at"]
    show_full_result_count = False
    list_per_page = 50
    fields = ["started_at", "finished_at", "since", "agrees", "looked_at", "what"]

    @admin.display(boolean=True, description="everything agrees")
    def agrees(self, run: Reconciliation) -> bool | None:
        return None if run.finished_at is None else run.drift == 0

    @admin.display(description="looked at")
    def looked_at(self, run: Reconciliation) -> SafeString:
        return format_html_join("", "{}: {}<br>", run.counts.items())

    @admin.display(description="what did not agree", empty_value="nothing")
    def what(self, run: Reconciliation) -> Any:
        return format_html_join("", "<strong>{}</strong> {}<br>", run.findings) or None
