"""Every component in every state on one page, for people to look at and for axe to go through.

`GALLERY=folder pytest tests/look/test_gallery.py` leaves pictures of it: 375, 768 and 1280 wide, light and dark.
"""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout, Row, Submit
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory

from candidates.models import User
from icg_cert.lib.money import Money
from icg_cert.lib.next_step import NextStep

AT = datetime(2027, 6, 12, 15, 30, tzinfo=UTC)
CLOSES = datetime(2027, 6, 16, 5, 0, tzinfo=UTC)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class EveryField(forms.Form):
    name = forms.CharField(label="Full name", help_text="As it should stand on a certificate.")
    email = forms.EmailField(label="Supervisor's e-mail")
    school = forms.CharField(required=False)
    hours = forms.DecimalField(label="Hours a week", help_text="On coaching alone.")
    since = forms.DateField(label="Coaching since", widget=forms.DateInput(attrs={"type": "date"}))
    zone = forms.ChoiceField(label="Time zone", choices=[("America/Chicago", "Central Time")])
    about = forms.CharField(label="About your work", widget=forms.Textarea)
    paying = forms.ChoiceField(
        label="Way of paying",
        choices=[("card", "By card"), ("po", "By purchase order")],
        widget=forms.RadioSelect,
        help_text="You can change this later.",
    )
    kinds = forms.MultipleChoiceField(
        label="Levels you coach",
        choices=[("e", "Elementary"), ("m", "Middle"), ("h", "High")],
        widget=forms.CheckboxSelectMultiple,
    )
    letter = forms.FileField(label="Letter from your administrator", help_text="A PDF of at most 25 MB.")
    agree = forms.BooleanField(label="I have read that fees are not refunded.", help_text="The whole text is above.")

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.layout = Layout(
            Fieldset("Who you are", "name", "email", "school"),
            Fieldset("Your work", Row("hours", "since"), "zone", "about", "paying", "kinds", "letter", "agree"),
        )
        helper.add_input(Submit("register", "Register"))
        return helper


def context(user: Any) -> dict[str, Any]:
    thing = SimpleNamespace
    return {
        "user": user,
        "nav": [
            thing(label="Dashboard", url="/dashboard/", current=False),
            thing(label="Entries", url="/entries/", current=True),
            thing(label="Results", url="/results/", current=False),
        ],
        "next_step": NextStep(
            "Submit The Impact Cycle",
            "Everything is there. Look it through once more.",
            "/entries/1/",
            "Review and submit",
            CLOSES,
        ),
        "closes": CLOSES,
        "at": AT,
        "released": datetime(2027, 10, 31, 14, tzinfo=UTC),
        "tasks": [
            thing(
                name="Goal and commentary",
                sentence="One document, at most 12 pages.",
                state_word="Ready",
                state_kind="good",
                url="/",
                action="View",
            ),
            thing(
                name="Identify conversation",
                sentence="A video of at most 10 minutes.",
                state_word="Missing",
                state_kind="bad",
                url="/",
                action="Upload",
            ),
            thing(name="Strategy checklist", sentence="One document.", state_word="Draft", state_kind="muted"),
        ],
        "uploads": [
            thing(
                name="identify-conversation.mp4",
                size=1_240_000_000,
                percent=42,
                facts="3.1 MB a second, about 4 minutes left",
                state_word="Uploading",
                state_kind="info",
            ),
            thing(
                name="checklist.docx",
                size=84_213,
                facts="3 pages",
                state_word="Ready",
                state_kind="good",
                url="/",
                remove_url="/",
            ),
            thing(
                name="modelling.mov",
                size=640_000_000,
                facts="",
                state_word="Checking your video: about 2 minutes",
                state_kind="muted",
            ),
        ],
        "high": Fraction(7, 2),
        "middle": Decimal("2.25"),
        "low": Fraction(5, 4),
        "factors": [
            thing(name="1 The Impact Cycle", value=Fraction(17, 6)),
            thing(name="2 Instructional Playbook", value=Fraction(13, 4)),
            thing(name="3 Data", value=Fraction(9, 4)),
            thing(name="4 Communication Skills", value=Fraction(3, 2)),
            thing(name="5 Leadership", value=None),
        ],
        "criterion": thing(
            name="Identify stage", question="Does the coach set a student-focused goal with the teacher?"
        ),
        "levels": [
            thing(number=4, name="Clear, consistent and convincing", words="The evidence leaves no doubt."),
            thing(number=3, name="Clear", words="The evidence is there and sufficient."),
            thing(number=2, name="Limited", words="Some evidence, with gaps."),
            thing(number=1, name="Little or none", words="The evidence is missing or contradicts."),
        ],
        "chosen": Decimal("2.75"),
        "fee": Money(40000),
        "page": Paginator(range(30), 10).page(2),
        "timeline": [
            thing(
                title="Registration",
                starts_at=datetime(2026, 11, 1, 5, tzinfo=UTC),
                ends_at=datetime(2027, 2, 1, 6, tzinfo=UTC),
                state="done",
            ),
            thing(
                title="Submission window, year 1",
                starts_at=datetime(2027, 5, 1, 5, tzinfo=UTC),
                ends_at=CLOSES,
                state="due",
                url="/entries/",
                note="2 of 7 entries are submitted.",
            ),
            thing(title="Today", starts_at=AT, state="now"),
            thing(title="Videos for factor 4", ends_at=CLOSES, state="at_risk", note="Nothing is uploaded yet."),
            thing(title="Scores", starts_at=datetime(2027, 10, 31, 14, tzinfo=UTC), state="later"),
        ],
        "form": EveryField({"name": "Ada Abara", "email": "nobody"}),
        "fresh": EveryField(auto_id="fresh_%s"),
        "rehearsal": thing(at=AT, jumps=[thing(label="Last day of the window", value="2027-06-15")]),
    }


def html() -> str:
    """The page, as a signed-in candidate sees it on 12 June 2027."""
    return _render(Path(__file__).with_suffix(".html").read_text(), "Europe/Berlin")


def html_of(fragment: str, reader_zone: str) -> str:
    """A bare page of one fragment, with the script of the instants."""
    page = '<!doctype html><link rel="stylesheet" href="/static/css/components.css"><body><main>%s</main></body>'
    script = '<script type="module" src="/static/js/instants.js"></script>'
    return page % _render(fragment, reader_zone).strip() + script


def _render(source: str, reader_zone: str) -> str:
    user = User(name="Ada Abara", email="ada@example.org", time_zone=reader_zone)
    request = RequestFactory().get("/gallery/")
    request.user = user
    return engines["django"].from_string(source).render(context(user), request)


def serve(page: Any, markup: str) -> None:
    """Show `markup` in a Playwright page, with the static files of the repository and nothing else."""

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix("http://gallery.test/")
        if not path.startswith("static/"):
            route.fulfill(body=markup, content_type="text/html; charset=utf-8")
            return
        file = settings.BASE_DIR / path
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])

    page.route("**/*", answer)
    page.goto("http://gallery.test/")
