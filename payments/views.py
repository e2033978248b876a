"""Paying: the page of one registration's fee, the way back from a provider, purchase orders and receipts."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from candidates.models import PolicyText, Registration
from icg_cert.lib.doors import back_with, refuse_form
from icg_cert.lib.refusal import Refused
from payments import acceptance, attempts, permissions, purchase_orders, receipts, settlement
from payments.forms import PURCHASE_ORDER, PayForm, PurchaseOrderForm, order_form
from payments.gateways import registry
from payments.models import Attempt, PurchaseOrder
from payments.overview import Overview


@login_required
@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    """The fee of one registration: how it stands, and where it is owed, the ways to pay it."""
    registration = _payable(request, pk)
    text = PolicyText.current(acceptance.KIND)
    form = PayForm(request.POST or None, gateways=registry.switched_on(), text=text)
    overview = Overview(registration, request.at)
    if request.method == "POST" and form.is_valid():
        try:
            return _begin(request, registration, form)
        except Refused as refusal:
            if not refusal.fields:
                return back_with(request, refusal, "payments:pay", pk)
            refuse_form(form, refusal)
    return render(request, "payments/pay.html", {"overview": overview, "form": form, "text": text})


def _begin(request: HttpRequest, registration: Registration, form: PayForm) -> HttpResponse:
    """On to the provider's page, or to our own form for a purchase order."""
    method, text = form.cleaned_data["method"], form.cleaned_data["text"]
    if method == PURCHASE_ORDER:
        acceptance.accept_for(registration.pk, text, by=request.user, at=request.at)
        return redirect("payments:purchase-order", registration.pk)
    return redirect(attempts.start(registration.pk, method, by=request.user, at=request.at, accepted=text))


@login_required
@require_POST
def pay_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the provider again, now."""
    registration = _payable(request, pk)
    attempts.look_again(registration.pk, at=request.at)
    return redirect("payments:pay", pk)


@require_GET
def pay_return(request: HttpRequest, public_id: UUID, token: str) -> HttpResponse:
    """The way back from a provider. Needs no session; whatever the address says, the provider is asked."""
    try:
        attempt = attempts.returned(public_id, token)
    except Attempt.DoesNotExist as unknown:
        raise Http404 from unknown
    if attempt.state != Attempt.State.PAID:
        settlement.settle(attempt.pk, at=request.at)
    if attempt.registration.user_id == request.user.pk:
        return redirect("payments:pay", attempt.registration_id)
    registration = Registration.objects.select_related("cohort").get(pk=attempt.registration_id)
    return render(request, "payments/pay_return.html", {"overview": Overview(registration, request.at)})


@login_required
@require_http_methods(["GET", "POST"])
def purchase_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in a purchase order."""
    registration = _payable(request, pk)
    overview = Overview(registration, request.at)
    if not overview.may_begin or not acceptance.is_accepted(registration):
        return redirect("payments:pay", pk)
    form = order_form(overview.order, registration.district, overview.owed)
    if request.method == "POST":
        form = PurchaseOrderForm(request.POST, request.FILES)
        if form.is_valid() and _hand_in(request, registration, form):
            messages.success(request, "We have your purchase order. We e-mail you when it has been checked.")
            return redirect("payments:pay", pk)
    return render(request, "payments/purchase_order.html", {"overview": overview, "form": form})


def _hand_in(request: HttpRequest, registration: Registration, form: PurchaseOrderForm) -> bool:
    try:
        attempts.stop(registration.pk, by=request.user, at=request.at)
        purchase_orders.submit(registration.pk, form.order(), by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    return True


@login_required
@require_http_methods(["GET", "POST"])
def purchase_order_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a purchase order that is being checked."""
    order = get_object_or_404(_own_orders(request), pk=pk)
    if request.method == "GET":
        return render(request, "payments/purchase_order_withdraw.html", {"order": order})
    try:
        purchase_orders.cancel(order.pk, reason="", by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "payments:pay", order.registration_id)
    messages.success(request, "Your purchase order is withdrawn. Please choose how to pay instead.")
    return redirect("payments:pay", order.registration_id)


@login_required
@require_GET
def purchase_order_document(request: HttpRequest, pk: int) -> FileResponse:
    """The PDF, as a download: it is never opened inside the portal, and never kept by anything in between."""
    order = get_object_or_404(PurchaseOrder.objects.visible_to(request.user), pk=pk)
    name = f"purchase-order-{order.registration.code}.pdf"
    response = FileResponse(
        order.document.open("rb"), as_attachment=True, filename=name, content_type="application/pdf"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_GET
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """What was paid, for whom and for what."""
    return render(request, "payments/receipt.html", {"overview": _settled(request, pk)})


@login_required
@require_GET
def receipt_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    overview = _settled(request, pk)
    response = HttpResponse(receipts.pdf(overview), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{overview.registration.code}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _payable(request: HttpRequest, pk: int) -> Registration:
    own = Registration.objects.filter(permissions.registrations_payable_by(request.user))
    return get_object_or_404(own.select_related("cohort", "user"), pk=pk)


def _own_orders(request: HttpRequest) -> QuerySet[PurchaseOrder]:
    return PurchaseOrder.objects.filter(submitted_by=request.user.pk).select_related("registration")


def _settled(request: HttpRequest, pk: int) -> Overview:
    rows = Registration.objects.visible_to(request.user).select_related("cohort", "user")
    return Overview(get_object_or_404(rows, pk=pk, payment_status__in=Registration.SETTLED), request.at)
