"""Chromium tells the file of a receipt from another one, by itself, and sends nothing."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from portfolios import submission
from portfolios.models import Entry, Requirement
from tests.portfolios import files
from tests.portfolios.handing_in import hand_in_checked

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
PART = 1000


@pytest.fixture
def submitted(entry: Entry, document: Requirement, video: Requirement, noon: datetime, settings: Any) -> Entry:
    settings.UPLOAD_PART_BYTES = PART  # so that a small film has many parts
    hand_in_checked(entry, document, noon)
    hand_in_checked(entry, video, noon)
    return submission.submit(entry.pk, by=entry.registration.user, at=noon)


@pytest.fixture
def page(chromium: Browser, live_server: Any, submitted: Entry) -> Iterator[Page]:
    """The receipt, opened by somebody who has nothing but its code."""
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"/receipts/{submitted.receipt_code}/")
    yield page
    context.close()
    assert problems == []


def bytes_of(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


def drop(page: Page, name: str, body: bytes) -> None:
    """As a person drops a file from another window."""
    page.evaluate(
        """([name, numbers]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(numbers)], name));
          const zone = document.querySelector("[data-receipt-check]");
          for (const kind of ["dragover", "drop"])
            zone.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [name, list(body)],
    )


def test_dropped_file_is_told_from_another_and_nothing_is_sent(page: Page, submitted: Entry) -> None:
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    film = submitted.manifest["files"][1]
    answers = page.locator("[data-receipt-answers]")
    drop(page, "Holiday.mp4", files.film())
    expect(answers).to_have_text(
        f"The same “Holiday.mp4” is Conversation ({film['name']}) of this receipt, byte for byte."
    )
    changed = bytearray(files.film())
    changed[len(changed) // 2] ^= 1
    drop(page, "Holiday.mp4", bytes(changed))
    expect(answers).to_have_text("Another file “Holiday.mp4” is none of the files of this receipt.")
    drop(page, "Notes.txt", b"of another size")
    expect(answers).to_have_text("Another file “Notes.txt” is none of the files of this receipt.")
    expect(page.locator("[data-receipt-bar]")).to_be_hidden()
    assert [request.url for request in sent if "/static/" not in request.url] == []  # the page's own mark comes late


def test_several_chosen_by_keyboard_are_answered_one_by_one(page: Page, submitted: Entry, tmp_path: Path) -> None:
    document, film = submitted.manifest["files"]
    noise = Random(1).randbytes(document["size"])
    paths = [
        bytes_of(tmp_path, "a.docx", files.word()),
        bytes_of(tmp_path, "b.docx", noise),
        bytes_of(tmp_path, "c.mp4", files.film()),
    ]
    field = page.get_by_label("File to compare")
    field.focus()
    expect(field).to_be_focused()
    field.set_input_files(paths)
    expect(page.locator("[data-receipt-answers] p")).to_have_text(
        [
            f"The same “a.docx” is Commentary ({document['name']}) of this receipt, byte for byte.",
            "Another file “b.docx” is none of the files of this receipt.",
            f"The same “c.mp4” is Conversation ({film['name']}) of this receipt, byte for byte.",
        ]
    )
    expect(page.get_by_role("status")).to_contain_text("byte for byte")


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("path", ["receipt", "verify"])
def test_pages_are_accessible_and_fit(page: Page, submitted: Entry, width: int, path: str, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    if path == "verify":
        page.goto("/receipts/?code=")
    else:
        page.get_by_text("How to compute a fingerprint").click()
        page.get_by_label("File to compare").set_input_files(bytes_of(tmp_path, "a.docx", files.word()))
        expect(page.locator("[data-receipt-answers] p")).to_have_count(1)
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [str(node["target"]) for node in one["nodes"]]) for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_the_page_says_how_to_compute_it(
    chromium: Browser, live_server: Any, submitted: Entry
) -> None:
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/receipts/{submitted.receipt_code}/")
    expect(page.get_by_text("This needs JavaScript")).to_be_visible()
    expect(page.get_by_label("File to compare")).to_be_hidden()
    page.get_by_text("How to compute a fingerprint").click()
    expect(page.locator("[data-recipe]")).to_be_visible()
    context.close()
