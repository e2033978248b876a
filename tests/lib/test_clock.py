from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from icg_cert.lib import clock
from tests.factories import at


@pytest.fixture
def rehearsal(settings: Settings, tmp_path: Path) -> None:
    settings.DEMO = True
    settings.REHEARSAL_CLOCK_FILE = tmp_path / "rehearsal-clock"


def test_clock_jumps_runs_on_and_returns(rehearsal: None) -> None:
    clock.jump_to(at(2027, 6, 15, 23, 59))
    first = clock.now()
    assert timedelta(0) <= first - at(2027, 6, 15, 23, 59) < timedelta(minutes=1)
    assert clock.now() >= first
    clock.reset()
    clock.reset()
    assert clock.offset() == timedelta(0)


def test_clock_cannot_be_moved_outside_the_demo(rehearsal: None, settings: Settings) -> None:
    clock.jump_to(at(2030, 1, 1))
    settings.DEMO = False
    assert clock.offset() == timedelta(0)
    with pytest.raises(RuntimeError):
        clock.jump_to(at(2030, 1, 1))
