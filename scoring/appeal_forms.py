"""What is typed about a result that was told: an appeal, its decision, a correction."""

import re
from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from scoring import appeals, corrections, workings
from scoring.models import FactorScore


class AskForm(forms.Form):
    """Why a candidate asks for a score to be verified."""

    reason = forms.CharField(
        label="Why do you ask?",
        help_text="In your own words. Staff read it; no scorer does, so that the entry is read without regard to it.",
        max_length=appeals.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Say in a sentence why you ask."},
    )


class DecideForm(forms.Form):
    """What staff add to the decision, which follows from the readings."""

    words = forms.CharField(
        label="A word to the candidate",
        help_text="Stands on their page and in the letter, below the decision. Name no scorer. May stay empty.",
        required=False,
        max_length=appeals.LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ExactScore(forms.Field):
    """A score as people write it, 2.75, or exactly, 35/12; None where nothing is typed."""

    def to_python(self, value: Any) -> Fraction | None:
        text = str(value or "").strip()
        if not text:
            return None
        if not re.fullmatch(r"[0-9](\.[0-9]{1,3})?|[0-9]{1,3}/[1-9][0-9]{0,2}", text):
            raise ValidationError("Write a score as 2.75, or as a fraction, 35/12.")
        return Fraction(text)


class CorrectForm(forms.Form):
    """The right score for each entry whose score was wrong, and why."""

    reason = forms.CharField(
        label="What was wrong",
        help_text="The candidate reads this. Name no scorer.",
        max_length=corrections.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what was wrong."},
    )

    def __init__(self, data: Any = None, *, rows: Iterable[FactorScore]) -> None:
        super().__init__(data)
        for row in rows:
            self.fields[str(row.entry_id)] = ExactScore(
                label=f"{row.entry.factor}: the right score",
                help_text=f"Told: {workings.printed(row.score)}. Leave empty where it is right.",
                required=False,
            )

    def scores(self) -> dict[int, Fraction]:
        """Entry to what was typed for it."""
        return {int(name): value for name, value in self.cleaned_data.items() if isinstance(value, Fraction)}


class SeenForm(forms.Form):
    """Which proposal the approver looked at: the instant at which it was made."""

    proposed_at = forms.DateTimeField()

    @property
    def seen(self) -> datetime | None:
        return self.cleaned_data["proposed_at"] if self.is_valid() else None
