"""How a job goes through its due rows."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

logger = logging.getLogger(__name__)


def each_due(verb: Callable[..., object], keys: Iterable[Any], *, at: datetime) -> int:
    """`verb(key, at=at)` for every key, each in the verb's own transaction; how many neither failed nor said False.

    One failure is logged and keeps no other row from its turn. The tick comes again in a minute.
    """
    done = 0
    for key in list(keys):
        try:
            answer = verb(key, at=at)
        except Exception:
            logger.exception("%s failed for %s", getattr(verb, "__qualname__", verb), key)
        else:
            done += answer is not False
    return done
