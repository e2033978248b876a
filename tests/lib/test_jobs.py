import logging

import pytest

from icg_cert.lib.jobs import each_due
from tests.factories import at

NOON = at(2027, 6, 16, 12)


def test_each_due_goes_through_all_and_counts_what_was_done(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    def verb(key: int, *, at: object) -> bool | None:
        seen.append((key, at))
        if key == 2:
            raise RuntimeError("broken row")
        return {3: False, 4: True}.get(key)

    with caplog.at_level(logging.ERROR):
        assert each_due(verb, iter([1, 2, 3, 4]), at=NOON) == 2
    assert seen == [(key, NOON) for key in (1, 2, 3, 4)]
    assert [record.getMessage().endswith("failed for 2") for record in caplog.records] == [True]


def test_each_due_of_nothing() -> None:
    assert each_due(lambda key, at: True, [], at=NOON) == 0
