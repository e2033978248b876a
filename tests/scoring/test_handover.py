"""Readings that go to somebody else: by a conflict, by standing down, by staff; and at the same moment as a press."""

from collections.abc import Callable
from functools import partial

import pytest

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios.models import Entry
from scoring import assignment, handover, outlook, policies, readings, sheets
from scoring.models import Assignment, Rating, Recusal, Scorer, ScoringPolicy, Sheet
from tests.factories import (
    at,
    make_assignment,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_sheet,
)
from tests.threads import run_behind

WHEN = at(2027, 7, 1, 9)


@pytest.fixture(autouse=True)
def policy(db: None) -> ScoringPolicy:
    return make_policy()


def held() -> list[tuple[int, str, str, str]]:
    rows = Assignment.objects.order_by("entry", "role")
    return [(row.entry_id, row.role, row.reason, row.scorer.name) for row in rows]


def readers_of(entry: Entry) -> set[User]:
    return {row.scorer for row in entry.assignments.all()}


def code_of(action: object) -> str:
    with pytest.raises(Refused) as refused:
        action()  # type: ignore[operator]
    return refused.value.code


def test_recuse_gives_the_reading_to_somebody_else(scorer: User, other_scorer: User) -> None:
    entry = make_locked()
    sheet = make_sheet(make_assignment(entry, scorer), "2.00", "2.00", "2.00", final=False)
    handover.recuse(sheet.pk, reason=" We were neighbours. ", by=scorer, at=WHEN)
    assert held() == [(entry.pk, "first", "coverage", "Tia Torres")]
    assert not Sheet.objects.filter(pk=sheet.pk).exists()
    assert Rating.objects.count() == 0
    recusal = Recusal.objects.get()
    assert (recusal.scorer, recusal.registration, recusal.reason) == (scorer, entry.registration, "We were neighbours.")


def test_recuse_covers_all_unfinished_readings_of_the_candidate(scorer: User, other_scorer: User, staff: User) -> None:
    registration = make_registration()
    sheets = [make_reading(make_locked(registration, factor), scorer) for factor in (1, 2)]
    final = make_reading(make_locked(registration, 3), scorer, "4.00", "4.00", "4.00")
    stranger = make_reading(make_locked(), scorer)
    handover.recuse(sheets[0].pk, reason="", by=scorer, at=WHEN)
    assert set(Sheet.objects.visible_to(scorer)) == {final, stranger}
    assert Assignment.objects.filter(scorer=other_scorer).count() == 2
    new = make_locked(registration, 4)
    assignment.assign_cycle(new.cycle_id, by=staff, at=WHEN)
    assert scorer not in readers_of(new)


def test_recuse_leaves_a_reading_open_that_nobody_else_may_do(scorer: User, staff: User) -> None:
    entry = make_locked()
    sheet = make_reading(entry, scorer)
    handover.recuse(sheet.pk, reason="", by=scorer, at=WHEN)
    assert entry.assignments.count() == 0
    missing = outlook.outlook(
        entry.cycle, list(readings.to_be_read(entry.cycle)), policies.policy_of(entry.cycle), WHEN
    ).missing
    assert [(one.role, one.why) for one in missing] == [
        (role, "1 has stepped back from this candidate") for role in ("first", "second")
    ]
    make_scorer(), make_scorer()
    assert assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN).given == 2


def test_recuse_from_a_final_sheet_is_refused(scorer: User, other_scorer: User) -> None:
    sheet = make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    assert code_of(lambda: handover.recuse(sheet.pk, reason="", by=scorer, at=WHEN)) == "final"
    assert Recusal.objects.count() == 0


def test_recuse_from_somebody_elses_sheet_finds_nothing(scorer: User, other_scorer: User) -> None:
    sheet = make_reading(make_locked(), scorer)
    with pytest.raises(Sheet.DoesNotExist):
        handover.recuse(sheet.pk, reason="", by=other_scorer, at=WHEN)


def test_stand_down_passes_unfinished_readings_on(scorer: User, other_scorer: User, staff: User) -> None:
    open_ones = [make_locked() for _ in range(2)]
    for entry in open_ones:
        make_reading(entry, scorer)
    final = make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    assert handover.stand_down(scorer.pk, by=staff, at=WHEN) == 2
    assert list(Sheet.objects.visible_to(scorer)) == [final]
    assert [readers_of(entry) for entry in open_ones] == [{other_scorer}] * 2
    assert handover.stand_down(scorer.pk, by=staff, at=WHEN) == 0
    assert Event.objects.filter(verb="scorer.stand_down").count() == 1


def test_give_away_goes_to_somebody_else_and_leaves_the_scorer_at_work(
    scorer: User, other_scorer: User, staff: User
) -> None:
    entry = make_locked()
    sheet = make_sheet(make_assignment(entry, scorer), "2.00", "2.00", "2.00", final=False)
    given = handover.give_away(sheet.assignment_id, by=staff, at=WHEN)
    assert held() == [(entry.pk, "first", "coverage", "Tia Torres")]
    assert (given.scorer, given.assigned_by, Rating.objects.count()) == (other_scorer, staff, 0)
    assert Message.objects.get().to == "tia@example.org"
    assert Scorer.objects.get(user=scorer).is_active
    with pytest.raises(Assignment.DoesNotExist):
        handover.give_away(sheet.assignment_id, by=staff, at=WHEN)


def test_give_away_is_refused_where_it_counts_or_nobody_else_may(scorer: User, staff: User) -> None:
    final = make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    alone = make_reading(make_locked(), scorer)
    before = held()
    codes = [code_of(partial(handover.give_away, sheet.assignment_id, by=staff, at=WHEN)) for sheet in (final, alone)]
    assert (codes, held()) == (["final", "nobody-may"], before)
    assert not Event.objects.exists()


# ---- At once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("press", ["finalise", "recuse"])
def test_stand_down_while_the_scorer_presses_something_keeps_nobody_waiting(
    press: str, scorer: User, other_scorer: User, staff: User
) -> None:
    """Both want the entry and the sheet. Whoever comes second finds the sheet passed on; PostgreSQL ends neither."""
    entry = make_locked()
    sheet = make_sheet(make_assignment(entry, scorer), "3.00", "3.00", "3.00", final=False)
    second: dict[str, Callable[[], object]] = {
        "finalise": lambda: sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN),
        "recuse": lambda: handover.recuse(sheet.pk, reason="", by=scorer, at=WHEN),
    }

    def press_too_late() -> int:
        with pytest.raises(Sheet.DoesNotExist):
            second[press]()
        return 0

    answers = run_behind(
        lambda: Entry.objects.select_for_update().get(pk=entry.pk),
        [lambda: handover.stand_down(scorer.pk, by=staff, at=WHEN), press_too_late],
    )
    assert answers == [1, 0]
    assert held() == [(entry.pk, "first", "coverage", "Tia Torres")]
    assert Rating.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_stand_down_behind_a_scorer_who_finalises_leaves_the_sheet(
    scorer: User, other_scorer: User, staff: User
) -> None:
    entry = make_locked()
    sheet = make_sheet(make_assignment(entry, scorer), "4.00", "4.00", "4.00", final=False)
    finalising = partial(sheets.finalise, sheet.pk, version=1, by=scorer, at=WHEN)
    assert run_behind(finalising, [lambda: handover.stand_down(scorer.pk, by=staff, at=WHEN)]) == [0]
    assert Sheet.objects.get(pk=sheet.pk).status == "final"
    assert Rating.objects.filter(sheet=sheet).count() == 3
