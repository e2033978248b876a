"""The portal's web server as it runs for real: gunicorn with threads, in processes of its own that can be killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from tests import object_store
from tests.object_store import ObjectStore

ROOT = Path(__file__).parent.parent
TRIES = 300
PAUSE = 0.2
# As `manage.py serve` starts it.
COMMAND = ["-m", "gunicorn", "icg_cert.wsgi", "--worker-class=gthread", "--threads=8", "--no-control-socket"]


class Portal:
    """On this process's database, with files and clock under `var`. Started at once; `kill` and `start` at will."""

    def __init__(self, var: Path, store: ObjectStore | None = None) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        for name in ("queue", "queue-control", "media", "static"):
            (var / name).mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = {**kept, "ICG_VAR_DIR": str(var), "ICG_DEMO": "1", "LOG_LEVEL": "ERROR"}
        self.environment |= {"BASE_URL": self.url, "DATABASE_URL": _database(), "SECRET_KEY": settings.SECRET_KEY}
        if store:
            store.allow(self.url)
            self.environment |= {"S3_BUCKET": object_store.BUCKET, "S3_ENDPOINT_URL": store.url}
            self.environment |= {"S3_ACCESS_KEY": object_store.ACCESS_KEY, "S3_SECRET_KEY": object_store.SECRET_KEY}
        self.start()

    def start(self) -> None:
        command = [sys.executable, *COMMAND, f"--bind=127.0.0.1:{self.port}", "--log-level=error", "--timeout=120"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)
        for _ in range(TRIES):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PAUSE)
                raise AssertionError("the web server ended by itself")
            with suppress(OSError), urlopen(f"{self.url}/healthz", timeout=5):
                return
        raise AssertionError("the web server does not start")

    def close(self) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL for the master and its worker at once, in the middle of whatever they do."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _database() -> str:
    its = connection.settings_dict
    return f"postgresql://{its['USER']}@{quote(str(its['HOST']), safe='')}/{its['NAME']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
