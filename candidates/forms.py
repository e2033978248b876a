"""What people type to register and to answer. Forms check shape; rules are the verbs' and candidates.eligibility's."""

from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.http import HttpRequest

from candidates import eligibility, time_zones
from candidates.eligibility import Hours, Statement
from candidates.models import PolicyText, Programme, User

MIB = 1024 * 1024
PDF_MAX_BYTES = 10 * MIB
KINDS_OF_WORK = ["coaching", "administrative", "testing", "intervention", "other"]
one_line = RegexValidator(r"^[^\x00-\x1f\x7f]*$", "Leave out line breaks and control characters.")


class Line(forms.CharField):
    """One line of text without control characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 150, "validators": [one_line], **kwargs})


class HoursField(forms.DecimalField):
    """Hours a week, to the hundredth. A text box: a number box forgets what it cannot read, a comma for one."""

    def __init__(self, **kwargs: Any) -> None:
        box = forms.TextInput(attrs={"inputmode": "decimal", "class": "narrow", "size": 6, "autocomplete": "off"})
        super().__init__(decimal_places=2, min_value=0, max_value=eligibility.HOURS_IN_A_WEEK, widget=box, **kwargs)
        self.error_messages |= {
            "required": "Enter the hours of a usual week, for example 27.5",
            "invalid": "Enter the hours as a number, for example 27.5",
            "min_value": "Hours cannot be less than 0.",
            "max_value": f"A week has {eligibility.HOURS_IN_A_WEEK} hours. Enter those of one usual week.",
            "max_decimal_places": "Enter at most two decimals, for example 27.25",
        }

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class PdfField(forms.FileField):
    """A PDF by its first bytes, whatever it is called, of at most 10 MB."""

    def __init__(self, **kwargs: Any) -> None:
        box = forms.FileInput(attrs={"accept": "application/pdf,.pdf"})
        super().__init__(**{"widget": box, "max_length": 200, **kwargs})
        self.error_messages |= {
            "empty": "This file is empty. Choose the PDF again.",
            "max_length": "The name of this file is too long. Shorten it and choose it again.",
        }

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile):
            self._look_into(file)
        return file

    def _look_into(self, file: "UploadedFile[bytes]") -> None:
        if (file.size or 0) > PDF_MAX_BYTES:
            raise ValidationError("This file is larger than 10 MB. Save the PDF smaller, or scan it at 150 dpi.")
        head = file.read(5)
        file.seek(0)
        if head != b"%PDF-":
            raise ValidationError("This file is not a PDF. Save or print it as PDF, then choose that file.")


class ProfileForm(forms.Form):
    """Name and time zone. Also what sign-up asks beyond e-mail and password."""

    name = Line(
        label="Full name",
        help_text="As it shall stand on your certificate.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label="Your time zone",
        required=False,
        choices=time_zones.choices,
        help_text="Every date is shown in the programme's zone, Central Time, with yours beside it.",
    )


class SignupForm(ProfileForm):
    """The base of allauth's sign-up form (settings.ACCOUNT_SIGNUP_FORM_CLASS)."""

    field_order = ["name", "email", "password1", "time_zone"]

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.time_zone = self.cleaned_data["time_zone"]
        user.save(update_fields=["name", "time_zone"])


class RegistrationForm(ProfileForm):
    """All of a registration. `programme` has the share required, `attestation` is the text signed."""

    employer = Line(help_text="Who pays your salary.", widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    district = Line(label="School district, diocese or network")
    school = Line(required=False, help_text="If you work in one school most of the time.")
    role_title = Line(label="Your role", max_length=100, help_text="For example “Instructional coach”.")
    is_full_time = forms.BooleanField(label="I am employed full-time as an instructional coach.", required=False)
    hours_coaching = HoursField(label="Coaching", help_text="Coaching teachers, and preparing for it.")
    hours_administrative = HoursField(label="Administrative tasks", required=False)
    hours_testing = HoursField(label="Testing", required=False)
    hours_intervention = HoursField(label="Intervention with students", required=False)
    hours_other = HoursField(label="Anything else", required=False, help_text="Duties, meetings, substituting.")
    supervisor_name = Line(label="Your supervisor's name")
    supervisor_email = forms.EmailField(
        label="Your supervisor's e-mail",
        max_length=254,
        help_text="We write to them only if we check your registration.",
    )
    attestation_version = forms.IntegerField(widget=forms.HiddenInput)
    signature = Line(
        label="Your signature",
        help_text="Type your full name, as you wrote it at the top of this form.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, programme: Programme, attestation: PolicyText, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.programme = programme
        self.attestation = attestation
        self.hours: Hours | None = None  # once typed, and all of them read
        self.helper = self._helper()

    def _helper(self) -> FormHelper:
        helper = FormHelper()
        helper.attrs = {"data-unsaved": ""}
        helper.layout = Layout(
            Fieldset("You", "name", "time_zone"),
            Fieldset("Your work", "employer", "district", "school", "role_title", "is_full_time"),
            Fieldset(
                "Hours in a usual week",
                HTML("{% include 'candidates/_hours_intro.html' %}"),
                *[f"hours_{kind}" for kind in KINDS_OF_WORK],
                HTML("{% include 'candidates/_coaching_share.html' %}"),
            ),
            Fieldset("Your supervisor", "supervisor_name", "supervisor_email"),
            Fieldset("Attestation", HTML("{% include 'candidates/_attestation.html' %}"), "signature"),
        )
        helper.add_input(Submit("register", "Register for certification"))
        return helper

    def clean(self) -> dict[str, Any]:
        """Name every unmet requirement together with what is misspelt, so that nobody learns of them one by one.

        The verb decides by the same rules; here only fields that could be read are looked at.
        """
        typed = super().clean() or self.cleaned_data
        self.hours = _hours(typed)
        for lacking in self._lacking(typed):
            self.add_error(lacking.field, str(lacking))
        return typed

    def _lacking(self, typed: dict[str, Any]) -> list[eligibility.Unmet]:
        found = list(eligibility.unmet_by_employment(typed["is_full_time"]))
        if self.hours:
            found += eligibility.unmet_by_hours(self.hours, self.programme.coaching_share)
        if "signature" in typed and "name" in typed:
            found += eligibility.unmet_by_signature(typed["signature"], typed["name"])
        return found

    def coaching_percent(self) -> Decimal | None:
        share = eligibility.coaching_share(self.hours) if self.hours else None
        return None if share is None else eligibility.percent(share)

    def statement(self) -> Statement:
        """What was stated, of a valid form."""
        assert self.hours is not None  # noqa: S101 a valid form has read them all
        plain = ["employer", "district", "school", "role_title", "is_full_time", "supervisor_name", "supervisor_email"]
        typed = {name: self.cleaned_data[name] for name in [*plain, "attestation_version", "signature"]}
        return Statement(hours=self.hours, **typed)


def _hours(typed: dict[str, Any]) -> Hours | None:
    """The hours typed; None while a kind of work cannot be read. An empty box, but for coaching, is 0."""
    if any(f"hours_{kind}" not in typed for kind in KINDS_OF_WORK):
        return None
    return Hours(**{kind: typed[f"hours_{kind}"] or Decimal(0) for kind in KINDS_OF_WORK})


class EvidenceForm(forms.Form):
    """A candidate's answer to a question about their eligibility."""

    document = PdfField(
        label="Letter or other document", required=False, help_text="A PDF of at most 10 MB. Only you and staff see it."
    )
    answer = forms.CharField(
        label="Your answer", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 6})
    )
