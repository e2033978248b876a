"""What is typed about a certificate: by whoever checks one, by its holder, by staff."""

from dataclasses import asdict
from typing import Any

from django import forms

from candidates.forms import Line
from scoring.privacy import NAMES, Choices
from scoring.states import STATES


class ToldForm(forms.Form):
    """The name somebody gave with the code."""

    name = Line(label="The name you were told", error_messages={"required": "Write the name you were told."})


class SearchForm(forms.Form):
    """Whom to look for in the directory."""

    q = Line(label="Name or place", required=False, max_length=100)
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Everywhere"), *STATES.items()])


class ChoicesForm(forms.Form):
    """A holder's choices of what others see."""

    shows_name = forms.BooleanField(
        label="Show my name where my code is verified",
        required=False,
        help_text="Whoever enters your code sees your name with it. Otherwise they read that it is valid, and can "
        "check a name that you told them.",
    )
    is_listed = forms.BooleanField(
        label="List me in the public directory of certified coaches",
        required=False,
        help_text="The directory shows your name, the year, and what you choose below. When you leave, you are gone "
        "at once.",
    )
    state = forms.ChoiceField(
        label="State shown in the directory", required=False, choices=[("", "None"), *STATES.items()]
    )
    shows_district = forms.BooleanField(
        label="Show my district in the directory",
        required=False,
        help_text="Your district as you wrote it when you registered.",
    )
    names_email = forms.BooleanField(
        label="Put my e-mail address into my badge, as a salted hash",
        required=False,
        help_text="Some wallets and backpacks take a badge in only when they find your address in it. Whoever has your "
        "badge and your address can tell that they belong together; nobody can read it from the badge.",
    )

    @classmethod
    def of(cls, choices: Choices, data: Any = None) -> "ChoicesForm":
        return cls(data, initial=asdict(choices))

    def choices(self) -> Choices:
        """What was chosen, of a valid form."""
        return Choices(**{name: self.cleaned_data[name] for name in NAMES})


class RevokeForm(forms.Form):
    """Why a certificate no longer holds."""

    reason = forms.CharField(
        label="Reason",
        help_text="Its holder reads it in a mail. The public page says only that the certificate was revoked.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ReissueForm(forms.Form):
    """The name as it shall be, and why."""

    name = Line(label="Name on the new certificate")
    reason = forms.CharField(
        label="Reason",
        help_text="Kept in the audit trail and read by staff alone, for example “Married name, document seen”.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
