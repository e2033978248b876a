"""What finance types: checks and transfers, what they are for, files of them, reversals, refunds, our details."""

from typing import Any

from django import forms

from payments import allocation, remittance_file
from payments.forms import AmountField, DayInput, check_pdf
from payments.models import Invoice, Payer, Remittance, Vendor


class PayerForm(forms.Form):
    payer = forms.ModelChoiceField(Payer.objects.order_by("name"), label="From whom", empty_label="Choose the payer")


class SeatsForm(forms.Form):
    """Which of a payer's open seats."""

    seats = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, payer: Payer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = dict(Invoice.objects.standing().filter(order__payer=payer).values_list("order", "number"))
        self.fields["seats"].choices = [  # type: ignore[attr-defined]
            (line.seat.pk, f"{numbers.get(line.seat.order_id, line.seat.order.number)}: {_coach(line)}, {line.open}")
            for line in allocation.lines(payer)
        ]


class RemittanceForm(SeatsForm):
    kind = forms.ChoiceField(label="How it came", choices=Remittance.Kind.choices, widget=forms.RadioSelect)
    number = forms.CharField(label="Check or trace number", max_length=60)
    amount = AmountField(label="Amount received, in US dollars")
    received_on = forms.DateField(label="Received on", widget=DayInput)
    invoices = forms.TypedMultipleChoiceField(
        label="For these invoices",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Their oldest open lines are paid first. Whatever is left stays as the payer's credit.",
    )
    field_order = ["kind", "number", "amount", "received_on", "invoices", "seats"]

    def __init__(self, *args: Any, payer: Payer, **kwargs: Any) -> None:
        super().__init__(*args, payer=payer, **kwargs)
        self.fields["seats"].label = "For these seats before all others"
        self.fields["seats"].help_text = "Only where the payer says so, or where you decide whom a short check is for."
        open_ = Invoice.objects.open().filter(order__payer=payer).select_related("order").order_by("due_on", "pk")
        self.fields["invoices"].choices = [  # type: ignore[attr-defined]
            (invoice.pk, f"{invoice.number} for {invoice.order.number}: {invoice.owed} open") for invoice in open_
        ]


class AllocateForm(SeatsForm):
    def __init__(self, *args: Any, payer: Payer, **kwargs: Any) -> None:
        super().__init__(*args, payer=payer, **kwargs)
        self.fields["seats"].label = "For these seats"
        self.fields["seats"].required = True
        self.fields["seats"].help_text = "Paid from the top of the list, as far as the credit reaches."


class ReverseForm(forms.Form):
    reason = forms.CharField(
        label="What the bank said",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For us alone. The payer's office reads that it came back, and which invoices are open again.",
        error_messages={"required": "Say what the bank said, for whoever looks at it next year."},
    )


class ReissueForm(forms.Form):
    """What an accounts payable office may want otherwise on an invoice."""

    bill_to = forms.CharField(label="Bill to", widget=forms.Textarea(attrs={"rows": 4}), max_length=500)
    ship_to = forms.CharField(label="Ship to", widget=forms.Textarea(attrs={"rows": 4}), max_length=500, required=False)
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="For us alone: what was wrong with the one before."
    )


class FileForm(forms.Form):
    file = forms.FileField(label="File", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def text(self) -> str:
        return remittance_file.decoded(self.cleaned_data["file"].read())


class PayerDetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Payer
        fields = ["email", "bill_to", "exemption"]
        widgets = {"exemption": forms.FileInput(attrs={"accept": "application/pdf,.pdf"})}

    def clean_exemption(self) -> Any:
        return _pdf(self, "exemption")


class VendorForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Vendor
        fields = [
            "legal_name", "remit_to", "ach_details", "contact_email", "tax_words", "terms_days", "quote_days", "w9",
            "w9_signed_on",
        ]  # fmt: skip
        widgets = {"w9": forms.FileInput(attrs={"accept": "application/pdf,.pdf"})}

    def clean_w9(self) -> Any:
        return _pdf(self, "w9")

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if self.cleaned_data.get("w9") and not self.cleaned_data.get("w9_signed_on"):
            self.add_error("w9_signed_on", "Enter the date on the W-9.")
        return data


def _coach(line: allocation.Line) -> str:
    return line.seat.registration.user.name if line.seat.registration else "a free seat"


def _pdf(form: forms.ModelForm, name: str) -> Any:  # type: ignore[type-arg]
    """A file field: whatever a new file is called, it has to be a PDF that opens."""
    document = form.cleaned_data[name]
    if name in form.changed_data and document:
        check_pdf(document)
    return document


class MatchForm(forms.Form):
    code = forms.CharField(label="Code of the registration", max_length=12)
    reason = forms.CharField(
        label="How you know",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stays beside the money.",
    )


class RefundForm(forms.Form):
    amount = AmountField(label="Amount, in US dollars")
    reason = forms.CharField(
        label="Why it goes back",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A duplicate, an overpayment, a registration that has ended. Whoever approves it reads this.",
    )


class ApproveRefundForm(forms.Form):
    """`reference` only where it goes back by a check of ours."""

    reference = forms.CharField(label="Number of the check", max_length=60)

    def __init__(self, *args: Any, by_check: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not by_check:
            del self.fields["reference"]


class DeclineRefundForm(forms.Form):
    reason = forms.CharField(label="Why not", widget=forms.Textarea(attrs={"rows": 3}))
