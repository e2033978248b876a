"""The demo's clock: named moments of the programme's years, and going there.

Only the demo has it (settings.DEMO; a system check refuses a moved clock elsewhere). What falls due on the way happens
right after a jump, so that the world agrees with the clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO

from django.core.management import CommandError, call_command

from candidates import announced, edition
from candidates.models import Cohort, Cycle
from icg_cert.lib import clock

TODAY = "today"
A_MOMENT = timedelta(minutes=1)
HOUR = timedelta(hours=1)

Moment = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True)
class Jump:
    """One named moment: `value` is what the form posts; `to` None goes back to the wall clock."""

    value: str
    label: str
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the bar shows: the rehearsal's now and where one can go."""

    at: datetime
    jumps: list[Jump]


@edition.kept
def jumps() -> list[Jump]:
    """Every year's moments in order of time, behind "back to today"."""
    moments = [moment for cohort in announced.cohorts() for moment in _of_cohort(cohort)]
    moments += [moment for cycle in announced.cycles() for moment in _of_cycle(cycle)]
    return [Jump(TODAY, "Back to today"), *(Jump(value, label, to) for to, value, label in sorted(moments))]


def _of_cohort(cohort: Cohort) -> list[Moment]:
    year, opens_at, closes_at = cohort.year, cohort.registration_opens_at, cohort.registration_closes_at
    return [
        (opens_at, f"registration-opens-{year}", f"Cohort {year}: registration opens"),
        (closes_at - 15 * HOUR, f"registration-last-day-{year}", f"Cohort {year}: last day to register"),
        (closes_at + A_MOMENT, f"registration-closed-{year}", f"Cohort {year}: registration has closed"),
    ]


def _of_cycle(cycle: Cycle) -> list[Moment]:
    year, settled_at = cycle.year, cycle.closes_at + cycle.grace + A_MOMENT
    return [
        (cycle.opens_at, f"window-open-{year}", f"Entries {year}: the window opens"),
        (cycle.closes_at - HOUR, f"last-hour-{year}", f"Entries {year}: the last hour"),
        (settled_at, f"after-closing-{year}", f"Entries {year}: after closing"),
        (cycle.releases_at, f"release-day-{year}", f"Entries {year}: release day"),
    ]


def go(jump: Jump) -> bool:
    """Move the clock and do what is then due; False when a job failed (the log says which, the clock has moved).

    RuntimeError outside the demo. What happened stays happened when one goes back.
    """
    clock.jump_to(jump.to) if jump.to else clock.reset()
    try:
        call_command("tick", stdout=StringIO())
    except CommandError:
        return False
    return True
