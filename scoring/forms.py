"""The shape of what scorers type. Whether it may be saved is decided by scoring/sheets.py."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField

from scoring import sheets
from scoring.models import Criterion, FeedbackStatement, Level, Sheet
from scoring.scores import VALUES
from scoring.sheets import Content, Rated

VALUE_CHOICES = [("", "No value yet"), *((f"{value:.2f}", f"{value:.2f}") for value in VALUES)]


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion as the page shows it: its words, its control's name, value and error, and its evidence note."""

    criterion: Criterion
    levels: list[Level]
    name: str
    value: Any
    error: str
    evidence: BoundField


class StatementsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class SheetForm(forms.Form):
    """A whole sheet: per criterion `value-<key>` and `evidence-<key>`; statements, comment, and the version seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, sheet: Sheet) -> None:
        self.sheet = sheet
        self.criteria = list(sheet.rubric.criteria.all())
        self.levels = list(sheet.rubric.levels.all())
        super().__init__(data, initial=initial_of(sheet, sheets.content(sheet)))
        for criterion in self.criteria:
            self.fields[value_name(criterion.pk)] = value_field(criterion)
            self.fields[evidence_name(criterion.pk)] = evidence_field(criterion)
        self.fields["feedback"] = StatementsField(
            FeedbackStatement.objects.all(),
            label="Feedback statements",
            help_text="The candidate reads the ones you choose.",
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["feedback"].queryset = sheets.statements_for(sheet)  # type: ignore[attr-defined]
        self.fields["comment"] = forms.CharField(
            label="Comment to the candidate",
            help_text="They read it with their result. Say what you saw, and what would take it further.",
            required=False,
            max_length=sheets.LONGEST_COMMENT,
            widget=forms.Textarea(attrs={"rows": 6}),
        )

    @property
    def rows(self) -> list[CriterionRow]:
        return [self._row(criterion) for criterion in self.criteria]

    def _row(self, criterion: Criterion) -> CriterionRow:
        bound = self[value_name(criterion.pk)]
        return CriterionRow(
            criterion=criterion,
            levels=self.levels,
            name=bound.html_name,
            value=bound.value(),
            error=" ".join(map(str, bound.errors)),
            evidence=self[evidence_name(criterion.pk)],
        )

    def content(self) -> Content:
        """What was typed, once the form is valid."""
        return Content(
            ratings={criterion.pk: self._rated(criterion.pk) for criterion in self.criteria},
            comment=_plain(self.cleaned_data["comment"]),
            feedback=frozenset(statement.pk for statement in self.cleaned_data["feedback"]),
        )

    def _rated(self, criterion: int) -> Rated:
        value = self.cleaned_data[value_name(criterion)]
        return Rated(Decimal(value) if value else None, _plain(self.cleaned_data[evidence_name(criterion)]))


def value_name(criterion: int) -> str:
    return f"value-{criterion}"


def evidence_name(criterion: int) -> str:
    return f"evidence-{criterion}"


def value_field(criterion: Criterion) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=criterion.name,
        choices=VALUE_CHOICES,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of the twelve values from 0.75 to 4.25."},
    )


def evidence_field(criterion: Criterion) -> forms.CharField:
    return forms.CharField(
        label=f"Evidence for “{criterion.name}”",
        help_text="What you saw, and where: “[2:10] asks an open question”. Level 1 or 2 needs it to be final.",
        required=False,
        strip=False,
        max_length=sheets.LONGEST_EVIDENCE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def initial_of(sheet: Sheet, saved: Content) -> dict[str, Any]:
    """What is saved, in the form's names; also what a second tab is told when it comes too late."""
    values = {value_name(key): "" if one.value is None else f"{one.value:.2f}" for key, one in saved.ratings.items()}
    notes = {evidence_name(key): one.evidence for key, one in saved.ratings.items()}
    rest = {"comment": saved.comment, "feedback": sorted(saved.feedback), "version": sheet.version}
    return {**values, **notes, **rest}


class RecuseForm(forms.Form):
    """Why a scorer steps back; a sentence is enough, and none is fine."""

    reason = forms.CharField(
        label="What is the conflict?",
        help_text="Staff read it, the candidate does not. “I coached in the same school” is enough.",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _plain(text: str) -> str:
    """Browsers send line ends in two ways; a sheet must not look changed because of it."""
    return text.replace("\r\n", "\n")
