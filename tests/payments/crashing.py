"""Work in a process of its own that dies by SIGKILL before its n-th step, as on a machine whose power fails.

Steps are what outlives a process: a commit, a statement that writes outside any transaction, a request to a provider.
Between two of them nothing that lasts changes, so that one death there is all of them.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import django
from django.apps import apps
from django.conf import settings

if not apps.ready:
    django.setup()  # once, in the process that forks all the others

from django.db import connection, connections
from requests.adapters import HTTPAdapter

WRITES = ('INSERT INTO "', 'UPDATE "', 'DELETE FROM "')  # as Django writes them; reconcile's own table is a passing one
SETTINGS = ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_URL", "PAYMENT_TIMEOUT_SECONDS"]
SETTINGS += ["MEDIA_ROOT", "REHEARSAL_CLOCK_FILE"]

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload([__name__])


def survives(work: Callable[[], object], *, dies_before: int) -> bool:
    """Whether `work` (which has to be picklable) came to its end, on our database and with our settings."""
    world = {name: getattr(settings, name) for name in SETTINGS}
    child = forks.Process(target=_live, args=(work, dies_before, world, connection.settings_dict["NAME"]))
    child.start()
    child.join(60)
    assert child.exitcode in (0, -signal.SIGKILL), f"it ended with {child.exitcode}"
    _await_rollback()
    return child.exitcode == 0


def _await_rollback() -> None:
    """Until the database has noticed: what was not committed is gone, and so are its locks."""
    gone = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    others = 1
    while others:
        with connection.cursor() as cursor:
            cursor.execute(f"{gone} AND backend_type = 'client backend'")
            (others,) = cursor.fetchone()


def _live(work: Callable[[], object], dies_before: int, world: dict[str, Any], database: str) -> None:
    for name, value in world.items():
        setattr(settings, name, value)
    connections["default"].settings_dict["NAME"] = database
    _die_before(dies_before)
    work()
    connection.close()


def _die_before(number: int) -> None:
    """Watch every step of this process, and let it take so many of them."""
    own, left = connections["default"], number
    commit, send = own.commit, HTTPAdapter.send

    def step() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def write(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if own.get_autocommit() and sql.startswith(WRITES):
            step()
        return execute(sql, params, many, context)

    def commit_after_step() -> None:
        step()
        commit()

    def send_after_step(self: HTTPAdapter, *args: Any, **how: Any) -> Any:
        step()
        return send(self, *args, **how)

    own.execute_wrappers.append(write)
    own.commit = commit_after_step  # type: ignore[method-assign]
    HTTPAdapter.send = send_after_step  # type: ignore[method-assign]
