"""Purchase orders to judge and their seats to give back or hand on. What changes, the verbs change."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from candidates.models import Registration
from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import invoices, payers, permissions, purchase_orders, seats
from payments.admin.looking import LookInline, amount, ask
from payments.forms import AcceptForm, CancelForm, QuestionForm, ReasonForm, ReleaseForm, SubstituteForm
from payments.models import PurchaseOrder, Seat


class SeatInline(LookInline):
    model = Seat
    fields = ["registration", amount, "state", "claimed_at", "released_at", "release_reason"]
    readonly_fields = [amount]


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyAdmin):
    """Staff compare the document with what was typed and accept, refuse or ask."""

    list_display = ["number", "payer", amount, "seats", "state", "contact_name", "submitted_at", "decided_by"]
    list_filter = ["state", "cohort"]
    search_fields = [
        "number", "number_normalised", "payer__name", "contact_email", "seats__registration__code",
        "seats__registration__user__email",
    ]  # fmt: skip
    list_select_related = ["payer", "decided_by"]
    date_hierarchy = "submitted_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = [
        "state", "payer", "cohort", "quote", "number", "issued_on", "valid_until", amount, "to_come", "bill_to",
        "ship_to", "payable_email", "contact_name", "contact_email", "pdf", "document_sha256", "submitted_by",
        "submitted_at", "decided_by", "decided_at", "reason",
    ]  # fmt: skip
    inlines = [SeatInline]
    change_form_template = "admin/payments/purchaseorder_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseOrder]:
        rows: QuerySet[PurchaseOrder] = super().get_queryset(request)
        kept = ~Q(seats__state=Seat.State.RELEASED)
        taken = Q(seats__state=Seat.State.CLAIMED)
        return rows.annotate(
            held=Count("seats", filter=kept, distinct=True), taken=Count("seats", filter=taken, distinct=True)
        )

    @admin.display(description="seats taken")
    def seats(self, order: Any) -> str:
        return f"{order.taken} of {order.held}"

    @admin.display(description="to come")
    def to_come(self, order: PurchaseOrder) -> Money:
        return invoices.owed(order)

    @admin.display(description="document")
    def pdf(self, order: PurchaseOrder) -> str:
        return format_html('<a href="{}">Download</a>', reverse("payments:purchase-order-document", args=[order.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        order = context.get("original")
        context["may_decide"] = permissions.may_decide_orders(request.user)
        context["free"] = order.held - order.taken if order else 0
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        views = [self.accept, self.refuse, self.ask, self.release, self.cancel]
        own = [
            path(f"<int:pk>/{v.__name__}/", self.admin_site.admin_view(v), name=f"payments_purchaseorder_{v.__name__}")
            for v in views
        ]
        return own + super().get_urls()

    def accept(self, request: HttpRequest, pk: int) -> HttpResponse:
        order, form = self._order(pk), AcceptForm(request.POST or None)

        def verb(**who: Any) -> None:
            purchase_orders.accept(pk, **who)
            payers.verify(order.payer_id, **who)

        what = "The seats are held from now on, free ones get their codes, and the invoice goes out."
        page = {"template": "admin/payments/purchaseorder_accept.html", "checks": purchase_orders.checklist(order)}
        return self._ask(request, order, "Accept", what, form, verb, **page)

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        order, form = self._order(pk), ReasonForm(request.POST or None)

        def verb(**who: Any) -> None:
            purchase_orders.refuse(pk, reason=form.cleaned_data["reason"], **who)

        is_open = order.cohort.window.contains(request.at)  # type: ignore[attr-defined]
        what = "Whoever handed it in reads the reason and can hand in a corrected order while registration is open."
        if not is_open:
            what = (
                "Registration has closed, so no other order can be handed in: coaches whose seat only this order holds "
                "lose their registration within minutes. Ask instead, where an answer would do."
            )
        return self._ask(request, order, "Refuse", what, form, verb)

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        order, form = self._order(pk), QuestionForm(request.POST or None)

        def verb(**who: Any) -> None:
            purchase_orders.ask(pk, question=form.cleaned_data["question"], **who)

        what = "The order goes on waiting. The question is e-mailed and stands on its page until you decide."
        return self._ask(request, order, "Ask about", what, form, verb)

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        order, form = self._order(pk), ReleaseForm(request.POST or None)

        def verb(**who: Any) -> None:
            seats.release_free(pk, reason=form.cleaned_data["reason"], **who)

        what = "Seats that nobody took and no money came for are given back for good, with one credit note."
        return self._ask(request, order, "Give back the free seats of", what, form, verb)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        order, form = self._order(pk), CancelForm(request.POST or None)

        def verb(**who: Any) -> None:
            purchase_orders.cancel(pk, **form.cleaned_data, **who)

        what = "Nothing is held by it any more, what was invoiced is credited, and everybody on it reads the reason."
        return self._ask(request, order, "Cancel", what, form, verb)

    def _order(self, pk: int) -> PurchaseOrder:
        return get_object_or_404(PurchaseOrder.objects.select_related("payer", "quote", "cohort"), pk=pk)

    def _ask(
        self,
        request: HttpRequest,
        order: PurchaseOrder,
        action: str,
        what: str,
        form: forms.Form,
        verb: Any,
        **page: Any,
    ) -> HttpResponse:
        is_allowed = permissions.may_decide_orders(request.user)
        return ask(
            request, self, order, f"{action} this purchase order", what, form, verb, is_allowed=is_allowed, **page
        )


@admin.register(Seat)
class SeatAdmin(ReadOnlyAdmin):
    """Codes are nowhere here: the contact's page alone shows them."""

    list_display = ["order", "registration", amount, "state", "claimed_at", "released_at"]
    list_filter = ["state", "order__cohort"]
    search_fields = ["order__number", "order__payer__name", "registration__code", "registration__user__email"]
    list_select_related = ["order__payer", "registration__cohort"]
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [amount]
    fields = ["order", "registration", amount, "state", "claimed_at", "released_at", "release_reason"]
    change_form_template = "admin/payments/seat_detail.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_decide"] = permissions.may_decide_orders(request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<int:pk>/{v.__name__}/", self.admin_site.admin_view(v), name=f"payments_seat_{v.__name__}")
            for v in (self.release, self.substitute)
        ]
        return own + super().get_urls()

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        seat, form = self._seat(pk), ReleaseForm(request.POST or None)

        def verb(**who: Any) -> None:
            seats.release(pk, reason=form.cleaned_data["reason"], **who)

        what = "It is given back for good: its coach loses it and reads the reason, and the invoice is credited."
        return self._ask(request, seat, "Give back this seat", what, form, verb)

    def substitute(self, request: HttpRequest, pk: int) -> HttpResponse:
        seat, form = self._seat(pk), SubstituteForm(request.POST or None)

        def verb(**who: Any) -> None:
            seats.substitute(pk, _registration(form.cleaned_data["code"]), **who)

        what = "The seat, and what was paid for it, goes to the other registration. Both coaches are told."
        return self._ask(request, seat, "Hand on this seat", what, form, verb)

    def _seat(self, pk: int) -> Seat:
        return get_object_or_404(Seat.objects.select_related("order__payer", "registration__user"), pk=pk)

    def _ask(
        self, request: HttpRequest, seat: Seat, action: str, what: str, form: forms.Form, verb: Any
    ) -> HttpResponse:
        is_allowed = permissions.may_decide_orders(request.user)
        return ask(request, self, seat, action, what, form, verb, is_allowed=is_allowed)


def _registration(code: str) -> int:
    pk = Registration.objects.filter(code=code.strip().upper()).values_list("pk", flat=True).first()
    if pk is None:
        message = "No registration has this code. Copy it from the list of registrations."
        raise Refused("code-strange", message, fields={"code": message})
    return pk
