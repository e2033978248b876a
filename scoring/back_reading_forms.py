"""The shape of what a lead says to a scorer."""

from django import forms

from scoring.back_reading import LONGEST
from scoring.models import BackReading


class NoteForm(forms.Form):
    """How near the lead comes, and a note."""

    view = forms.ChoiceField(
        label="How you see it",
        choices=BackReading.View.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you see it."},
    )
    note = forms.CharField(
        label="Note to the scorer",
        help_text="They read it with your name. Say what was done well first, then what you saw otherwise, and where.",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
