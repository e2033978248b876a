"""Chromium uploads real files with the page's own script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect

from icg_cert.lib import clock
from portfolios import checks
from portfolios.models import Entry, Requirement, Upload
from tests.portfolios import files

pytestmark = [
    pytest.mark.requires("chromium"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(chromium: Browser, live_server: Any, entry: Entry, noon: Any, settings: Any) -> Iterator[Page]:
    """The candidate's entry page, in parts of 1000 bytes so that a small film has many."""
    settings.UPLOAD_PART_BYTES = 1000
    clock.jump_to(noon)
    client = Client()
    client.force_login(entry.registration.user)
    context = chromium.new_context(base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"/entries/{entry.pk}/")
    yield page
    context.close()
    assert problems == []


def choose(page: Page, slot: Requirement, path: Path, *, consent: bool = False) -> None:
    section = page.locator(f"#slot-{slot.pk}")
    section.locator("input[type=file]").set_input_files(path)
    if consent:
        section.locator("input[name=consent]").check()
    section.get_by_role("button", name="Upload").click()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "My film.mp4"
    path.write_bytes(files.film(seconds=30))
    return path


def test_film_is_uploaded_in_parts_with_progress_and_shown(
    page: Page, video: Requirement, film: Path, checked_at_once: None
) -> None:
    seen: list[str] = []
    page.expose_function("seen", lambda text: seen.append(text))
    page.evaluate(
        """new MutationObserver(() => {
             const percent = document.querySelector("[data-upload-percent]")?.textContent;
             if (percent) window.seen(percent);
           }).observe(document.body, { subtree: true, childList: true, characterData: true })"""
    )
    choose(page, video, film, consent=True)
    section = page.locator(f"#slot-{video.pk}")
    expect(section.locator(".upload-row .state")).to_have_text("Received and checked")
    expect(section.locator(".upload-name")).to_have_text("My film.mp4")
    expect(page.locator("[data-announce]")).to_have_text("My film.mp4: Received and checked.")
    upload = Upload.objects.get()
    assert (upload.state, upload.duration_ms, upload.parts.count()) == ("processing", 30_000, upload.part_count)
    assert upload.part_count > 5
    assert upload.consented_at is not None
    percents = [int(text.split()[0]) for text in seen]
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_upload_survives_a_failing_network(
    page: Page, document: Requirement, tmp_path: Path, checked_at_once: None
) -> None:
    """Every other part fails once, by a dropped connection or a server error; all arrive in the end."""
    path = tmp_path / "My commentary.docx"
    path.write_bytes(files.word())
    tries: dict[str, int] = {"count": 0}

    def sometimes(route: Route) -> None:
        tries["count"] += 1
        if tries["count"] % 4 == 1:
            route.abort()
        elif tries["count"] % 4 == 3:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/uploads/part/*", sometimes)
    choose(page, document, path)
    expect(page.locator(f"#slot-{document.pk} .upload-row .state")).to_have_text("Ready", timeout=60_000)
    assert Upload.objects.get().state == "ready"


def test_file_of_the_wrong_kind_is_refused_in_words_beside_its_field(
    page: Page, video: Requirement, tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("No film.")
    choose(page, video, path)
    expect(page.locator(f"#slot-{video.pk} .error")).to_contain_text("takes a video")
    assert not Upload.objects.exists()


def test_unfinished_upload_is_resumed_by_choosing_the_file_again(
    page: Page, video: Requirement, film: Path, checked_at_once: None
) -> None:
    sent: list[str] = []
    page.route("**/uploads/part/*", lambda route: (sent.append(route.request.url), route.continue_()))
    page.route("**/complete", lambda route: route.abort())
    choose(page, video, film, consent=True)
    expect(page.locator(f"#slot-{video.pk} .upload-row .state")).to_have_text("Waiting")  # every part confirmed
    page.on("dialog", lambda dialog: dialog.accept())
    first = len(sent)
    page.reload()
    page.unroute("**/complete")
    expect(page.locator(f"#slot-{video.pk} .state").nth(1)).to_have_text("Upload not finished")
    choose(page, video, film, consent=True)
    expect(page.locator(f"#slot-{video.pk} .upload-row .state")).to_have_text(["Received and checked"])
    assert len(sent) == first
    assert Upload.objects.get().state == "processing"


def test_page_says_the_truth_of_a_file_that_turns_out_bad(page: Page, video: Requirement, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(files.pdf())
    choose(page, video, path, consent=True)
    state = page.locator(f"#slot-{video.pk} .upload-row .state")
    expect(state).to_have_text("Received, being checked")
    checks.check(Upload.objects.get().pk, at=Upload.objects.get().stored_at)  # type: ignore[arg-type]
    expect(state).to_have_text("Cannot be used", timeout=10_000)
    expect(page.locator(f"#slot-{video.pk} .upload-facts")).to_contain_text("something else inside")
