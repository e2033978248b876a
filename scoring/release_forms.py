"""What staff type to bring results out."""

from django import forms


class ReleaseForm(forms.Form):
    """The instant of the release, typed and read in the programme's zone."""

    releases_at = forms.DateTimeField(
        label="Release on",
        help_text="Date and time in the programme’s zone (Central Time). Candidates were told the announced date.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Say when the results come out.", "invalid": "Write a date and a time."},
    )


class ApproveForm(forms.Form):
    """Which decision the approver looked at: the instant at which it was prepared."""

    prepared_at = forms.DateTimeField()
