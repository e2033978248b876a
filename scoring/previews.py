"""A result before its release: made by the very code that will make it, looked at, and undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from scoring import release
from scoring.models import Result, ScoringPolicy
from scoring.standing import Candidate


@contextmanager
def previewed(candidate: Candidate, policy: ScoringPolicy, at: datetime) -> Iterator[Result]:
    """The result as a release at `at` would make it, for as long as the block lasts. Then it has never been.

    Nobody else can see it: it lives in a transaction that is always rolled back.
    """
    with transaction.atomic():
        yield release.make_result(candidate, policy, at)
        transaction.set_rollback(True)
