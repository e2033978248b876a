"""What a certified coach has: the certificate, its badge, ways to show it, and the choice of who sees what."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates.models import normalised_code
from icg_cert.lib.doors import Request, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import certificate_paper, privacy, sharing
from scoring.badges import keys, proofs
from scoring.certificate_forms import ChoicesForm
from scoring.models import Certificate


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def certificate_list(request: Request) -> HttpResponse:
    own = Certificate.objects.issued(request.at).filter(registration__user=request.user)
    rows = list(own.select_related("result", "registration__user", "replaces"))
    form = ChoicesForm.of(privacy.choices_of(request.user), request.POST if request.method == "POST" else None)
    if form.is_valid() and _chosen(request, form):
        return redirect("scoring:certificate-list")
    context = {
        "held": [_shown(row) for row in rows if not row.is_revoked and not row.is_replaced],
        "ended": [row for row in rows if row.is_revoked or row.is_replaced],
        "has_badges": keys.signing_key() is not None,
        "form": form,
    }
    return render(request, "scoring/certificate_list.html", context)


def _chosen(request: Request, form: ChoicesForm) -> bool:
    try:
        privacy.choose(request.user.pk, form.choices(), by=request.user, at=request.at)
    except Refused as refusal:
        if not refusal.fields:
            raise
        refuse_form(form, refusal)
        return False
    messages.success(request, "Your choices are saved and hold from now on.")
    return True


def _shown(certificate: Certificate) -> dict[str, object]:
    return {
        "certificate": certificate,
        "verify_url": sharing.verify_url(certificate),
        "linkedin_profile": sharing.linkedin_profile(certificate),
        "linkedin_post": sharing.linkedin_post(certificate),
    }


@never_cache
@require_safe
@login_required
@refusals_as_page
def certificate(request: Request, code: str) -> HttpResponse:
    found = _visible(request, code)
    response = HttpResponse(certificate_paper.document(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="ICG-certificate-{found.code}.pdf"'
    return response


@never_cache
@require_safe
@login_required
@refusals_as_page
def badge(request: Request, code: str) -> HttpResponse:
    """The signed badge as a file, for its holder to put into a wallet. 404 while the portal has no key."""
    found = _visible(request, code)
    if found.is_revoked or found.is_replaced:
        raise Refused("ended", "This certificate no longer holds, so there is no badge of it any more.")
    token = proofs.badge(found)
    if token is None:
        raise Http404
    response = HttpResponse(token, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="ICG-badge-{found.code}.jwt"'
    return response


def _visible(request: Request, code: str) -> Certificate:
    rows = Certificate.objects.visible_to(request.user).issued(request.at)
    return get_object_or_404(rows.select_related("result", "registration__user"), code=normalised_code(code))
