"""The portal as real processes on loopback: gunicorn as compose starts it, and nginx with our own rules before it."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
SECONDS_TO_START = 60


@dataclass(frozen=True)
class Portal:
    """`url` without a slash at its end; `pid` of gunicorn, whose children do the work."""

    url: str
    pid: int

    @property
    def peak(self) -> int:
        """Bytes that the worker has held at most, of all its life."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return max(_peak(int(child)) for child in children)


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def running(**environment: str) -> Iterator[Portal]:
    """One process with eight threads. Ends with the block."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "icg_cert.wsgi", f"--bind=127.0.0.1:{port}", "--worker-class=gthread"]
    command += ["--threads=8", "--timeout=120", "--log-level=error", "--no-control-socket"]
    with _process(command, os.environ | environment) as pid:
        _wait(f"http://127.0.0.1:{port}")
        yield Portal(f"http://127.0.0.1:{port}", pid)


@contextmanager
def behind_nginx(portal: Portal, folder: Path) -> Iterator[Portal]:
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    rules = (DEPLOY / "portal.conf").read_text().replace("http://web:8000", portal.url)
    (folder / "portal.conf").write_text(rules)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid; error_log stderr crit;\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}"
        f"server {{ listen 127.0.0.1:{port}; include {folder}/portal.conf; }} }}\n"
    )
    with _process(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], dict(os.environ)):
        _wait(f"http://127.0.0.1:{port}")
        yield Portal(f"http://127.0.0.1:{port}", portal.pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    child = subprocess.Popen(command, env=environment)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def _wait(url: str) -> None:
    begin = perf_counter()
    while True:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):  # noqa: S310  loopback
                return
        except OSError:
            if perf_counter() - begin > SECONDS_TO_START:
                raise
            sleep(0.1)
