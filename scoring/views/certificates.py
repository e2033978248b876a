"""The certificate as a document for its holder, and the page on which anyone asks whether a code holds."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from candidates.models import normalised_code
from icg_cert.lib import guesses
from icg_cert.lib.doors import Request, refusals_as_page
from scoring import certificates
from scoring.certificates import Answer
from scoring.models import Certificate

GUESSED = "verify"


@never_cache
@require_safe
@login_required
@refusals_as_page
def certificate(request: Request, code: str) -> HttpResponse:
    visible = Certificate.objects.visible_to(request.user).issued(request.at).select_related("result")
    found = get_object_or_404(visible, code=normalised_code(code))
    response = HttpResponse(certificates.document(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="ICG-certificate-{found.code}.pdf"'
    return response


@require_safe
def verify_form(request: Request) -> HttpResponse:
    code = normalised_code(request.GET.get("code", ""))
    if code:
        return redirect("scoring:verify", code=code)
    return render(request, "scoring/verify.html", {"is_empty": "code" in request.GET})


@never_cache
@require_safe
def verify(request: Request, code: str) -> HttpResponse:
    """200 with who holds it, revoked ones too; 404 for what was never issued; 429 for who guesses."""
    if guesses.is_slowed(request, GUESSED):
        return _answer(request, {"is_slowed": True}, 429)
    verification = certificates.verify(code, request.at)
    if verification.answer is Answer.UNKNOWN:
        guesses.count_miss(request, GUESSED)
    return _answer(request, {"verification": verification}, 404 if verification.answer is Answer.UNKNOWN else 200)


def _answer(request: Request, context: dict[str, object], status: int) -> HttpResponse:
    response = render(request, "scoring/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    if status == 429:
        response["Retry-After"] = str(guesses.SECONDS)
    return response
