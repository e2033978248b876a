"""Which factors somebody means to retake."""

from typing import Any

from django import forms

from icg_cert.lib.words import three_decimals
from scoring.retake_choice import Choice, Choices


class RetakeForm(forms.Form):
    """Any of those that may be retaken, or none."""

    factors = forms.TypedMultipleChoiceField(
        label="Factors you mean to retake",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None, *, found: Choices) -> None:
        super().__init__(data, initial={"factors": found.wished})
        self.fields["factors"].choices = [(one.factor.pk, _label(one)) for one in found.choices]  # type: ignore[attr-defined]


def _label(choice: Choice) -> str:
    return str(choice.factor) if choice.score is None else f"{choice.factor}: {three_decimals(choice.score)} so far"
