"""The certificate as a document for its holder, and the page on which anyone asks whether a code holds."""

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request, refusals_as_page
from scoring import certificates
from scoring.certificates import Answer
from scoring.models import Certificate

# Codes that hold may be asked for without limit; only guessing is slowed down, by address.
MISSES = 20
MISSES_SECONDS = 600


@never_cache
@require_safe
@login_required
@refusals_as_page
def certificate(request: Request, code: str) -> HttpResponse:
    visible = Certificate.objects.visible_to(request.user).issued(request.at).select_related("result")
    found = get_object_or_404(visible, code=certificates.normalised(code))
    response = HttpResponse(certificates.document(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="ICG-certificate-{found.code}.pdf"'
    return response


@require_safe
def verify_form(request: Request) -> HttpResponse:
    code = certificates.normalised(request.GET.get("code", ""))
    if code:
        return redirect("scoring:verify", code=code)
    return render(request, "scoring/verify.html", {"is_empty": "code" in request.GET})


@never_cache
@require_safe
def verify(request: Request, code: str) -> HttpResponse:
    """200 with who holds it, revoked ones too; 404 for what was never issued; 429 for who guesses."""
    if _misses(request) >= MISSES:
        return _answer(request, {"is_slowed": True}, 429)
    verification = certificates.verify(code, request.at)
    if verification.answer is Answer.UNKNOWN:
        _count_miss(request)
    return _answer(request, {"verification": verification}, 404 if verification.answer is Answer.UNKNOWN else 200)


def _answer(request: Request, context: dict[str, object], status: int) -> HttpResponse:
    response = render(request, "scoring/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    if status == 429:
        response["Retry-After"] = str(MISSES_SECONDS)
    return response


def _key(request: Request) -> str:
    return f"verify-misses:{get_adapter().get_client_ip(request)}"


def _misses(request: Request) -> int:
    return int(cache.get(_key(request), 0))


def _count_miss(request: Request) -> None:
    cache.add(_key(request), 0, MISSES_SECONDS)
    cache.incr(_key(request))
