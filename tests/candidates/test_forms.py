from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from candidates.forms import PDF_MAX_BYTES, EvidenceForm, ProfileForm, RegistrationForm
from candidates.models import PolicyText, Programme

TYPED = {
    "name": "Ada Abara",
    "time_zone": "America/Denver",
    "employer": "Lakeside School District",
    "district": "Lakeside",
    "school": "",
    "role_title": "Instructional coach",
    "is_full_time": "on",
    "hours_coaching": "28",
    "hours_administrative": "8.5",
    "hours_testing": "",
    "hours_intervention": "2,5",
    "hours_other": "1",
    "supervisor_name": "Sam Supervisor",
    "supervisor_email": "sam@example.org",
    "attestation_version": "1",
    "signature": "ada abara",
}


def make_form(**typed: Any) -> RegistrationForm:
    """The form as posted, for a programme that asks for 70 %. Nothing of it is in the database."""
    return RegistrationForm(
        {**TYPED, **typed}, programme=Programme(coaching_percent=70), attestation=PolicyText(version=1, body="True.")
    )


def test_registration_form_makes_a_statement() -> None:
    form = make_form()
    assert form.errors == {}
    statement = form.statement()
    assert [str(part) for part in (statement.hours.coaching, statement.hours.testing, statement.hours.total)] == [
        "28",
        "0",
        "40.0",
    ]
    assert str(form.coaching_percent()) == "70.0"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"hours_coaching": "69.9", "hours_administrative": "30.1"}, "hours_coaching"),
        (
            {"hours_coaching": "0", "hours_administrative": "0", "hours_intervention": "", "hours_other": ""},
            "hours_coaching",
        ),
        ({"hours_coaching": ""}, "hours_coaching"),
        ({"hours_coaching": "-1"}, "hours_coaching"),
        ({"hours_coaching": "169"}, "hours_coaching"),
        ({"hours_coaching": "28.001"}, "hours_coaching"),
        ({"hours_testing": "two"}, "hours_testing"),
        ({"hours_testing": "NaN"}, "hours_testing"),
        ({"hours_testing": "Infinity"}, "hours_testing"),
        ({"is_full_time": ""}, "is_full_time"),
        ({"signature": "Ada"}, "signature"),
        ({"name": "Ada\nAbara", "signature": "Ada Abara"}, "name"),
        ({"employer": "Lake\x07side"}, "employer"),
        ({"employer": "x" * 151}, "employer"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"supervisor_email": "sam"}, "supervisor_email"),
        ({"attestation_version": ""}, "attestation_version"),
    ],
)
def test_registration_form_blames_the_field(typed: dict[str, str], field: str) -> None:
    form = make_form(**typed)
    assert list(form.errors) == [field]


def test_registration_form_names_everything_at_once() -> None:
    """A misspelt e-mail does not hide that there is too little coaching."""
    form = make_form(supervisor_email="sam", hours_coaching="20", is_full_time="", signature="Ada")
    assert set(form.errors) == {"supervisor_email", "is_full_time", "hours_coaching", "signature"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("a few", "Enter the hours as a number, for example 27.5"),
        ("NaN", "Enter the hours as a number, for example 27.5"),
        ("", "Enter the hours of a usual week, for example 27.5"),
        ("-0.01", "Hours cannot be less than 0."),
        ("168.01", "A week has 168 hours. Enter those of one usual week."),
        ("1e400", "A week has 168 hours. Enter those of one usual week."),
        ("27.255", "Enter at most two decimals, for example 27.25"),
        ("1e-400", "Enter at most two decimals, for example 27.25"),
    ],
)
def test_registration_form_says_what_to_type_for_hours(typed: str, words: str) -> None:
    assert make_form(hours_coaching=typed).errors["hours_coaching"] == [words]


def test_profile_form_takes_no_zone_for_the_devices_own() -> None:
    form = ProfileForm({"name": " Ada Abara ", "time_zone": ""})
    assert form.is_valid()
    assert form.cleaned_data == {"name": "Ada Abara", "time_zone": ""}


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("letter.pdf", b"%PDF-1.7\n", None),
        ("letter.exe", b"%PDF-1.7\n", None),
        ("letter.pdf", b"PK\x03\x04", "This file is not a PDF. Save or print it as PDF, then choose that file."),
        ("letter.pdf", b"", "This file is empty. Choose the PDF again."),
        ("letter.pdf", b"%PDF-" + b"0" * (PDF_MAX_BYTES - 5), None),
        (
            "letter.pdf",
            b"%PDF-" + b"0" * (PDF_MAX_BYTES - 4),
            "This file is larger than 10 MB. Save the PDF smaller, or scan it at 150 dpi.",
        ),
        ("l" * 201, b"%PDF-1.7\n", "The name of this file is too long. Shorten it and choose it again."),
    ],
    ids=["pdf", "odd name", "zip", "empty", "10 MB", "a byte more", "long name"],
)
def test_evidence_form_takes_pdfs_by_their_content(name: str, content: bytes, error: str | None) -> None:
    form = EvidenceForm({}, {"document": SimpleUploadedFile(name, content)})
    assert form.errors.get("document") == (error and [error])
