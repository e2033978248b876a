"""The shape of a signed statement and of a declared tie."""

from django import forms

from scoring.models import DeclaredTie


class StatementForm(forms.Form):
    """A typed signature under the version that was read."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    signature = forms.CharField(
        label="Your full name, as a signature",
        max_length=150,
        error_messages={"required": "Type your full name to sign."},
    )


class TieForm(forms.Form):
    """One person or place."""

    name = forms.CharField(
        label="Full name of the person, or of the district, employer or school",
        max_length=150,
        error_messages={"required": "Write the name."},
    )
    email = forms.EmailField(
        label="Their e-mail address",
        help_text="If you know it: names are spelled in many ways, addresses in one.",
        required=False,
        max_length=254,
    )
    relation = forms.ChoiceField(label="How you know them", choices=DeclaredTie.Relation.choices)
