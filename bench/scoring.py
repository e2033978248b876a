"""What the agreement board computes of ten thousand entries read twice, beside one pass of sums in SQL; and reports on
paper, beside a sheet with nothing on it.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations, cycle
from random import Random
from statistics import median
from time import perf_counter

import typst
from django.db import connection
from django.db.models import Avg, Count

from bench.world import NOW
from candidates.models import Cycle, Registration, User
from candidates.permissions import SCORER
from portfolios.models import Entry
from scoring import pairs, prospects, release, report_paper, reports
from scoring.models import Assignment, Rating, Result, Rubric, Sheet
from scoring.scores import VALUES
from scoring.what_next import what_next
from tests import factories

ENTRIES = 10_000
SCORERS = 40
ROUNDS = 5
SECONDS = 0.4  # for each kind of paper in each round


def agreement() -> None:
    """All figures of the board, queries included, and a mean of the same ratings by factor, in turns."""
    year = factories.make_cycle(2030)  # nobody else's
    scorers = [factories.make_scorer(f"Scorer {n}", SCORER) for n in range(SCORERS)]
    _read_twice(_entries(year), scorers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    staff = User.objects.get(name="Stef Stone")
    assert pairs.figures(year, staff).entries == ENTRIES
    rounds = [(_seconds(lambda: _pass(year)), _seconds(lambda: pairs.figures(year, staff))) for _ in range(ROUNDS)]
    ratios = [ours / bare for bare, ours in rounds]
    print(f"\n{f'{ENTRIES:,} entries read twice':<26}{'ms':>10}{'of one SQL pass: median':>27}{'highest':>9}")
    print(f"{'one SQL pass':<26}{1000 * median(bare for bare, _ in rounds):>10.0f}")
    print(f"{'agreement board':<26}{1000 * median(ours for _, ours in rounds):>10.0f}", end="")
    print(f"{median(ratios):>26.1f}x {max(ratios):>7.1f}x")


def papers() -> None:
    """Score reports of seven factors as PDFs, from rows, in turns with an empty document."""
    result = _result()
    rounds = [(_rate(_empty), _rate(lambda: _paper(result))) for _ in range(ROUNDS)]
    ratios = [ours / bare for bare, ours in rounds]
    print(f"\n{'score report, 7 factors':<26}{'PDFs/s':>10}{'of an empty one: median':>27}{'lowest':>9}")
    print(f"{'an empty document':<26}{median(bare for bare, _ in rounds):>10.0f}")
    print(f"{'score report':<26}{median(ours for _, ours in rounds):>10.1f}", end="")
    print(f"{median(ratios):>26.1%} {min(ratios):>8.1%}")


def _result() -> Result:
    """Somebody in their first year whose last factor fell short, so that the planner has something to say."""
    registration = factories.make_registration(cohort=factories.make_cohort(2040))
    for rubric in Rubric.objects.current().annotate(count=Count("criteria")).order_by("factor__number"):
        number = rubric.factor.number
        values = ("2.00" if number == 7 else "2.75",) * rubric.count
        factories.make_scored_entry(registration, number, values, values)
    decision = factories.make_release(factories.make_cycle(2041))
    release.release_one(decision.pk, registration.pk, at=decision.releases_at)
    found = Result.objects.select_related("cycle", "policy", "registration__cohort", "registration__user")
    return found.get(registration=registration)


def _paper(result: Result) -> None:
    report = reports.report(result)
    at = result.released_at
    report_paper.document(report, what_next(report, at), prospects.ahead(report, at))


def _empty() -> None:
    typst.compile(b"")


def _rate(work: Callable[[], None]) -> float:
    """Times a second."""
    count, begin = 0, perf_counter()
    while (spent := perf_counter() - begin) < SECONDS:
        work()
        count += 1
    return count / spent


def _pass(year: Cycle) -> None:
    rows = Rating.objects.filter(sheet__assignment__entry__cycle=year, sheet__status=Sheet.Status.FINAL).order_by()
    list(rows.values("sheet__assignment__entry__factor", "criterion").annotate(Count("pk"), Avg("value")))


def _seconds(work: object) -> float:
    begin = perf_counter()
    work()  # type: ignore[operator]
    return perf_counter() - begin


def _entries(year: Cycle) -> list[Entry]:
    """One of each registration, its factors in turns, handed in for good."""
    rubrics = cycle(Rubric.objects.current().select_related("factor"))
    like = factories.make_entry(factories.make_registration(), next(rubrics).factor, year, status=Entry.Status.LOCKED)
    skip = {"id", "registration", "factor", "receipt_code"}
    fields = {field.name: getattr(like, field.name) for field in like._meta.concrete_fields if field.name not in skip}
    like.delete()
    people = Registration.objects.order_by("pk")[:ENTRIES]
    entries = [
        Entry(registration=one, factor=rubric.factor, **fields) for one, rubric in zip(people, rubrics, strict=False)
    ]
    return Entry.objects.bulk_create(entries, batch_size=1000)


def _read_twice(entries: list[Entry], scorers: list[User]) -> None:
    """Every two scorers in turns, who see the same, more or less."""
    chance, readers = Random(7), cycle(combinations(scorers, 2))
    rubrics = {rubric.factor_id: rubric for rubric in Rubric.objects.current().prefetch_related("criteria")}
    readings = [
        Assignment(entry=entry, scorer=scorer, role=role, reason="coverage", assigned_at=NOW - timedelta(days=1))
        for entry in entries
        for scorer, role in zip(next(readers), ("first", "second"), strict=True)
    ]
    Assignment.objects.bulk_create(readings, batch_size=1000)
    final = {"status": Sheet.Status.FINAL, "saved_at": NOW, "finalised_at": NOW}
    sheets = [Sheet(assignment=one, rubric=rubrics[one.entry.factor_id], **final) for one in readings]
    Sheet.objects.bulk_create(sheets, batch_size=1000)
    ratings = (
        Rating(
            sheet=sheet, criterion=criterion, value=VALUES[(sheet.assignment.entry_id + chance.choice((0, 0, 1))) % 12]
        )
        for sheet in sheets
        for criterion in sheet.rubric.criteria.all()
    )
    Rating.objects.bulk_create(ratings, batch_size=1000)
