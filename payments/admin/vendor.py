"""The programme as the vendor that districts pay. One row, kept by finance."""

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from icg_cert.audit.changes import AuditedAdmin
from payments import vendors
from payments.forms.money import VendorForm
from payments.invoices import today
from payments.models import Vendor


@admin.register(Vendor)
class VendorAdmin(AuditedAdmin):
    """From the next paper on; those that are out say what they said."""

    list_display = ["legal_name", "contact_email", "terms_days", "w9_signed_on"]
    form = VendorForm
    readonly_fields = ["w9_now"]

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """There is one of us. Asked here and not as a right, which every page of the admin looks at for its menu."""
        there = Vendor.objects.first()
        if there is not None:
            return redirect("admin:payments_vendor_change", there.pk)
        return super().add_view(request, *args, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="W-9 on file")
    def w9_now(self, row: Vendor) -> str:
        if not row.w9:
            return "None"
        return format_html('<a href="{}">Download</a>', reverse("payments:w9"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        lacking: list[str] = vendors.lacking(row, _today(request)) if row and request.method == "GET" else []
        for sentence in lacking:
            messages.warning(request, sentence)
        return super().render_change_form(request, context, *args, **kwargs)


def _today(request: HttpRequest) -> date:
    return today(request.at)  # type: ignore[attr-defined]
