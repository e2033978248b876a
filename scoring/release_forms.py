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


class HoldForm(forms.Form):
    """Why one candidate's results wait, and what they are told of it: a day, and nothing else."""

    reason = forms.CharField(
        label="Reason",
        help_text="Read by staff alone. The candidate is told that it takes longer, and not why.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say why."},
    )
    hear_on = forms.DateField(
        label="They hear from us by",
        help_text="The candidate is told this day.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose a day.", "invalid": "Write a date."},
    )


class LiftForm(forms.Form):
    """What was looked at when a hold is lifted."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class ExceptionForm(forms.Form):
    """Why a candidate is let through although a rule fails."""

    reason = forms.CharField(
        label="Reason",
        help_text="It stands with your name beside the rule. Whoever approves the release reads it.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say why."},
    )
