"""What ffmpeg makes of real films, and how it is kept within its limits."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import av
import imageio_ffmpeg
import pytest
from PIL import Image

from portfolios import transcoding
from portfolios.checking import containers, videos
from portfolios.transcoding import Failed, Film, converting, copying, is_plain
from tests.portfolios import films

PROGRAM = imageio_ffmpeg.get_ffmpeg_exe()
ROOT = Path(__file__).parent.parent.parent
LARGE = {"seconds": 20, "size": "1280x720", "rate": "30"}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Where ffmpeg works; the film lies beside it."""
    folder = tmp_path / "bench"
    folder.mkdir()
    return folder


def laid(body: bytes, bench: Path, seconds: int = 6) -> Film:
    path = bench.parent / "original"
    path.write_bytes(body)
    return Film(path, containers.family(body[: containers.HEAD]), seconds * 1000)


def run(arguments: list[str], film: Film, bench: Path, tell: Any = lambda percent: None) -> str:
    return transcoding.run(PROGRAM, arguments, film, bench, tell)


@dataclass(frozen=True)
class Seen:
    """What a player would find."""

    picture: str
    size: tuple[int, int]
    turn: int
    sounds: tuple[str, ...]
    streams: int
    seconds: int


def seen(path: Path) -> Seen:
    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        frame = next(container.decode(picture))
        return Seen(
            f"{picture.codec_context.name} {picture.codec_context.pix_fmt}",
            (frame.width, frame.height),
            frame.rotation,
            tuple(sound.codec_context.name for sound in container.streams.audio),
            len(container.streams),
            round((container.duration or 0) / av.time_base),
        )


def plays_at_once(path: Path) -> bool:
    body = path.read_bytes()
    return body.index(b"moov") < body.index(b"mdat")


# ---- What comes out


@pytest.mark.media_case(33, 34)
@pytest.mark.parametrize("name", films.GOOD)
def test_every_film_becomes_one_that_every_browser_plays(name: str, bench: Path) -> None:
    size = (90, 160) if name.startswith("turned") else (160, 90)
    film, made = laid(films.good(name), bench), bench / "film.mp4"
    assert run(converting(film, made), film, bench) == ""
    assert seen(made) == Seen("h264 yuv420p", size, 0, ("aac",), 2, 6)
    assert plays_at_once(made)
    assert told_by(made) == []


@pytest.mark.media_case(34)
@pytest.mark.parametrize("name", ["mp4", "fragmented", "mov", "mkv", "turned left", "uneven", "telling", "apple"])
def test_plain_film_is_copied_without_what_it_tells(name: str, bench: Path) -> None:
    film, made = laid(films.good(name), bench), bench / "quick.mp4"
    assert is_plain(film)
    assert run(copying(film, made), film, bench) == ""
    turn = 90 if name == "turned left" else 0
    assert seen(made) == Seen("h264 yuv420p", (160, 90), turn, ("aac",), 2, 6)
    assert plays_at_once(made)
    assert told_by(made) == []
    assert b"x264" not in made.read_bytes()


def told_by(path: Path) -> list[bytes]:
    """What of place, person and time still stands in the bytes."""
    body = path.read_bytes()
    parts = [b"38.97", b"095.23", b"Ada Abara", b"Lakeside", b"2027-05-09", b"location", b"ISO6709", b"01:02:03"]
    return [part for part in parts if part in body]


@pytest.mark.media_case(34)
def test_films_of_these_tests_tell_what_is_looked_for(bench: Path) -> None:
    assert told_by(laid(films.telling(), bench).path)[:4] == [b"38.97", b"095.23", b"Ada Abara", b"Lakeside"]
    assert b"ISO6709" in told_by(laid(films.apple(), bench).path)
    with av.open(BytesIO(films.telling())) as container:
        assert {stream.type for stream in container.streams} == {"audio", "data", "subtitle", "video"}


@pytest.mark.parametrize("name", ["mjpeg", "hevc", "hlg", "vp9", "vp8", "recorded", "odd"])
def test_film_in_another_coding_is_not_copied(name: str, bench: Path) -> None:
    assert not is_plain(laid(films.good(name), bench))


@pytest.mark.parametrize(
    ("size", "expected"), [("1920x1088", True), ("1088x1920", True), ("1922x1080", False), ("1920x1090", False)]
)
def test_film_is_copied_up_to_1080p(size: str, expected: bool, bench: Path) -> None:
    body = films.film(".mp4", *films.H264, *films.AAC, size=size, rate="1", seconds=2)
    assert is_plain(laid(body, bench)) == expected


def test_film_without_sound_is_made_without_sound(bench: Path) -> None:
    film, made = laid(films.without_sound(), bench), bench / "film.mp4"
    assert is_plain(film)
    assert run(converting(film, made), film, bench) == ""
    assert seen(made) == Seen("h264 yuv420p", (160, 90), 0, (), 1, 6)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("1920x1080", (1280, 720)),
        ("1080x1920", (720, 1280)),
        ("1600x1200", (960, 720)),
        ("3840x1600", (1280, 534)),
        ("1280x720", (1280, 720)),
        ("640x480", (640, 480)),
        ("1080x1080", (720, 720)),
    ],
)
def test_film_becomes_720p_and_never_larger_than_it_was(size: str, expected: tuple[int, int], bench: Path) -> None:
    film = laid(films.film(".mp4", *films.H264, *films.AAC, size=size, rate="1", seconds=2), bench, 2)
    run(converting(film, bench / "film.mp4"), film, bench)
    assert seen(bench / "film.mp4").size == expected


@pytest.mark.media_case(33)
@pytest.mark.parametrize("name", ["mp4", "turned left", "turned right"])
def test_poster_stands_as_the_film_does(name: str, bench: Path) -> None:
    film, made = laid(films.good(name), bench), bench / "film.mp4"
    run(converting(film, made), film, bench)
    with av.open(str(made)) as container:
        first = next(container.decode(video=0)).to_image().resize((8, 8))
    found = videos.check(BytesIO(films.good(name)), "mov", max_ms=None, min_ms=5000, frame_max=(4096, 2304))
    with Image.open(BytesIO(found.poster)) as poster:
        assert far_apart(poster.resize((8, 8)), first) < 20
        assert far_apart(poster.rotate(180).resize((8, 8)), first) > 40


def far_apart(one: Image.Image, other: Image.Image) -> float:
    """How much the colours differ, on the average, from 0 to 255."""
    pairs = zip(one.convert("RGB").tobytes(), other.convert("RGB").tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (8 * 8 * 3)


@pytest.mark.parametrize("name", ["faststart", "mkv"])
def test_film_with_bits_that_fell_over_is_made_and_complained_of(name: str, bench: Path) -> None:
    film, made = laid(films.flipped(films.good(name), every=499), bench), bench / "film.mp4"
    complaints = run(converting(film, made), film, bench)
    assert "rror" in complaints
    assert len(complaints) <= transcoding.TAIL
    assert seen(made).size == (160, 90)


def test_percent_grows_to_the_end(bench: Path) -> None:
    film, told = laid(films.film(".mp4", *films.H264, *films.AAC, **LARGE), bench, 20), []
    run(converting(film, bench / "film.mp4"), film, bench, told.append)
    assert told == sorted(told)
    assert told[-1] == 99
    assert len(set(told)) > 1


# ---- Its limits


@pytest.fixture
def long(bench: Path) -> Film:
    """Takes seconds to make ready."""
    return laid(films.film(".mp4", *films.H264, *films.AAC, **LARGE), bench, 20)


def running(bench: Path) -> list[str]:
    """Processes that were told of this folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(bench).encode() in command and b"ffmpeg" in command.split(b"\0")[0]:
            found.append(command.decode())
    return found


@pytest.mark.media_case(35)
def test_film_that_takes_too_long_is_ended(long: Film, bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Film, "seconds", 0)
    with pytest.raises(Failed, match="not through after 0 seconds"):
        run(converting(long, bench / "film.mp4"), long, bench)
    assert running(bench) == []


@pytest.mark.media_case(35)
def test_whoever_is_told_can_end_it(long: Film, bench: Path) -> None:
    def stop(percent: int) -> None:
        assert running(bench)
        raise KeyError("enough")

    with pytest.raises(KeyError):
        run(converting(long, bench / "film.mp4"), long, bench, stop)
    assert running(bench) == []


def test_film_that_takes_too_much_memory_is_ended(long: Film, bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "MOST_MEMORY", 400 * 1024**2)
    with pytest.raises(Failed, match="ffmpeg ended with"):
        run(converting(long, bench / "film.mp4"), long, bench)


def test_film_that_grows_without_end_is_ended(long: Film, bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Film, "most_bytes", 100_000)
    with pytest.raises(Failed, match="ffmpeg ended with"):
        run(converting(long, bench / "film.mp4"), long, bench)
    assert (bench / "film.mp4").stat().st_size <= 100_000


@pytest.mark.parametrize("family", ["mov", "matroska"])
@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\nfile:{}\n", "ffconcat version 1.0\nfile {}\n", "concat:{}\n"])
def test_text_that_names_another_film_opens_nothing(text: str, family: str, bench: Path) -> None:
    secret = bench.parent / "secret.mp4"
    secret.write_bytes(films.plain())
    film = Film(laid(text.format(secret).encode(), bench).path, family, 6000)
    with pytest.raises(Failed):
        run(converting(film, bench / "film.mp4"), film, bench)


def test_message_names_no_file(bench: Path) -> None:
    film = laid(films.plain()[:2000], bench)
    with pytest.raises(Failed) as caught:
        run(converting(film, bench / "film.mp4"), film, bench)
    assert "the film" in str(caught.value)
    assert str(bench.parent) not in str(caught.value)


@pytest.fixture
def worker(long: Film, bench: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that makes the long film ready and says how far it is."""
    code = (
        "import sys, json; from pathlib import Path; from portfolios import transcoding as t; "
        "program, path, folder = sys.argv[1:]; film = t.Film(Path(path), 'mov', 20000); folder = Path(folder); "
        "t.run(program, t.converting(film, folder / 'film.mp4'), film, folder, "
        "lambda percent: print(json.dumps(percent), flush=True))"
    )
    command = [sys.executable, "-c", code, PROGRAM, str(long.path), str(bench)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.media_case(35)
def test_ffmpeg_dies_with_a_worker_that_is_killed(worker: subprocess.Popen[str], bench: Path) -> None:
    assert worker.stdout is not None
    assert json.loads(worker.stdout.readline()) >= 0
    assert len(running(bench)) == 1
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    deadline = monotonic() + 20
    while running(bench):
        assert monotonic() < deadline, "ffmpeg goes on without its worker"
