"""What browser tests of uploads share: a person's browser, choosing files, and looking at what is sent."""

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route, expect

from candidates.models import User
from icg_cert.lib import clock
from portfolios import storage
from portfolios.models import Entry, Requirement, Upload

expect.set_options(timeout=20_000)  # an upper limit: a machine that is busy with other tests is slow


def sign_in_by_cookie(context: BrowserContext, url: str, user: User) -> None:
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def is_part(url: str) -> bool:
    """A part's address, whichever store it leads to."""
    return "/uploads/part/" in url or "partNumber=" in url


class Computer:
    """One person at one browser, on the page of an entry; `sent` are the parts it asked a store to take.

    Whatever goes wrong in the page's console fails the test that calls `close`.
    """

    def __init__(self, browser: Browser, url: str, entry: Entry, **options: Any) -> None:
        self.url, self.entry = url, entry
        self.context: BrowserContext = browser.new_context(base_url=url, **options)
        self.problems: list[str] = []
        self.sent: list[Request] = []
        self.context.on("request", self._note)
        sign_in_by_cookie(self.context, url, entry.registration.user)

    def _note(self, request: Request) -> None:
        if request.method in ("PUT", "POST") and (is_part(request.url) or "/relay/" in request.url):
            self.sent.append(request)

    def tab(self, url: str = "", *, has_clock: bool = False) -> Page:
        """The entry's page, by way of `url` if one is given; with a clock that the test can put forward, or not."""
        page = self.context.new_page()
        if has_clock:
            page.clock.install()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._hear(message.text))
        page.goto(f"{url or self.url}/entries/{self.entry.pk}/")
        return page

    def _hear(self, text: str) -> None:
        if "Content Security" in text:
            self.problems.append(text)

    def close(self) -> None:
        self.context.close()
        assert self.problems == []


def number_of(url: str) -> int:
    """Which part an address takes."""
    if found := re.search(r"partNumber=(\d+)", url):
        return int(found[1])
    return storage.default().read_token(url.rpartition("/")[2], at=clock.now())[1].number


class Gate:
    """Lets the parts numbered in `passing` through and holds the others, as a slow line does, until it is opened."""

    def __init__(self, target: Page | BrowserContext, *passing: int) -> None:
        self.passing, self.held, self.is_open = passing, list[Route](), False
        target.route(is_part, self._take)

    def _take(self, route: Route) -> None:
        is_free = self.is_open or route.request.method != "PUT" or number_of(route.request.url) in self.passing
        if is_free:
            route.continue_()
        else:
            self.held.append(route)

    def open(self) -> None:
        self.is_open = True
        for route in self._let_go():
            route.continue_()

    def cut(self) -> None:
        """Break off what is held; without this it would be let through when its page is closed."""
        for route in self._let_go():
            route.abort("connectionaborted")

    def _let_go(self) -> list[Route]:
        held, self.held = self.held, []
        return held


def section(page: Page, slot: Requirement) -> Locator:
    return page.locator(f"#slot-{slot.pk}")


def state(page: Page, slot: Requirement) -> Locator:
    return section(page, slot).locator(".upload-row .state")


def choose(page: Page, slot: Requirement, *paths: Path, consent: bool = False) -> None:
    here = section(page, slot)
    here.locator("input[type=file]").set_input_files(list(paths))
    if consent:
        here.locator("input[name=consent]").check()
    here.get_by_role("button", name="Upload").click()


def said(page: Page) -> Locator:
    return page.locator("[data-announce]")


def until(page: Page, condition: Callable[[], bool], words: str = "what was waited for") -> None:
    """Let the page go on, by its real clock, until a fact of this process is true."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{words} did not happen")


def arrived(page: Page, slot: Requirement) -> None:
    expect(state(page, slot)).to_have_text(["Received, being checked"], timeout=30_000)


def stored_equals(path: Path, upload: Upload) -> bool:
    with storage.default().open(upload.storage_key) as file:
        return sha256(file.read()).digest() == sha256(path.read_bytes()).digest()
