"""A film made ready by the portal's worker beside the same two ffmpeg commands given by hand, in turns."""

import subprocess
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import imageio_ffmpeg

from icg_cert.lib import clock
from portfolios import processing, storage, transcoding
from portfolios.models import Entry, Upload
from tests import factories
from tests.portfolios import films

ROUNDS = 3
SECONDS = 60
PROGRAM = imageio_ffmpeg.get_ffmpeg_exe()


def made_ready() -> None:
    """The worker also claims the row, shows signs of life, confines ffmpeg, and keeps what it made on the disk."""
    body = films.film(".mp4", *films.H264, *films.AAC, seconds=SECONDS, size="1280x720", rate="30")
    rounds = [(_by_hand(body), _by_the_worker(body)) for _ in range(ROUNDS)]
    ratios, hand = [worker / hand for hand, worker in rounds], median(hand for hand, _ in rounds)
    worker = median(worker for _, worker in rounds)
    print(f"\n{'a minute of 720p':<26}{'seconds':>10}{'of by hand: median':>27}{'highest':>9}")
    print(f"{'ffmpeg by hand':<26}{hand:>10.1f}")
    print(f"{'media worker':<26}{worker:>10.1f}{median(ratios):>26.0%} {max(ratios):>8.0%}")


def _by_hand(body: bytes) -> float:
    with TemporaryDirectory() as name:
        folder = Path(name)
        film = transcoding.Film(folder / "original", "mov", SECONDS * 1000)
        film.path.write_bytes(body)
        begin = perf_counter()
        for command in (transcoding.copying, transcoding.converting):
            arguments = command(film, folder / f"{command.__name__}.mp4")
            subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
        return perf_counter() - begin


def _by_the_worker(body: bytes) -> float:
    upload = factories.make_upload(
        Entry.objects.filter(status=Entry.Status.DRAFT).first(),
        state=Upload.State.PROCESSING,
        extension=".mp4",
        size=len(body),
        duration_ms=SECONDS * 1000,
    )
    storage.default().put(upload.storage_key, BytesIO(body), content_type="video/mp4")
    begin = perf_counter()
    assert processing.process_next(now=clock.now)
    spent = perf_counter() - begin
    upload.refresh_from_db()
    assert (upload.state, upload.is_damaged) == (Upload.State.READY, False)
    return spent
