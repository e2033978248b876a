"""Shapes of what is typed about money. Rules are the verbs' own; amounts of fees are never typed by payers."""

from decimal import Decimal
from typing import Any, BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.safestring import SafeString

from candidates.models import PolicyText
from icg_cert.lib.money import Money
from payments.gateways.base import Gateway
from payments.models import PurchaseOrder, Remittance
from payments.purchase_orders import Order
from portfolios.checking import pdfs
from portfolios.checking.finding import Unusable

PURCHASE_ORDER = "purchase-order"
DOCUMENT_MAX_BYTES = 10 * 1024 * 1024
PDF_MAGIC = b"%PDF-"


class PayForm(forms.Form):
    """How to pay, and that the no-refund policy is accepted. `text` is the version this page shows."""

    text = forms.IntegerField(widget=forms.HiddenInput)
    accepted = forms.BooleanField(
        label="I have read this and accept it.",
        error_messages={"required": "Please read the no-refund policy and tick this box to accept it."},
    )
    method = forms.ChoiceField(
        label="How would you like to pay?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you would like to pay."},
    )

    def __init__(self, *args: Any, gateways: list[Gateway], text: PolicyText, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(gateway.name, _choice(gateway.label, gateway.hint)) for gateway in gateways]
        by_order = _choice("Purchase order", "Your school or district pays. You upload its purchase order as a PDF.")
        choices.append((PURCHASE_ORDER, by_order))
        self.fields["method"].choices = choices  # type: ignore[attr-defined]
        self.fields["text"].initial = text.pk


def _choice(label: str, hint: str) -> SafeString:
    return format_html('<span><strong>{}</strong><br><span class="muted">{}</span></span>', label, hint)


class AmountField(forms.DecimalField):
    """Major units with two digits, as Money."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=Decimal("1000000"), decimal_places=2, **kwargs)

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        return None if amount is None else Money.of(amount)


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PurchaseOrderForm(forms.Form):
    payer_name = forms.CharField(label="School district or organisation that pays", max_length=150)
    payer_email = forms.EmailField(
        label="E-mail of its accounts payable office", help_text="Where questions about the money go. Not your own."
    )
    number = forms.CharField(
        label="Purchase order number", max_length=60, help_text="As printed on it. A requisition number is not enough."
    )
    issued_on = forms.DateField(label="Date on the purchase order", widget=DayInput)
    amount = AmountField(label="Amount of the purchase order, in US dollars")
    document = forms.FileField(
        label="The purchase order as a PDF",
        help_text="The document itself, at most 10 MB. Only you and the programme's office can open it.",
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
        error_messages={
            "empty": "This file is empty. Please choose the purchase order again.",
            "required": "Choose the purchase order's PDF. After a correction, choose it again.",
        },
    )

    def clean_document(self) -> "UploadedFile[bytes]":
        document: UploadedFile[bytes] = self.cleaned_data["document"]
        if (document.size or 0) > DOCUMENT_MAX_BYTES:
            raise forms.ValidationError("This file is larger than 10 MB. Please scan it with a lower resolution.")
        if document.read(len(PDF_MAGIC)) != PDF_MAGIC:
            raise forms.ValidationError("This is not a PDF, whatever its name says. Save or scan the order as a PDF.")
        try:
            pdfs.check(cast(BinaryIO, document), settings.UPLOAD_DOCUMENT_MAX_PAGES)
        except Unusable as verdict:  # a scan that qpdf finds fault with opens for people all the same
            if verdict.code == "encrypted":
                raise forms.ValidationError(verdict.words) from verdict
        document.seek(0)
        return document

    def order(self) -> Order:
        data: dict[str, Any] = {**self.cleaned_data}
        return Order(document=data.pop("document").read(), **data)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The candidate reads it. Say what would make it right.",
        error_messages={"required": "Say why, in words the candidate can act on."},
    )


class RemittanceForm(forms.Form):
    kind = forms.ChoiceField(label="How it came", choices=Remittance.Kind.choices, widget=forms.RadioSelect)
    number = forms.CharField(label="Check or trace number", max_length=60)
    amount = AmountField(label="Amount received, in US dollars")
    received_on = forms.DateField(label="Received on", widget=DayInput)


def order_form(order: PurchaseOrder | None, district: str, fee: Money) -> PurchaseOrderForm:
    """An empty form that knows what it can: the district of the registration, the fee, a refused order's payer."""
    initial: dict[str, Any] = {"payer_name": district, "amount": fee.amount}
    if order is not None:
        initial |= {"payer_name": order.payer_name, "payer_email": order.payer_email}
    return PurchaseOrderForm(initial=initial)
