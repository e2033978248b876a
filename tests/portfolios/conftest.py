"""One candidate's open draft in the window of 2027, with a slot for a document and one for a video."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from candidates.models import PolicyText, User
from icg_cert.lib import clock
from portfolios.models import Entry, Requirement
from tests import object_store
from tests.factories import at, make_entry, make_factor, make_registration, make_requirement, make_text
from tests.object_store import ObjectStore
from tests.portfolios.browsing import Computer

NOON = at(2027, 5, 10, 12)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def document(db: None) -> Requirement:
    return make_requirement(key="commentary")


@pytest.fixture
def video(db: None) -> Requirement:
    return make_requirement(key="conversation", kind=Requirement.Kind.VIDEO, max_minutes=1)


@pytest.fixture
def entry(candidate: User, document: Requirement, video: Requirement) -> Entry:
    make_text(PolicyText.Kind.CONSENT, body="Everyone seen in this video agreed.")
    return make_entry(make_registration(candidate), make_factor())


@pytest.fixture(params=["local", "s3"])
def kept_in(request: pytest.FixtureRequest, settings: Any, live_server: Any) -> str:
    """Both stores, with the smallest parts that S3 takes; pages of the running portal may send to it."""
    settings.UPLOAD_PART_BYTES = 5 * 1024 * 1024
    if request.param == "s3":
        _let_pages_send(request.getfixturevalue("s3"), live_server.url)
    return str(request.param)


def _let_pages_send(store: ObjectStore, origin: str) -> None:
    """And wait until the server says so: it takes a moment to know a bucket's new rules."""
    store.allow(origin)
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    address = f"{store.url}/{object_store.BUCKET}/any"
    for _ in range(500):
        if requests.options(address, headers=asked, timeout=10).headers.get("Access-Control-Allow-Origin") == origin:
            return
    raise AssertionError(f"{origin} is not let in")


@pytest.fixture
def computer(chromium: Browser, live_server: Any, entry: Entry, noon: datetime) -> Iterator[Callable[..., Computer]]:
    """`computer()` is the candidate's browser at the running portal; each call is another one."""
    clock.jump_to(noon)
    computers: list[Computer] = []

    def make(**options: Any) -> Computer:
        computers.append(Computer(chromium, live_server.url, entry, **options))
        return computers[-1]

    yield make
    for one in computers:
        one.close()
