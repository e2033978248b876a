"""What stands before the portal and what it holds: nginx with our own rules, and the memory of a worker."""

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

from django.conf import settings

from tests.portal import Portal, free_port

DEPLOY = settings.BASE_DIR / "deploy"
SECONDS_TO_START = 60


def peak(portal: Portal) -> int:
    """Bytes that the worker has held at most, of all its life."""
    pid = portal.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(_peak(int(child)) for child in children)


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def behind_nginx(portal: Portal, folder: Path) -> Iterator[str]:
    """The address of an nginx before this portal. It ends with the block."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    rules = (DEPLOY / "portal.conf").read_text().replace("http://web:8000", f"http://127.0.0.1:{portal.port}")
    (folder / "portal.conf").write_text(rules)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid; error_log stderr crit;\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}"
        f"server {{ listen 127.0.0.1:{port}; include {folder}/portal.conf; }} }}\n"
    )
    child = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _wait(f"http://localhost:{port}")
        yield f"http://localhost:{port}"
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
