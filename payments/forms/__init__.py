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
from payments import quotes
from payments.gateways.base import Gateway
from payments.models import PurchaseOrder, Quote, Seat
from payments.purchase_orders import Order
from payments.quotes import Wanted
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
        by_order = _choice("Purchase order", "Your district pays: you have a seat code, its order, or need a quote.")
        choices.append((PURCHASE_ORDER, by_order))
        self.fields["method"].choices = choices  # type: ignore[attr-defined]
        self.fields["method"].initial = choices[0][0] if len(choices) == 1 else None
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


def check_pdf(document: "UploadedFile[bytes]") -> None:
    """ValidationError for what is too large, no PDF at all, or locked."""
    if (document.size or 0) > DOCUMENT_MAX_BYTES:
        raise forms.ValidationError("This file is larger than 10 MB. Please scan it with a lower resolution.")
    if document.read(len(PDF_MAGIC)) != PDF_MAGIC:
        raise forms.ValidationError("This is not a PDF, whatever its name says. Save or scan the paper as a PDF.")
    try:
        pdfs.check(cast(BinaryIO, document), settings.UPLOAD_DOCUMENT_MAX_PAGES)
    except Unusable as verdict:  # a scan that qpdf finds fault with opens for people all the same
        if verdict.code == "encrypted":
            raise forms.ValidationError(verdict.words) from verdict
    document.seek(0)


class PurchaseOrderForm(forms.Form):
    payer_name = forms.CharField(
        label="Who pays", max_length=150, help_text="The legal name of the district or organisation, as on the order."
    )
    payer_email = forms.EmailField(
        label="E-mail of its accounts payable office", help_text="Where the invoice goes. Not the coach's own."
    )
    number = forms.CharField(
        label="Purchase order number", max_length=60, help_text="As printed on it. A requisition number is not enough."
    )
    issued_on = forms.DateField(label="Date on the purchase order", widget=DayInput)
    valid_until = forms.DateField(
        label="Valid until", widget=DayInput, required=False, help_text="Only if the order says so."
    )
    amount = AmountField(label="Amount of the purchase order, in US dollars")
    bill_to = forms.CharField(
        label="Bill to",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        help_text="Name and address for the invoice, as on the order.",
    )
    ship_to = forms.CharField(
        label="Ship to",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        required=False,
        help_text="The school or person it is for, if the order says so.",
    )
    document = forms.FileField(
        label="The purchase order as a PDF",
        help_text="The signed document itself, at most 10 MB. Only you and the programme's office can open it.",
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
        error_messages={
            "empty": "This file is empty. Please choose the purchase order again.",
            "required": "Choose the purchase order's PDF. After a correction, choose it again.",
        },
    )

    def clean_document(self) -> "UploadedFile[bytes]":
        document: UploadedFile[bytes] = self.cleaned_data["document"]
        check_pdf(document)
        return document

    def order(self) -> Order:
        data: dict[str, Any] = {**self.cleaned_data}
        return Order(document=data.pop("document").read(), **data)


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Seat code",
        max_length=40,
        help_text="Twelve letters and digits that your district gave you, like ABCD-EFGH-JKLM.",
        widget=forms.TextInput(attrs={"class": "narrow", "autocomplete": "off", "spellcheck": "false", "size": 20}),
        error_messages={"required": "Enter the code that your district gave you."},
    )


class QuoteForm(forms.Form):
    """What a quote has to say. The address gets it, and the link to follow it by."""

    payer_name = forms.CharField(label="District or organisation that pays", max_length=150)
    contact_name = forms.CharField(label="Contact person", max_length=150)
    contact_email = forms.EmailField(
        label="Their e-mail", help_text="The quote goes to this address alone, with a link for the purchase order."
    )
    seats = forms.IntegerField(label="Number of coaches", min_value=1, max_value=quotes.MOST_SEATS, initial=1)

    def wanted(self) -> Wanted:
        return Wanted(**self.cleaned_data)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="They read it. Say what would make it right.",
        error_messages={"required": "Say why, in words the candidate can act on."},
    )


class QuestionForm(forms.Form):
    question = forms.CharField(
        label="Question",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Whoever handed it in reads it, and answers by e-mail or with another order.",
    )


class AcceptForm(forms.Form):
    """What only eyes can tell."""

    same = forms.BooleanField(label="The document says what was typed: payer, number, date, amount, addresses.")
    ours = forms.BooleanField(label="It is made out to us.")
    signed = forms.BooleanField(label="It is signed.")
    verified = forms.BooleanField(
        label="The payer exists and is called so.", help_text="Remembered for every later order of theirs."
    )


class CancelForm(ReasonForm):
    with_taken_seats = forms.BooleanField(
        label="Give back the seats that coaches have taken, too",
        required=False,
        help_text="They lose their seats, read the reason, and have to pay another way.",
    )


class ReleaseForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="Needed for a seat that somebody has taken: they read it.",
    )


class SubstituteForm(forms.Form):
    code = forms.CharField(
        label="Registration code of who gets the seat", max_length=12, help_text="Eight characters, in the admin's list"
    )


def order_form(district: str, seat: Seat | None, fee: Money) -> PurchaseOrderForm:
    """An empty form that knows what it can: the district of the registration, the fee, the payer of a refused order."""
    initial: dict[str, Any] = {"payer_name": district, "amount": fee.amount}
    if seat is not None:
        initial |= _typed(seat.order)
    return PurchaseOrderForm(initial=initial)


def quoted_order_form(quote: Quote) -> PurchaseOrderForm:
    """The same for a quote, with what was typed the last time."""
    last = quote.orders.first()
    return PurchaseOrderForm(
        initial={"payer_name": quote.payer_name, "amount": quote.money.amount} | (_typed(last) if last else {})
    )


def _typed(order: PurchaseOrder) -> dict[str, Any]:
    """What a corrected order will say again."""
    return {
        "payer_name": order.payer.name,
        "payer_email": order.payable_email,
        "bill_to": order.bill_to,
        "ship_to": order.ship_to,
    }
