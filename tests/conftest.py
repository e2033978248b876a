"""The cast: one person per role, for every test. Each has an account and nothing else."""

import json
import os
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.db import connections
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings

from candidates.models import User
from candidates.permissions import FINANCE, LEAD, SCORER, STAFF
from icg_cert.celery import app
from payments.gateways import registry
from scoring.badges import keys
from tests import object_store
from tests.factories import make_scorer, make_user
from tests.object_store import ObjectStore
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


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One server for all tests of this process, started when the first of them asks for it."""
    server = ObjectStore(tmp_path_factory.mktemp("seaweed"))
    yield server
    server.close()


@pytest.fixture
def s3(seaweed: ObjectStore, settings: Settings) -> Iterator[ObjectStore]:
    """The portal keeps its files in a bucket, which is empty, and pages may reach it. Browsers may send to it from
    settings.BASE_URL, and from elsewhere after `s3.allow(origin)`.
    """
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL, settings.S3_PUBLIC_URL = object_store.BUCKET, seaweed.url, seaweed.url
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = object_store.ACCESS_KEY, object_store.SECRET_KEY
    settings.S3_ADDRESSING = "path"
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    for directive in ("img-src", "media-src", "connect-src", "frame-src"):
        policy["DIRECTIVES"][directive].append(seaweed.url)
    settings.CONTENT_SECURITY_POLICY = policy
    seaweed.allow(settings.BASE_URL)
    yield seaweed
    seaweed.empty()


@pytest.fixture(scope="session")
def badge_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one key that signs badges, made once: making it takes as long as ten tests."""
    file = tmp_path_factory.mktemp("badges") / "keys.json"
    row = RSAKey.generate_key(keys.LEAST_BITS, auto_kid=True).as_dict(private=True)
    file.write_text(json.dumps({"keys": [row]}))
    return file


@pytest.fixture
def badge_key(badge_key_file: Path, settings: Settings) -> Path:
    """The portal issues badges. The file is this test's own and may be changed."""
    shutil.copy(badge_key_file, settings.BADGE_KEYS_FILE)
    return Path(settings.BADGE_KEYS_FILE)


@pytest.fixture
def checked_at_once() -> Iterator[None]:
    """Jobs that are sent to the queue run where they are sent."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False
