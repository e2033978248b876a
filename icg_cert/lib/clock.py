"""The portal's one clock.

Nothing else in the project asks what time it is: doors (middleware, the first line of a task, a command) call `now()`
and hand the instant down as `at`. In the demo the clock can be moved, so that three years can be walked in minutes.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The current instant, aware, in UTC; shifted in the demo when somebody moved the rehearsal clock."""
    return timezone.now() + offset()


def wall() -> datetime:
    """The machine's own clock, never moved: for what tells of machines (jobs, their lateness), and for nothing else."""
    return timezone.now()


def offset() -> timedelta:
    """How far the rehearsal clock is ahead of the wall clock; zero outside the demo."""
    if not settings.DEMO:
        return timedelta(0)
    try:
        microseconds = json.loads(_file().read_text())["offset_microseconds"]
    except FileNotFoundError:
        return timedelta(0)
    return timedelta(microseconds=microseconds)


def jump_to(instant: datetime) -> None:
    """Make `now()` answer `instant` and run on from there. Every process of the demo shares the file.

    Raises RuntimeError outside the demo: a certification portal whose clock can be moved decides nothing.
    """
    if not settings.DEMO:
        raise RuntimeError("The clock can be moved only in the demo.")
    ahead = instant - timezone.now()
    temporary = _file().with_suffix(".new")
    temporary.write_text(json.dumps({"offset_microseconds": ahead // timedelta(microseconds=1)}))
    temporary.replace(_file())


def reset() -> None:
    """Return to the wall clock."""
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return Path(settings.REHEARSAL_CLOCK_FILE)
