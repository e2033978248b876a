import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from icg_cert import embedded_postgres

HOLD = """
import sys
from pathlib import Path
from icg_cert import embedded_postgres
print(embedded_postgres.ensure(Path(sys.argv[1]), durable=False), flush=True)
sys.stdin.read()
"""


def hold(var: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(var)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == embedded_postgres.url(var)
    return process


def answer(var: Path) -> int:
    connection = psycopg2.connect(embedded_postgres.url(var))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 42")
        (row,) = cursor.fetchall()
    connection.close()
    return row[0]


def test_embedded_postgres_is_shared_and_stopped_by_the_last(tmp_path: Path) -> None:
    first, second = hold(tmp_path), hold(tmp_path)
    first.communicate()
    assert answer(tmp_path) == 42
    second.communicate()
    with pytest.raises(psycopg2.OperationalError):
        answer(tmp_path)


def test_embedded_postgres_survives_a_killed_user_and_is_then_stopped(tmp_path: Path) -> None:
    with hold(tmp_path) as killed:
        os.kill(killed.pid, signal.SIGKILL)
    assert answer(tmp_path) == 42
    hold(tmp_path).communicate()
    with pytest.raises(psycopg2.OperationalError):
        answer(tmp_path)


def test_embedded_postgres_works_below_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    var = tmp_path / ("a-folder-with-a-long-name-" * 5)
    process = hold(var)
    assert answer(var) == 42
    process.communicate()
    embedded_postgres._socket_dir(var).rmdir()
