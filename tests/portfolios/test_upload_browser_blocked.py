"""What stands between Chromium and the store: a server that dies, a filter, a slow proxy, a line without encryption."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from icg_cert.lib import clock
from portfolios.models import Entry, Requirement, Upload
from tests.portal import Portal
from tests.portfolios.browsing import (
    Computer,
    Gate,
    arrived,
    choose,
    is_part,
    section,
    state,
    stored_equals,
    until,
)
from tests.portfolios.slow_proxy import SlowProxy

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
PART = 5 * 1024 * 1024
Computers = Callable[..., Computer]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "My film.mp4"
    path.write_bytes(Random(7).randbytes(4 * PART + 1000))
    return path


@pytest.fixture
def slow(live_server: Any) -> Iterator[SlowProxy]:
    with SlowProxy(live_server.url) as proxy:
        yield proxy


# ---- The web server dies


@pytest.mark.media_case(4)
@pytest.mark.parametrize("kept_in", ["local", "s3"])
def test_upload_goes_on_when_the_killed_web_server_is_back(
    chromium: Browser,
    entry: Entry,
    video: Requirement,
    film: Path,
    noon: Any,
    settings: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kept_in: str,
) -> None:
    store = request.getfixturevalue("s3") if kept_in == "s3" else None
    clock.jump_to(noon)
    settings.MEDIA_ROOT = tmp_path / "media"
    portal = Portal(tmp_path, store)
    ada = Computer(chromium, portal.url, entry)
    try:
        page = ada.tab()
        gate = Gate(page, 1)
        choose(page, video, film)
        until(page, lambda: len(gate.held) == 2, "the first part through, the two others under way")
        portal.kill()
        gate.open()
        if not store:  # whose parts do not go by way of the portal
            expect(state(page, video)).to_have_text(["Waiting"])
            assert Upload.objects.get().state == "open"
        portal.start()
        arrived(page, video)
        assert stored_equals(film, Upload.objects.get())
    finally:
        ada.close()
        portal.kill()


# ---- A filter lets the portal through and not the store


@pytest.mark.media_case(29)
@pytest.mark.parametrize("kept_in", ["s3"], indirect=True)
def test_parts_go_by_way_of_the_portal_where_the_store_is_blocked(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page = ada.tab()
    page.route("**partNumber=**", lambda route: route.abort("blockedbyclient"))
    choose(page, video, film)
    arrived(page, video)
    relayed = [request.url for request in ada.sent if "/relay/" in request.url]
    assert sorted(int(url.rpartition("/")[2]) for url in relayed) == [1, 2, 3, 4, 5]
    assert 2 <= len(ada.sent) - len(relayed) <= 6  # each lane once, or twice while the portal is asked
    assert stored_equals(film, Upload.objects.get())


@pytest.mark.parametrize("kept_in", ["local"], indirect=True)
def test_no_detour_where_the_portal_itself_takes_the_parts(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page = ada.tab()
    failing = iter(range(4))
    page.route(is_part, lambda route: route.abort() if next(failing, None) is not None else route.continue_())
    choose(page, video, film)
    arrived(page, video)
    assert [request.url for request in ada.sent if "/relay/" in request.url] == []


# ---- Slow lines and proxies


@pytest.mark.media_case(30)
def test_proxy_that_holds_the_answer_is_no_stall_for_five_minutes(
    computer: Computers, document: Requirement, tmp_path: Path, slow: SlowProxy
) -> None:
    path = tmp_path / "My commentary.pdf"
    path.write_bytes(Random(1).randbytes(300_000))
    ada = computer()
    page = ada.tab(slow.url, has_clock=True)
    slow.hold_answers = True
    choose(page, document, path)
    until(page, lambda: slow.held == 1, "the whole part at the proxy")
    expect(section(page, document).locator("[data-upload-percent]")).to_have_text("99 % sent, 0 bytes arrived")
    page.clock.fast_forward(290_000)
    expect(state(page, document)).to_have_text(["Uploading"])
    expect(section(page, document).locator("[data-upload-percent]")).to_have_text("99 % sent, 0 bytes arrived")
    assert len(ada.sent) == 1
    page.clock.fast_forward(11_000)
    expect(state(page, document)).to_have_text(["Waiting"])  # five minutes: given up, and sent again
    slow.hold_answers = False
    page.clock.fast_forward(1000)
    arrived(page, document)
    assert len(ada.sent) == 2


def test_line_on_which_nothing_moves_for_a_minute_is_left(
    computer: Computers, document: Requirement, tmp_path: Path, slow: SlowProxy, settings: Any
) -> None:
    settings.UPLOAD_PART_BYTES = 20 * 1024 * 1024
    path = tmp_path / "My commentary.pdf"
    path.write_bytes(Random(1).randbytes(19_000_000))
    ada = computer()
    page = ada.tab(slow.url, has_clock=True)
    slow.takes_bodies = False
    choose(page, document, path)
    until(page, lambda: len(ada.sent) == 1, "the part under way")
    page.clock.fast_forward(30_000)
    page.clock.fast_forward(31_000)
    expect(state(page, document)).to_have_text(["Waiting"])
    slow.takes_bodies = True
    page.clock.fast_forward(1000)
    arrived(page, document)
    assert len(ada.sent) == 2


# ---- Lanes


def test_three_lanes_one_on_a_weak_line_and_three_again(
    computer: Computers, document: Requirement, tmp_path: Path, settings: Any
) -> None:
    settings.UPLOAD_PART_BYTES = 1000
    path = tmp_path / "My commentary.pdf"
    path.write_bytes(Random(1).randbytes(40_000))
    page = computer().tab()
    held: list[Route] = []
    page.route(is_part, lambda route: held.append(route))
    choose(page, document, path)

    def lanes(expected: int) -> list[Route]:
        until(page, lambda: len(held) == expected, f"{expected} lanes")
        page.wait_for_timeout(100)
        found, held[:] = held[:], []
        assert len(found) == expected
        return found

    for route in lanes(3):
        route.abort()
    for _ in range(4):
        for route in lanes(1):
            route.continue_()
    for route in lanes(3):
        route.continue_()
    page.unroute(is_part)
    page.wait_for_timeout(0)
    for route in held:
        route.continue_()
    arrived(page, document)


# ---- Without encryption


@pytest.fixture
def by_name(chromium: Browser, live_server: Any, entry: Entry, noon: Any, settings: Any) -> Iterator[Computer]:
    """A browser that knows the portal by a name for which it hashes nothing, as on plain http it does not."""
    settings.ALLOWED_HOSTS = ["portal.test", "localhost"]
    clock.jump_to(noon)
    rules = ["--no-sandbox", "--host-resolver-rules=MAP portal.test 127.0.0.1"]
    other = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=rules)
    url = live_server.url.replace("localhost", "portal.test")
    ada = Computer(other, url, entry)
    yield ada
    ada.close()
    other.close()


@pytest.mark.media_case(28)
def test_without_crypto_the_portal_hashes_what_it_receives(by_name: Computer, video: Requirement, film: Path) -> None:
    page = by_name.tab()
    assert page.evaluate("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    choose(page, video, film)
    arrived(page, video)
    upload = Upload.objects.get()
    assert all(len(part.sha256) == 44 for part in upload.parts.all())
    assert stored_equals(film, upload)


@pytest.mark.media_case(28)
def test_without_crypto_a_bucket_takes_nothing_and_the_page_says_what_to_do(
    s3: Any, by_name: Computer, video: Requirement, film: Path
) -> None:
    page = by_name.tab()
    choose(page, video, film)
    expect(section(page, video).get_by_role("alert")).to_have_text(
        "Your browser cannot prove what it sends on this address. Open the portal by its https address."
    )
    expect(state(page, video).last).to_have_text("Not received")
    assert by_name.sent == []


@pytest.mark.parametrize("kept_in", ["local"], indirect=True)
def test_store_without_room_ends_every_lane_and_what_arrived_stays_listed(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page = ada.tab()
    gate = Gate(page, 1)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "the first part through")
    words = "The portal has no room for this file at the moment."
    gate.held.pop().fulfill(status=507, json={"code": "no-space", "message": words})
    row = section(page, video).locator("[data-upload-live]")
    expect(row.get_by_role("alert")).to_have_text(words)
    expect(state(page, video)).to_have_text(["Upload not finished", "Not received"])
    sent = len(ada.sent)
    page.wait_for_load_state("networkidle")
    assert (sent, len(ada.sent)) == (4, 4)
    row.get_by_role("button", name="Remove").click()  # takes away the message, not what has arrived
    expect(state(page, video)).to_have_text(["Upload not finished"])
    assert Upload.objects.get().state == "open"


@pytest.mark.media_case(25)
@pytest.mark.parametrize("kept_in", ["local"], indirect=True)
def test_upload_that_the_end_of_the_grace_stops_is_one_row(
    kept_in: str, computer: Computers, entry: Entry, video: Requirement, film: Path
) -> None:
    page = computer().tab()
    clock.jump_to(entry.cycle.closes_at - timedelta(minutes=1))
    gate = Gate(page, 1)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "the first part through")
    clock.jump_to(entry.cycle.closes_at + entry.cycle.grace)
    gate.open()
    expect(section(page, video).get_by_role("alert")).to_contain_text("The time for this cycle is over")
    expect(state(page, video)).to_have_text(["Upload not finished"])
    expect(section(page, video)).not_to_contain_text("choose the same file again")
    expect(section(page, video).locator("input[type=file]")).to_have_count(0)
