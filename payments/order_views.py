"""Paying by purchase order, as a candidate: a seat code, the order itself, or a quote for the district."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from candidates.models import Registration
from icg_cert.lib import limits
from icg_cert.lib.doors import Request, back_with, refuse_form
from icg_cert.lib.refusal import Refused
from payments import acceptance, attempts, permissions, purchase_orders, quotes, seats
from payments.forms import CodeForm, PurchaseOrderForm, QuoteForm, order_form
from payments.models import CreditNote, Invoice, PurchaseOrder, Vendor
from payments.overview import Overview

HOUR = timedelta(hours=1)
TRIES = {"seat code": (10, 30), "quote": (5, 20)}  # an hour: by one person or for one address, and from one computer


def payable(request: HttpRequest, pk: int) -> Registration:
    """One's own registration, to pay for; 404 for everybody else's."""
    own = Registration.objects.filter(permissions.registrations_payable_by(request.user))
    return get_object_or_404(own.select_related("cohort", "user"), pk=pk)


def download(file: FieldFile, name: str) -> FileResponse:
    """A stored PDF, never opened inside the portal and never kept by anything in between."""
    response = FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def spend_try(request: Request, what: str, whom: str) -> None:
    """Count a try of what anybody could try for ever. Refused "too-many-tries"."""
    most, most_of_one_computer = TRIES[what]
    is_within = limits.spend(what, whom, at_most=most, within=HOUR)
    if not (limits.spend(what, limits.caller(request), at_most=most_of_one_computer, within=HOUR) and is_within):
        raise Refused("too-many-tries", "This was tried many times. Nothing is lost: please try again in an hour.")


def _may_begin(overview: Overview) -> bool:
    return overview.may_begin and acceptance.is_accepted(overview.registration)


@login_required
@require_http_methods(["GET", "POST"])
def purchase_order(request: Request, pk: int) -> HttpResponse:
    """The three ways; the first of them, a seat code, on the page itself."""
    overview = Overview(payable(request, pk), request.at)
    if not _may_begin(overview):
        return redirect("payments:pay", pk)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _claim(request, pk, form):
        messages.success(request, "The seat is yours. You have nothing left to pay.")
        return redirect("payments:pay", pk)
    return render(request, "payments/purchase_order.html", {"overview": overview, "form": form})


def _claim(request: Request, pk: int, form: CodeForm) -> bool:
    try:
        spend_try(request, "seat code", f"person {request.user.pk}")
        seats.claim(pk, form.cleaned_data["code"], by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    return True


@login_required
@require_http_methods(["GET", "POST"])
def purchase_order_upload(request: Request, pk: int) -> HttpResponse:
    """Hand in a purchase order for one's own seat."""
    registration = payable(request, pk)
    overview = Overview(registration, request.at)
    if not _may_begin(overview):
        return redirect("payments:pay", pk)
    form = order_form(registration.district, overview.seat, overview.owed)
    if request.method == "POST":
        form = PurchaseOrderForm(request.POST, request.FILES)
        if form.is_valid() and _hand_in(request, registration, form):
            messages.success(request, "We have your purchase order. We e-mail you when it has been checked.")
            return redirect("payments:pay", pk)
    return render(request, "payments/purchase_order_upload.html", {"overview": overview, "form": form})


def _hand_in(request: Request, registration: Registration, form: PurchaseOrderForm) -> bool:
    try:
        attempts.stop(registration.pk, by=request.user, at=request.at)
        purchase_orders.submit(registration.pk, form.order(), by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    return True


@login_required
@require_http_methods(["GET", "POST"])
def quote_for(request: Request, pk: int) -> HttpResponse:
    """Have a quote sent to one's district."""
    registration = payable(request, pk)
    overview = Overview(registration, request.at)
    if not _may_begin(overview):
        return redirect("payments:pay", pk)
    form = QuoteForm(request.POST or None, initial={"payer_name": registration.district, "seats": 1})
    if request.method == "POST" and form.is_valid():
        try:
            spend_try(request, "quote", form.cleaned_data["contact_email"].lower())
            quote = quotes.make_for(pk, form.wanted(), by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, f"Quote {quote.number} is on its way to {quote.contact_email}.")
            return redirect("payments:pay", pk)
    return render(request, "payments/quote_for.html", {"overview": overview, "form": form})


@login_required
@require_http_methods(["GET", "POST"])
def seat_give_up(request: Request, pk: int) -> HttpResponse:
    """Pay by oneself instead of by the district."""
    overview = Overview(payable(request, pk), request.at)
    if request.method == "POST":
        try:
            seats.give_up(pk, by=request.user, at=request.at)
        except Refused as refusal:
            return back_with(request, refusal, "payments:pay", pk)
        messages.success(request, "The seat is given back. Please choose how to pay.")
    elif overview.may_give_up_seat:
        return render(request, "payments/seat_give_up.html", {"overview": overview})
    return redirect("payments:pay", pk)


@login_required
@require_http_methods(["GET", "POST"])
def purchase_order_withdraw(request: Request, pk: int) -> HttpResponse:
    """Take back a purchase order that is being checked."""
    own = PurchaseOrder.objects.filter(submitted_by=request.user.pk, quote=None).select_related("payer")
    order = get_object_or_404(own, pk=pk)
    registration = Registration.objects.filter(seats__order=order).first()
    back = registration.pk if registration else 0
    if request.method == "GET":
        return render(request, "payments/purchase_order_withdraw.html", {"order": order, "registration_id": back})
    try:
        purchase_orders.cancel(order.pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "payments:pay", back)
    messages.success(request, "Your purchase order is withdrawn. Please choose how to pay instead.")
    return redirect("payments:pay", back)


@login_required
@require_GET
def purchase_order_document(request: Request, pk: int) -> FileResponse:
    order = get_object_or_404(PurchaseOrder.objects.visible_to(request.user), pk=pk)
    return download(order.document, f"purchase-order-{order.pk}.pdf")


@login_required
@require_GET
def invoice_document(request: Request, pk: int) -> FileResponse:
    """For the office, and whoever handed in its order. It names every coach of the order."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    return download(invoice.document, f"{invoice.number}.pdf")


@login_required
@require_GET
def credit_note_document(request: Request, pk: int) -> FileResponse:
    note = get_object_or_404(CreditNote.objects.filter(invoice__in=Invoice.objects.visible_to(request.user)), pk=pk)
    return download(note.document, f"{note.number}.pdf")


@login_required
@require_GET
def w9(request: Request) -> FileResponse:
    """It holds our tax number, so it is not for everybody: a contact finds it behind the link of their quote."""
    vendor = Vendor.objects.exclude(w9="").first()
    if vendor is None or not permissions.may_read_w9(request.user):
        raise Http404
    return download(vendor.w9, "W-9.pdf")
