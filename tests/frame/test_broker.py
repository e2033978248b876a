"""A real worker takes a tick from a real broker and does the jobs of a real database."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from urllib.parse import quote

import pytest
from django.db import connection

from icg_cert.mail.models import Message
from tests.factories import at

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60
WORKER = [
    "celery",
    "--app=icg_cert",
    "worker",
    "--loglevel=INFO",
    "--pool=solo",
    "--without-gossip",
    "--without-mingle",
]


@pytest.fixture
def message(transactional_db: None) -> Message:
    return Message.objects.create(
        key="hello",
        event="hello",
        to="ada@example.org",
        subject="Hello",
        body_text="Hello",
        body_html="<p>Hello</p>",
        queued_at=at(2020, 1, 1),
        next_try_at=at(2020, 1, 1),
    )


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert any("Ready to accept connections" in line for line in server.stdout)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.communicate()


def test_tick_reaches_a_worker_through_files(message: Message, tmp_path: Path) -> None:
    worker_sends(message, tmp_path)


@pytest.mark.requires("redis-server")
def test_tick_reaches_a_worker_through_redis(message: Message, tmp_path: Path, redis_url: str) -> None:
    worker_sends(message, tmp_path, REDIS_URL=redis_url)


def worker_sends(message: Message, var: Path, **environment: str) -> None:
    """Start a worker on the test database, tick once, and read its log until it has sent the message."""
    environment |= {"ICG_VAR_DIR": str(var), "DATABASE_URL": _url(), "ICG_TESTING": "1", "ICG_DEMO": "1"}
    environment |= {"PYTHONWARNINGS": "ignore", "DJANGO_SETTINGS_MODULE": "icg_cert.settings"}
    for folder in ("queue", "queue-control", "mail"):
        (var / folder).mkdir()
    everything = {**os.environ, **environment}
    worker = subprocess.Popen(
        [sys.executable, "-m", *WORKER],
        env=everything,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    impatience = Timer(SECONDS, worker.kill)
    impatience.start()
    try:
        tick = "from icg_cert.celery import app; app.send_task('icg_cert.celery.tick')"
        subprocess.run([sys.executable, "-c", tick], env=everything, cwd=ROOT, check=True)
        assert worker.stdout is not None
        log = ""
        for line in worker.stdout:
            log += line
            if "send_outbox" in line and "succeeded" in line:
                break
        message.refresh_from_db()
        assert message.state == Message.State.SENT, log
        assert len(list((var / "mail").iterdir())) == 1
    finally:
        impatience.cancel()
        worker.terminate()
        worker.communicate()


def _url() -> str:
    """The test database's, for another process."""
    values = {name: quote(str(value), safe="") for name, value in connection.settings_dict.items()}
    password, port = (values["PASSWORD"] and f":{values['PASSWORD']}"), (values["PORT"] and f":{values['PORT']}")
    return f"postgresql://{values['USER']}{password}@{values['HOST']}{port}/{values['NAME']}"
