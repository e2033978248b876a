from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from icg_cert import celery
from icg_cert.lib import request_id
from icg_cert.management.commands import tick as command

Tick = Callable[..., list[str]]


@celery.app.task(name="tests.seventh")
def seventh() -> int:
    return 7


@celery.app.task(name="tests.broken")
def broken() -> int:
    raise ZeroDivisionError


@celery.app.task(name="tests.named")
def named() -> str:
    return request_id.current.get()


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Tick:
    """Runs a tick of the named jobs; the lines it printed, also into `said` when it fails."""

    def run(*jobs: str, said: StringIO | None = None) -> list[str]:
        monkeypatch.setattr(command, "JOBS", list(jobs))
        said = said or StringIO()
        call_command("tick", stdout=said)
        return said.getvalue().splitlines()

    return run


def test_tick_runs_each_job_in_order_and_says_what_it_did(tick: Tick) -> None:
    assert tick("tests.seventh", "tests.seventh") == ["tests.seventh: 7", "tests.seventh: 7"]


def test_tick_goes_on_after_a_broken_job_and_fails_at_the_end(tick: Tick) -> None:
    said = StringIO()
    with pytest.raises(CommandError, match=r"^1 of 2 jobs failed: tests\.broken$"):
        tick("tests.broken", "tests.seventh", said=said)
    assert said.getvalue() == "tests.seventh: 7\n"


def test_tick_fails_for_a_job_nobody_knows(tick: Tick) -> None:
    with pytest.raises(CommandError, match=r"nobody\.knows"):
        tick("nobody.knows")


def test_tick_gives_each_job_an_id_of_its_own(tick: Tick) -> None:
    first, second = tick("tests.named", "tests.named")
    assert len(first) == len("tests.named: ") + 32
    assert first != second
    assert request_id.current.get() == ""


@pytest.mark.django_db
def test_tick_knows_every_job_of_the_list_and_none_has_anything_to_do_in_an_empty_portal() -> None:
    said = StringIO()
    call_command("tick", stdout=said)
    assert said.getvalue().splitlines() == [f"{name}: 0" for name in celery.JOBS]


def test_beat_sends_one_tick_a_minute() -> None:
    assert celery.app.conf.beat_schedule == {
        "tick": {"task": "icg_cert.celery.tick", "schedule": 60, "options": {"expires": 55}}
    }
