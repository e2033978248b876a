"""Money on its way back: one person asked, another one approves or declines here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from icg_cert.lib.admin import ReadOnlyAdmin
from payments import ledger, permissions, refunds
from payments.admin.looking import amount, ask, named, whose
from payments.forms.money import ApproveRefundForm, DeclineRefundForm
from payments.models import LedgerEntry, Refund


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ["requested_at", amount, "state", "account", "reason", "requested_by", "decided_by"]
    list_filter = ["state"]
    search_fields = ["reference", "entry__txn_ref", "entry__registration__code", "entry__payer__name"]
    list_select_related = ["entry__registration", "entry__payer", "requested_by", "decided_by"]
    date_hierarchy = "requested_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "state", amount, "account", "entry", "reason", "reference", "requested_by", "requested_at", "decided_by",
        "decided_at", "finished_at",
    ]  # fmt: skip
    change_form_template = "admin/payments/refund_detail.html"

    @admin.display(description="account")
    def account(self, refund: Refund) -> str:
        return whose(refund.entry)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        refund = context.get("original")
        context["may_decide"] = bool(refund) and self._may_decide(request, refund)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [("<int:pk>/approve/", self.approve), ("<int:pk>/decline/", self.decline)]
        return named(self, own) + super().get_urls()

    def _may_decide(self, request: HttpRequest, refund: Refund) -> bool:
        is_another = refund.requested_by_id != request.user.pk
        return is_another and refund.state == Refund.State.REQUESTED and permissions.may_approve_refunds(request.user)

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        refund = get_object_or_404(Refund.objects.select_related("entry__registration", "entry__payer"), pk=pk)
        by_check = refund.entry.kind != LedgerEntry.Kind.CHARGE
        form = ApproveRefundForm(request.POST or None, by_check=by_check)

        def verb(**who: Any) -> None:
            refunds.approve(pk, **form.cleaned_data, **who)

        way = "Send the check first, then enter its number." if by_check else "It leaves at once, the way it came."
        what = f"{refund.money} go back to {_to_whom(refund)}, because: {refund.reason} {way} This cannot be undone."
        is_allowed = permissions.may_approve_refunds(request.user)
        return ask(request, self, refund, "Approve the refund", what, form, verb, is_allowed=is_allowed)

    def decline(self, request: HttpRequest, pk: int) -> HttpResponse:
        refund, form = get_object_or_404(Refund, pk=pk), DeclineRefundForm(request.POST or None)

        def verb(**who: Any) -> None:
            refunds.decline(pk, reason=form.cleaned_data["reason"], **who)

        is_allowed = permissions.may_approve_refunds(request.user)
        what = f"{refund.money} stay where they are."
        return ask(request, self, refund, "Decline the refund", what, form, verb, is_allowed=is_allowed)


def _to_whom(refund: Refund) -> str:
    """Who paid it, as far as we know: whoever approves has to know whose money it is, and how they stand."""
    account = ledger.account_of(refund.entry)
    if account is not None:
        return f"{account.user.name} ({account.code}, {account.get_status_display().lower()})"
    return str(refund.entry.payer) if refund.entry.payer else "whoever paid it: it belongs to nobody we know"
