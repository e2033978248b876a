"""The programme's rows, which change a few times a year, kept in this process's memory while they stand.

Every statement that changes one of these tables gives the programme a new edition, in the same transaction: a trigger
does it (`new_edition` in the models), so that no way of writing is forgotten. What was kept under another edition is
read again. So nothing old is ever shown, in whichever process, and nothing has to be told to anybody.

For pages to read. The rows are shared by all requests: change none, and follow no relation that they did not come with.
Verbs read and lock the tables themselves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar
from uuid import UUID

from django.db import connection

T = TypeVar("T")

# What this request has asked already: nothing yet, or a list of the one answer. None outside of requests.
_asked: ContextVar[list[UUID | None] | None] = ContextVar("edition", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """Within, the edition is asked for once, at its first use."""
    token = _asked.set([])
    try:
        yield
    finally:
        _asked.reset(token)


def current() -> UUID | None:
    """The edition that stands; None as long as no programme was ever written, and then nothing is kept."""
    asked = _asked.get()
    if asked:
        return asked[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM candidates_edition")
        row = cursor.fetchone()
    found = row[0] if row else None
    if asked is not None:
        asked.append(found)
    return found


def kept(load: Callable[[], T]) -> Callable[[], T]:
    """Decorates a function that reads the programme: it is asked once for each edition."""
    memory: list[tuple[UUID, T]] = []

    @wraps(load)
    def remembered() -> T:
        edition = current()
        if edition is None:
            return load()
        for of, rows in memory:
            if of == edition:
                return rows
        rows = load()
        memory[:] = [(edition, rows)]  # replaced in one step, for threads
        return rows

    return remembered
