"""The fake provider's hosted page. It stands for somebody else's site: no session, no account, its own buttons."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payments.gateways import fake
from payments.gateways.base import Standing

DECISIONS = {"pay": Standing.PAID, "decline": Standing.FAILED, "cancel": Standing.CLOSED}


@require_http_methods(["GET", "POST"])
def fake_page(request: HttpRequest, ref: str) -> HttpResponse:
    """Pay, Decline or Cancel; each leads back to the address the portal gave when it opened the page."""
    page = fake.page(ref) if settings.PAYMENT_FAKE_GATEWAY else None
    if page is None:
        raise Http404
    decision = DECISIONS.get(request.POST.get("decision", ""))
    if decision is None:
        is_open = page.standing(request.at) == Standing.OPEN
        return render(request, "payments/fake_page.html", {"page": page, "is_open": is_open})
    fake.decide(ref, decision, at=request.at)
    # The path alone: the payer may have come by another name of this machine than BASE_URL.
    return redirect(urlsplit(page.return_url).path)
