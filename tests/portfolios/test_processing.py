"""From handed in to ready: what workers write, and that none of them ever costs a candidate a film."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from icg_cert.permissions import grant_roles
from portfolios import processing, renditions, storage, tasks, uploads
from portfolios.completeness import is_usable
from portfolios.models import Entry, Requirement, Upload
from portfolios.processing import Claim, Lost, claim, process_next
from portfolios.storage import LocalStore
from tests.factories import MICROSECOND, make_requirement
from tests.portfolios import films
from tests.portfolios.handing_in import hand_in_checked
from tests.threads import run_all_at_once, run_at_once

ROOT = Path(__file__).parent.parent.parent
MINUTE, SILENCE = timedelta(minutes=1), Upload.WORKER_SILENT_AT_MOST
SECONDS = 180


@pytest.fixture(autouse=True)
def own_workplace(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    """Handed in and found good."""
    return handed_in(entry, video, noon)


def handed_in(entry: Entry, video: Requirement, noon: datetime, name: str = "mp4") -> Upload:
    return hand_in_checked(entry, video, noon, films.good(name), f"My film{films.GOOD[name][0]}")


class Watch:
    """A door's clock that goes on by a second at each look, and does something at each."""

    def __init__(self, start: datetime, then: Callable[[], object] = lambda: None) -> None:
        self.at, self.then = start, then

    def __call__(self) -> datetime:
        self.then()
        self.at += timedelta(seconds=1)
        return self.at


def state(upload: Upload) -> tuple[str, int, bool]:
    """State, tries, and whether a worker has it in hand."""
    upload.refresh_from_db()
    return upload.state, upload.processing_tries, upload.percent is not None


def kinds(upload: Upload) -> list[str]:
    return list(upload.renditions.values_list("kind", flat=True))


def files_of(upload: Upload, settings: Any) -> list[str]:
    """What lies in the store, by what is added to the upload's own key."""
    path = settings.MEDIA_ROOT / upload.storage_key
    return sorted(found.name.removeprefix(path.name) for found in path.parent.glob(f"{path.name}*"))


def bytes_of(upload: Upload, kind: str) -> bytes:
    with storage.default().open(renditions.key_of(upload, kind)) as file:
        return file.read()


# ---- Well


def test_film_becomes_ready(film: Upload, noon: datetime, settings: Any) -> None:
    watch = Watch(noon)
    assert process_next(now=watch)
    assert state(film) == ("ready", 1, False)
    assert (film.worked_at, film.is_damaged) == (watch.at, False)
    assert kinds(film) == ["film", "poster"]
    assert files_of(film, settings) == ["", "-film", "-poster"]
    assert bytes_of(film, "film")[4:8] == b"ftyp"
    assert list(Event.objects.filter(verb="upload.process").values_list("at", flat=True)) == [watch.at]
    assert list((settings.VAR_DIR / "processing").iterdir()) == []
    assert not Message.objects.exists()
    assert not process_next(now=watch)


def test_film_that_browsers_play_can_be_watched_before_it_is_ready(film: Upload, noon: datetime) -> None:
    seen = []
    process_next(now=Watch(noon, lambda: seen.append((film.renditions.filter(kind="quick").count(), state(film)[0]))))
    assert (1, "processing") in seen
    assert kinds(film) == ["film", "poster"]


def test_film_that_browsers_do_not_play_is_not_copied(entry: Entry, video: Requirement, noon: datetime) -> None:
    film, seen = handed_in(entry, video, noon, "vp8"), set()
    process_next(now=Watch(noon, lambda: seen.update(kinds(film))))
    assert (state(film)[0], seen) == ("ready", {"poster", "film"})


@pytest.mark.media_case(34)
@pytest.mark.parametrize("name", ["telling", "apple"])
def test_nothing_made_of_a_film_tells_where_it_was_taken(
    entry: Entry, video: Requirement, noon: datetime, name: str
) -> None:
    film, made = handed_in(entry, video, noon, name), {}
    process_next(now=Watch(noon, lambda: made.update({kind: bytes_of(film, kind) for kind in kinds(film)})))
    assert sorted(made) == ["film", "poster", "quick"] or sorted(made) == ["poster", "quick"]
    made["film"] = bytes_of(film, "film")
    for body in made.values():
        assert [part for part in (b"38.97", b"095.23", b"Ada", b"ISO6709", b"Lakeside") if part in body] == []


def test_film_with_bits_that_fell_over_is_ready_and_said_to_be_damaged(
    entry: Entry, video: Requirement, noon: datetime, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    body = films.flipped(films.good("faststart"), every=499)
    film = hand_in_checked(entry, video, noon, body, "My film.mp4")
    process_next(now=Watch(noon))
    assert (state(film), film.is_damaged) == (("ready", 1, False), True)
    assert f"upload {film.pk} is damaged" in caplog.text
    assert "My film" not in caplog.text
    assert str(settings.MEDIA_ROOT) not in caplog.text


def test_worker_says_how_far_it_is(film: Upload, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "BEAT_SECONDS", 0)
    seen: list[int | None] = []

    def look() -> None:
        film.refresh_from_db()
        seen.append(film.percent)

    process_next(now=Watch(noon, look))
    assert seen[0] is None
    assert (seen[1], seen[-1]) == (0, 99)
    assert [percent for percent in seen if percent] == sorted(percent for percent in seen if percent)


def test_oldest_film_comes_first(entry: Entry, video: Requirement, noon: datetime) -> None:
    several = make_requirement(key="several", kind="video", maximum=3)
    made = [handed_in(entry, several, noon + hours * timedelta(hours=1)) for hours in (2, 0, 1)]
    order = [found.upload.pk for _ in made if (found := claim(at=noon + timedelta(hours=3)))]
    assert order == [made[1].pk, made[2].pk, made[0].pk]


class Elsewhere(LocalStore):
    """A store whose files are not on this machine's disk."""

    def path(self, key: str) -> Path | None:
        return None


def test_film_that_lies_elsewhere_is_fetched_first(
    film: Upload, noon: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    here = storage.default()
    elsewhere = Elsewhere(here.root, here.part_url, here.lifetime)
    monkeypatch.setattr(storage, "default", lambda: elsewhere)
    process_next(now=Watch(noon))
    assert state(film) == ("ready", 1, False)
    assert list((settings.VAR_DIR / "processing").iterdir()) == []


# ---- Gone meanwhile


def replace(film: Upload) -> None:
    Upload.objects.filter(pk=film.pk).update(state=Upload.State.REPLACED)


def withdraw(film: Upload) -> None:
    Upload.objects.filter(pk=film.pk).update(state=Upload.State.WITHDRAWN)


def remove(film: Upload) -> None:
    uploads.remove(film.pk, by=film.owner, at=film.created_at)


@pytest.mark.parametrize("end", [remove, replace, withdraw])
@pytest.mark.parametrize("when", ["claimed", "quick", "film"])
def test_film_that_goes_meanwhile_leaves_nothing_derived(
    film: Upload, noon: datetime, end: Callable[[Upload], None], when: str, settings: Any
) -> None:
    """The poster was made by the check, and belongs to the file until it is purged."""
    done: list[str] = []

    def look() -> None:
        reached = state(film)[2] if when == "claimed" else when in kinds(film)
        if reached and not done:
            done.append(when)
            end(film)

    assert process_next(now=Watch(noon, look))
    film.refresh_from_db()
    assert done
    assert film.state in Upload.GONE
    assert kinds(film) == ["poster"]
    assert files_of(film, settings) == ["", "-poster"]
    assert not Event.objects.filter(verb="upload.process").exists()


def test_each_verb_looks_whether_the_film_is_still_its_own(film: Upload, noon: datetime) -> None:
    late = claim(at=noon)
    assert late is not None
    heir = claim(at=noon + SILENCE)
    assert heir is not None
    before = Upload.objects.values().get(pk=film.pk)
    verbs: list[Callable[[Claim], None]] = [
        lambda own: processing.beat(own, 50, at=noon + SILENCE),
        lambda own: processing.finish(own, is_damaged=True, at=noon + SILENCE),
        lambda own: processing.fail(own, at=noon + SILENCE),
        processing.give_back,
    ]
    for verb in verbs:
        with pytest.raises(Lost):
            verb(late)
    assert Upload.objects.values().get(pk=film.pk) == before
    processing.finish(heir, is_damaged=False, at=noon + SILENCE)
    assert state(film)[0] == "ready"


def test_worker_believed_dead_leaves_the_film_to_its_heir(film: Upload, noon: datetime, settings: Any) -> None:
    """It was only asleep. What the heir has made stays."""
    heirs: list[Claim] = []

    def look() -> None:
        if "quick" in kinds(film) and not heirs:
            found = claim(at=noon + timedelta(hours=1))
            assert found is not None
            heirs.append(found)

    process_next(now=Watch(noon, look))
    assert state(film) == ("processing", 2, True)
    assert files_of(film, settings) == ["", "-poster", "-quick"]
    processing.give_back(heirs[0])
    process_next(now=Watch(noon + timedelta(hours=1)))
    assert files_of(film, settings) == ["", "-film", "-poster"]


# ---- Ours


@pytest.fixture
def broken(settings: Any) -> None:
    settings.FFMPEG = "/bin/false"


@pytest.mark.media_case(35)
def test_failure_of_ours_is_tried_three_times_and_blamed_on_nobody(
    film: Upload, noon: datetime, broken: None, settings: Any
) -> None:
    wait, longer = Upload.PROCESSING_WAITS
    first = noon + wait + MINUTE
    for since, worked, found in [
        (noon, True, ("processing", 1, False)),
        (noon + wait, False, ("processing", 1, False)),  # the watch of the first try went on by two seconds
        (first, True, ("processing", 2, False)),
        (first + longer, False, ("processing", 2, False)),
        (first + longer + MINUTE, True, ("failed", 3, False)),
        (first + timedelta(days=9), False, ("failed", 3, False)),
    ]:
        assert process_next(now=Watch(since)) == worked
        assert state(film) == found
        assert is_usable(film)
    assert files_of(film, settings) == ["", "-poster"]
    assert Event.objects.filter(verb="upload.fail").count() == 1
    assert not Message.objects.exists()
    assert storage.default().size(film.storage_key) == film.size
    tasks.check_uploads()
    assert state(film) == ("failed", 3, False)


def test_waits_end_to_the_microsecond(film: Upload, noon: datetime) -> None:
    for tries, wait in enumerate(Upload.PROCESSING_WAITS, start=1):
        Upload.objects.update(processing_tries=tries, worked_at=noon)
        assert not Upload.objects.awaiting_processing(noon + wait - MICROSECOND).exists()
        assert Upload.objects.awaiting_processing(noon + wait).exists()


@pytest.mark.media_case(35)
def test_failure_of_ours_can_still_end_well(film: Upload, noon: datetime, settings: Any) -> None:
    settings.FFMPEG = "/bin/false"
    process_next(now=Watch(noon))
    settings.FFMPEG = ""
    process_next(now=Watch(noon + 2 * MINUTE))
    assert (state(film), kinds(film)) == (("ready", 2, False), ["film", "poster"])


@pytest.mark.media_case(35)
def test_film_that_takes_too_long_waits_for_another_try(
    film: Upload, noon: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(processing.Film, "seconds", 0)
    process_next(now=Watch(noon))
    assert state(film) == ("processing", 1, False)
    assert files_of(film, settings) == ["", "-poster"]
    assert list((settings.VAR_DIR / "processing").iterdir()) == []


def test_full_disk_is_our_failure_and_leaves_no_half_film(
    film: Upload, noon: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise storage.DiskFull("no room")

    monkeypatch.setattr(renditions, "keep", full)
    process_next(now=Watch(noon))
    assert state(film) == ("processing", 1, False)
    assert files_of(film, settings) == ["", "-poster"]


@pytest.mark.media_case(35)
def test_film_of_a_worker_that_died_is_taken_up_after_two_minutes(film: Upload, noon: datetime) -> None:
    assert claim(at=noon) is not None
    assert claim(at=noon + SILENCE - MICROSECOND) is None
    assert claim(at=noon + SILENCE) is not None
    assert state(film) == ("processing", 2, True)


def test_film_that_kills_every_worker_is_given_up(film: Upload, noon: datetime) -> None:
    for tries in range(3):
        assert claim(at=noon + tries * SILENCE) is not None
    over = noon + 3 * SILENCE
    assert claim(at=over) is None
    assert not processing.release_abandoned(film.pk, at=over - MICROSECOND)
    assert [processing.release_abandoned(film.pk, at=over) for _ in range(2)] == [True, False]
    assert state(film) == ("failed", 3, False)
    assert is_usable(film)
    assert Event.objects.filter(verb="upload.fail").count() == 1


def test_job_gives_up_what_kills_every_worker(film: Upload, noon: datetime) -> None:
    Upload.objects.update(processing_tries=3, percent=7, worked_at=noon)
    clock.jump_to(noon + SILENCE)
    assert [tasks.give_up_films(), tasks.give_up_films()] == [1, 0]
    assert state(film)[0] == "failed"


@pytest.mark.media_case(35)
def test_worker_that_is_told_to_end_gives_the_film_back(film: Upload, noon: datetime, settings: Any) -> None:
    assert process_next(now=Watch(noon), is_stopping=lambda: True)
    assert (state(film), film.worked_at) == (("processing", 0, False), None)
    assert files_of(film, settings) == ["", "-poster"]
    assert claim(at=noon) is not None


# ---- What people read


def told_to(user: User, film: Upload) -> str:
    client = Client()
    client.force_login(user)
    return client.get(f"/entries/{film.entry_id}/").content.decode()


def test_candidate_reads_how_far_it_is(film: Upload, candidate: User, noon: datetime) -> None:
    clock.jump_to(noon)
    Upload.objects.update(percent=43, worked_at=noon)
    page = told_to(candidate, film)
    assert ("Received and checked" in page, "Being prepared for the scorers: 43 %" in page) == (True, True)
    assert reverse("portfolios:media-poster", args=[film.pk]) in page


@pytest.fixture
def given_up(film: Upload, noon: datetime) -> Upload:
    Upload.objects.update(state=Upload.State.FAILED, processing_tries=3, worked_at=noon)
    return film


def test_candidate_reads_nothing_of_our_failure(given_up: Upload, candidate: User, noon: datetime) -> None:
    clock.jump_to(noon)
    page = BeautifulSoup(told_to(candidate, given_up), "html.parser").get_text()
    assert "Received and checked" in page
    assert [words for words in ("delayed", "Being prepared", "fail", "Needs another") if words in page] == []


def test_try_again_gives_three_more_tries(given_up: Upload, staff: User, noon: datetime) -> None:
    processing.try_again(given_up.pk, by=staff, at=noon)
    assert state(given_up) == ("processing", 0, False)
    assert Event.objects.filter(verb="upload.try_again", actor=staff).count() == 1
    process_next(now=Watch(noon))
    assert state(given_up)[0] == "ready"


def test_try_again_is_for_films_that_were_given_up(film: Upload, staff: User, noon: datetime) -> None:
    for found, tries in [("processing", 1), ("ready", 1), ("failed", 0)]:
        Upload.objects.update(state=found, processing_tries=tries)
        with pytest.raises(Refused) as caught:
            processing.try_again(film.pk, by=staff, at=noon)
        assert caught.value.code == "not-given-up"


def test_staff_find_films_that_could_not_be_prepared_and_have_them_prepared_again(
    given_up: Upload, staff: User, noon: datetime
) -> None:
    grant_roles()
    clock.jump_to(noon)
    client = Client()
    client.force_login(staff)
    page = client.get("/dashboard/").content.decode()
    assert "Films that could not be prepared" in page
    assert "Files we could not check" not in page
    address = f"{reverse('admin:portfolios_upload_changelist')}?state__exact=failed&processing_tries__gt=0"
    assert address.replace("&", "&amp;") in page
    assert str(given_up) in client.get(address).content.decode()
    asked = {"action": "prepare_again", "_selected_action": [str(given_up.pk)]}
    for words in ("prepared again as soon as a worker is free", "Only films that could not be prepared"):
        assert words in client.post("/admin/portfolios/upload/", asked, follow=True).content.decode()
    assert state(given_up) == ("processing", 0, False)


def test_staff_see_how_far_a_film_is_and_that_it_waits_too_long(film: Upload, staff: User, noon: datetime) -> None:
    grant_roles()
    Upload.objects.update(percent=43, worked_at=noon)
    client = Client()
    client.force_login(staff)
    assert '<td class="field-percent">43</td>' in client.get("/admin/portfolios/upload/").content.decode()
    for later, is_said in [(timedelta(hours=24) - MINUTE, False), (timedelta(hours=24) + MINUTE, True)]:
        clock.jump_to(noon + later)
        assert ("Films that wait for a day" in client.get("/dashboard/").content.decode()) == is_said


# ---- Two at once, and real processes


@pytest.mark.media_case(43)
@pytest.mark.django_db(transaction=True)
def test_three_workers_claim_a_film_once(film: Upload, noon: datetime) -> None:
    claims = run_at_once(lambda: claim(at=noon), times=3)
    assert [found.upload.pk for found in claims if found] == [film.pk]
    assert state(film) == ("processing", 1, True)


@pytest.mark.media_case(43)
@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_queue(entry: Entry, video: Requirement, noon: datetime) -> None:
    several = make_requirement(key="several", kind="video", maximum=4)
    made = [handed_in(entry, several, noon + minute * MINUTE) for minute in range(4)]

    def work() -> int:
        watch, done = Watch(noon), 0
        while process_next(now=watch):
            done += 1
        return done

    assert sum(run_all_at_once([work, work])) == 4
    assert [state(film) for film in made] == [("ready", 1, False)] * 4
    assert Event.objects.filter(verb="upload.process").count() == 4


@pytest.fixture
def long_film(transactional_db: None, entry: Entry, video: Requirement, noon: datetime) -> Upload:
    """Takes seconds to make ready. All processes of the test share its clock."""
    clock.jump_to(noon)
    body = films.film(".mp4", *films.H264, *films.AAC, seconds=20, size="1280x720", rate="30")
    return hand_in_checked(entry, video, noon, body, "Film.mp4")


@pytest.fixture
def start(tmp_path: Path, transactional_db: None) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts real media workers on the test's database and files."""
    started: list[tuple[subprocess.Popen[bytes], Timer]] = []

    def begin(*options: str) -> "subprocess.Popen[bytes]":
        environment = {"ICG_VAR_DIR": str(tmp_path), "DATABASE_URL": database(), "ICG_TESTING": "1", "ICG_DEMO": "1"}
        command = [sys.executable, "manage.py", "process_media", *options]
        with (tmp_path / "said").open("wb") as said:
            process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT, stderr=said)
        impatience = Timer(SECONDS, process.kill)
        impatience.start()
        started.append((process, impatience))
        return process

    yield begin
    for process, impatience in started:
        impatience.cancel()
        process.kill()
        process.wait()


def database() -> str:
    settings = connection.settings_dict
    where = quote(settings["HOST"], safe="")
    return f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{where}/{settings['NAME']}"


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + SECONDS
    while not is_so():
        assert monotonic() < deadline


def ffmpegs(folder: Path) -> int:
    return sum(is_ffmpeg_of(process, folder) for process in Path("/proc").glob("[0-9]*"))


@pytest.mark.media_case(35)
def test_worker_that_is_killed_costs_nothing(
    long_film: Upload, start: Callable[..., "subprocess.Popen[bytes]"], tmp_path: Path, settings: Any
) -> None:
    first = start()
    wait_until(lambda: "quick" in kinds(long_film) and ffmpegs(tmp_path) == 1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    wait_until(lambda: ffmpegs(tmp_path) == 0)
    assert state(long_film) == ("processing", 1, True)
    assert files_of(long_film, settings) == ["", "-poster", "-quick"]
    assert storage.default().is_intact(
        long_film.storage_key, fingerprint=long_film.tree_sha256, part_size=long_film.part_size
    )
    Upload.objects.update(worked_at=F("worked_at") - SILENCE)
    assert start("--once").wait() == 0
    assert state(long_film) == ("ready", 2, False)
    assert files_of(long_film, settings) == ["", "-film", "-poster"]
    assert list((tmp_path / "processing").iterdir()) == []


@pytest.mark.media_case(35)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_that_is_asked_to_end_gives_its_film_back(
    long_film: Upload,
    start: Callable[..., "subprocess.Popen[bytes]"],
    tmp_path: Path,
    settings: Any,
    number: signal.Signals,
) -> None:
    worker = start()
    wait_until(lambda: ffmpegs(tmp_path) == 1)
    worker.send_signal(number)
    assert (worker.wait(), "Traceback" in (tmp_path / "said").read_text()) == (0, False)
    assert (state(long_film), ffmpegs(tmp_path)) == (("processing", 0, False), 0)
    assert list((tmp_path / "processing").iterdir()) == []


@pytest.mark.media_case(35)
def test_ffmpeg_that_is_killed_is_a_failed_try(
    long_film: Upload, noon: datetime, tmp_path: Path, settings: Any
) -> None:
    """By whoever is short of memory, say."""
    killed: list[str] = []

    def look() -> None:
        if "quick" in kinds(long_film) and ffmpegs(tmp_path) and not killed:
            killed.append("film")
            for process in Path("/proc").glob("[0-9]*"):
                if is_ffmpeg_of(process, tmp_path):
                    os.kill(int(process.name), signal.SIGKILL)

    process_next(now=Watch(noon, look))
    assert (killed, state(long_film)) == (["film"], ("processing", 1, False))
    assert files_of(long_film, settings) == ["", "-poster", "-quick"]


def is_ffmpeg_of(process: Path, folder: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"ffmpeg" in words[0] and any(str(folder).encode() in word for word in words)


@pytest.mark.django_db(transaction=True)
def test_command_works_until_nothing_is_due(entry: Entry, video: Requirement, noon: datetime) -> None:
    clock.jump_to(noon)
    several = make_requirement(key="several", kind="video", maximum=2)
    made = [handed_in(entry, several, noon + minute * MINUTE) for minute in range(2)]
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    call_command("process_media", "--once")
    for number, handler in zip((signal.SIGTERM, signal.SIGINT), handlers, strict=True):
        signal.signal(number, handler)
    assert [state(film)[0] for film in made] == ["ready", "ready"]
