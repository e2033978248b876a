"""The entry's page while files are chosen, sent, paused, cut off, refused and done, looked at at both widths."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import expect

from candidates.models import PolicyText
from icg_cert.lib import clock
from portfolios.models import Requirement
from tests.factories import at, make_entry, make_factor, make_registration, make_requirement, make_text, make_user
from tests.portfolios import files
from tests.portfolios.browsing import Gate, choose, section, sign_in_by_cookie, state, until

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]


def test_every_state_of_an_upload_is_fit_to_be_seen(
    arrive: Any, live_server: Any, settings: Any, tmp_path: Path, checked_at_once: None
) -> None:
    settings.UPLOAD_PART_BYTES = 1_000_000
    entry = make_entry(make_registration(make_user("Ada Abara")), make_factor())
    make_text(PolicyText.Kind.CONSENT, body="Everyone seen in this video agreed to be filmed.")
    document = make_requirement(entry.factor, key="commentary", title="Goal and commentary")
    video = make_requirement(
        entry.factor, key="conversation", title="Identify conversation", kind=Requirement.Kind.VIDEO, max_minutes=10
    )
    several = make_requirement(entry.factor, key="strategies", title="Strategies", maximum=3)
    clock.jump_to(at(2027, 6, 15, 23, 10))
    ada = arrive("ada")
    sign_in_by_cookie(ada.context, live_server.url, entry.registration.user)
    page = ada.go(f"/entries/{entry.pk}/")
    ada.look("nothing yet")

    long = tmp_path / "The whole lesson, first take.mp4"
    long.write_bytes(files.film(seconds=620))
    section(page, video).locator("input[type=file]").set_input_files(long)
    expect(section(page, video).locator(".error")).to_be_visible()
    ada.look("too long")
    section(page, video).get_by_role("button", name="Upload").click()
    expect(state(page, video)).to_have_text(["Not sent"])
    ada.look("refused")

    film = tmp_path / "My film with Mrs Miller in grade five, second take.mp4"
    film.write_bytes(Random(1).randbytes(9_000_000))
    gate = Gate(page, 1, 2, 3)
    choose(page, video, film, consent=True)
    papers = [tmp_path / f"Strategy {number}.pdf" for number in (1, 2)]
    for paper in papers:
        paper.write_bytes(Random(1).randbytes(2_400_000))
    choose(page, several, *papers)
    until(page, lambda: len(gate.held) == 3, "three parts through")
    expect(section(page, video).locator("[data-upload-note]").last).to_contain_text("the window closes in")
    ada.look("uploading")
    section(page, video).get_by_role("button", name="Pause").click()
    expect(state(page, video).last).to_have_text("Paused")
    ada.look("paused")
    gate.held.clear()  # broken off by the pause
    section(page, video).get_by_role("button", name="Resume").click()
    until(page, lambda: len(gate.held) == 3, "three lanes under way again")
    ada.context.set_offline(True)
    gate.cut()
    expect(state(page, video).last).to_have_text("Waiting")
    ada.look("offline")
    ada.context.set_offline(False)
    gate.open()  # also for what was tried again meanwhile
    expect(state(page, several)).to_have_text(["Cannot be used", "Cannot be used"], timeout=60_000)
    expect(state(page, video)).to_have_text(["Cannot be used", "Not sent"], timeout=60_000)

    paper = tmp_path / "My commentary.docx"
    paper.write_bytes(files.word())
    choose(page, document, paper)
    expect(state(page, document)).to_have_text(["Ready"], timeout=30_000)
    ada.look("done and rejected")
