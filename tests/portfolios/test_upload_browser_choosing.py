"""What Chromium says of files before a byte is sent, and how several of them take their turns."""

import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import Locator, Page, expect

from icg_cert.lib import clock
from portfolios.models import Entry, Requirement, Upload
from tests.factories import at, make_requirement
from tests.portfolios import files
from tests.portfolios.browsing import Computer, Gate, arrived, choose, said, section, state, until

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
Computers = Callable[..., Computer]
CLOSES = at(2027, 6, 16)


@pytest.fixture(autouse=True)
def small_parts(settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 1000


@pytest.fixture
def three(entry: Entry) -> Requirement:
    """A requirement that takes up to three documents."""
    return make_requirement(entry.factor, "strategies", maximum=3)


def put(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


def found(page: Page, slot: Requirement) -> Locator:
    return section(page, slot).locator("[data-upload-found]")


def pick(page: Page, slot: Requirement, *paths: Path) -> None:
    section(page, slot).locator("input[type=file]").set_input_files(list(paths))


# ---- Pre-flight


def test_film_that_is_too_long_is_refused_before_a_byte_is_sent(
    computer: Computers, video: Requirement, tmp_path: Path
) -> None:
    """One minute and the tolerance of fifteen seconds: 75 go, 76 do not."""
    ada = computer()
    page = ada.tab()
    pick(page, video, put(tmp_path, "long.mp4", files.film(seconds=76)))
    words = "This film is 1:16 minutes long; the most is 1 minute. Shorten it at its beginning or end, save it,"
    expect(found(page, video).locator(".error")).to_contain_text(words)
    section(page, video).get_by_role("button", name="Upload").click()
    row = section(page, video).locator(".upload-row")
    expect(row.locator(".state")).to_have_text("Not sent")
    expect(row.get_by_role("alert")).to_contain_text("Nothing has been sent.")
    assert (ada.sent, Upload.objects.count()) == ([], 0)
    row.get_by_role("button", name="Remove long.mp4").click()
    expect(row).to_have_count(0)
    expect(section(page, video).locator("input[type=file]")).to_be_focused()
    pick(page, video, put(tmp_path, "right.mp4", files.film(seconds=75)))
    expect(found(page, video)).to_contain_text("1:15 minutes long.")
    expect(found(page, video).locator(".error")).to_have_count(0)


def recorded() -> bytes:
    """As a browser records: without a length, whose place in the file is made void."""
    film = files.film(container="webm", codec="libvpx-vp9")
    assert film.count(b"\x44\x89\x88") == 1
    return film.replace(b"\x44\x89\x88", b"\xec\x89\x88")


def clip(*options: str, suffix: str) -> bytes:
    """Six seconds with picture and sound, as ffmpeg makes them with these options."""
    with NamedTemporaryFile(suffix=suffix) as out:
        made = ["-f", "lavfi", "-i", "testsrc=d=6:s=160x90:r=4", "-f", "lavfi", "-i", "sine=d=6", "-c:a", "aac"]
        command = [get_ffmpeg_exe(), "-v", "error", "-y", *made, "-pix_fmt", "yuv420p", *options, out.name]
        subprocess.run(command, check=True)
        return Path(out.name).read_bytes()


def hevc() -> bytes:
    """As telephones write it: Chromium plays the sound alone."""
    return clip("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", suffix=".mov")


UNKNOWN: dict[str, tuple[Callable[[], bytes], str]] = {
    "silent.mp4": (
        lambda: clip("-an", suffix=".mp4"),
        "0:06 minutes long. It has no sound, as far as can be seen here.",
    ),
    "iphone.mov": (hevc, "0:06 minutes long. Your browser cannot show its picture."),
    "recorded.webm": (recorded, "Its length cannot be read here. The most is 1 minute."),
    "broken.mp4": (
        lambda: b"junk" * 500,
        "Your browser cannot look into this film; the portal will, once it has arrived.",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_browser_cannot_know_is_said_and_stops_nobody(
    computer: Computers, video: Requirement, tmp_path: Path, name: str
) -> None:
    page, (film, words) = computer().tab(), UNKNOWN[name]
    path = put(tmp_path, name, film())
    pick(page, video, path)
    expect(found(page, video)).to_contain_text(words)
    choose(page, video, path)
    arrived(page, video)


def test_film_with_picture_and_sound_has_no_remark(computer: Computers, video: Requirement, tmp_path: Path) -> None:
    page = computer().tab()
    pick(page, video, put(tmp_path, "talk.mp4", clip(suffix=".mp4")))
    expect(found(page, video)).to_have_text(re.compile(r"^talk\.mp4, \S+ KB\. 0:06 minutes long\.$"))


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("notes.txt", 10, "This requirement takes a document: PDF, DOCX, ODT. Export your file as one of these."),
        ("empty.pdf", 0, "This file is empty."),
        ("large.PDF", 3001, "This file is 3.0 KB; the most is 3.0 KB. Reduce the size of its pictures."),
    ],
)
def test_type_and_size_are_held_against_the_limits(
    computer: Computers, document: Requirement, tmp_path: Path, settings: Any, name: str, size: int, words: str
) -> None:
    settings.UPLOAD_DOCUMENT_MAX_BYTES = 3000
    ada = computer()
    page = ada.tab()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/uploads/" in request.url else None)
    choose(page, document, put(tmp_path, name, bytes(size)))
    expect(section(page, document).get_by_role("alert")).to_contain_text(words)
    assert asked == []


@pytest.mark.parametrize(
    ("left", "speed", "words"),
    [
        (timedelta(minutes=50), 30, "This will take about 33 minutes; the window closes in 50 minutes."),
        (
            timedelta(minutes=20),
            30,
            "This will take about 33 minutes and will not be through before the window closes in 20 minutes. "
            "An upload that begins before closing may finish until",
        ),
        (timedelta(minutes=20), 10, "At this speed it takes about 2 hours, but the portal takes it only until"),
        (timedelta(days=3), 30, "Sending it will take about 33 minutes."),
    ],
)
def test_time_it_takes_is_held_against_the_time_to_closing(
    computer: Computers, document: Requirement, tmp_path: Path, left: timedelta, speed: int, words: str
) -> None:
    page = computer().tab()
    clock.jump_to(CLOSES - left)
    page.evaluate(f"sessionStorage.setItem('icg-upload-speed', '{speed}')")
    page.reload()
    pick(page, document, put(tmp_path, "My commentary.pdf", bytes(60_000)))
    expect(found(page, document)).to_contain_text(words)


def test_estimate_stands_in_the_row_as_soon_as_a_part_is_through(
    computer: Computers, document: Requirement, tmp_path: Path, noon: datetime
) -> None:
    ada = computer()
    clock.jump_to(CLOSES - timedelta(minutes=30))
    page = ada.tab()
    gate = Gate(page, 1)
    choose(page, document, put(tmp_path, "My commentary.pdf", bytes(12_000)))
    until(page, lambda: len(gate.held) == 3, "the first part through")
    note = section(page, document).locator("[data-upload-note]")
    expect(note).to_contain_text(re.compile("This will take .*; the window closes in 30 minutes|At this speed"))
    assert page.evaluate("Number(sessionStorage.getItem('icg-upload-speed'))") >= 0
    gate.open()
    arrived(page, document)


# ---- Several files


def test_several_files_take_their_turns(computer: Computers, three: Requirement, tmp_path: Path) -> None:
    page = computer().tab()
    gate = Gate(page)
    paths = [put(tmp_path, f"{name}.pdf", name.encode() * 1500) for name in ("one", "two", "six")]
    choose(page, three, *paths)
    rows = section(page, three).locator(".upload-row")
    until(page, lambda: len(gate.held) == 3, "the first file under way")
    expect(rows.locator("[data-upload-place]")).to_have_text(["File 1 of 3", "File 2 of 3", "File 3 of 3"])
    expect(rows.locator(".state")).to_have_text(["Preparing", "Waiting for its turn", "Waiting for its turn"])
    rows.nth(0).get_by_role("button", name="Pause one.pdf").click()
    expect(rows.locator(".state")).to_have_text(["Paused", "Preparing", "Waiting for its turn"])
    rows.nth(2).get_by_role("button", name="Remove six.pdf").click()
    expect(rows).to_have_count(2)
    gate.open()
    expect(rows.locator(".state")).to_have_text(["Received, being checked", "Paused"], timeout=20_000)
    rows.nth(1).get_by_role("button", name="Resume one.pdf").click()
    expect(rows.locator(".state")).to_have_text(["Received, being checked"] * 2, timeout=20_000)
    assert sorted(Upload.objects.values_list("filename", "state")) == [("one.pdf", "stored"), ("two.pdf", "stored")]


def test_more_files_than_there_is_room_for(computer: Computers, three: Requirement, tmp_path: Path) -> None:
    page = computer().tab()
    paths = [put(tmp_path, f"{number}.pdf", b"x") for number in range(4)]
    choose(page, three, *paths)
    words = "There is room for 3 more here, and you chose 4. Choose again."
    expect(found(page, three).locator(".error")).to_have_text(words)
    expect(section(page, three).locator("input[type=file]")).to_be_focused()
    assert not Upload.objects.exists()


def test_dropped_file_is_as_good_as_a_chosen_one(computer: Computers, document: Requirement, tmp_path: Path) -> None:
    page = computer().tab()
    here = section(page, document)
    expect(here.get_by_text(", or drop it here")).to_be_visible()
    dropped = page.evaluate_handle(
        """() => {
             const dropped = new DataTransfer();
             dropped.items.add(new File(["%PDF-1.4 dropped"], "dropped.pdf"));
             return dropped;
           }"""
    )
    here.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(page.locator("[data-dropping]")).to_have_count(1)
    here.dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("[data-dropping]")).to_have_count(0)
    expect(found(page, document)).to_contain_text("dropped.pdf, 16 bytes.")
    expect(here.locator("input[type=file]")).to_be_focused()
    here.get_by_role("button", name="Upload").click()
    arrived(page, document)
    assert Upload.objects.get().filename == "dropped.pdf"


def test_file_dropped_beside_a_requirement_does_not_replace_the_page(computer: Computers) -> None:
    page = computer().tab()
    kept = page.evaluate(
        """() => {
             const dropped = new DataTransfer();
             dropped.items.add(new File(["x"], "x.pdf"));
             const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
             document.querySelector("h1").dispatchEvent(event);
             return event.defaultPrevented;
           }"""
    )
    assert kept


# ---- While it is sent


def test_what_is_read_out_is_little(
    computer: Computers, document: Requirement, tmp_path: Path, settings: Any, checked_at_once: None
) -> None:
    settings.UPLOAD_PART_BYTES = 4000
    page = computer().tab()
    told: list[str] = []
    page.expose_function("told", lambda text: told.append(text))
    page.evaluate(
        """() => new MutationObserver(() => window.told(document.querySelector("[data-announce]").textContent))
             .observe(document.querySelector("[data-announce]"), { childList: true })"""
    )
    path = put(tmp_path, "My commentary.docx", files.word())
    choose(page, document, path)
    expect(said(page)).to_have_text("My commentary.docx: Ready.", timeout=30_000)
    name = "My commentary.docx"
    assert told == [
        f"Uploading {name}.",
        *[f"{name}: {percent} percent." for percent in (25, 50, 75)],
        f"{name} has arrived and is being checked.",
        f"{name}: Ready. ",
    ]


def test_leaving_is_warned_of_only_while_something_is_sent(
    computer: Computers, document: Requirement, tmp_path: Path
) -> None:
    page = computer().tab()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    gate = Gate(page)
    choose(page, document, put(tmp_path, "My commentary.pdf", bytes(5000)))
    until(page, lambda: len(gate.held) == 3, "the file under way")
    page.close(run_before_unload=True)
    until(page, lambda: asked == ["beforeunload"], "the question")
    gate.open()
    arrived(page, document)
    page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


def test_removed_upload_is_forgotten_by_the_portal(computer: Computers, document: Requirement, tmp_path: Path) -> None:
    page = computer().tab()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    gate = Gate(page, 1)
    choose(page, document, put(tmp_path, "My commentary.pdf", bytes(5000)))
    until(page, lambda: len(gate.held) == 3, "the first part through")
    section(page, document).get_by_role("button", name="Remove").click()
    expect(section(page, document).locator(".upload-row")).to_have_count(0)
    expect(said(page)).to_have_text("My commentary.pdf is removed.")
    assert asked == ["Stop and remove My commentary.pdf? What has arrived is deleted."]
    assert Upload.objects.get().state == "aborted"


def test_screen_stays_on_while_something_is_sent(computer: Computers, document: Requirement, tmp_path: Path) -> None:
    ada = computer()
    ada.context.add_init_script(
        """window.locks = [];
           const request = async () => {
             window.locks.push("on");
             return { released: false, async release() { window.locks.push("off"); } };
           };
           Object.defineProperty(navigator, "wakeLock", { value: { request } });"""
    )
    page = ada.tab()
    choose(page, document, put(tmp_path, "My commentary.pdf", bytes(5000)))
    arrived(page, document)
    assert page.evaluate("window.locks") == ["on", "off"]


@pytest.mark.media_case(25)
def test_upload_begun_in_time_goes_on_from_a_new_tab_until_the_grace_is_over(
    computer: Computers, document: Requirement, video: Requirement, tmp_path: Path, entry: Entry
) -> None:
    ada = computer()
    clock.jump_to(CLOSES - timedelta(minutes=1))
    page = ada.tab()
    gate = Gate(page, 1, 2)
    path = put(tmp_path, "My commentary.pdf", bytes(5000))
    choose(page, document, path)
    until(page, lambda: len(gate.held) == 3, "two parts through")
    gate.cut()
    page.close()
    clock.jump_to(CLOSES + entry.cycle.grace - timedelta(seconds=30))
    page = ada.tab()
    expect(section(page, video).locator("form")).to_have_count(0)
    choose(page, document, path)
    arrived(page, document)
    assert Upload.objects.get().state == "stored"
    clock.jump_to(CLOSES + entry.cycle.grace)
    assert ada.tab().locator("[data-upload-form]").count() == 0


@pytest.mark.media_case(24)
def test_file_that_another_tab_completed_is_received_in_this_one_too(
    computer: Computers, document: Requirement, tmp_path: Path
) -> None:
    ada = computer()
    path = put(tmp_path, "My commentary.pdf", bytes(5000))
    first = ada.tab()
    gate = Gate(first, 1, 2)
    choose(first, document, path)
    until(first, lambda: len(gate.held) == 3, "two parts through")
    second = ada.tab()
    choose(second, document, path)
    arrived(second, document)
    gate.open()
    arrived(first, document)
    assert Upload.objects.get().state == "stored"


def test_film_that_is_made_ready_is_followed_without_a_reload(
    computer: Computers, video: Requirement, tmp_path: Path
) -> None:
    page = computer().tab(has_clock=True)
    choose(page, video, put(tmp_path, "My film.mp4", bytes(2000)))
    arrived(page, video)
    expect(section(page, video).locator("[data-upload-stands]")).to_have_attribute("data-upload-stands", "stored")
    Upload.objects.update(state="processing")
    page.clock.fast_forward(6000)
    expect(state(page, video)).to_have_text(["Received and checked"])
    expect(said(page)).to_have_text("My film.mp4: Received and checked.")
    Upload.objects.update(state="ready")
    page.clock.fast_forward(21_000)
    expect(state(page, video)).to_have_text(["Ready"])
    expect(said(page)).to_have_text("My film.mp4: Ready.")
