"""What may happen to a release: killed anywhere, clocks that jump, sheets that come late, words that change midway."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from candidates.models import Cycle, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from scoring import assignment, handover, holds, planner, release, release_gate, rubrics, sheets
from scoring.models import Certificate, FactorScore, Rating, Release, Result, Sheet
from scoring.rubrics import CriterionWords, LevelWords
from scoring.scores import VALUES
from scoring.sheets import Content, Rated
from tests.factories import (
    MICROSECOND,
    make_assignment,
    make_cycle,
    make_extension,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scored_entry,
    make_scorer,
)
from tests.scoring.worlds import BEFORE, DUE, approved, mails, seven
from tests.threads import run_at_once

SOON = DUE + timedelta(minutes=1)


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    return make_cycle(2027)


class Killed(BaseException):
    """The process is gone: nothing catches it."""


# ---- Killed, at every step of the job


STEPS = [
    "scoring.release.to_tell",
    "scoring.standing.load",
    "scoring.second_path.computed",
    "scoring.release_gate.row_of",
    "scoring.approval.refuse_unless_approved",
    "scoring.results.factor_score",
    "scoring.release.make_result",
    "icg_cert.audit.trail.record",
    "scoring.release._tell",
    "scoring.release._bank",
    "scoring.certificates.issue",
    "scoring.release._write",
    "icg_cert.mail.outbox.queue",
    "scoring.release._finish",
    "scoring.holds.say_later",
]


def world(staff: User) -> Cycle:
    """Certified twice, not yet, withheld, held back: prepared and approved."""
    make_policy()
    cycle = make_cycle(2027)
    seven(make_registration(code="AAAA2222"))
    seven(make_registration(code="BBBB2222"))
    make_scored_entry(make_registration(code="CCCC2222"), 1, ("2.00",) * 3, ("2.25",) * 3)
    make_scored_entry(make_registration(code="DDDD2222", payment_status=Registration.Payment.PO_COMMITTED))
    held = make_scored_entry(make_registration(code="EEEE2222")).registration
    hear_on = (DUE + timedelta(days=9)).date()
    holds.hold(cycle.pk, held.pk, reason="A question.", hear_on=hear_on, by=staff, at=BEFORE)
    approved(cycle)
    return cycle


def told() -> dict[str, Any]:
    """All that a release leaves behind, by codes."""
    return {
        "results": sorted(Result.objects.values_list("registration__code", "status", "total_numerator", "told_at")),
        "scores": FactorScore.objects.count(),
        "certificates": sorted(Certificate.objects.values_list("registration__code", flat=True)),
        "outcomes": Counter(Result.objects.values_list("registration__entries__outcome", flat=True)),
        "mails": Counter(Message.objects.values_list("event", "user__registrations__code")),
        "events": Counter(Event.objects.values_list("verb", flat=True)),
        "state": Release.objects.get().state,
    }


def dying(work: Callable[..., Any], on: int, *, after: bool) -> Callable[..., Any]:
    """`work`, which is killed at its call number `on`: before it does anything, or when it is through."""
    calls = 0

    def step(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == on and not after:
            raise Killed
        answer = work(*args, **kwargs)
        if calls == on:
            raise Killed
        return answer

    return step


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_and_run_again_is_as_if_never_killed(
    db: None, staff: User, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(staff)
    with transaction.atomic():
        assert release.release_due(DUE) == 4
        undisturbed = told()
        transaction.set_rollback(True)
    module, _, name = step.rpartition(".")
    holder = import_module(module)
    on = 1 if name in ("_finish", "say_later", "_bank", "issue") else 3
    with monkeypatch.context() as patched:
        patched.setattr(holder, name, dying(getattr(holder, name), on, after=after))
        with pytest.raises(Killed):
            release.release_due(DUE)
    release.release_due(DUE)
    assert told() == undisturbed


def test_mails_leave_through_the_outbox_afterwards_and_once(cycle: Cycle, mailoutbox: list[Any]) -> None:
    seven(make_registration())
    approved(cycle)
    release.release_due(DUE)
    assert mailoutbox == []
    outbox.send_due(DUE)
    release.release_due(SOON)
    outbox.send_due(SOON)
    assert sorted(message.subject for message in mailoutbox) == [
        "You are a certified instructional coach",
        "Your 2027 results are ready",
    ]


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_over_an_approved_dry_run_tell_everybody_once(staff: User) -> None:
    world(staff)
    assert sum(run_at_once(lambda: release.release_due(DUE), times=2)) == 4
    assert Counter(Message.objects.values_list("event", flat=True)) == {
        "certified": 2,
        "results_released": 3,
        "results_withheld": 1,
        "results_later": 1,
    }
    assert Release.objects.get().state == Release.State.RELEASED


# ---- Clocks


def test_clock_that_jumps_back_after_the_release_shows_nothing_and_tells_nobody_again(cycle: Cycle) -> None:
    seven(make_registration())
    approved(cycle)
    release.release_due(DUE)
    before = mails()
    for when in (DUE - timedelta(days=1), DUE - MICROSECOND):
        assert release.release_due(when) == 0
        assert not Result.objects.due(when).exists()
    assert release.release_due(DUE + timedelta(days=400)) == 0
    assert mails() == before


def test_clock_that_jumps_over_the_instant_and_back_while_it_runs(cycle: Cycle) -> None:
    """Half of them were told by a clock that was wrong; the others hear when it is really time, and nobody twice."""
    first, second = seven(make_registration()), seven(make_registration())
    decision = approved(cycle)
    assert release.release_one(decision.pk, first.pk, at=DUE + timedelta(days=1))
    assert not release.release_one(decision.pk, second.pk, at=DUE - timedelta(hours=1))
    assert release.release_due(DUE) == 1
    assert Result.objects.due(DUE).count() == 1
    assert Result.objects.due(DUE + timedelta(days=1)).count() == 2


def test_late_by_a_day_tells_what_was_approved(cycle: Cycle) -> None:
    registration = seven(make_registration())
    approved(cycle)
    late = DUE + timedelta(days=1)
    assert release.release_due(late) == 1
    assert Result.objects.get(registration=registration).released_at == late


def test_approval_withdrawn_in_the_last_moment_tells_nobody(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    approved(cycle)
    release.withdraw_approval(cycle.pk, by=staff, at=DUE - MICROSECOND)
    assert release.release_due(DUE) == 0
    assert not Message.objects.exists()


# ---- Candidates


def test_who_withdraws_after_the_approval_is_told_nothing_and_holds_up_nobody(cycle: Cycle) -> None:
    gone, other = seven(make_registration()), seven(make_registration())
    approved(cycle)
    Registration.objects.filter(pk=gone.pk).update(status=Registration.Status.WITHDRAWN)
    assert release.release_due(DUE) == 1
    assert list(Result.objects.values_list("registration", flat=True)) == [other.pk]
    assert Release.objects.get().state == Release.State.RELEASED


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [("po_committed", "paid", "results_released"), ("paid", "disputed", "results_withheld")],
)
def test_fee_that_is_paid_or_disputed_after_the_approval_decides_when_not_what(
    cycle: Cycle, before: str, after: str, event: str
) -> None:
    registration = make_scored_entry(make_registration(payment_status=before)).registration
    approved(cycle)
    Registration.objects.filter(pk=registration.pk).update(payment_status=after)
    assert release.release_due(DUE) == 1
    assert [event for event, _ in mails()] == [event]


def test_extension_granted_after_the_approval_keeps_that_candidate(cycle: Cycle) -> None:
    extended, other = seven(make_registration()), seven(make_registration())
    approved(cycle)
    make_extension(extended, cycle, closes_at=DUE + timedelta(days=7))
    assert release.release_due(DUE) == 1
    assert list(Result.objects.values_list("registration", flat=True)) == [other.pk]
    assert release.release_due(DUE + timedelta(days=7)) == 1


# ---- Sheets: missing, duplicate, late; values outside the families


def test_the_database_takes_the_twelve_values_and_no_other(cycle: Cycle) -> None:
    """Every hundredth there is room for, from below 0 to above 4.25."""
    rating = Rating.objects.filter(sheet__assignment__entry=make_scored_entry(make_registration())).first()
    assert rating is not None
    taken = []
    for hundredths in range(-50, 500):
        try:
            with transaction.atomic():
                Rating.objects.filter(pk=rating.pk).update(value=Decimal(hundredths) / 100)
                taken.append(Decimal(hundredths) / 100)
        except IntegrityError:
            continue
    assert taken == VALUES


def test_an_entry_has_one_reading_a_role_one_a_scorer_one_sheet_one_rating(cycle: Cycle) -> None:
    entry = make_scored_entry(make_registration())
    first = entry.assignments.get(role="first")
    sheet = first.sheet
    rating = sheet.ratings.all()[0]
    again: list[tuple[str, Callable[[], object]]] = [
        ("assignment_one_per_role", lambda: make_assignment(entry, make_scorer(), "first")),
        ("assignment_reads_once", lambda: make_assignment(entry, first.scorer, "adjudication")),
        ("assignment_id", lambda: Sheet.objects.create(assignment=first, rubric=sheet.rubric)),
        ("rating_once", lambda: Rating.objects.create(sheet=sheet, criterion=rating.criterion, value="3.00")),
    ]
    for constraint, twice in again:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            twice()


def finish(sheet: Sheet, value: str, when: datetime) -> None:
    ratings = {one.pk: Rated(Decimal(value), "Seen.") for one in sheet.rubric.criteria.all()}
    by = sheet.assignment.scorer
    saved = sheets.save(sheet.pk, version=sheet.version, new=Content(ratings), by=by, at=when)
    sheets.finalise(sheet.pk, version=saved.version, by=by, at=when)


def test_a_reading_that_is_given_out_and_finished_after_the_approval_is_not_told(cycle: Cycle, staff: User) -> None:
    """4.00 alone was approved; the late second sheet makes it 3.50."""
    registration = make_scored_entry(make_registration(), 1).registration
    late = make_locked(registration, 2)
    make_reading(late, make_scorer(), *("4.00",) * 3)
    approved(cycle)
    sheet = make_reading(late, make_scorer(), role="second")
    assert release.release_due(DUE) == 0  # not final
    finish(sheet, "3.00", DUE)
    assert release.release_due(SOON) == 0  # final, and not what was approved
    assert not Result.objects.exists()
    assert [event for event, _ in mails()].count("release_refused") == 4  # both, for each of the two reasons


def test_a_final_sheet_cannot_be_written_after_its_result(cycle: Cycle) -> None:
    registration = seven(make_registration())
    approved(cycle)
    release.release_due(DUE)
    sheet = Sheet.objects.filter(assignment__entry__registration=registration)[0]
    with pytest.raises(Refused, match="final"):
        finish(sheet, "1.00", SOON)


def test_a_scorer_who_is_removed_midway_leaves_what_counts_and_hands_on_the_rest(cycle: Cycle, staff: User) -> None:
    gone, stays = make_scorer("Gus Gone"), make_scorer("Sue Stays")
    registration = make_registration()
    done, open_one = make_locked(registration, 1), make_locked(registration, 2)
    make_reading(done, gone, *("4.00",) * 3)
    make_reading(done, stays, *("4.00",) * 3, role="second")
    make_reading(open_one, gone)
    handover.stand_down(gone.pk, by=staff, at=BEFORE)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    reading = open_one.assignments.select_related("sheet", "scorer").get()
    assert reading.scorer == stays
    finish(reading.sheet, "4.00", BEFORE)
    [row] = release_gate.rows(cycle, make_policy(), BEFORE)
    assert row.missing == ()
    approved(cycle)
    assert release.release_due(DUE) == 1


def test_words_that_change_in_the_middle_of_a_cycle_are_told_apart(cycle: Cycle, staff: User) -> None:
    """An entry keeps the rubric of its first sheet; another one of the same factor gets the new words, and shows."""
    before, after = make_registration(), make_registration()
    old = make_locked(before, 1)
    make_reading(old, make_scorer(), *("4.00",) * 3)
    levels = [LevelWords(n, f"Level {n}", "New words.") for n in (4, 3, 2, 1)]
    newer = rubrics.publish(
        old.factor, levels, [CriterionWords(f"Criterion {n}", "?") for n in (1, 2, 3)], by=staff, at=BEFORE
    )
    new = make_locked(after, 1)
    people = [make_scorer() for _ in range(4)]
    for entry, role, scorer in ((old, "second", people[0]), (new, "first", people[1]), (new, "second", people[2])):
        given = assignment.New(entry, role, planner.CHOSEN, scorer.pk)
        [made] = assignment.give([given], cycle, by=staff, at=BEFORE)
        finish(Sheet.objects.select_related("rubric", "assignment__scorer").get(assignment=made), "4.00", BEFORE)
    assert {one.sheet.rubric for one in new.assignments.all()} == {newer}
    assert {one.sheet.rubric.version for one in old.assignments.all()} == {1}
    found = {
        row.registration: [check.code for check in row.missing]
        for row in release_gate.rows(cycle, make_policy(), BEFORE)
    }
    assert found == {before: [], after: ["edition"]}


def test_a_sheet_with_a_criterion_missing_is_no_reading(cycle: Cycle) -> None:
    registration = seven(make_registration())
    approved(cycle)
    Rating.objects.filter(sheet__assignment__entry__registration=registration, criterion__position=1)[0].delete()
    assert release.release_due(DUE) == 0


# ---- Sums at the edge, all the way


@pytest.mark.parametrize(
    ("low", "status"),
    [
        (("2.75", "2.75", "2.75"), "certified"),  # the sum is exactly 19.25
        (("2.25", "2.75", "2.75"), "not_yet"),  # the next sum below that seven factors of three criteria can have
    ],
)
def test_sum_at_the_threshold_through_gate_and_job(cycle: Cycle, low: tuple[str, ...], status: str) -> None:
    plain = (("2.75",) * 3,) * 2
    registration = seven(make_registration(), *[plain] * 6, (low, ("2.75",) * 3))
    approved(cycle)
    assert release.release_due(DUE) == 1
    assert Result.objects.get(registration=registration).status == status
