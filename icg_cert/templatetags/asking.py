"""How a form's field is shown and what is said of it. Used by our form pack (templates/icg/) alone."""

from django import forms, template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's control, without the placeholder that only repeats its label (allauth's forms bring them)."""
    if field.field.widget.attrs.get("placeholder") in (None, ""):
        return field.as_widget()
    return field.as_widget(attrs={"placeholder": False})


# Labels that allauth's forms bring, in our words.
NAMES = {
    "Email": "E-mail address",
    "Remember Me": "Keep me signed in on this device",
    "Password (again)": "Password, once more",
    "Current Password": "Current password",
    "New Password": "New password",
    "New Password (again)": "New password, once more",
    "Authenticator code": "Code from the app",
    "Passwordless": "Let this key sign me in without a password",
}


@register.filter
def named(field: BoundField) -> str:
    return NAMES.get(str(field.label), str(field.label))


# Django's own words for what is amiss, in ours. Messages that a form or a verb wrote stay as they are.
REQUIRED = "This field is required."
ASKED_AGAIN = {
    forms.CheckboxInput: "Please tick this to go on.",
    forms.RadioSelect: "Please choose one.",
    forms.Select: "Please choose one.",
    forms.CheckboxSelectMultiple: "Please choose at least one.",
    forms.FileInput: "Please choose a file.",
}
KINDER = {
    "Enter a valid email address.": "Please write an address like name@example.org.",
    "Enter a number.": "Please write a number, like 12.5.",
    "Enter a whole number.": "Please write a whole number, like 12.",
    "Enter a valid date.": "Please write a date like 2027-06-15.",
    "The submitted file is empty.": "This file is empty. Please choose another.",
}


@register.filter
def told(field: BoundField, error: str) -> str:
    """One error of a field, in words that say what to do."""
    if error != REQUIRED:
        return KINDER.get(error, error)
    kinds = [words for widget, words in ASKED_AGAIN.items() if isinstance(field.field.widget, widget)]
    return kinds[-1] if kinds else "Please fill this in."


@register.filter
def summed_up(field: BoundField, error: str) -> str:
    """The same beside the field's name, for the summary on top of the form."""
    return f"{named(field).rstrip(' .:?')}: {told(field, error)}"
