"""Calibration: the benchmarks one is given, the verdict, the qualification, and that nothing of it counts anywhere."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from scoring import assignment, board, calibration, handover, pairs, qualifications, qualified, queue, readings, sheets
from scoring.models import Assignment, Benchmark, Calibration, Qualification, Recusal, Sheet, Standard, Trial
from scoring.sheets import Content, Rated
from tests.factories import (
    at,
    make_benchmark,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_reference,
    make_registration,
    make_rubric,
    make_scorer,
    make_standard,
)
from tests.threads import run_at_once

WHEN = at(2028, 7, 1, 9)
LATER = at(2028, 7, 1, 10)


@pytest.fixture(autouse=True)
def rules(db: None) -> None:
    make_policy()


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value.code


def finish(sheet: Sheet, *values: str) -> Sheet:
    """Saved and finalised by whoever holds it."""
    by = sheet.task.scorer
    criteria = sheet.rubric.criteria.all()
    ratings = {one.pk: Rated(Decimal(value), "Seen.") for one, value in zip(criteria, values, strict=True)}
    saved = sheets.save(sheet.pk, version=sheet.version, new=Content(ratings), by=by, at=WHEN)
    return sheets.finalise(sheet.pk, version=saved.version, by=by, at=WHEN)


def begin(scorer: User, factor: int = 1) -> Sheet:
    return calibration.begin(make_factor(factor), by=scorer, at=WHEN)


def calibrate(scorer: User, *readings_: tuple[str, ...]) -> Calibration:
    for values in readings_:
        finish(begin(scorer), *values)
    return Calibration.objects.filter(scorer=scorer).latest("pk")


RIGHT, WRONG = ("3.00", "3.00", "3.25"), ("1.00", "3.00", "4.25")


# ---- What one is given


def test_begin_gives_the_benchmarks_in_their_order(scorer: User) -> None:
    make_standard()
    second, first = make_benchmark(position=2), make_benchmark(position=1)
    one = begin(scorer)
    assert (one.task.benchmark, one.task.use, one.rubric) == (first, "calibration", make_rubric(make_factor()))
    assert begin(scorer) == one
    finish(one, *RIGHT)
    assert begin(scorer).task.benchmark == second
    assert Calibration.objects.count() == Event.objects.filter(verb="calibration.begin").count() == 1


@pytest.mark.django_db(transaction=True)
def test_begin_pressed_twice_at_once_is_one_calibration(scorer: User) -> None:
    make_standard()
    make_benchmark()
    make_benchmark()
    found = run_at_once(lambda: begin(scorer).pk, times=3)
    assert len(set(found)) == 1
    assert (Calibration.objects.count(), Trial.objects.filter(use="calibration").count()) == (1, 1)


def test_begin_is_refused_without_a_standard_without_enough_and_when_qualified(scorer: User) -> None:
    make_benchmark()
    assert refused(lambda: begin(scorer)) == "no-standard"
    make_standard()
    assert refused(lambda: begin(scorer)) == "no-benchmarks"
    make_benchmark()
    qualifications.qualify(scorer, make_factor(), reason="Training.", by=None, at=WHEN)
    assert refused(lambda: begin(scorer)) == "qualified"
    assert Calibration.objects.count() == 0


def test_begin_goes_by_the_factors_own_standard(scorer: User) -> None:
    make_benchmark()
    make_standard(make_factor(), benchmarks=2)
    own = make_standard(make_factor(), benchmarks=1)
    make_standard(benchmarks=9)
    assert begin(scorer).task.calibration.standard == own


def test_begin_never_gives_what_one_may_not_read_blind(scorer: User, lead: User) -> None:
    """Unsigned, of another rubric, for seeds, retired, read before, signed oneself, of somebody one knows."""
    make_standard(benchmarks=1)
    make_benchmark(signatures=1)
    make_benchmark(use=Benchmark.Use.SEED)
    make_benchmark(retired_at=WHEN)
    make_benchmark(entry=make_locked(make_registration(district="Elsewhere District"), outcome="banked"))
    make_reading(make_benchmark().entry, scorer, "3.00", "3.00", "3.00")
    known = make_benchmark()
    Recusal.objects.create(scorer=scorer, registration=known.entry.registration, declared_at=WHEN)
    make_reference(make_benchmark(signatures=0), "3.00", "3.00", "3.00", lead=scorer)
    assert refused(lambda: begin(scorer)) == "no-benchmarks"
    fits = make_benchmark()
    make_reference(fits, "4.00", "4.00", "4.00", lead=make_scorer("", "lead scorer"), signatures=1)
    assert begin(scorer).task.reference.version == 1  # the second version is not signed yet
    make_factor().rubrics.update(is_current=False)
    make_rubric(make_factor(), version=2)
    assert refused(lambda: begin(lead)) == "no-benchmarks"


# ---- The verdict


def test_calibration_passed_qualifies_with_the_reason(scorer: User) -> None:
    make_standard()
    make_benchmark()
    make_benchmark("2.75", "3.00", "3.25")
    found = calibrate(scorer, RIGHT, ("3.00", "3.00", "3.25"))
    words = "6 values on 2 benchmarks: 4 exact, 2 adjacent, 0 off; the farthest lies 0.25 points away."
    assert (found.passed, found.words, found.finished_at) == (True, words, WHEN)
    row = Qualification.objects.get()
    assert (row.scorer, row.factor, row.reason, row.qualified_at) == (
        scorer,
        make_factor(),
        f"Calibration: {words}",
        WHEN,
    )
    assert Event.objects.filter(verb="calibration.finish").count() == 1


def test_calibration_failed_may_be_tried_again_with_other_benchmarks(scorer: User) -> None:
    make_standard()
    for _ in range(4):
        make_benchmark()
    found = calibrate(scorer, WRONG, RIGHT)
    assert found.passed is False
    assert found.words.endswith(
        "4 of 6 values are exact or adjacent; 80 in 100 are asked. "
        "One value lies 2.00 points from its reference; 1.00 points is the most."
    )
    assert Qualification.objects.count() == 0
    again = calibrate(scorer, RIGHT, RIGHT)
    assert (again.passed, again == found) == (True, False)
    assert Trial.objects.filter(use="calibration").values("benchmark").distinct().count() == 4
    assert refused(lambda: begin(scorer)) == "qualified"


def test_calibration_failed_without_others_is_for_a_lead_to_decide(scorer: User, lead: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    calibrate(scorer, WRONG)
    assert refused(lambda: begin(scorer)) == "no-benchmarks"
    [row] = qualified.of_scorer(scorer, WHEN)
    assert (row.may_begin, row.last and row.last.passed) == (False, False)
    qualifications.qualify(scorer, make_factor(), reason="Seen in training.", by=lead, at=WHEN)
    [row] = qualified.of_scorer(scorer, WHEN)
    assert row.qualified is not None


def test_calibration_keeps_the_standard_it_began_with(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    sheet = begin(scorer)
    make_standard(benchmarks=1, exact_percent=100)
    finish(sheet, *RIGHT)
    assert Calibration.objects.get().passed is True


def test_finalise_twice_is_one_verdict(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    sheet = finish(begin(scorer), *RIGHT)
    sheets.finalise(sheet.pk, version=1, by=scorer, at=LATER)
    assert Calibration.objects.get().finished_at == WHEN
    assert Event.objects.filter(verb="calibration.finish").count() == 1


@pytest.mark.django_db(transaction=True)
def test_finalise_twice_at_once_is_one_verdict(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    sheet = begin(scorer)
    ratings = {one.pk: Rated(Decimal("3.00"), "") for one in sheet.rubric.criteria.all()}
    sheets.save(sheet.pk, version=0, new=Content(ratings), by=scorer, at=WHEN)
    run_at_once(lambda: sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN), times=3)
    assert Event.objects.filter(verb="calibration.finish").count() == Qualification.objects.count() == 1


def test_nobody_decides_about_themselves(lead: User) -> None:
    assert refused(lambda: qualifications.qualify(lead, make_factor(), reason="I can.", by=lead, at=WHEN)) == "own"
    assert refused(lambda: qualifications.end(lead, make_factor(), reason="I can.", by=lead, at=WHEN)) == "own"


# ---- Stepping back, standing down


def test_recuse_from_a_benchmark_gives_another_one(scorer: User) -> None:
    make_standard(benchmarks=1)
    known, other = make_benchmark(), make_benchmark()
    handover.recuse(begin(scorer).pk, reason="A neighbour.", by=scorer, at=WHEN)
    assert Recusal.objects.get().registration == known.entry.registration
    assert begin(scorer).task.benchmark == other


def test_stand_down_takes_unfinished_benchmarks_back(scorer: User, staff: User) -> None:
    make_standard()
    make_benchmark()
    make_benchmark()
    finish(begin(scorer), *RIGHT)
    begin(scorer)
    handover.stand_down(scorer.pk, by=staff, at=WHEN)
    assert list(Trial.objects.exclude(use="reference").values_list("sheet__status", flat=True)) == ["final"]


# ---- Never a live reading


def test_calibration_counts_nowhere(scorer: User, lead: User, staff: User) -> None:
    """Two readings of the same entry, a value four levels off: no figure, no result, no queue and no gate sees it."""
    make_standard(benchmarks=1)
    benchmark = make_benchmark()
    entry = benchmark.entry
    make_reading(entry, make_scorer(), "3.00", "3.00", "3.00")
    make_reading(entry, make_scorer(), "3.00", "3.00", "3.00", role="second")
    before = _world(entry, lead)
    calibrate(scorer, ("0.75", "0.75", "0.75"))
    assert _world(entry, lead) == before
    assert list(queue.open_sheets(scorer)) == list(queue.done_sheets(scorer, at(2027, 7, 1))) == []
    assert Assignment.objects.filter(scorer=scorer).count() == 0


def _world(entry: object, viewer: User) -> object:
    cycle = make_cycle(2027)
    figures = pairs.figures(cycle, viewer)
    counted = board.board(cycle, WHEN)
    judged = readings.judged([entry])  # type: ignore[list-item]
    stages = dict(counted.stages)
    return figures.everything, figures.entries, judged, stages, assignment.follow_up_due(), counted.entries


def test_a_sheet_is_a_reading_or_a_trial_and_never_both(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    sheet, live = begin(scorer), make_reading(make_locked(), scorer)
    for fields in ({"trial": None}, {"trial": sheet.trial, "assignment": live.assignment}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Sheet.objects.filter(pk=sheet.pk).update(**fields)


def test_a_standard_is_never_changed() -> None:
    made = make_standard()
    with pytest.raises(DatabaseError), transaction.atomic():
        Standard.objects.filter(pk=made.pk).update(exact_percent=0)
