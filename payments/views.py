"""Paying: the page of one registration's fee, the way back from a provider, receipts."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from candidates.models import PolicyText, Registration
from icg_cert.lib.doors import back_with, refuse_form
from icg_cert.lib.refusal import Refused
from payments import acceptance, attempts, receipts, settlement
from payments.forms import PURCHASE_ORDER, PayForm
from payments.gateways import registry
from payments.models import Attempt
from payments.order_views import payable
from payments.overview import Overview


@login_required
@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    """The fee of one registration: how it stands, and where it is owed, the ways to pay it."""
    registration = payable(request, pk)
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
    """On to the provider's page, or to our own page of purchase orders."""
    method, text = form.cleaned_data["method"], form.cleaned_data["text"]
    if method == PURCHASE_ORDER:
        acceptance.accept_for(registration.pk, text, by=request.user, at=request.at)
        return redirect("payments:purchase-order", registration.pk)
    return redirect(attempts.start(registration.pk, method, by=request.user, at=request.at, accepted=text))


@login_required
@require_POST
def pay_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the provider again, now."""
    registration = payable(request, pk)
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
@require_GET
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """What was paid, for whom and for what."""
    return render(request, "payments/receipt.html", {"overview": _settled(request, pk)})


@login_required
@require_GET
def receipt_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    overview = _settled(request, pk)
    response = HttpResponse(receipts.pdf(overview), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{overview.receipt_number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _settled(request: HttpRequest, pk: int) -> Overview:
    rows = Registration.objects.visible_to(request.user).select_related("cohort", "user")
    return Overview(get_object_or_404(rows, pk=pk, payment_status__in=Registration.SETTLED), request.at)
