"""`make run` from the outside: the real processes, from the first line to the last."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from threading import Timer
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent.parent
SECONDS = 300


def serve(var: Path, port: int) -> subprocess.Popen[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**inherited, "ICG_VAR_DIR": str(var), "PORT": str(port), "ICG_DEMO": "1", "DATABASE_URL": ""}
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture
def port() -> int:
    """With the two after it, which the stand-ins take."""
    for number in Random().sample(range(11_000, 14_000), 100):
        with ExitStack() as held, suppress(OSError):
            for taken in range(number, number + 3):
                held.enter_context(socket.socket()).bind(("127.0.0.1", taken))
            return number
    raise AssertionError("no three ports are free")


@pytest.fixture
def portal(var: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = serve(var, port)
    impatience = Timer(SECONDS, process.kill)
    impatience.start()
    yield process
    impatience.cancel()
    if process.poll() is None:
        process.terminate()
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended without saying {words!r}:\n{said}")


def processes_of(var: Path) -> list[str]:
    """The command lines of all processes that were started with this var folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(var).encode() in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_leaves_nothing_behind(
    portal: subprocess.Popen[str], var: Path, port: int, ending: signal.Signals
) -> None:
    said = read_until(portal, "Ctrl-C stops it")
    assert f"The portal is ready: http://localhost:{port}/" in said
    assert [
        role for role in ("candidate", "scorer", "lead scorer", "staff", "finance") if f"  {role} " not in said
    ] == []
    with urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.read() == b"ok"
    with urlopen(f"http://127.0.0.1:{port}/.well-known/jwks.json") as answer:
        assert len(json.load(answer)["keys"]) == 1
    running = " ".join(processes_of(var))
    assert [name for name in ("gunicorn", "worker", "beat", "postgres", "process_media") if name not in running] == []
    portal.send_signal(ending)
    portal.communicate()
    assert (portal.returncode, processes_of(var)) == (0, [])


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.media_case(35)
def test_serve_starts_a_media_worker_anew_that_was_killed(portal: subprocess.Popen[str], var: Path, port: int) -> None:
    read_until(portal, "Ctrl-C stops it")
    (first,) = media_workers(var)
    os.kill(first, signal.SIGKILL)
    while (found := media_workers(var)) in ([], [first]):
        assert portal.poll() is None
    assert len(found) == 1
    with urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.read() == b"ok"


def media_workers(var: Path) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = str(var).encode() in (folder / "environ").read_bytes()
            is_media = b"process_media" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        found += [int(folder.name)] if is_ours and is_media else []
    return found


def test_serve_says_in_one_sentence_that_the_port_is_taken(var: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said, _ = serve(var, port).communicate(timeout=SECONDS)
    last = f"CommandError: Port {port} is taken. Stop what uses it, or choose another: make run PORT={port + 10}"
    assert said.strip().splitlines()[-1] == last


def make(*arguments: str) -> tuple[int, list[str]]:
    command = ["make", "--no-print-directory", *arguments]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    finished = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True)
    return finished.returncode, [line for line in finished.stderr.splitlines() if not line.startswith("make:")]


@pytest.mark.requires("make")
def test_make_says_in_one_sentence_that_python_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    status, said = make("run", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert status != 0
    assert said == [
        "The portal needs Python 3.11, 3.12 or 3.13. Install one, or name it: make run PYTHON=/path/to/python3.12"
    ]
    assert not (tmp_path / "venv").exists()


@pytest.mark.requires("make")
def test_make_knows_every_command_of_the_readme() -> None:
    for target in ("run", "test", "lint", "fmt", "bench", "demo-reset", "up"):
        assert make("--dry-run", target)[0] == 0
