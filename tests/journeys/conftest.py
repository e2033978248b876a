"""The office of the journeys, with the programme loaded and the years of one cohort opened."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from candidates import calendar
from tests.factories import at, make_scorer, make_user
from tests.journeys.walk import Cast


@pytest.fixture
def cast(db: None, settings: Settings, tmp_path: Path) -> Cast:
    settings.DEMO = True
    settings.PAYMENT_FAKE_GATEWAY = True
    settings.VAR_DIR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.REHEARSAL_CLOCK_FILE = tmp_path / "rehearsal-clock"
    call_command("load_programme")
    staff = make_user("Stef Stone", "staff")
    calendar.open_year(2026, by=staff, at=at(2026, 10, 1))
    return Cast(
        staff=staff,
        other_staff=make_user("Uma Usman", "staff"),
        finance=make_user("Fay Finch", "finance"),
        scorers=[make_scorer(name) for name in ("Sol Sato", "Tia Torres", "Ulf Unger", "Vera Voss")],
        lead=make_scorer("Lee Lund", "lead scorer"),
    )
