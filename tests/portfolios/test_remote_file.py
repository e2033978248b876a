"""A file that is elsewhere costs few requests and few bytes."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import av
import pytest

from portfolios.checking import pdfs, videos, zips
from portfolios.storage import Unavailable, remote_file
from portfolios.storage.remote_file import BLOCK, RemoteFile
from tests.portfolios import files


class Elsewhere:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, length: int) -> bytes:
        self.asked.append((start, length))
        return self.body[start : start + length]

    def file(self) -> RemoteFile:
        return RemoteFile(len(self.body), self)


class Failing(Elsewhere):
    """Answers a number of times and then once not."""

    def __init__(self, body: bytes, answers: int) -> None:
        super().__init__(body)
        self.answers = answers

    def __call__(self, start: int, length: int) -> bytes:
        if len(self.asked) == self.answers:
            self.asked.append((start, length))
            raise Unavailable("the network is gone")
        return super().__call__(start, length)


@pytest.fixture
def far() -> Elsewhere:
    return Elsewhere(bytes(range(256)) * (BLOCK // 256) * 12 + b"tail")


def test_small_reads_share_a_block(far: Elsewhere) -> None:
    with far.file() as file:
        assert [file.read(100) for _ in range(3)] == [far.body[n : n + 100] for n in (0, 100, 200)]
    assert far.asked == [(0, BLOCK)]


def test_long_reads_are_one_request_around_what_is_here(far: Elsewhere) -> None:
    with far.file() as file:
        file.read(10)
        assert file.read(3 * BLOCK) == far.body[10 : 3 * BLOCK + 10]
        assert file.read() == far.body[3 * BLOCK + 10 :]
    assert far.asked == [(0, BLOCK), (BLOCK, 2 * BLOCK + 10), (3 * BLOCK + 10, 9 * BLOCK - 6)]


def test_last_block_ends_with_the_file_and_few_are_kept(far: Elsewhere) -> None:
    with far.file() as file:
        for block in [*range(13), 12, 0]:
            file.seek(block * BLOCK)
            file.read(1)
    assert far.asked == [*((n * BLOCK, BLOCK) for n in range(12)), (12 * BLOCK, 4), (0, BLOCK)]
    assert remote_file.KEPT < 13


def test_fewer_bytes_than_there_must_be_are_an_error(far: Elsewhere) -> None:
    file = RemoteFile(len(far.body) + 1, far)
    file.seek(-1, 2)
    for verb in (lambda: file.read(1), file.close):
        with pytest.raises(OSError, match="4 of 5 bytes"):
            verb()
    file.close()
    assert file.closed


PDF, DOCX, FILM = files.pdf(30), files.word(*[str(n) * 100 for n in range(900)]), files.film(seconds=300)


def probe_pdf(file: Any) -> None:
    pdfs.check(file, 100)


def probe_docx(file: Any) -> None:
    zips.check(file, ".docx")


def probe_film(file: Any) -> None:
    videos.check(file, "mov", max_ms=None, min_ms=0, frame_max=(4096, 2304))


@pytest.mark.parametrize(("body", "probe"), [(PDF, probe_pdf), (DOCX, probe_docx), (FILM, probe_film)])
def test_network_that_fails_is_never_a_damaged_file(
    monkeypatch: pytest.MonkeyPatch, body: bytes, probe: Callable[[Any], None]
) -> None:
    """At whichever request: a reader that mends, or takes it for the end, must not put the blame on the candidate."""
    monkeypatch.setattr(remote_file, "BLOCK", 512)
    monkeypatch.setattr(remote_file, "KEPT", 1)
    far = Elsewhere(body)
    with far.file() as file:
        probe(file)
    requests = len(far.asked)
    assert requests > 2
    for after in range(requests):
        with pytest.raises(Unavailable), Failing(body, after).file() as file:
            probe(file)


def film_with_its_index_behind(gap: int) -> bytes:
    """A film as a telephone writes it, with `gap` bytes of nothing between the pictures and the index."""
    film = files.film(seconds=30)
    index = film.index(b"moov") - 4
    return film[:index] + (gap + 8).to_bytes(4, "big") + b"free" + bytes(gap) + film[index:]


def test_probe_of_a_long_film_reads_its_ends_alone() -> None:
    far = Elsewhere(film_with_its_index_behind(60 * BLOCK))
    with av.open(far.file(), format="mov") as film:
        assert film.duration == 30_000_000
        film.seek(20_000_000)
        frame: Any = next(film.decode(video=0))
        assert frame.width == 160
    assert sum(length for _, length in far.asked) <= 4 * BLOCK


def test_any_place_reads_the_same_as_here(far: Elsewhere) -> None:
    here, there = BytesIO(far.body), far.file()
    for offset, whence, length in [
        (0, 0, 10),
        (-3, 2, 10),
        (5, 0, 0),
        (BLOCK - 1, 0, 2),
        (-1, 1, 3),
        (2 * BLOCK, 1, -1),
    ]:
        assert here.seek(offset, whence) == there.seek(offset, whence)
        assert here.read(length) == there.read(length)
        assert here.tell() == there.tell()
