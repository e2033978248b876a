"""The programme's dates as people read them: the banner, and the line of three years. Pure but for rows handed in.

The same items tell the public page and, with a registration, a candidate's own tracker (components/timeline.html).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candidates import announced
from candidates.calendar import day_in, next_registration
from candidates.deadlines import Stage, stage
from candidates.models import Cohort, Cycle, Programme, Registration
from icg_cert.lib.windows import Phase, Window
from portfolios.models import Entry

DONE, DUE, AT_RISK, LATER, NOW = "done", "due", "at_risk", "later", "now"
STATE_OF_PHASE = {Phase.BEFORE: LATER, Phase.OPEN: DUE, Phase.AFTER: DONE}
LAST_DAYS = timedelta(days=7)
LEAP_YEAR = 2000  # only to name a month and a day, of which it has all
WHAT_TO_SUBMIT = {
    Stage.ANY: "Submit any portfolio pieces for {season}",
    Stage.REMAINING: "Submit all remaining pieces",
    Stage.RETAKES: "Submit any retakes",
}
WHAT_STAGE_MEANS = {
    Stage.ANY: "As many of the entries as you have ready, or none.",
    Stage.REMAINING: "Every entry you have not handed in yet.",
    Stage.RETAKES: "New evidence for factors that fell short. What you have accomplished stays yours.",
}
WHAT_IS_TOLD = {
    Stage.ANY: "Receive your scores",
    Stage.REMAINING: "Receive your scores",
    Stage.RETAKES: "Receive your scores and your final certification notice",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a timeline. `ends_at` is half-open; without either instant the dates are not set yet."""

    title: str
    state: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """What the public page says first. `phase` is None while no cohort has been announced at all."""

    headline: str
    phase: Phase | None = None
    cohort: Cohort | None = None
    first_cycle: Cycle | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """What holds every year, in words ("1 November to 31 January"), and when one can register next, if known."""

    registration: str
    submission: str
    release: str
    next_opens_at: datetime | None


def calendar(programme: Programme | None, at: datetime) -> Calendar | None:
    """From the programme's own row; None before it is loaded."""
    if programme is None:
        return None
    upcoming = next_registration(at)
    return Calendar(
        registration=f"{_words(programme.registration_first)} to {_words(programme.registration_last)}",
        submission=f"{_words(programme.submission_first)} to {_words(programme.submission_last)}",
        release=_words(programme.release_on),
        next_opens_at=upcoming.opens_at if upcoming else None,
    )


def _words(month_day: str) -> str:
    day = day_in(LEAP_YEAR, month_day)
    return f"{day.day} {day:%B}"


def banner(at: datetime) -> Banner:
    """Derived from the cohort that is open, opening next, or closed last; there is no text to keep up to date."""
    cohort = announced.foremost_cohort(at)
    if cohort is None:
        return Banner("The next certification dates will be announced here")
    phase = cohort.phase(at)
    headline = {
        Phase.BEFORE: f"{cohort.year} certification opens soon",
        Phase.OPEN: f"{cohort.year} certification open now",
        Phase.AFTER: f"{cohort.year} certification is closed to new candidates",
    }[phase]
    return Banner(headline, phase, cohort, next(iter(announced.cycles_of(cohort)), None))


def of_cohort(cohort: Cohort, cycles: Iterable[Cycle], at: datetime) -> list[Item]:
    """The three-year process of a cohort, with today on it. `cycles` are those of `announced.cycles_of(cohort)`."""
    by_year = {cycle.year: cycle for cycle in cycles}
    items = [_window("Register for certification", cohort.window, at)]
    for year in cohort.cycle_years:
        items += _of_year(cohort, year, by_year.get(year), at)
    return with_today(items, at)


def of_registration(
    registration: Registration,
    cycles: Iterable[Cycle],
    entries: Iterable[Entry],
    at: datetime,
    certified: Cycle | None = None,
) -> list[Item]:
    """The same for one person: paid or not, what they have handed in, and with `certified` (whose release told them
    so) the end of it. `entries` are theirs, with cycle."""
    cohort, by_year = registration.cohort, {cycle.year: cycle for cycle in cycles}
    items = [Item("You registered", DONE, starts_at=registration.registered_at), _fee(registration, at)]
    for year in cohort.cycle_years:
        mine = [entry for entry in entries if entry.cycle.year == year]
        submit, told = _of_year(cohort, year, by_year.get(year), at)
        items += [_with_entries(submit, mine, at), told]
        if certified and certified.year == year:
            return [*items[:-1], Item("You are certified", DONE, starts_at=certified.releases_at)]
    return with_today(items, at)


def _fee(registration: Registration, at: datetime) -> Item:
    closes_at = registration.cohort.registration_closes_at
    if registration.holds_seat:
        return Item("Your seat is held", DONE, note=registration.get_payment_status_display())
    late = closes_at - at < LAST_DAYS
    return Item(
        "Settle the fee", AT_RISK if late else DUE, ends_at=closes_at, note="Without it the registration lapses."
    )


def _with_entries(item: Item, entries: list[Entry], at: datetime) -> Item:
    """In words what is there; a window about to close over drafts is at risk."""
    if not entries:
        return item
    drafts = sum(entry.status == Entry.Status.DRAFT for entry in entries)
    handed_in = sum(entry.status in (Entry.Status.SUBMITTED, Entry.Status.LOCKED) for entry in entries)
    words = [f"{_count(handed_in)} submitted" if handed_in else "", f"{_count(drafts)} in draft" if drafts else ""]
    is_late = item.state == DUE and item.ends_at is not None and item.ends_at - at < LAST_DAYS
    state = AT_RISK if drafts and is_late else item.state
    return replace(
        item, state=state, note=", ".join(filter(None, words)).capitalize() + "." if any(words) else item.note
    )


def _count(number: int) -> str:
    return "one entry" if number == 1 else f"{number} entries"


def _of_year(cohort: Cohort, year: int, cycle: Cycle | None, at: datetime) -> list[Item]:
    allowed = stage(cohort.year, year)
    submit = WHAT_TO_SUBMIT[allowed].format(season=f"{year - 1}-{year}")
    if cycle is None:
        return [
            Item(submit, LATER, note=f"In {year}. {WHAT_STAGE_MEANS[allowed]}"),
            Item(WHAT_IS_TOLD[allowed], LATER, note=f"In {year}."),
        ]
    told = DONE if at >= cycle.releases_at else LATER
    return [
        _window(submit, cycle.window, at, WHAT_STAGE_MEANS[allowed]),
        Item(WHAT_IS_TOLD[allowed], told, starts_at=cycle.releases_at),
    ]


def _window(title: str, window: Window, at: datetime, note: str = "") -> Item:
    return Item(title, STATE_OF_PHASE[window.phase(at)], window.opens_at, window.closes_at, note)


def with_today(items: list[Item], at: datetime) -> list[Item]:
    """The items with "Today" between what is behind and what is ahead; where something is due now, it says so itself.

    Outside of the items' years there is no today to show.
    """
    if any(item.state in (DUE, AT_RISK) for item in items):
        return items
    behind = sum(item.state == DONE for item in items)
    if behind in (0, len(items)):
        return items
    return [*items[:behind], Item("Today", NOW, starts_at=at), *items[behind:]]
