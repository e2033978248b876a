"""What happened in the demo before today, told by the verbs with the instants at which it happened.

`at` is today. The last cycle that closed (S) is being scored; the one before it is released; one cohort is open:
Ada is of cohort S-2, so she has results of her first year and waits for those of her second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import Count

from candidates import calendar, evidence
from candidates.models import Cohort, Cycle, Programme, Registration, User
from icg_cert.demo import acts, cast, files
from icg_cert.demo.cast import Person
from icg_cert.lib.windows import Phase, start_of
from payments import purchase_orders
from portfolios.models import Entry
from scoring import assignment, benchmarks, privacy, release, standards
from scoring.models import Sheet, Standard
from scoring.privacy import Choices

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL_FACTORS = range(1, 8)
DIRECTIONS = (
    "Hand in documents as PDF or Word and videos as MP4. Hold the telephone sideways, place it near both speakers, and "
    "play ten seconds before you begin in earnest.\n\nCall your files what they show, and nobody by name."
)

People = dict[Person, User]


@dataclass(frozen=True, slots=True)
class Years:
    """The rows the story plays in."""

    released: Cycle
    scoring: Cycle
    second_year: Cohort
    first_year: Cohort
    newest: Cohort


def tell(people: dict[Person, User], *, at: datetime) -> None:
    """Everything, oldest first. Needs the programme loaded and an empty world beside it."""
    years = _years(at)
    acts.fill_in_the_vendor(years.newest.registration_opens_at)
    _released_cycle(people, years)
    _cycle_in_scoring(people, years, at)
    _registering_now(people, years.newest, at)


def _years(at: datetime) -> Years:
    """Cohorts and cycles by the calendar, with two liberties: registration is open today, and a cycle is scored now."""
    year, programme = at.astimezone(ZoneInfo(settings.TIME_ZONE)).year, Programme.objects.get()
    closed = [each for each in (year - 1, year) if calendar.submission_window(programme, each).closes_at < at - DAY]
    for cohort_year in range(closed[-1] - 2, year + 1):
        calendar.open_year(cohort_year, by=None, at=at)
    Cycle.objects.filter(closes_at__gt=at).update(directions=DIRECTIONS)
    scoring = Cycle.objects.get(year=closed[-1])
    if scoring.releases_at < at:
        scoring.releases_at = start_of((at + 14 * DAY).date(), settings.TIME_ZONE) + 9 * HOUR
        scoring.save(update_fields=["releases_at"])
    return Years(
        released=Cycle.objects.get(year=scoring.year - 1),
        scoring=scoring,
        second_year=Cohort.objects.get(year=scoring.year - 2),
        first_year=Cohort.objects.get(year=scoring.year - 1),
        newest=_open_cohort(at),
    )


def _open_cohort(at: datetime) -> Cohort:
    """The cohort open today; outside of the announced windows the next one opened three weeks ago."""
    cohort = Cohort.objects.filter(registration_closes_at__gt=at).order_by("year")[:1].get()
    if cohort.phase(at) == Phase.BEFORE:
        cohort.registration_opens_at = at - 21 * DAY
        cohort.save(update_fields=["registration_opens_at"])
    return cohort


def _released_cycle(people: People, years: Years) -> None:
    """Ada hands in three entries, Eva all seven; both learn their results. Eva is certified; Ada has one verified."""
    cycle, cohort = years.released, years.second_year
    for person, factors in ((cast.ADA, (2, 4, 5)), (cast.EVA, ALL_FACTORS)):
        acts.pay_by_card(acts.register(people[person], cohort.registration_opens_at + 9 * DAY))
        acts.hand_in(people[person], cycle, factors)
    acts.close(cycle)
    assignment.assign_cycle(cycle.pk, by=people[cast.STEF], at=cycle.closes_at + 2 * DAY)
    for day in (20, 25, 30):  # a reading may call for another one
        acts.score(acts.open_sheets(cycle), cycle.closes_at + day * DAY)
    told_at = cycle.releases_at
    seen = release.prepare(cycle.pk, releases_at=told_at, by=people[cast.STEF], at=told_at - 5 * DAY).prepared_at
    release.approve(cycle.pk, seen=seen, by=people[cast.UMA], at=told_at - 3 * DAY)
    release.release_due(told_at)
    privacy.choose(people[cast.EVA].pk, Choices(is_listed=True, state="KS"), by=people[cast.EVA], at=told_at + DAY)
    _benchmark(people, cycle)
    acts.have_verified(people[cast.ADA], cycle, 4, people[cast.STEF], told_at + 9 * DAY)


def _benchmark(people: People, cycle: Cycle) -> None:
    """A released entry that Sol has not read, so that Sol can see a calibration, which takes this one alone."""
    at = cycle.releases_at + DAY
    entry = benchmarks.eligible().filter(cycle=cycle).exclude(assignments__scorer=people[cast.SOL]).order_by("pk")[0]
    numbers = {name: getattr(Standard.objects.get(), name) for name in standards.NUMBERS}
    standards.adopt(entry.factor, by=people[cast.STEF], at=at, **{**numbers, "benchmarks": 1})
    acts.make_benchmark(entry, people[cast.LEE], people[cast.RAY], at)


def _cycle_in_scoring(people: People, years: Years, at: datetime) -> None:
    """Ada hands in what remained, Cleo her first; one entry is read apart, and the scorers are half-way through."""
    cycle, steps = years.scoring, _between(years.scoring.closes_at + HOUR, at)
    acts.pay_by_card(acts.register(people[cast.CLEO], years.first_year.registration_opens_at + 12 * DAY))
    acts.hand_in(people[cast.ADA], cycle, (1, 3, 6, 7))
    acts.hand_in(people[cast.CLEO], cycle, (2, 3, 4, 5, 6, 7))
    acts.close(cycle)
    assignment.assign_cycle(cycle.pk, by=people[cast.STEF], at=next(steps))
    acts.score(acts.open_sheets(cycle).filter(assignment__entry=_read_twice(people[cast.CLEO], cycle)), next(steps))
    for one in (cast.PAT, cast.VIC):
        acts.score(acts.open_sheets(cycle).filter(assignment__scorer=people[one]), next(steps))
    for one in (cast.SOL, cast.TIA):
        mine = acts.open_sheets(cycle).filter(assignment__scorer=people[one])
        if not Sheet.objects.final().filter(assignment__scorer=people[one], assignment__entry__cycle=cycle):
            acts.score(mine[:1], next(steps))
        acts.begin(mine[:1], next(steps))


def _read_twice(candidate: User, cycle: Cycle) -> Entry:
    """Every candidate has one entry at least that two scorers read."""
    entries = Entry.objects.filter(registration__user=candidate, cycle=cycle).annotate(readings=Count("assignments"))
    return entries.order_by("-readings", "pk")[:1].get()


def _registering_now(people: People, cohort: Cohort, at: datetime) -> None:
    """What a registration can look like while its window is open."""
    steps = _between(cohort.registration_opens_at, at)
    coaches = (cast.FLO, cast.ELI, cast.DEE, cast.BEN, cast.GUS)
    made = {one: acts.register(people[one], next(steps)) for one in coaches}
    acts.pay_by_card(made[cast.ELI], next(steps))
    _answer_a_question(made[cast.ELI], people[cast.STEF], next(steps), next(steps))
    held = acts.send_order(made[cast.FLO], "PO-20417", next(steps))
    purchase_orders.accept(held.pk, by=people[cast.STEF], at=next(steps))
    acts.send_order(made[cast.DEE], "4500018823", next(steps))
    bulk = acts.send_district_order("Lakeside School District", "PO-20431", 3, next(steps), next(steps))
    purchase_orders.accept(bulk.pk, by=people[cast.UMA], at=next(steps))
    acts.take_seat(made[cast.GUS], bulk, next(steps))


def _answer_a_question(registration: Registration, staff: User, asked_at: datetime, answered_at: datetime) -> None:
    question = "Please send a letter by your supervisor that says how your working time is divided."
    asked = evidence.request(registration.pk, question=question, by=staff, at=asked_at)
    letter = ContentFile(files.pdf_document("Letter of a supervisor"), "letter.pdf")
    evidence.answer(asked.pk, words="Here is the letter.", document=letter, by=registration.user, at=answered_at)


def _between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Twenty instants after `start` and before `end`, evenly."""
    step = (end - start) / 21
    return iter([start + number * step for number in range(1, 21)])
