"""A look at certificates; taking one back, and issuing one in another name."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import refuse_form
from icg_cert.lib.refusal import Refused
from scoring import certificate_paper, certificates
from scoring.certificate_forms import ReissueForm, RevokeForm
from scoring.models import Certificate
from scoring.permissions import is_staff


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["code", "holder_name", "issued_at", "replaced_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), ("replaced_at", admin.EmptyFieldListFilter)]
    search_fields = ["code", "holder_name", "registration__code", "registration__user__email"]
    list_select_related = ["registration__cohort"]
    change_form_template = "admin/scoring/certificate_detail.html"

    def get_urls(self) -> list[URLPattern]:
        ways = [("revoke", self.revoke_view), ("reissue", self.reissue_view)]
        own = [
            path(f"<int:pk>/{word}/", self.admin_site.admin_view(view), name=f"scoring_certificate_{word}")
            for word, view in ways
        ]
        return [*own, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        certificate, form = _asked(request, pk), RevokeForm(request.POST or None)
        if form.is_valid() and _done(form, certificates.revoke, pk, request):
            messages.success(request, f"Certificate {certificate.code} is revoked, and its holder is told.")
            return redirect("admin:scoring_certificate_change", pk)
        return self._page(request, "revoke", certificate, form, "Revoke this certificate")

    def reissue_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        certificate = _asked(request, pk)
        form = ReissueForm(request.POST or None, initial={"name": certificate.registration.user.name})
        if "preview" in request.POST and form.data.get("name", "").strip():
            paper = certificate_paper.paper(certificate, holder=form.data["name"][:150], code="")
            return HttpResponse(paper, content_type="application/pdf")
        new = _done(form, certificates.reissue, pk, request) if form.is_valid() else None
        if new:
            messages.success(request, f"Issued as {new.code} in the name {new.holder_name}. Its holder is told.")
            return redirect("admin:scoring_certificate_change", new.pk)
        return self._page(request, "reissue", certificate, form, "Issue in another name")

    def _page(self, request: HttpRequest, word: str, certificate: Certificate, form: Form, title: str) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context = {**frame, "certificate": certificate, "form": form}
        return render(request, f"admin/scoring/certificate_{word}.html", context)


def _asked(request: HttpRequest, pk: int) -> Certificate:
    if not is_staff(request.user):
        raise PermissionDenied
    return get_object_or_404(Certificate.objects.select_related("result", "registration__user"), pk=pk)


def _done(form: Form, verb: Any, pk: int, request: Any) -> Certificate | None:
    """What the verb made of what was typed; None where it refused, and the form says why."""
    try:
        return verb(pk, **form.cleaned_data, by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return None
