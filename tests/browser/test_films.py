"""Films in Chromium: on a scorer's sheet (seek, speed, keys, moments noted and gone back to, captions, an address that
ends), and on the page of their candidate.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from io import BytesIO
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

import av
import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, Route, expect

from candidates.models import PolicyText, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import captions, media
from portfolios.models import Entry, Upload
from scoring.models import Sheet
from tests.browser.conftest import Visitor
from tests.factories import (
    at,
    make_entry,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_requirement,
    make_text,
    make_upload,
)
from tests.portfolios import files
from tests.portfolios.handing_in import prepare

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]

NOW = at(2027, 7, 1, 9)
VTT = b"WEBVTT\n\n00:01.000 --> 00:20.000\nWhat went well?\n\n00:20.000 --> 00:30.000\nThe start.\n"
TRANSCRIPT = "Coach: What went well?\n\nTeacher: The start."


@cache
def heavy_film(seconds: int = 24) -> bytes:
    """Noise, about a megabyte a second: more than a browser keeps of what it has not shown yet."""
    random = Random(1)
    with NamedTemporaryFile() as out:
        with av.open(out.name, "w", format="mp4", options={"movflags": "faststart"}) as film:
            stream = film.add_stream("libx264", rate=4, options={"preset": "ultrafast", "qp": "12"})
            stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
            for number in range(seconds * 4):
                frame = av.VideoFrame(640, 360, "yuv420p")
                for plane in frame.planes:
                    plane.update(random.randbytes(plane.buffer_size))
                frame.pts = number
                film.mux(stream.encode(frame))
            film.mux(stream.encode())
        return out.read()


def handed_in(entry: Entry, key: str, film: bytes = b"", **fields: Any) -> Upload:
    """A film that is prepared."""
    fields = {"extension": ".mp4", "filename": "Ada.mp4", "duration_ms": 40_000, **fields}
    upload = make_upload(entry, make_requirement(entry.factor, key, kind="video", max_minutes=10), **fields)
    prepare(upload, NOW, "film", film or files.film(seconds=40, size=(320, 180), faststart=True))
    return upload


@pytest.fixture
def sheet(scorer: User) -> Sheet:
    make_policy()
    clock.jump_to(NOW)
    return make_reading(make_locked(), scorer)


@pytest.fixture
def films(sheet: Sheet, staff: User) -> list[Upload]:
    """Two, the first with captions and a transcript."""
    talk = handed_in(sheet.assignment.entry, "identify-conversation", transcript=TRANSCRIPT)
    captions.keep(talk.pk, body=VTT, by=staff, at=NOW)
    return [talk, handed_in(sheet.assignment.entry, "planning")]


@pytest.fixture
def enter(arrive: Callable[[str], Visitor], live_server: Any) -> Iterator[Callable[[User], Visitor]]:
    """Somebody at a browser of their own, signed in. At the end they put the film away, so that nobody asks for more of
    it when the database is gone.
    """
    visitors = []

    def one(person: User) -> Visitor:
        client = Client()
        client.force_login(person)
        visitor = arrive(person.name.split()[0])
        visitors.append(visitor)
        session = client.cookies["sessionid"].value
        visitor.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        return visitor

    yield one
    for visitor in visitors:
        visitor.page.evaluate("document.querySelectorAll('video').forEach(film => { film.pause(); film.src = ''; })")
        visitor.go("/healthz")


@pytest.fixture
def sol(enter: Callable[[User], Visitor], scorer: User) -> Visitor:
    return enter(scorer)


def desk(visitor: Visitor, sheet: Sheet, query: str = "") -> Page:
    return visitor.go(f"/scoring/sheets/{sheet.pk}/{query}")


def film(page: Page, number: int = 1) -> Locator:
    return page.locator(f"#film-{number} video")


def read(page: Page, name: str, number: int = 1) -> Any:
    return film(page, number).evaluate(f"video => video.{name}")


def until(page: Page, condition: str, number: int = 1) -> None:
    """A condition on `video`, waited for."""
    page.wait_for_function(
        f"number => {{ const video = document.querySelector(`#film-${{number}} video`); return {condition}; }}",
        arg=number,
    )


def bar(page: Page, number: int = 1) -> Locator:
    return page.locator(f"#film-{number} [data-player-bar]")


def evidence(page: Page, number: int = 1) -> Locator:
    return page.get_by_label(f"Evidence for “Criterion {number}”")


def is_saved(page: Page) -> None:
    """What was typed has arrived; nothing is on its way any more."""
    expect(page.locator("[data-sheet-status]")).to_contain_text("Saved at")


def play(page: Page, number: int = 1) -> None:
    film(page, number).evaluate("video => { video.muted = true; return video.play(); }")
    until(page, "!video.paused && video.readyState > 2", number)


# ---- The player


def test_film_is_fetched_when_it_is_played_and_not_before(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    page.wait_for_load_state("networkidle")
    assert (read(page, "readyState"), read(page, "controls")) == (0, True)
    assert not Event.objects.filter(verb="upload.view").exists()
    play(page, 2)
    assert [event.object_id for event in Event.objects.filter(verb="upload.view")] == [str(films[1].pk)]


def test_film_seeks_by_buttons_and_keys(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    bar(page).get_by_role("button", name="Forward 10 seconds").click()
    bar(page).get_by_role("button", name="Forward 10 seconds").click()
    bar(page).get_by_role("button", name="Back 10 seconds").click()
    assert read(page, "currentTime") == 10
    play(page)
    film(page).evaluate("video => video.pause()")
    until(page, "video.currentTime >= 10 && video.currentTime < 14")
    film(page).focus()
    page.keyboard.press("l")
    until(page, "video.currentTime >= 20 && video.currentTime < 24 && !video.seeking")
    page.keyboard.press("J")
    until(page, "video.currentTime >= 10 && video.currentTime < 14 && !video.seeking")
    page.keyboard.press("k")
    until(page, "!video.paused")
    page.keyboard.press("k")
    until(page, "video.paused")
    for _ in range(9):
        page.keyboard.press("l")
    until(page, "video.currentTime == video.duration")


def test_keys_are_letters_while_one_types(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    evidence(page).press_sequentially("jkln")
    expect(evidence(page)).to_have_value("jkln")
    assert (read(page, "paused"), read(page, "currentTime")) == (True, 0)
    film(page).focus()
    page.keyboard.press("Control+l")
    assert read(page, "currentTime") == 0
    is_saved(page)


def test_speed_is_kept_for_every_film_and_the_next_visit(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    bar(page).get_by_label("Speed").select_option("1.5×")
    assert [read(page, "playbackRate", number) for number in (1, 2)] == [1.5, 1.5]
    desk(sol, sheet)
    expect(bar(page, 2).get_by_label("Speed")).to_have_value("1.5")
    play(page, 2)
    assert read(page, "playbackRate", 2) == 1.5
    page.evaluate("localStorage.setItem('icg-player-speed', 'nonsense')")
    desk(sol, sheet)
    expect(bar(page).get_by_label("Speed")).to_have_value("1")


def test_only_one_film_plays_at_a_time(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    play(page, 1)
    play(page, 2)
    assert [read(page, "paused", number) for number in (1, 2)] == [True, False]


def test_film_goes_on_where_one_was(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    play(page)
    film(page).evaluate("video => { video.pause(); video.currentTime = 25; }")
    until(page, "!video.seeking && video.currentTime == 25")
    film(page).evaluate("video => video.play()")
    film(page).evaluate("video => video.pause()")
    desk(sol, sheet)
    expect(page.locator("#film-1 [data-player-status]")).to_have_text("You were at 0:25; it goes on from there.")
    assert (int(read(page, "currentTime")), read(page, "currentTime", 2)) == (25, 0)
    play(page)
    assert 25 <= read(page, "currentTime") < 35
    expect(page.locator("#film-1 [data-player-status]")).to_be_empty()
    film(page).evaluate("video => { video.currentTime = video.duration; }")
    until(page, "video.ended")
    desk(sol, sheet)
    assert read(page, "currentTime") == 0


def test_captions_are_there_and_can_be_switched_off(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    track = page.locator("#film-1 track")
    page.wait_for_function("() => document.querySelector('#film-1 track').readyState == 2")
    assert track.evaluate("track => [...track.track.cues].map(cue => [cue.startTime, cue.text])") == [
        [1, "What went well?"],
        [20, "The start."],
    ]
    assert track.evaluate("track => [track.track.kind, track.track.language, track.track.mode]") == [
        "captions",
        "en",
        "showing",
    ]
    assert page.locator("#film-2 track").count() == 0
    page.get_by_text("Transcript of Film 1").click()
    expect(page.locator("#film-1 .transcript p")).to_have_text(TRANSCRIPT.split("\n\n"))


# ---- Moments


def test_moment_is_noted_and_gone_back_to(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    evidence(page, 2).fill("Before")
    film(page, 2).evaluate("video => { video.currentTime = 25; }")
    bar(page, 2).get_by_role("button", name="Note this moment").click()
    expect(evidence(page, 2)).to_be_focused()
    page.keyboard.type("she waits.")
    expect(evidence(page, 2)).to_have_value("Before\n[Film 2 0:25] she waits.")
    is_saved(page)
    assert sheet.ratings.get(criterion__position=2).evidence == "Before\n[Film 2 0:25] she waits."
    film(page, 2).evaluate("video => { video.currentTime = 0; }")
    link = page.get_by_role("link", name="[Film 2 0:25]")
    link.click()
    expect(film(page, 2)).to_be_focused()
    expect(film(page, 2)).to_be_in_viewport()
    until(page, "video.currentTime >= 25", 2)
    assert read(page, "currentTime") == 0
    assert page.url.endswith(f"/scoring/sheets/{sheet.pk}/")


def test_moment_goes_where_one_chooses_by_key(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    Upload.objects.filter(pk=films[1].pk).update(state="removed")
    page = desk(sol, sheet)
    bar(page).get_by_label("for").select_option("Criterion 3")
    film(page).evaluate("video => { video.currentTime = 35; }")
    film(page).focus()
    page.keyboard.press("n")
    expect(evidence(page, 3)).to_have_value("[0:35] ")
    evidence(page, 1).focus()
    expect(bar(page).get_by_label("for")).to_have_value(str(evidence(page, 1).get_attribute("id")))
    is_saved(page)


def test_moment_goes_below_a_note_that_was_there(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    evidence(page).fill("Asks.\nWaits.")
    is_saved(page)
    page.reload()
    film(page).evaluate("video => { video.currentTime = 10; }")
    film(page).focus()
    page.keyboard.press("n")
    page.keyboard.type("nods")
    expect(evidence(page)).to_have_value("Asks.\nWaits.\n[Film 1 0:10] nods")
    is_saved(page)


def test_moment_of_the_finalise_page_opens_the_sheet_there(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    page = desk(sol, sheet)
    evidence(page).fill("[Film 2 0:20] waits")
    page.get_by_role("button", name="Check and finalise").click()
    sol.look("finalise with a moment")
    page.get_by_role("link", name="[Film 2 0:20]").click()
    expect(page).to_have_url(f"{page.url.partition('/scoring')[0]}/scoring/sheets/{sheet.pk}/?at=20#film-2")
    until(page, "video.readyState > 1 && video.currentTime == 20", 2)
    assert read(page, "paused", 2)


# ---- The page


def test_sheet_with_films_is_accessible_and_fits(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    entry = sheet.assignment.entry
    state = {"extension": ".mp4", "filename": "Ada.mp4"}
    walk = make_requirement(entry.factor, "teacher-implementing", kind="video")
    make_upload(entry, walk, state="processing", percent=40, **state)
    make_upload(entry, walk, state="failed", processing_tries=3, **state)
    page = desk(sol, sheet)
    evidence(page).fill("[Film 1 0:20] opens, [Film 2 0:35] waits")
    expect(page.locator(".moments a")).to_have_count(2)
    page.get_by_text("Keys").first.click()
    page.get_by_text("Transcript of Film 1").click()
    sol.look("sheet with films")


def test_film_stays_in_view_while_the_judgement_scrolls(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    sol.page.set_viewport_size({"width": 1280, "height": 800})
    page = desk(sol, sheet)
    play(page)
    page.get_by_label("Comment to the candidate").scroll_into_view_if_needed()
    expect(film(page)).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_label("Comment to the candidate")).to_be_in_viewport()


def test_jump_brings_the_film_into_view_on_a_phone(sol: Visitor, sheet: Sheet, films: list[Upload]) -> None:
    sol.page.set_viewport_size({"width": 375, "height": 700})
    page = desk(sol, sheet)
    evidence(page, 3).fill("[Film 1 0:20] opens")
    link = page.get_by_role("link", name="[Film 1 0:20]")
    link.scroll_into_view_if_needed()
    expect(film(page)).not_to_be_in_viewport()
    link.click()
    expect(film(page)).to_be_in_viewport(ratio=0.9)
    until(page, "video.currentTime >= 20")


def test_page_looks_again_until_a_film_is_prepared(sol: Visitor, sheet: Sheet) -> None:
    entry = sheet.assignment.entry
    talk = make_upload(
        entry, make_requirement(entry.factor, "talk", kind="video"), extension=".mp4", state="processing"
    )
    sol.page.clock.install()
    page = desk(sol, sheet)
    evidence(page).fill("Typed meanwhile")
    Upload.objects.filter(pk=talk.pk).update(percent=60)
    page.clock.fast_forward(16_000)
    expect(page.locator("article progress")).to_have_attribute("value", "60")
    Upload.objects.filter(pk=talk.pk).update(state="ready")
    prepare(talk, NOW, "film", files.film(seconds=40))
    page.clock.fast_forward(31_000)
    expect(film(page)).to_be_visible()
    expect(evidence(page)).to_have_value("Typed meanwhile")
    film(page).evaluate("video => { video.currentTime = 7; }")
    bar(page).get_by_role("button", name="Note this moment").click()
    expect(evidence(page)).to_have_value("Typed meanwhile\n[0:07] ")
    page.clock.fast_forward(2000)
    expect(page.get_by_role("link", name="[0:07]")).to_be_visible()


# ---- The address ends


@pytest.fixture
def long_film(sheet: Sheet, monkeypatch: pytest.MonkeyPatch) -> Upload:
    return handed_in(sheet.assignment.entry, "talk", heavy_film(), duration_ms=24_000)


class Store:
    """Stands before the film's address and, when told to, answers once as a store does whose address has ended."""

    def __init__(self, page: Page) -> None:
        self.ends, self.ended, self.asked = False, 0, 0
        page.route("**/media/*/?as=film", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked += 1
        if self.ends:
            self.ends, self.ended = False, self.ended + 1
            route.fulfill(status=403, body="<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")
        else:
            route.continue_()


@pytest.mark.media_case(38)
@pytest.mark.parametrize("is_playing", [False, True])
def test_address_that_ended_is_asked_for_anew_at_the_same_place(
    sol: Visitor, sheet: Sheet, long_film: Upload, is_playing: bool
) -> None:
    store = Store(sol.page)
    page = desk(sol, sheet)
    bar(page).get_by_label("Speed").select_option("0.75×")
    play(page)
    if not is_playing:
        film(page).evaluate("video => video.pause()")
    store.ends = True
    film(page).evaluate("video => { video.currentTime = 20; }")
    page.wait_for_function("() => document.querySelector('[data-player-status]').textContent.includes('lost')")
    until(page, "!video.error && video.readyState > 1 && video.currentTime >= 20")
    assert (store.ended, read(page, "paused"), read(page, "playbackRate")) == (1, not is_playing, 0.75)
    assert 20 <= read(page, "currentTime") < 24
    film(page).evaluate("video => video.play()")
    until(page, "video.currentTime > 20.5")
    expect(page.locator("[data-player-status]")).to_be_empty()


@pytest.mark.media_case(38)
def test_film_that_was_lost_comes_back_where_one_moved_to_meanwhile(
    sol: Visitor, sheet: Sheet, long_film: Upload
) -> None:
    store = Store(sol.page)
    sol.page.clock.install()
    page = desk(sol, sheet)
    play(page)
    film(page).evaluate("video => video.pause()")
    store.ends = True
    film(page).evaluate("video => { video.currentTime = 20; }")
    page.wait_for_function("() => document.querySelector('[data-player-status]').textContent.includes('lost')")
    film(page).evaluate("video => { video.currentTime = 12; }")
    page.clock.fast_forward(1000)
    until(page, "!video.error && video.readyState > 1 && video.currentTime == 12")
    expect(page.locator("[data-player-status]")).to_be_empty()


@pytest.mark.media_case(38)
def test_address_that_is_about_to_end_is_not_used_any_more(sol: Visitor, sheet: Sheet, long_film: Upload) -> None:
    """Paused over lunch: the next press asks for a new address first, so that nothing fails at all."""
    store = Store(sol.page)
    sol.page.clock.install()
    page = desk(sol, sheet)
    play(page)
    film(page).evaluate("video => video.pause()")
    place, errors = read(page, "currentTime"), []
    page.expose_function("failed", lambda: errors.append("error"))
    film(page).evaluate("video => video.addEventListener('error', () => window.failed())")
    page.clock.fast_forward(timedelta(minutes=51) // timedelta(milliseconds=1))
    asked = store.asked
    film(page).evaluate("video => { video.play().catch(() => {}); }")
    until(page, "!video.paused && video.readyState > 2")
    assert store.asked > asked
    assert read(page, "currentTime") >= place
    assert errors == []


def test_film_that_was_withdrawn_meanwhile_says_so(sol: Visitor, sheet: Sheet, long_film: Upload) -> None:
    sol.page.clock.install()
    page = desk(sol, sheet)
    Upload.objects.filter(pk=long_film.pk).update(state="withdrawn")
    film(page).evaluate("video => { video.play().catch(() => {}); }")
    expect(page.locator("[data-player-status]")).to_have_text("This film is no longer here.")
    page.clock.fast_forward(70_000)
    assert read(page, "error !== null")  # and it is not asked for again


def test_film_that_never_comes_says_so_and_the_page_stays_usable(sol: Visitor, sheet: Sheet, long_film: Upload) -> None:
    sol.page.clock.install()
    sol.page.route("**/media/*/?as=film", lambda route: route.fulfill(status=403, body=""))
    page = desk(sol, sheet)
    film(page).evaluate("video => { video.play().catch(() => {}); }")
    for wait in (500, 2000, 5000, 15_000, 30_000, 60_000):
        until(page, "video.error")
        page.clock.fast_forward(wait + 100)
    expect(page.locator("[data-player-status]")).to_contain_text("This film does not play at the moment.")
    evidence(page).fill("Still here")
    page.clock.fast_forward(2000)
    is_saved(page)


# ---- Without the script


def test_sheet_without_javascript_has_the_browsers_player(
    sol: Visitor, sheet: Sheet, films: list[Upload], live_server: Any
) -> None:
    cookies = sol.context.cookies()
    browser = sol.context.browser
    assert browser is not None
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"/scoring/sheets/{sheet.pk}/")
    expect(film(page)).to_be_visible()
    expect(bar(page)).to_be_hidden()
    evidence(page).fill("[Film 2 0:20] waits")
    page.get_by_role("button", name="Save this sheet").click()
    page.get_by_role("link", name="[Film 2 0:20]").click()
    expect(film(page, 2)).to_be_in_viewport()
    context.close()


# ---- The candidate


@pytest.fixture
def own_film(candidate: User) -> Upload:
    """Being prepared, in the window; what came is a film that plays."""
    make_text(PolicyText.Kind.CONSENT, body="Everyone seen in this video agreed.")
    clock.jump_to(at(2027, 5, 10, 12))
    entry = make_entry(make_registration(candidate))
    video = make_requirement(entry.factor, "identify-conversation", kind="video", max_minutes=10)
    upload = make_upload(entry, video, filename="Talk.mp4", extension=".mp4", state="processing", duration_ms=40_000)
    store_original(upload)
    return upload


def store_original(upload: Upload) -> None:
    media.storage.default().put(upload.storage_key, BytesIO(files.film(seconds=40)), content_type="video/mp4")


def test_candidate_watches_and_adds_captions(
    enter: Callable[[User], Visitor], candidate: User, own_film: Upload, tmp_path: Any
) -> None:
    ada = enter(candidate)
    page = ada.go(f"/entries/{own_film.entry_id}/")
    page.get_by_role("link", name="Watch it, captions and transcript").click()
    expect(page.get_by_role("heading", name="Identify conversation")).to_be_visible()
    ada.look("film being prepared")
    play(page)
    page.get_by_role("link", name="Add captions or a transcript").click()
    ada.look("captions form")
    (tmp_path / "words.srt").write_text("1\n00:00:05,000 --> 00:00:01,000\nHello\n")
    page.get_by_label("Transcript").fill(TRANSCRIPT)
    page.get_by_label("Caption file").set_input_files(tmp_path / "words.srt")
    page.get_by_role("button", name="Save captions and transcript").click()
    expect(page.locator(".error-summary")).to_be_focused()
    ada.look("captions refused")
    expect(page.get_by_label("Transcript")).to_have_value(TRANSCRIPT)
    (tmp_path / "words.srt").write_text("1\n00:00:01,000 --> 00:00:05,000\nHello\n")
    page.get_by_label("Caption file").set_input_files(tmp_path / "words.srt")
    page.get_by_role("button", name="Save captions and transcript").click()
    page.wait_for_function("() => document.querySelector('#film-1 track').readyState == 2")
    ada.look("film with captions")
    own_film.refresh_from_db()
    assert own_film.transcript == TRANSCRIPT


def test_film_that_becomes_ready_while_it_plays_is_changed_when_it_rests(
    enter: Callable[[User], Visitor], candidate: User, own_film: Upload
) -> None:
    ada = enter(candidate)
    ada.page.clock.install()
    page = ada.go(f"/media/{own_film.pk}/")
    play(page)
    Upload.objects.update(state="ready")
    prepare(own_film, own_film.created_at, "film", files.film(seconds=40, faststart=True))
    page.clock.fast_forward(16_000)
    expect(page.locator("#film-state .state")).to_have_text("Ready")
    assert read(page, "currentSrc").endswith("?as=original")
    film(page).evaluate("video => { video.currentTime = 12; video.pause(); }")
    page.clock.fast_forward(31_000)
    expect(film(page)).to_have_attribute("src", f"/media/{own_film.pk}/video/?as=film")
    assert int(read(page, "currentTime")) == 12
