"""Who pays by purchase order, and the programme as the vendor they pay."""

from uuid import uuid4

from django.db import models

from candidates.models import User


def vendor_path(row: object = None, filename: str = "") -> str:
    return f"vendor/{uuid4().hex}.pdf"


def exemption_path(row: object = None, filename: str = "") -> str:
    return f"exemptions/{uuid4().hex}.pdf"


class Vendor(models.Model):
    """What a district's office has to know of us before it pays. One row, kept by finance."""

    legal_name = models.CharField(max_length=150)
    remit_to = models.TextField(help_text="Name and postal address for checks, as on an envelope")
    ach_details = models.TextField("bank details for ACH", blank=True)
    contact_email = models.EmailField()
    tax_words = models.CharField(
        max_length=200, default="No sales tax is charged.", help_text="The sentence on quotes and invoices about tax"
    )
    terms_days = models.PositiveSmallIntegerField(
        default=30, help_text="Invoices are due so many days after their date"
    )
    quote_days = models.PositiveSmallIntegerField(
        default=120, help_text="So long a quote holds, and never past closing"
    )
    w9 = models.FileField("W-9", upload_to=vendor_path, blank=True, help_text="PDF, signed this year or last")
    w9_signed_on = models.DateField("W-9 signed on", null=True, blank=True)

    class Meta:
        verbose_name = "vendor details"
        verbose_name_plural = "vendor details"

    def __str__(self) -> str:
        return self.legal_name


class Payer(models.Model):
    """A district or organisation that pays for coaches. Found again by its name, whatever its case and spaces."""

    name = models.CharField("legal name", max_length=150)
    name_normalised = models.CharField(max_length=150, unique=True, editable=False)
    bill_to = models.TextField(blank=True, help_text="Where invoices go, as the newest order says")
    email = models.EmailField("accounts payable e-mail")
    exemption = models.FileField("tax exemption certificate", upload_to=exemption_path, blank=True)
    verified_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
