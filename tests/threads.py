"""Two at once, for real: threads with their own PostgreSQL connections, started together by a barrier."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import TypeVar

from django.db import connection, transaction

T = TypeVar("T")


def run_at_once(work: Callable[[], T], *, times: int) -> list[T]:
    """The answers of `times` threads that all began `work` at the same moment; the first exception is raised.

    For tests marked `django_db(transaction=True)`: what a plain test wrote is invisible to other connections.
    """
    return run_all_at_once([work] * times)


def run_all_at_once(works: list[Callable[[], T]]) -> list[T]:
    """The same for different pieces of work, in their order."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(one, work) for work in works]]


def run_behind(hold: Callable[[], object], works: list[Callable[[], T]]) -> list[T]:
    """What `works` answer, begun one after the other while `hold` has done its work and not committed it yet.

    Each begins once the one before it waits for a lock (or is through), so that they are let in in their order. For
    tests marked as above.
    """

    def one(work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        with transaction.atomic():
            hold()
            begun: list[Future[T]] = []
            for work in works:
                begun.append(pool.submit(one, work))
                _until(lambda: _waiting() + sum(future.done() for future in begun) >= len(begun))
        return [future.result() for future in begun]


def _until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not is_so():
        assert monotonic() < deadline, "nobody waits"


def _waiting() -> int:
    """How many connections of this database wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees what it saw first
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
