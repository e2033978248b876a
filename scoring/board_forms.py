"""What staff type on the board: which plan they saw, and whom they choose for one reading."""

from typing import Any

from django import forms

from scoring.by_hand import Option


class SeenForm(forms.Form):
    """The fingerprint of the plan that was looked at."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ByHandForm(forms.Form):
    """Who does the reading, why, and whether what speaks against them is set aside."""

    to = forms.TypedChoiceField(label="Scorer", coerce=int, error_messages={"required": "Choose a scorer."})
    reason = forms.CharField(
        label="Why them",
        help_text="Kept with the reading and in the audit trail, with your name.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you choose them."},
    )
    sets_aside = forms.BooleanField(
        label="Set aside what speaks against them",
        help_text="Only where you know that it does not matter here. Your reason has to say why.",
        required=False,
    )

    def __init__(self, data: Any = None, *, options: list[Option]) -> None:
        super().__init__(data)
        choices = [(one.profile.user_id, _label(one)) for one in options if one.is_possible]
        self.fields["to"].choices = [("", "Choose a scorer"), *choices]  # type: ignore[attr-defined]


def _label(option: Option) -> str:
    words = f"{option.profile.user.name}, {option.minutes} minutes so far"
    return f"{words}; {option.words}" if option.tie else words
