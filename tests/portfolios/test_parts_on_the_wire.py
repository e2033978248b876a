"""Parts over a real socket to a real server: what a browser gets to read when a part is refused."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as current
from django.db import connection

from icg_cert import embedded_postgres
from icg_cert.lib import clock
from portfolios import storage, uploads
from portfolios.models import Entry, Requirement
from portfolios.uploads import Announced

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60
MANY = 24 * 1024 * 1024  # more than the buffers between the two hold


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """The portal as it runs everywhere, on the database, the files and the clock of this test. Its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    url = urlsplit(current.DATABASE_URL or embedded_postgres.url(current.VAR_DIR))
    environment = {
        **os.environ,
        "ICG_VAR_DIR": str(tmp_path),
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
    }
    web = ["-m", "gunicorn", "icg_cert.wsgi", f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=4"]
    server = subprocess.Popen([sys.executable, *web, "--no-control-socket"], env=environment, cwd=ROOT)
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(SECONDS)


def wait_for(port: int) -> None:
    deadline = monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert monotonic() < deadline, "the server never listened"
        else:
            return


def put(port: int, path: str, length: int) -> tuple[int, Any]:
    """All of the body is sent before an answer is read, as browsers do."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as wire:
        wire.request("PUT", path, b"x" * length)
        answer = wire.getresponse()
        return answer.status, answer.read()


@pytest.mark.media_case(19)
def test_refusal_of_a_forged_permission_arrives(portal: int) -> None:
    status, body = put(portal, "/uploads/part/forged", MANY)
    assert (status, b"bad-token" in body) == (403, True)


@pytest.mark.media_case(8, 19)
def test_refusal_of_a_part_that_is_too_long_arrives(
    portal: int, entry: Entry, document: Requirement, noon: datetime
) -> None:
    clock.jump_to(noon)
    announced = Announced("My commentary.pdf", 10, "f" * 64)
    upload, _ = uploads.begin(entry.pk, document.pk, announced, by=entry.registration.user, at=noon)
    (signed,) = uploads.sign(upload.pk, [(1, storage.digest(b"x" * 10))], by=upload.owner, at=noon)
    status, body = put(portal, signed.url, MANY)
    assert (status, b"damaged-part" in body) == (400, True)
    assert put(portal, signed.url, 10)[0] == 200
