"""Two at once, for real: threads with their own PostgreSQL connections, started together by a barrier."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

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
