"""A district's side: asking for a quote without an account, and the one page behind its signed link."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from candidates import announced
from icg_cert.lib.doors import Request, back_with, refuse_form
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase
from payments import purchase_orders, quotes, seat_codes, seats
from payments.forms import PurchaseOrderForm, QuoteForm, quoted_order_form
from payments.models import PurchaseOrder, Quote, Seat
from payments.order_views import download, spend_try
from payments.quote_overview import QuoteOverview

View = Callable[..., HttpResponse | FileResponse]


@require_http_methods(["GET", "POST"])
def quote_new(request: Request) -> HttpResponse:
    """Anybody asks for a quote. What is answered is the same whatever the address."""
    cohort = announced.foremost_cohort(request.at)
    is_possible = cohort is not None and cohort.phase(request.at) != Phase.AFTER
    form = QuoteForm(request.POST or None)
    if request.method == "POST" and is_possible and form.is_valid():
        try:
            spend_try(request, "quote", form.cleaned_data["contact_email"].lower())
            quotes.make(form.wanted(), at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            return redirect("payments:quote-sent")
    context = {"form": form, "cohort": cohort if is_possible else None}
    return render(request, "payments/quote_new.html", context)


@require_GET
def quote_sent(request: Request) -> HttpResponse:
    return render(request, "payments/quote_sent.html")


def _of_link(view: View) -> View:
    """Hand the view the quote of a signed link, and keep what it shows out of caches and search engines.

    The referrer policy stays the portal's own: it tells no other site, and without a referrer no form could be posted.
    """

    @wraps(view)
    def door(request: Request, public_id: UUID, token: str, **kwargs: Any) -> HttpResponse | FileResponse:
        try:
            response = view(request, quotes.opened(public_id, token), **kwargs)
        except Quote.DoesNotExist as unknown:
            raise Http404 from unknown
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Cache-Control"] = "private, no-store"
        return response

    return door


@_of_link
@require_GET
def quote(request: Request, quote: Quote) -> HttpResponse:
    """The contact's one page: papers, order, seats, money, and what happens next."""
    page = QuoteOverview(quote, request.at)
    return render(request, "payments/quote.html", {"page": page, "link": quotes.link(quote)})


@_of_link
@require_http_methods(["GET", "POST"])
def quote_order(request: Request, quote: Quote) -> HttpResponse:
    """Hand in the purchase order."""
    page = QuoteOverview(quote, request.at)
    if not page.may_hand_in:
        return redirect(quotes.path(quote))
    form = quoted_order_form(quote)
    if request.method == "POST":
        form = PurchaseOrderForm(request.POST, request.FILES)
        if form.is_valid() and _hand_in(request, quote, form):
            messages.success(request, "We have your purchase order. We e-mail you when it has been checked.")
            return redirect(quotes.path(quote))
    return render(request, "payments/quote_order.html", {"page": page, "form": form, "back": quotes.path(quote)})


def _hand_in(request: Request, quote: Quote, form: PurchaseOrderForm) -> bool:
    try:
        purchase_orders.hand_in(quote.pk, form.order(), by=None, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    return True


@_of_link
@require_http_methods(["GET", "POST"])
def quote_withdraw(request: Request, quote: Quote) -> HttpResponse:
    """Take back an order that is being checked, to hand in another one."""
    order = quote.orders.filter(state=PurchaseOrder.State.SUBMITTED).select_related("payer").first()
    if order is None:
        return redirect(quotes.path(quote))
    if request.method == "GET":
        return render(request, "payments/quote_withdraw.html", {"order": order, "back": quotes.path(quote)})
    try:
        purchase_orders.cancel(order.pk, by=None, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, quotes.path(quote))
    messages.success(request, "The purchase order is withdrawn.")
    return redirect(quotes.path(quote))


@_of_link
@require_http_methods(["GET", "POST"])
def quote_seat_release(request: Request, quote: Quote, seat: int) -> HttpResponse:
    """Give back a seat that nobody needs."""
    row = get_object_or_404(Seat.objects.live().filter(order__quote=quote), pk=seat)
    if request.method == "GET":
        context = {"code": seat_codes.shown(row), "back": quotes.path(quote)}
        return render(request, "payments/quote_seat_release.html", context)
    try:
        seats.release(row.pk, reason="", by=None, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, quotes.path(quote))
    messages.success(request, "The seat is given back. You do not owe it any more.")
    return redirect(quotes.path(quote))


@_of_link
@require_GET
def quote_paper(request: Request, quote: Quote, paper: str) -> FileResponse:
    """A paper of the page as a download: the quote, the W-9, an invoice or a credit note by its number."""
    page = QuoteOverview(quote, request.at)
    if paper not in page.papers:
        raise Http404
    return download(page.papers[paper][1], f"{paper}.pdf")
