"""What a result says: frozen when it is made. Nobody computes a released result again; `reports.py` reads it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.timezone import localtime

from candidates import announced, deadlines
from candidates.models import Cycle, Registration
from icg_cert.lib.next_step import NextStep
from portfolios.models import Entry
from scoring import scores, standing
from scoring.models import Assignment, Criterion, FactorScore, Rating, Result, Rubric
from scoring.scores import Rules
from scoring.standing import Earned, Judged, Reading

FROZEN_VERSION = 1
NEWS = timedelta(days=30)  # how long new results are what a candidate should look at first

Frozen = dict[str, Any]


def frozen(score: Fraction) -> list[int]:
    """An exact score as JSON keeps it: [numerator, denominator]."""
    return [score.numerator, score.denominator]


def frozen_standing(stand: Mapping[int, Earned]) -> list[Frozen]:
    """For `Result.standing`: what counts on the day of the release, by factor."""
    return [
        {"factor": number, "name": one.name, "year": one.year, "score": frozen(one.score)}
        for number, one in sorted(stand.items())
    ]


def decision(stand: Mapping[int, Earned], year: int, rules: Rules) -> Frozen:
    """The fields of a `Result` that say what standing scores come to in a candidate's `year` of the process."""
    total = standing.overall(stand, rules).total
    return {
        "status": standing.status(stand, year, rules),
        "total_numerator": total.numerator,
        "total_denominator": total.denominator,
        "factors_scored": len(stand),
        "standing": frozen_standing(stand),
    }


def factor_score(result: Result, judged: Judged, rules: Rules) -> FactorScore:
    """The row that keeps one entry's score and how it came about, not yet saved. ValueError while it has none."""
    if judged.outcome is None or judged.score is None:
        raise ValueError(f"Entry {judged.entry.pk} has no score to release")
    rubric = _rubric(judged)
    return FactorScore(
        result=result,
        entry=judged.entry,
        numerator=judged.score.numerator,
        denominator=judged.score.denominator,
        how=judged.outcome.how,
        rubric=rubric,
        rubric_hash=rubric.content_hash,
        detail=_detail(judged, rubric, rules),
    )


def _rubric(judged: Judged) -> Rubric:
    return next(reading.sheet.rubric for reading in judged.readings if reading.sheet)


def _detail(judged: Judged, rubric: Rubric, rules: Rules) -> Frozen:
    """All that the report shows of one entry, and nothing of who read it: readings are numbered, not named.

    A reading's `values` stand in the order of `criteria`; `mean` of a criterion is over the readings that count.
    """
    criteria = sorted(rubric.criteria.all(), key=lambda criterion: criterion.position)
    counting = [reading for reading in judged.readings if _counts(reading, judged)]
    sheets = [reading.sheet for reading in counting if reading.sheet]
    return {
        "version": FROZEN_VERSION,
        "factor": {"number": judged.entry.factor.number, "name": judged.entry.factor.name},
        "policy": _policy(rules),
        "rubric": {"version": rubric.version, "hash": rubric.content_hash},
        "levels": {str(level.number): {"name": level.name, "words": level.words} for level in rubric.levels.all()},
        "readings": [_reading(reading, judged, criteria) for reading in judged.readings],
        "criteria": [_criterion(criterion, counting) for criterion in criteria],
        "feedback": list(dict.fromkeys(one.text for sheet in sheets for one in sheet.feedback.all())),
        "comments": [sheet.comment.strip() for sheet in sheets if sheet.comment.strip()],
    }


def _policy(rules: Rules) -> Frozen:
    return {
        "version": rules.version,
        "threshold": frozen(rules.threshold),
        "floor": frozen(rules.floor),
        "adjudication_gap": frozen(rules.adjudication_gap),
    }


def _counts(reading: Reading, judged: Judged) -> bool:
    """A lead scorer's reading stands alone; without one, every reading counts."""
    is_adjudicated = judged.outcome is not None and judged.outcome.how == scores.ADJUDICATED
    return not is_adjudicated or reading.role == Assignment.Role.ADJUDICATION


def _reading(reading: Reading, judged: Judged, criteria: Sequence[Criterion]) -> Frozen:
    return frozen_reading(reading, criteria, counts=_counts(reading, judged))


def frozen_reading(reading: Reading, criteria: Sequence[Criterion], *, counts: bool) -> Frozen:
    return {
        "is_lead": reading.assignment.stands_alone,
        "counts": counts,
        "score": frozen(reading.score or Fraction(0)),
        "values": [str(_rating(reading, criterion).value) for criterion in criteria],
    }


def _criterion(criterion: Criterion, counting: Sequence[Reading]) -> Frozen:
    values = [Fraction(_rating(reading, criterion).value or 0) for reading in counting]
    return {
        "name": criterion.name,
        "question": criterion.question,
        "mean": frozen(sum(values, Fraction(0)) / len(values)),
    }


def _rating(reading: Reading, criterion: Criterion) -> Rating:
    ratings = reading.sheet.ratings.all() if reading.sheet else []
    return next(rating for rating in ratings if rating.criterion_id == criterion.pk)


def is_final(result: Result) -> bool:
    """Whether it ends the candidate's process: their final certification notice."""
    return result.status in (Result.Status.CERTIFIED, Result.Status.NOT_CERTIFIED)


def due(registrations: Iterable[Registration], at: datetime) -> list[Result]:
    """What is out of one person's, the latest first, whether or not it is withheld."""
    whose = {registration.pk: registration for registration in registrations}
    cycles = {cycle.pk: cycle for cycle in announced.cycles()}
    found = list(Result.objects.due(at).filter(registration__in=whose).order_by())
    for result in found:
        result.registration = whose[result.registration_id]
        result.cycle = cycles.get(result.cycle_id) or result.cycle
    return sorted(found, key=lambda result: (result.cycle.year, result.registration.cohort.year), reverse=True)


def may_plan_retakes(results: Sequence[Result], cycles: Iterable[Cycle], at: datetime) -> bool:
    """Whether the latest of one registration's results fell short and its last window has not closed for them."""
    latest = next(iter(results), None)
    last = max(cycles, key=lambda cycle: cycle.year, default=None)
    if latest is None or last is None or latest.status != Result.Status.NOT_YET:
        return False
    return latest.registration.is_standing and at < deadlines.closes_at(latest.registration, last)


def next_step(results: Sequence[Result], entries: Iterable[Entry], at: datetime) -> NextStep | None:
    """What a candidate should know of their scores now: being scored, withheld, to be read, certified.

    `results` are all that are `due`, `entries` all of theirs.
    """
    result = next(iter(results), None)
    waiting = being_scored(entries, at, after=result.cycle.year if result else 0)
    if waiting:
        return _wait(waiting, at)
    return _step_of(result, at) if result else None


def being_scored(entries: Iterable[Entry], at: datetime, *, after: int) -> Cycle | None:
    """The latest cycle, later than the year `after`, in which they handed something in."""
    cycles = (entry.cycle for entry in entries if entry.status == Entry.Status.LOCKED)
    waiting = (cycle for cycle in cycles if cycle.year > after and cycle.closes_at <= at)
    return max(waiting, key=lambda cycle: cycle.year, default=None)


def _wait(cycle: Cycle, at: datetime) -> NextStep:
    day = format_date(localtime(cycle.releases_at), "j F Y")
    when = f"come out on {day}" if at < cycle.releases_at else f"were announced for {day} and take a little longer"
    return NextStep(
        title="Your entries are being scored",
        text=f"Trained scorers are reading what you handed in for {cycle.year}. Results {when}; "
        "we will e-mail you then. There is nothing you need to do.",
        url=reverse("portfolios:entry-list"),
        action="See what you handed in",
        kind="wait",
    )


def _step_of(result: Result, at: datetime) -> NextStep | None:
    year, url = result.cycle.year, reverse("scoring:result-detail", args=[result.cycle_id])
    if result.is_withheld:
        text = "They are kept for you and open as soon as the registration fee is settled."
        pay = reverse("payments:pay", args=[result.registration_id])
        return NextStep(f"Your {year} results are ready and wait for the fee", text, pay, "Settle the fee")
    if result.status == Result.Status.CERTIFIED:
        text = "Congratulations. Your certificate and your score report are ready."
        return NextStep("You are certified", text, url, "See your results and certificate", kind="done")
    if at < result.released_at + NEWS:
        text = "Your report shows every score, how it came about, and what you can do next."
        return NextStep(f"Your {year} results are here", text, url, "Read your results")
    return None
