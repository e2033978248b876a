"""Names in what a provider, or somebody who says so, has sent: nothing of it is believed before it was looked at."""

from typing import Any
from uuid import UUID

LONGEST = 200


def is_name(value: Any) -> bool:
    """Whether it can be a provider's name of something, and be stored as one."""
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST


def attempt_id(text: Any) -> UUID | None:
    """Our own name of an attempt, as we gave it to the provider; None of anything else."""
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None
