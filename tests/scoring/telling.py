"""Results that were told, for tests of what may still change about them."""

from datetime import datetime, timedelta
from decimal import Decimal

from candidates.models import Registration
from scoring import appeals, release, sheets
from scoring.models import Appeal, Assignment, FactorScore, Result, Sheet
from scoring.sheets import Content, Rated
from tests.factories import at, make_cycle, make_policy, make_release, make_scored_entry

Readings = tuple[tuple[str, ...], ...]
TWICE: Readings = (("3.00",) * 3,) * 2
DUE = at(2027, 10, 31, 9)
NOVEMBER = at(2027, 11, 10, 12)
END_OF_ASKING = at(2027, 12, 1)  # 30 days after 31 October, the last day in full; the clocks change on 7 November


def twice(value: str) -> Readings:
    return ((value,) * 3,) * 2


def tell(registration: Registration, *given: Readings, year: int = 2027, factors: int = 7) -> Result:
    """Entries of the year, released at the announced instant; those without readings of their own got 3.00 twice."""
    make_policy()
    for number in range(1, factors + 1):
        readings = given[number - 1] if number <= len(given) else TWICE
        make_scored_entry(registration, number, *readings, year=year)
    return release_year(registration, year)


def release_year(registration: Registration, year: int) -> Result:
    cycle = make_cycle(year)
    make_release(cycle)
    release.release_due(cycle.releases_at)
    return standing(registration, year)


def standing(registration: Registration, year: int = 2027) -> Result:
    return Result.objects.select_related("cycle", "policy").get(
        registration=registration, cycle__year=year, superseded_at=None
    )


def score_of(registration: Registration, number: int = 1, year: int = 2027) -> FactorScore:
    found = FactorScore.objects.select_related("result__policy", "entry")
    return found.get(result=standing(registration, year), entry__factor__number=number)


def ask(registration: Registration, number: int = 1, when: datetime = NOVEMBER, year: int = 2027) -> Appeal:
    score = score_of(registration, number, year)
    return appeals.ask(score.pk, reason="I think more was seen.", by=registration.user, at=when)


def read(appeal: Appeal, value: str, when: datetime = NOVEMBER, role: str = Assignment.Role.APPEAL) -> Sheet:
    """The portal finds a reader, who gives this value throughout."""
    assert appeals.follow_up(appeal.pk, at=when)
    sheet = Sheet.objects.select_related("assignment__scorer").get(
        assignment__entry=appeal.entry_id, assignment__role=role
    )
    judge(sheet, value, when + timedelta(hours=1))
    return sheet


def judge(sheet: Sheet, value: str, when: datetime) -> None:
    scorer = sheet.assignment.scorer
    ratings = {one.pk: Rated(Decimal(value), "Seen at 2:10.") for one in sheet.rubric.criteria.all()}
    new = Content(ratings, f"I saw {value}.")
    saved = sheets.save(sheet.pk, version=sheet.version, new=new, by=scorer, at=when)
    sheets.finalise(sheet.pk, version=saved.version, by=scorer, at=when)
