"""Quotes to look at, and the orders that came for them on paper."""

from typing import Any

from django.contrib import admin
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from icg_cert.lib.admin import ReadOnlyAdmin
from payments import permissions, purchase_orders
from payments.admin.looking import OrderInline, amount, ask
from payments.forms import PurchaseOrderForm, quoted_order_form
from payments.models import Quote
from payments.order_views import download


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    """The signed link is nowhere here: it went to the contact alone."""

    list_display = ["number", "payer_name", "contact_name", "seats", amount, "requested_at", "valid_until"]
    list_filter = ["cohort"]
    search_fields = ["number", "payer_name", "contact_name", "contact_email"]
    date_hierarchy = "requested_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "number", "cohort", "registration", "payer_name", "contact_name", "contact_email", "seats", amount,
        "document_sha256", "requested_by", "requested_at", "valid_until",
    ]  # fmt: skip
    inlines = [OrderInline]
    change_form_template = "admin/payments/quote_detail.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_decide"] = permissions.may_decide_orders(request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<int:pk>/{v.__name__}/", self.admin_site.admin_view(v), name=f"payments_quote_{v.__name__}")
            for v in (self.order, self.pdf)
        ]
        return own + super().get_urls()

    def order(self, request: HttpRequest, pk: int) -> HttpResponse:
        """An order that came by post or e-mail. Somebody else will have to accept it."""
        quote = get_object_or_404(Quote, pk=pk)
        is_sent = request.method == "POST"
        form = PurchaseOrderForm(request.POST, request.FILES) if is_sent else quoted_order_form(quote)

        def verb(**who: Any) -> None:
            purchase_orders.hand_in(pk, form.order(), **who)

        what = "Type what the document says. It then waits for a colleague, who compares and accepts or refuses it."
        is_allowed = permissions.may_decide_orders(request.user)
        return ask(request, self, quote, "Type in its purchase order", what, form, verb, is_allowed=is_allowed)

    def pdf(self, request: HttpRequest, pk: int) -> FileResponse:
        quote = get_object_or_404(Quote.objects.visible_to(request.user), pk=pk)
        return download(quote.document, f"{quote.number}.pdf")
