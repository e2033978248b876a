"""What the programme has announced: its numbers, its years, its texts, as pages show them. Kept in memory.

See candidates/edition.py for what one may do with these rows.
"""

from datetime import datetime

from candidates import edition
from candidates.models import Cohort, Cycle, PolicyText, Programme


@edition.kept
def programme() -> Programme | None:
    """None until the programme is loaded."""
    return Programme.objects.first()


@edition.kept
def cohorts() -> tuple[Cohort, ...]:
    """All of them, by year."""
    return tuple(Cohort.objects.order_by("year"))


@edition.kept
def cycles() -> tuple[Cycle, ...]:
    """All of them, by year."""
    return tuple(Cycle.objects.order_by("year"))


@edition.kept
def texts() -> dict[str, PolicyText]:
    """The newest version of each text people accept, by its kind."""
    return {text.kind: text for text in PolicyText.objects.order_by("kind", "-version").distinct("kind")}


def cycles_of(cohort: Cohort) -> list[Cycle]:
    """The cycles of a cohort's three years, as far as they are made."""
    return [cycle for cycle in cycles() if cycle.year in cohort.cycle_years]


def current_or_next_cycle(at: datetime) -> Cycle | None:
    return min((cycle for cycle in cycles() if cycle.closes_at > at), key=lambda cycle: cycle.opens_at, default=None)


def open_cohort(at: datetime) -> Cohort | None:
    """The one that registers now; the newest where windows overlap."""
    return max((one for one in cohorts() if one.window.contains(at)), key=lambda one: one.year, default=None)


def foremost_cohort(at: datetime) -> Cohort | None:
    """The cohort the public page speaks of: open now, else opening next, else closed last."""
    upcoming = [cohort for cohort in cohorts() if cohort.registration_closes_at > at]
    if upcoming:
        return min(upcoming, key=lambda cohort: cohort.registration_opens_at)
    return max(cohorts(), key=lambda cohort: cohort.registration_closes_at, default=None)


def next_cohort(at: datetime) -> Cohort | None:
    """The first whose window opens after `at`."""
    ahead = (cohort for cohort in cohorts() if cohort.registration_opens_at > at)
    return min(ahead, key=lambda cohort: cohort.registration_opens_at, default=None)
