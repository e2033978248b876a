"""People with browsers of their own, and the look at every page they open."""

import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import Settings

from candidates import calendar
from candidates.models import Registration, User
from icg_cert.celery import app
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from payments.gateways import registry
from tests.doubles.paypal import PayPalDouble
from tests.doubles.stripe import StripeDouble
from tests.factories import at, make_cohort, make_registration, make_scorer, make_user

PASSWORD = "correct horse battery"
WIDTHS = (375, 1280)


class Visitor:
    """One person at one browser. Whatever goes wrong in the page's console fails the test at the end."""

    def __init__(self, name: str, context: BrowserContext) -> None:
        self.name = name
        self.context = context
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self._looks = 0
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.problems.append(text)

    def go(self, path: str) -> Page:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, (path, answer.status)
        return self.page

    def sign_in(self, user: User) -> None:
        self.go("/accounts/login/")
        self.page.get_by_label("E-mail").fill(user.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url("**/dashboard/")

    def jump(self, label: str) -> None:
        """Move the rehearsal clock by the bar that stands on every page of the demo."""
        bar = self.page.get_by_role("complementary", name="Rehearsal clock")
        bar.get_by_role("combobox").select_option(label=label)
        bar.get_by_role("button", name="Go there").click()
        self.page.wait_for_load_state()

    def show(self, title: str) -> Iterator[int]:
        """The page at each width, once it is there whole. SCREENSHOTS=folder keeps the pictures."""
        self.page.wait_for_load_state()  # a press waits for the answer's first byte only
        self._looks += 1
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if folder := os.environ.get("SCREENSHOTS"):
                file = f"{self.name}-{self._looks:02}-{title}-{width}.png".replace(" ", "-").lower()
                self.page.screenshot(path=Path(folder) / file, full_page=True)
            yield width

    def fits(self, title: str) -> None:
        """Nothing sticks out of the page: what is asked of Django's own admin, too."""
        for width in self.show(title):
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, (title, width)

    def look(self, title: str) -> None:
        """axe finds nothing, and nothing sticks out, at both widths."""
        for width in self.show(title):
            violations = Axe().run(self.page).response["violations"]
            found = [(one["id"], [str(node["target"]) for node in one["nodes"]]) for one in violations]
            assert (title, width, found) == (title, width, [])
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, (title, width)


@pytest.fixture(autouse=True)
def real_providers_alone(own_bank: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people see offers no provider of the tests."""
    monkeypatch.delitem(registry.GATEWAYS, "fake")


@pytest.fixture(autouse=True)
def no_previews(settings: Settings) -> None:
    """LibreOffice takes seconds for each document, and has tests of its own; scorers then get the clean documents."""
    settings.DOCUMENT_PREVIEWS = False


@pytest.fixture
def arrive(chromium: Browser, live_server: Any) -> Iterator[Any]:
    """`arrive("ada")` is a Visitor with a fresh browser at the running portal."""
    visitors: list[Visitor] = []

    def one(name: str) -> Visitor:
        context = chromium.new_context(
            base_url=live_server.url,
            timezone_id="America/New_York",
            reduced_motion="reduce",
            color_scheme=os.environ.get("SCHEME", "light"),
        )
        visitors.append(Visitor(name, context))
        return visitors[-1]

    yield one
    for visitor in visitors:
        visitor.context.close()
    assert {visitor.name: visitor.problems for visitor in visitors if visitor.problems} == {}


@pytest.fixture
def stripe(live_server: Any, settings: Settings) -> Iterator[StripeDouble]:
    """Stripe's stand-in: its pages lead back to the running portal, and its events arrive there by themselves."""
    with StripeDouble(portal=live_server.url, delivers=True, clock_file=settings.REHEARSAL_CLOCK_FILE) as double:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = double.API_KEY, double.WEBHOOK_SECRET
        settings.STRIPE_API_URL = double.url
        _lead_to(double.url, live_server.url, settings)
        yield double


@pytest.fixture
def paypal(live_server: Any, settings: Settings) -> Iterator[PayPalDouble]:
    """PayPal's, likewise."""
    with PayPalDouble(portal=live_server.url, delivers=True, clock_file=settings.REHEARSAL_CLOCK_FILE) as double:
        settings.PAYPAL_CLIENT_ID, settings.PAYPAL_CLIENT_SECRET = double.CLIENT_ID, double.CLIENT_SECRET
        settings.PAYPAL_WEBHOOK_ID, settings.PAYPAL_API_URL = double.WEBHOOK_ID, double.url
        _lead_to(double.url, live_server.url, settings)
        yield double


def _lead_to(provider: str, portal: str, settings: Settings) -> None:
    """Let forms lead to the provider's page, and its page back to the portal."""
    settings.BASE_URL = portal
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"].append(provider)
    settings.CONTENT_SECURITY_POLICY = policy


@pytest.fixture
def coach(office: dict[str, User]) -> Iterator[Callable[[str], Registration]]:
    """Somebody who has registered and not paid, on 10 December 2026."""
    grant_roles()
    clock.jump_to(at(2026, 12, 10, 12))

    def make(name: str) -> Registration:
        user = make_user(name, email=f"{name.split()[0].lower()}@example.org")
        User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return make_registration(user, make_cohort(2026), payment_status="unpaid")

    yield make
    clock.reset()


@pytest.fixture
def office(transactional_db: None, settings: Settings, tmp_path: Path) -> Iterator[dict[str, User]]:
    """The programme, its calendar for cohort 2026, and everybody who works for it, each with the same password."""
    settings.DEMO = True
    settings.VAR_DIR = tmp_path
    app.conf.task_always_eager = True
    call_command("load_programme")
    people = {
        "staff": make_user("Stef Stone", "staff", email="stef@example.org"),
        "second staff": make_user("Uma Usman", "staff", email="uma@example.org"),
        "finance": make_user("Fay Finch", "finance", email="fay@example.org"),
        "scorer": make_scorer("Sol Sato", email="sol@example.org"),
        "second scorer": make_scorer("Tia Torres", email="tia@example.org"),
        "lead": make_scorer("Lee Lund", "lead scorer", email="lee@example.org"),
    }
    User.objects.update(password=make_password(PASSWORD))
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people.values()
    )
    calendar.open_year(2026, by=people["staff"], at=at(2026, 10, 1))
    yield people
    app.conf.task_always_eager = False
