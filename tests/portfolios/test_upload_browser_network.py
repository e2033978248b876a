"""Chromium sends a file of several parts over lines and past accidents of every kind; what is stored is the file."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from playwright.sync_api import Error, Route, expect

from candidates.models import User
from portfolios.models import Entry, Requirement, Upload
from tests.portfolios.browsing import (
    Computer,
    Gate,
    arrived,
    choose,
    is_part,
    said,
    section,
    state,
    stored_equals,
    until,
)

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
PART = 5 * 1024 * 1024
COUNT = 5
PASSWORD = "correct horse battery"

Computers = Callable[..., Computer]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Five parts. Nobody looks inside before it has arrived, and here nobody does then."""
    path = tmp_path / "My film.mp4"
    path.write_bytes(Random(7).randbytes((COUNT - 1) * PART + 1000))
    return path


def crash(page: Any) -> None:
    with pytest.raises(Error, match="crash"):
        page.goto("chrome://crash", timeout=5000)


@pytest.mark.media_case(1, 22)
@pytest.mark.parametrize("where", ["new tab", "another computer, another name"])
def test_crashed_upload_goes_on_with_what_is_missing(
    kept_in: str, computer: Computers, video: Requirement, film: Path, where: str
) -> None:
    first = computer()
    page = first.tab()
    gate = Gate(first.context, 1, 2)
    choose(page, video, film)
    expect(section(page, video).locator("[data-upload-percent]")).to_contain_text("49 % sent, 10 MB arrived")
    until(page, lambda: len(gate.held) == 3, "three lanes under way")
    gate.cut()
    crash(page)
    gate.is_open = True

    second = first if where == "new tab" else computer()
    already, file = len(second.sent), film
    if where != "new tab":
        file = film.rename(film.with_name("copy (1).mp4"))
    page = second.tab()
    row = section(page, video).locator(".upload-row")
    expect(row).to_contain_text("Upload not finished")
    expect(row).to_contain_text("49 % arrived.")
    expect(row).to_contain_text("choose the same file again below, here or on another computer")
    choose(page, video, file)
    arrived(page, video)
    assert len(second.sent) - already == 3
    upload = Upload.objects.get()
    assert (upload.state, upload.filename, stored_equals(file, upload)) == ("stored", "My film.mp4", True)


@pytest.mark.media_case(2)
def test_paused_upload_sends_nothing_and_goes_on(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page = ada.tab()
    gate = Gate(page, 1)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "three lanes under way")
    pause = section(page, video).get_by_role("button", name="Pause My film.mp4")
    pause.focus()
    page.keyboard.press("Enter")
    expect(state(page, video)).to_have_text("Paused")
    expect(said(page)).to_have_text("My film.mp4 is paused.")
    gate.is_open = True
    page.wait_for_load_state("networkidle")
    paused_at = len(ada.sent)
    page.keyboard.press("Enter")  # the same button, which kept the focus, says Resume now
    arrived(page, video)
    assert (paused_at, len(ada.sent)) == (4, 8)
    assert stored_equals(film, Upload.objects.get())


@pytest.mark.media_case(3)
def test_upload_waits_offline_and_goes_on_by_itself(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page = ada.tab()
    gate = Gate(page, 1)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "three lanes under way")
    ada.context.set_offline(True)
    gate.cut()
    expect(state(page, video)).to_have_text("Waiting")
    expect(section(page, video)).to_contain_text("Connection lost. It goes on by itself when the network is back.")
    expect(said(page)).to_have_text("My film.mp4: Connection lost. It goes on by itself when the network is back.")
    gate.is_open = True
    ada.context.set_offline(False)
    arrived(page, video)
    assert stored_equals(film, Upload.objects.get())


@pytest.mark.media_case(5)
def test_a_quarter_of_all_parts_is_refused_at_random(
    kept_in: str, computer: Computers, video: Requirement, film: Path
) -> None:
    ada = computer()
    page, chance, refused, signed = ada.tab(), Random(4), list[Route](), list[int]()

    def sometimes(route: Route) -> None:
        if route.request.method == "PUT" and chance.random() < 0.25:
            refused.append(route)
            cors = {"Access-Control-Allow-Origin": ada.url}
            route.fulfill(status=503, body="", headers=cors)
        else:
            route.continue_()

    page.route(is_part, sometimes)
    page.on("request", lambda request: signed.extend(_numbers(request)) if request.url.endswith("/sign") else None)
    choose(page, video, film)
    arrived(page, video)
    assert len(refused) >= 2
    assert len(ada.sent) == COUNT + len(refused)
    assert len(signed) == len(ada.sent)  # a permission of its own for every try
    assert stored_equals(film, Upload.objects.get())


def _numbers(request: Any) -> list[int]:
    return [part["n"] for part in request.post_data_json["parts"]]


@pytest.mark.media_case(23)
@pytest.mark.parametrize("differs", ["at its end", "inside, where the fingerprint does not look"])
def test_another_file_of_the_same_name_and_size_is_sent_whole(
    kept_in: str, computer: Computers, video: Requirement, film: Path, differs: str
) -> None:
    ada = computer()
    page = ada.tab()
    gate = Gate(ada.context, 1, 2)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "three lanes under way")
    gate.cut()
    page.close()
    gate.is_open = True
    old = film.read_bytes()
    cut = -1 if differs == "at its end" else 2 * 1024 * 1024
    film.write_bytes(old[:cut] + bytes([old[cut] ^ 1]) + old[cut:][1:])
    already = len(ada.sent)
    page = ada.tab()
    choose(page, video, film)
    expect(state(page, video).last).to_have_text("Received, being checked", timeout=30_000)
    upload = Upload.objects.get(state="stored")
    assert stored_equals(film, upload)
    # Not one byte of the other file is taken for this one's: a part is left out only where its digest is equal.
    whole = differs == "at its end"
    assert (len(ada.sent) - already, Upload.objects.count()) == ((COUNT, 2) if whole else (4, 1))


@pytest.mark.media_case(26)
def test_ended_session_is_said_and_the_upload_goes_on_after_signing_in(
    kept_in: str, computer: Computers, video: Requirement, film: Path, entry: Entry
) -> None:
    ada = computer()
    page = ada.tab()
    gate = Gate(page)
    choose(page, video, film)
    until(page, lambda: len(gate.held) == 3, "three lanes under way")
    Session.objects.all().delete()
    gate.open()
    row = section(page, video).locator("[data-upload-live]")
    expect(row).to_contain_text("You were signed out. Sign in again in another tab; the upload then goes on")
    expect(said(page)).to_contain_text("You were signed out.")
    link = row.get_by_role("link", name="Sign in in a new tab")
    give_password(entry.registration.user)
    with ada.context.expect_page() as opened:
        link.click()
    assert "/accounts/login/" in opened.value.url
    before = _token(ada)
    sign_in(opened.value, entry)
    assert _token(ada) != before  # signing in makes a new one, and the page must use it
    page.bring_to_front()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    arrived(page, video)
    assert stored_equals(film, Upload.objects.get())


def _token(computer: Computer) -> str:
    return next((str(c["value"]) for c in computer.context.cookies() if c["name"] == "csrftoken"), "")


def give_password(user: User) -> None:
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def sign_in(page: Any, entry: Entry) -> None:
    page.get_by_label("E-mail").fill(entry.registration.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard/")
