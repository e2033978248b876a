"""The shape of choosing a benchmark, of ending one, and of deciding about a scorer."""

from typing import Any

from django import forms

from portfolios.models import Entry
from scoring.models import Benchmark


class EntryField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"Factor {obj.factor.number} of {obj.cycle.year}, candidate {obj.registration.code}"


class BenchmarkForm(forms.Form):
    """Which entry, for what, and how its author agreed."""

    entry = EntryField(
        Entry.objects.none(),
        label="Entry",
        help_text="Released, and with a consent to training for every film in it.",
        error_messages={"required": "Choose an entry."},
    )
    use = forms.ChoiceField(label="What for", choices=Benchmark.Use.choices)
    permission = forms.CharField(
        label="How the author agreed",
        help_text="To have what they wrote used to train scorers, and where that is kept. Films have a consent.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say how the author agreed, and where that is kept."},
    )

    def __init__(self, data: Any = None, *, entries: Any) -> None:
        super().__init__(data)
        self.fields["entry"].queryset = entries  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why; it is kept."""

    reason = forms.CharField(
        label="Why",
        help_text="Kept on record with your name.",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
    )
