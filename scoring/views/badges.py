"""What others' software asks of a badge: the badge itself, its issuer, what it is for, the keys, what was revoked."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib import guesses
from icg_cert.lib.doors import Request, View
from scoring import certificates
from scoring.badges import credentials, keys, proofs
from scoring.certificates import Answer
from scoring.views.certificates import GUESSED

TOKEN = "text/plain; charset=utf-8"  # noqa: S105  what Open Badges 3.0 asks for, section 7.2


def for_any_verifier(view: View) -> View:
    """Verifiers may run in a page of another portal: nothing here depends on who asks, and nothing is to be indexed."""

    @wraps(view)
    def door(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return door


def kept(seconds: int) -> Callable[[View], View]:
    return cache_control(public=True, max_age=seconds)


@for_any_verifier
@never_cache
@require_safe
def badge_public(request: Request, code: str) -> HttpResponse:
    """The signed badge by its certificate's code; 410 once it no longer holds, 404 for what was never issued."""
    if guesses.is_slowed(request, GUESSED):
        return HttpResponse("Too many unknown codes. Please wait ten minutes.", status=429, content_type=TOKEN)
    verification = certificates.verify(code, request.at)
    if verification.answer is Answer.UNKNOWN or verification.certificate is None:
        guesses.count_miss(request, GUESSED)
        return HttpResponse("No such badge.", status=404, content_type=TOKEN)
    if verification.answer is not Answer.VALID:
        return HttpResponse(f"This badge was {verification.answer}.", status=410, content_type=TOKEN)
    return _token(proofs.badge(verification.certificate), TOKEN)


@for_any_verifier
@kept(300)
@require_safe
def badge_issuer(request: Request) -> JsonResponse:
    return JsonResponse({"@context": credentials.CONTEXT, **credentials.issuer()})


@for_any_verifier
@kept(300)
@require_safe
def badge_achievement(request: Request) -> JsonResponse:
    return JsonResponse({"@context": credentials.CONTEXT, **credentials.achievement()})


@for_any_verifier
@kept(60)
@require_safe
def badge_status(request: Request, number: int) -> HttpResponse:
    """Kept for a minute at most: by then everybody knows of a revocation."""
    return _token(proofs.status_list(number, request.at), "application/vc+jwt")


@for_any_verifier
@kept(300)
@require_safe
def badge_key(request: Request, kid: str) -> JsonResponse:
    """One public key, at the address that stands in a token's header."""
    key = keys.public_by_kid(kid)
    if key is None:
        raise Http404
    return JsonResponse({**key, "kid": credentials.address("badge-key", kid)}, content_type="application/jwk+json")


@for_any_verifier
@kept(300)
@require_safe
def badge_keys(request: Request) -> JsonResponse:
    return JsonResponse(proofs.key_set(), content_type="application/jwk-set+json")


def _token(token: str | None, content_type: str) -> HttpResponse:
    if token is None:
        raise Http404
    return HttpResponse(token, content_type=content_type)
