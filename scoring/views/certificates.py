"""The page on which anyone asks whether a code holds, and to whom it was given."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates.models import normalised_code
from icg_cert.lib import guesses
from icg_cert.lib.doors import Request
from scoring import certificates
from scoring.certificate_forms import ToldForm
from scoring.certificates import Answer, Verification

GUESSED = "verify"


@require_safe
def verify_form(request: Request) -> HttpResponse:
    code = normalised_code(request.GET.get("code", ""))
    if code:
        return redirect("scoring:verify", code=code)
    return render(request, "scoring/verify.html", {"is_empty": "code" in request.GET})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: Request, code: str) -> HttpResponse:
    """200 with what became of it; 404 for what was never issued; 429 for who guesses codes, or names of one."""
    if guesses.is_slowed(request, GUESSED):
        return _answer(request, {"is_slowed": True}, 429)
    verification = certificates.verify(code, request.at)
    if verification.answer is Answer.UNKNOWN:
        guesses.count_miss(request, GUESSED)
        return _answer(request, {"verification": verification}, 404)
    return _answer(request, {"verification": verification, **_told(request, verification)}, 200)


def _told(request: Request, verification: Verification) -> dict[str, object]:
    """The name somebody was told, and whether it is the holder's; sent along, so that no address carries it."""
    form = ToldForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return {"form": form}
    is_right = certificates.is_name_of(verification, form.cleaned_data["name"])
    if not is_right:
        guesses.count_miss(request, GUESSED)
    return {"form": form, "told": form.cleaned_data["name"], "is_right": is_right}


def _answer(request: Request, context: dict[str, object], status: int) -> HttpResponse:
    response = render(request, "scoring/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    if status == 429:
        response["Retry-After"] = str(guesses.SECONDS)
    return response
