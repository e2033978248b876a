"""The cast: one person per role, for every test. Each has an account and nothing else."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from candidates.models import User
from candidates.permissions import FINANCE, LEAD, SCORER, STAFF
from payments.gateways import registry
from tests.factories import make_scorer, make_user
from tests.payments import fake


@pytest.fixture(autouse=True)
def own_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider inside the process, beside the real ones; no test sees another's pages."""
    monkeypatch.setitem(registry.GATEWAYS, fake.FakeGateway.name, fake.OFFER)
    monkeypatch.setattr(fake, "bank", fake.Bank())


@pytest.fixture
def candidate(db: None) -> User:
    return make_user("Ada Abara", email="ada@example.org")


@pytest.fixture
def stranger(db: None) -> User:
    """Another candidate, who has no business with what the first one owns."""
    return make_user("Ben Borges", email="ben@example.org")


@pytest.fixture
def scorer(db: None) -> User:
    return make_scorer("Sol Sato", SCORER, email="sol@example.org")


@pytest.fixture
def other_scorer(db: None) -> User:
    return make_scorer("Tia Torres", SCORER, email="tia@example.org")


@pytest.fixture
def lead(db: None) -> User:
    return make_scorer("Lee Lund", LEAD, email="lee@example.org")


@pytest.fixture
def staff(db: None) -> User:
    return make_user("Stef Stone", STAFF, email="stef@example.org")


@pytest.fixture
def other_staff(db: None) -> User:
    return make_user("Uma Usman", STAFF, email="uma@example.org")


@pytest.fixture
def finance(db: None) -> User:
    return make_user("Fay Finch", FINANCE, email="fay@example.org")


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """The installed Chromium, for tests marked `requires("chromium")`. It looks up nobody's hosts.

    The only place that starts Playwright: its loop runs in the thread of the tests, where a second one cannot, and
    where Django then keeps connections of its own, which must be closed before the loop ends.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    flags += ["--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()
        connections.close_all()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
