"""Time on task: which gaps count, what saves alone say, two tabs at once, and where the figures are shown."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from candidates.models import User
from icg_cert.lib import clock
from portfolios.models import Requirement
from scoring import queue, sheets, timing
from scoring.models import ReadingTime, Sheet, TimeOnSheet
from scoring.sheets import Content, Rated
from scoring.templatetags.timing import about
from scoring.timing import BETWEEN_BEATS, BETWEEN_SAVES, counted
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_requirement,
    make_upload,
)
from tests.threads import run_at_once

WHEN = at(2027, 7, 1, 9)
SECONDS = timedelta(seconds=1)


@pytest.fixture
def sheet(scorer: User) -> Sheet:
    make_policy()
    clock.jump_to(WHEN)
    return make_reading(make_locked(), scorer)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (timedelta(0), 0),
        (SECONDS - MICROSECOND, 0),
        (30 * SECONDS, 30),
        (BETWEEN_BEATS, 90),
        (BETWEEN_BEATS + MICROSECOND, 0),
        (-SECONDS, 0),
        (timedelta(days=1), 0),
    ],
)
def test_counted_is_what_is_short(gap: timedelta, expected: int) -> None:
    assert counted(WHEN, WHEN + gap, BETWEEN_BEATS) == expected


def beat(sheet: Sheet, by: User, *after: int) -> TimeOnSheet:
    for seconds in after:
        timing.beat(sheet.pk, by=by, at=WHEN + seconds * SECONDS)
    return TimeOnSheet.objects.get(sheet=sheet)


def save(sheet: Sheet, by: User, value: str, when: datetime) -> None:
    sheet.refresh_from_db()
    new = Content({sheet.rubric.criteria.all()[0].pk: Rated(Decimal(value))})
    sheets.save(sheet.pk, version=sheet.version, new=new, by=by, at=when)


def test_beats_add_up_and_lunch_does_not(sheet: Sheet, scorer: User) -> None:
    row = beat(sheet, scorer, 0, 30, 60, 4000, 4030)
    assert (row.seconds, row.is_estimated, row.seen_at) == (90, False, WHEN + 4030 * SECONDS)


def test_beats_of_two_tabs_count_the_time_once(sheet: Sheet, scorer: User) -> None:
    assert beat(sheet, scorer, 0, 10, 30, 40, 60).seconds == 60


def test_a_late_beat_takes_nothing_back(sheet: Sheet, scorer: User) -> None:
    row = beat(sheet, scorer, 0, 60, 30, 90)
    assert (row.seconds, row.seen_at) == (90, WHEN + 90 * SECONDS)


@pytest.mark.django_db(transaction=True)
def test_beats_at_once_count_once(scorer: User, sheet: Sheet) -> None:
    beat(sheet, scorer, 0)
    run_at_once(partial(timing.beat, sheet.pk, by=scorer, at=WHEN + 30 * SECONDS), times=4)
    assert TimeOnSheet.objects.get().seconds == 30


@pytest.mark.django_db(transaction=True)
def test_first_beats_at_once_are_one_row(scorer: User, sheet: Sheet) -> None:
    run_at_once(partial(timing.beat, sheet.pk, by=scorer, at=WHEN), times=4)
    assert TimeOnSheet.objects.count() == 1


def test_saves_alone_are_an_estimate(sheet: Sheet, scorer: User) -> None:
    save(sheet, scorer, "3.00", WHEN)
    save(sheet, scorer, "3.25", WHEN + BETWEEN_SAVES)
    save(sheet, scorer, "3.00", WHEN + 2 * BETWEEN_SAVES + MICROSECOND)
    row = TimeOnSheet.objects.get()
    assert (row.seconds, row.is_estimated) == (600, True)


def test_beside_beats_saves_count_nothing(sheet: Sheet, scorer: User) -> None:
    beat(sheet, scorer, 0, 30)
    save(sheet, scorer, "3.00", WHEN + 45 * SECONDS)
    row = beat(sheet, scorer, 60)
    assert (row.seconds, row.is_estimated) == (60, False)


def test_nothing_counts_on_what_is_final(scorer: User) -> None:
    make_policy()
    final = make_reading(make_locked(), scorer, "3.00", "3.00", "3.00")
    assert timing.beat(final.pk, by=scorer, at=WHEN) is None
    assert TimeOnSheet.objects.count() == 0


def test_beat_on_somebody_elses_sheet_finds_nothing(sheet: Sheet, other_scorer: User) -> None:
    with pytest.raises(Sheet.DoesNotExist):
        timing.beat(sheet.pk, by=other_scorer, at=WHEN)


# ---- What it is for


def test_workload_is_what_is_expected_less_what_was_spent(scorer: User) -> None:
    make_policy()
    ReadingTime.objects.create(factor=make_factor(), minutes=40)
    begun, long, new = make_locked(), make_locked(), make_locked(factor=2)
    film = make_requirement(make_factor(), "talk", kind=Requirement.Kind.VIDEO)
    make_upload(begun, film, duration_ms=600_000)
    open_ = [make_reading(one, scorer) for one in (begun, long, new)]
    make_reading(make_locked(factor=3), scorer, "3.00", "3.00", "3.00")
    for sheet, seconds in zip(open_, (1259, 9000), strict=False):
        TimeOnSheet.objects.create(sheet=sheet, seconds=seconds, seen_at=WHEN)
    found = queue.workload(scorer, WHEN)
    assert found == queue.Workload(1, dict(zip([one.pk for one in open_], (30, 1, 30), strict=True)))
    assert (found.total, found.minutes) == (4, 61)
    clock.jump_to(WHEN)
    client = Client()
    client.force_login(scorer)
    page = BeautifulSoup(client.get("/scoring/").content, "html.parser")
    progress = page.select_one("progress")
    assert progress is not None
    assert (progress["value"], progress["max"]) == ("1", "4")
    assert "1 of 4 final · about 1 hour left" in " ".join(page.get_text(" ").split())


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "5 minutes"),
        (7, "5 minutes"),
        (8, "10 minutes"),
        (42, "40 minutes"),
        (57, "55 minutes"),
        (58, "1 hour"),
        (67, "1 hour"),
        (68, "1¼ hours"),
        (97, "1½ hours"),
        (113, "2 hours"),
        (600, "10 hours"),
    ],
)
def test_about(minutes: int, words: str) -> None:
    assert about(minutes) == words


def test_medians_of_final_readings_where_there_are_enough(scorer: User) -> None:
    make_policy()
    for number, seconds in ((1, (60, 120, 1830, 2400, 9000)), (2, (600,) * 4)):
        for one in seconds:
            sheet = make_reading(make_locked(factor=number), scorer, "3.00", "3.00", "3.00")
            TimeOnSheet.objects.create(sheet=sheet, seconds=one, seen_at=WHEN, is_estimated=False)
    estimated = make_reading(make_locked(factor=2), scorer, "3.00", "3.00", "3.00")
    TimeOnSheet.objects.create(sheet=estimated, seconds=600, seen_at=WHEN)
    assert timing.medians(make_cycle()) == {make_factor(1).pk: (31, 5)}
