"""A look at what is told: releases, results, certificates; and taking a certificate back."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from icg_cert.lib.admin import ReadOnlyAdmin
from scoring import certificates
from scoring.models import (
    Certificate,
    FactorScore,
    Release,
    Result,
)
from scoring.permissions import is_staff
from scoring.release_forms import RevokeForm


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """A look at the decisions; they are taken on the release page, by two people."""

    list_display = ["cycle", "state", "releases_at", "prepared_by", "approved_by", "released_at", "page"]
    list_select_related = ["cycle", "prepared_by", "approved_by"]

    @admin.display(description="release page")
    def page(self, release: Release) -> str:
        return format_html('<a href="{}">Open</a>', reverse("scoring:release", args=[release.cycle_id]))


class FactorScoreInline(admin.TabularInline):
    model = FactorScore
    fields = ["entry", "score", "how", "rubric"]
    readonly_fields = ["score"]
    extra = 0
    can_delete = False


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = ["registration", "cycle", "status", "released_at", "told_at", "superseded_at", "report"]
    list_filter = ["cycle", "status", ("told_at", admin.EmptyFieldListFilter)]
    search_fields = ["registration__code", "registration__user__email", "registration__user__name"]
    list_select_related = ["registration__cohort", "cycle"]
    inlines = [FactorScoreInline]
    show_full_result_count = False

    @admin.display(description="report")
    def report(self, result: Result) -> str:
        url = reverse("scoring:result-of", args=[result.cycle_id, result.registration.code])
        return format_html('<a href="{}">Read</a>', url)


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["code", "holder_name", "issued_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["code", "holder_name", "registration__code", "registration__user__email"]
    list_select_related = ["registration__cohort"]
    change_form_template = "admin/scoring/certificate_detail.html"

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="scoring_certificate_revoke"
        )
        return [revoke, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not is_staff(request.user):
            raise PermissionDenied
        certificate = get_object_or_404(Certificate, pk=pk)
        form = RevokeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            certificates.revoke(pk, reason=reason, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
            messages.success(request, f"Certificate {certificate.code} is revoked.")
            return redirect("admin:scoring_certificate_change", pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Revoke this certificate"}
        return render(
            request, "admin/scoring/certificate_revoke.html", {**context, "certificate": certificate, "form": form}
        )
