"""The form in which staff write a rubric. It checks shape; scoring/rubrics.py decides."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget

from portfolios.models import Factor
from scoring.rubrics import LEVEL_NUMBERS, CriterionWords, LevelWords

MAX_CRITERIA = 8


class RubricForm(forms.Form):
    """Four levels and up to eight criteria for one factor. Criteria left empty are not part of the rubric."""

    factor = forms.ModelChoiceField(Factor.objects.all())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in LEVEL_NUMBERS:
            self._add(f"level_{number}", f"Level {number}", "name", "words", required=True)
        for position in range(1, MAX_CRITERIA + 1):
            self._add(f"criterion_{position}", f"Criterion {position}", "name", "question", required=position == 1)

    def _add(self, key: str, label: str, name: str, words: str, *, required: bool) -> None:
        length = 60 if key.startswith("level") else 120
        self.fields[f"{key}_{name}"] = forms.CharField(
            label=f"{label}: {name}", max_length=length, required=required, widget=AdminTextInputWidget
        )
        self.fields[f"{key}_{words}"] = forms.CharField(
            label=f"{label}: {words}", required=required, widget=AdminTextareaWidget(attrs={"rows": 3})
        )

    def levels(self) -> list[LevelWords]:
        data = self.cleaned_data
        return [LevelWords(n, data[f"level_{n}_name"], data[f"level_{n}_words"]) for n in LEVEL_NUMBERS]

    def criteria(self) -> list[CriterionWords]:
        data = self.cleaned_data
        pairs = [(data[f"criterion_{n}_name"], data[f"criterion_{n}_question"]) for n in range(1, MAX_CRITERIA + 1)]
        return [CriterionWords(name, question) for name, question in pairs if name or question]


def initial_of(factor: Factor, levels: list[LevelWords], criteria: list[CriterionWords]) -> dict[str, Any]:
    """What the form shows first: the words as they are now."""
    values: dict[str, Any] = {"factor": factor.pk}
    for level in levels:
        values |= {f"level_{level.number}_name": level.name, f"level_{level.number}_words": level.words}
    for position, criterion in enumerate(criteria, start=1):
        values |= {f"criterion_{position}_name": criterion.name, f"criterion_{position}_question": criterion.question}
    return values
