"""`manage.py serve`, which `make run` calls: the whole portal on this machine, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from io import StringIO
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from icg_cert.demo import providers

# Celery warns root at length; who runs a demo as root in a container has no choice.
PYTHON = [sys.executable, "-W", "ignore:You're running the worker", "-m"]
MEDIA_WORKER = "process_media"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 10


class Command(BaseCommand):
    help = "Prepare the database, then run web server, workers and beat until Ctrl-C. PORT and HOST choose the address."

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
        stand_ins = [port + 1, port + 2] if settings.STANDS_IN else []
        for number in (port, *stand_ins):
            _refuse_taken_port(host, number, port)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        children: list[subprocess.Popen[bytes]] = []
        try:
            if stand_ins:  # first, for the demo's past has payments
                children.append(_start(providers.command(stand_ins[0], stand_ins[1], settings.BASE_URL)))
                _wait_for_stand_in(children)
            sign_ins = self._prepare()
            children += [_start([*PYTHON, *command]) for command in _commands(host, port)]
            _wait_until_healthy(port, children)
            self.stdout.write(f"\nThe portal is ready: {settings.BASE_URL}/\n\n{sign_ins}")
            self.stdout.write("\nCtrl-C stops it and keeps the data.")
            self.stdout.flush()
            _wait_while_alive(children)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            _stop(children)

    def _prepare(self) -> str:
        """Bring database and files up to date; what the demo's loader says of who can sign in."""
        self.stdout.write("Preparing the database ...")
        self.stdout.flush()
        said = StringIO()
        call_command("prepare", stdout=said)
        if settings.REAL:
            call_command("collectstatic", interactive=False, verbosity=0)
        return said.getvalue()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, start_new_session=True, stdout=None if "-W" in command else subprocess.DEVNULL)


def _commands(host: str, port: int) -> list[list[str]]:
    # One process with threads: its memory is then the cache that counts sign-in attempts. Redis allows for more.
    web = [
        "gunicorn",
        "icg_cert.wsgi",
        f"--bind={host}:{port}",
        "--worker-class=gthread",
        "--threads=8",
        "--no-control-socket",
    ]
    celery = ["celery", "--quiet", "--app=icg_cert"]
    quiet = ["--loglevel=WARNING"]
    return [
        [*web, "--timeout=120", "--log-level=warning"],
        [*celery, "worker", *quiet, "--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"],
        [
            *celery,
            "beat",
            *quiet,
            f"--schedule={settings.VAR_DIR / 'beat'}",
            "--pidfile=",
        ],
        ["django", MEDIA_WORKER],
    ]


def _refuse_taken_port(host: str, port: int, asked: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken. Stop what uses it, or choose another: make run PORT={asked + 10}"
            ) from None


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _wait_for_stand_in(children: list[subprocess.Popen[bytes]]) -> None:
    for _ in range(SECONDS_TO_START * 5):
        _complain_about_the_dead(children)
        try:
            return providers.refuse_silence()
        except CommandError:
            time.sleep(0.2)
    return providers.refuse_silence()


def _wait_until_healthy(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    for _ in range(SECONDS_TO_START * 5):
        _complain_about_the_dead(children)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise CommandError(f"The portal did not answer within {SECONDS_TO_START} seconds; the lines above say why.")


def _wait_while_alive(children: list[subprocess.Popen[bytes]]) -> None:
    while True:
        _revive_the_media_worker(children)
        _complain_about_the_dead(children)
        time.sleep(0.5)


def _revive_the_media_worker(children: list[subprocess.Popen[bytes]]) -> None:
    """Films are what strangers send; one that takes its worker with it must not take the portal as well."""
    for number, child in enumerate(children):
        if MEDIA_WORKER in child.args and child.poll() is not None:  # type: ignore[operator]
            children[number] = _start(child.args)  # type: ignore[arg-type]


def _complain_about_the_dead(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is not None:
            name = next(word for word in child.args if word in ("gunicorn", "celery", "tests.doubles", MEDIA_WORKER))  # type: ignore[union-attr]
            raise CommandError(f"{name!s} ended by itself; the lines above say why.")


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask every child to finish, then end whatever is left of its group."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + SECONDS_TO_STOP
    for child in children:
        try:
            child.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
