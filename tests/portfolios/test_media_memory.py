"""A film of 1.3 GB through a real web server, as the portal runs it: gunicorn with threads, WSGI.

There is no ASGI application to test: under ASGI Django reads a synchronous body whole before it sends the first byte,
which for this film would be the film in memory, once for everybody who watches.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from candidates.models import User
from icg_cert import embedded_postgres
from portfolios import media
from portfolios.models import Rendition, Upload
from tests.factories import at, make_entry, make_registration, make_requirement, make_upload

ROOT = Path(__file__).parent.parent.parent
SIZE = 1_300_000_000
MIB = 1024 * 1024
READ = 1 * MIB
GUNICORN = ["gunicorn", "icg_cert.wsgi", "--bind=127.0.0.1:0", "--worker-class=gthread", "--threads=8"]
GUNICORN += ["--no-control-socket"]

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Server:
    process: subprocess.Popen[str]
    worker: int
    port: int
    cookie: str

    @contextmanager
    def get(self, path: str, asked: str = "") -> Iterator[HTTPResponse]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as link:
            link.request("GET", path, headers={"Cookie": self.cookie, **({"Range": asked} if asked else {})})
            with link.getresponse() as response:
                yield response

    def read(self, path: str, asked: str = "") -> tuple[int, int]:
        """Status and bytes of the body, which is thrown away as it comes."""
        length = 0
        with self.get(path, asked) as response:
            while piece := response.read(READ):
                length += len(piece)
        return response.status, length

    @property
    def peak(self) -> int:
        """The most memory its worker ever held, in bytes."""
        status = Path(f"/proc/{self.worker}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@pytest.fixture
def film(candidate: User, tmp_path: Path, settings: Any) -> Upload:
    """Its rendition is a file with a hole: the size of a long film, and nothing on the disk."""
    upload = make_upload(
        make_entry(make_registration(candidate)), make_requirement(key="talk", kind="video"), extension=".mp4"
    )
    key = f"{upload.storage_key}-film"
    path = Path(settings.MEDIA_ROOT) / key
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(SIZE)
    Rendition.objects.create(
        upload=upload, kind="film", storage_key=key, content_type="video/mp4", size=SIZE, made_at=at(2027, 5, 10)
    )
    return upload


@pytest.fixture
def server(candidate: User, tmp_path: Path) -> Iterator[Server]:
    client = Client()
    client.force_login(candidate)
    where = os.environ.get("DATABASE_URL") or embedded_postgres.url(Path(os.environ["ICG_VAR_DIR"]))
    database = f"{where.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "-m", *GUNICORN],
        env={**os.environ, "DATABASE_URL": database, "ICG_VAR_DIR": str(tmp_path)},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port = worker = 0
    for line in process.stderr:
        if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
            port = int(found[1])
        if found := re.search(r"Booting worker with pid: (\d+)", line):
            worker = int(found[1])
            break
    yield Server(process, worker, port, f"sessionid={client.cookies['sessionid'].value}")
    process.send_signal(signal.SIGTERM)
    process.communicate()


@pytest.mark.media_case(37)
def test_memory_stays_flat_while_a_long_film_is_read(server: Server, film: Upload) -> None:
    path = f"/media/{film.pk}/video/"
    assert server.read(path, "bytes=0-99") == (206, 100)
    before = server.peak
    starts = range(0, SIZE, SIZE // 24)
    with ThreadPoolExecutor(8) as pool:
        pieces = list(pool.map(lambda start: server.read(path, f"bytes={start}-"), starts))
    assert pieces == [(206, min(media.MOST, SIZE - start)) for start in starts]
    assert server.read(path) == (200, SIZE)
    assert server.read(path, "bytes=0-1,5-6") == (200, SIZE)
    grown = server.peak - before
    assert grown < 32 * MIB, f"{grown // MIB} MiB"


@pytest.mark.media_case(37)
def test_player_that_reads_slowly_holds_no_thread(server: Server, film: Upload) -> None:
    """Twice as many players as threads ask for the rest of the film and then read nothing: pages come all the same."""
    path = f"/media/{film.pk}/video/"
    assert server.read(path, "bytes=0-99") == (206, 100)
    with ExitStack() as open_links:
        players = [open_links.enter_context(server.get(path, "bytes=0-")) for _ in range(16)]
        assert [player.status for player in players] == [206] * 16
        assert server.read("/healthz")[0] == 200
        assert [len(player.read()) for player in players] == [media.MOST] * 16
