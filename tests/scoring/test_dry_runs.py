"""Dry runs: what they keep, what a release is bound to by one, and how two of them differ."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from candidates.models import Cycle, Registration, User
from icg_cert.mail.models import Message
from scoring import dry_runs, gate_exceptions, holds, previews, release, release_gate
from scoring.dry_runs import OutcomeCount, RuleCount
from scoring.models import Certificate, DryRun, FactorScore, GateException, Release, Result
from tests.factories import make_cycle, make_locked, make_policy, make_registration, make_scored_entry
from tests.scoring.worlds import BEFORE, DUE, approved, correct, reading, refusal, seven, take_away

LATER = BEFORE + timedelta(hours=1)
FALL = (BEFORE + timedelta(days=30)).date()


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    return make_cycle(2027)


def one_of_each() -> tuple[Registration, Registration, Registration]:
    """Certified, not yet certified, not scored."""
    return seven(make_registration()), scored_low(), make_locked(make_registration()).registration


def scored_low() -> Registration:
    return make_scored_entry(make_registration(), 1, ("2.00",) * 3, ("2.00",) * 3).registration


def test_run_keeps_every_candidate_with_every_rule(cycle: Cycle, staff: User) -> None:
    certified, low, unscored = one_of_each()
    run = dry_runs.run(cycle.pk, by=staff, at=BEFORE)
    kept = run.rows.values_list("registration", "status", "total", "missing", "is_held", "is_withheld")
    assert sorted(kept) == sorted(
        [
            (certified.pk, "certified", "21", [], False, False),
            (low.pk, "not_yet", "2", [], False, False),
            (unscored.pk, "", "", ["scored", "coverage"], False, False),
        ]
    )
    row = run.rows.get(registration=certified)
    assert [check.code for check in dry_runs.checks(row)] == [
        "closed", "scored", "final", "coverage", "adjudicated", "independent", "conflict", "qualified", "rubric",
        "edition", "totals", "fee",
    ]  # fmt: skip
    assert row.sum == Fraction(21)


def test_run_tells_nobody_anything(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    dry_runs.run(cycle.pk, by=staff, at=BEFORE)
    assert not Result.objects.exists()
    assert not Message.objects.exists()


def test_runs_of_the_same_facts_have_the_same_digest_whoever_paid(cycle: Cycle, staff: User) -> None:
    registration = seven(make_registration(payment_status=Registration.Payment.PO_COMMITTED))
    one = dry_runs.run(cycle.pk, by=staff, at=BEFORE)
    Registration.objects.filter(pk=registration.pk).update(payment_status=Registration.Payment.PAID)
    assert dry_runs.run(cycle.pk, by=staff, at=LATER).digest == one.digest
    assert dry_runs.tally(cycle, make_policy(), LATER).digest == one.digest


@pytest.mark.parametrize("change", ["value", "comment", "reader", "hold", "somebody new"])
def test_digest_changes_with_whatever_is_decided_or_read(cycle: Cycle, staff: User, change: str) -> None:
    registration = seven(make_registration())
    before = dry_runs.run(cycle.pk, by=staff, at=BEFORE)
    sheet = reading(registration).sheet
    {
        "value": lambda: sheet.ratings.filter(criterion__position=1).update(value="3.25"),
        "comment": lambda: type(sheet).objects.filter(pk=sheet.pk).update(comment="Well done."),
        "reader": lambda: take_away(reading(registration, 7)),
        "hold": lambda: holds.hold(cycle.pk, registration.pk, reason="?", hear_on=FALL, by=staff, at=BEFORE),
        "somebody new": scored_low,
    }[change]()
    after = dry_runs.run(cycle.pk, by=staff, at=LATER)
    assert after.digest != before.digest
    [found] = dry_runs.changes(after, before)
    assert (found.before is None) == (change == "somebody new")


def test_changes_and_outcomes_beside_the_run_before(cycle: Cycle, staff: User) -> None:
    _, low, unscored = one_of_each()
    before = dry_runs.run(cycle.pk, by=staff, at=BEFORE)
    Registration.objects.filter(pk=unscored.pk).update(status=Registration.Status.WITHDRAWN)
    correct(low, value="1.75")
    run = dry_runs.run(cycle.pk, by=staff, at=LATER)
    assert dry_runs.previous(run) == before
    assert [(one.registration, one.before, one.now) for one in dry_runs.changes(run, before)] == [
        (low.pk, before.rows.get(registration=low), run.rows.get(registration=low)),
        (unscored.pk, before.rows.get(registration=unscored), None),
    ]
    assert dry_runs.outcomes(run, before) == [
        OutcomeCount("certified", "Certified", 1, 1),
        OutcomeCount("in_progress", "In progress", 0, 0),
        OutcomeCount("not_yet", "Not yet certified", 1, 1),
        OutcomeCount("not_certified", "Not certified", 0, 0),
        OutcomeCount("", "Nothing to tell yet", 0, 1),
    ]
    assert dry_runs.outcomes(run, None)[0] == OutcomeCount("certified", "Certified", 1, None)


def test_summary_counts_by_rule(cycle: Cycle, staff: User) -> None:
    _, low, _ = one_of_each()
    take_away(reading(low))
    unpaid = seven(make_registration(payment_status=Registration.Payment.PO_COMMITTED))
    holds.hold(cycle.pk, unpaid.pk, reason="?", hear_on=FALL, by=staff, at=BEFORE)
    summary = dry_runs.summary(dry_runs.run(cycle.pk, by=staff, at=BEFORE))
    counts = (summary.candidates, summary.blocked, summary.held, summary.withheld, summary.excepted)
    assert (counts, summary.is_open) == ((4, 2, 1, 1, 0), False)
    assert summary.failing == [RuleCount("coverage", 2, 0, 2), RuleCount("scored", 3, 0, 1)]
    gate_exceptions.sign(cycle.pk, low.pk, "coverage", reason="Nobody left.", by=staff, at=BEFORE)
    summary = dry_runs.summary(dry_runs.run(cycle.pk, by=staff, at=LATER))
    assert summary.failing == [RuleCount("scored", 3, 0, 1), RuleCount("coverage", 2, 1, 1)]


def test_the_runs_of_a_release_and_before_are_kept(cycle: Cycle, staff: User, other_staff: User) -> None:
    seven(make_registration())
    decision = release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    runs = [dry_runs.run(cycle.pk, by=staff, at=BEFORE + timedelta(hours=n)) for n in (1, 2, 3)]
    assert list(DryRun.objects.order_by("pk")) == [decision.run, *runs[1:]]


@pytest.mark.parametrize("count", [1, 3])
def test_summary_and_changes_ask_as_often_for_any_number(
    cycle: Cycle, staff: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        scored_low()
    before, run = (dry_runs.run(cycle.pk, by=staff, at=when) for when in (BEFORE, LATER))
    with django_assert_num_queries(3):
        dry_runs.summary(run)
    with django_assert_num_queries(2):
        dry_runs.changes(run, before)


# ---- What a release is bound to


def test_approve_of_anything_that_changed_since_it_was_prepared_is_refused(
    cycle: Cycle, staff: User, other_staff: User
) -> None:
    registration = seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    sheet = reading(registration).sheet
    type(sheet).objects.filter(pk=sheet.pk).update(comment="One word more.")
    assert refusal(release.approve, cycle.pk, seen=BEFORE, by=other_staff, at=LATER) == (
        "changed",
        "Something changed since this release was prepared. Check all candidates again to see what, then prepare it "
        "again.",
    )
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=LATER)
    decision = release.approve(cycle.pk, seen=LATER, by=other_staff, at=LATER)
    assert decision.run is not None
    assert decision.run.digest == dry_runs.tally(cycle, make_policy(), LATER).digest


def change_comment(registration: Registration) -> None:
    sheet = reading(registration).sheet
    type(sheet).objects.filter(pk=sheet.pk).update(comment="Other words.")


CHANGES: dict[str, Callable[[Registration], object]] = {
    "a sheet corrected": correct,
    "a comment changed": change_comment,
    "a reading gone": lambda one: take_away(reading(one, 7)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_after_the_approval_is_not_told_and_staff_are(cycle: Cycle, change: str) -> None:
    changed, same = seven(make_registration()), scored_low()
    decision = approved(cycle)
    CHANGES[change](changed)
    assert [release.release_due(DUE), release.release_due(DUE + timedelta(minutes=1))] == [1, 0]
    assert list(Result.objects.values_list("registration", flat=True)) == [same.pk]
    assert Release.objects.get().state == Release.State.APPROVED
    told = Message.objects.filter(event="release_refused").order_by("to")
    assert [message.user for message in told] == sorted(
        [decision.prepared_by, decision.approved_by], key=lambda user: user.email if user else ""
    )
    assert all(f"candidate {changed.code}" in message.body_text for message in told)
    assert not any(changed.user.name in message.body_text + message.body_html for message in told)


def test_what_is_as_approved_again_is_told_at_the_next_tick(cycle: Cycle) -> None:
    registration = seven(make_registration())
    approved(cycle)
    correct(registration, value="3.25")
    assert release.release_due(DUE) == 0
    correct(registration, value="3.00")
    assert release.release_due(DUE + timedelta(minutes=1)) == 1
    assert Release.objects.get().state == Release.State.RELEASED


def test_who_takes_part_only_after_the_approval_is_left_out(cycle: Cycle) -> None:
    seven(make_registration())
    approved(cycle)
    late = scored_low()
    assert release.release_due(DUE) == 1
    assert not Result.objects.filter(registration=late).exists()
    assert "They were no part of what was approved." in Message.objects.filter(event="release_refused")[0].body_text


def test_exception_withdrawn_after_the_approval_keeps_its_candidate(cycle: Cycle, staff: User) -> None:
    excepted, other = scored_low(), seven(make_registration())
    take_away(reading(excepted))
    signed = gate_exceptions.sign(cycle.pk, excepted.pk, "coverage", reason="Nobody left.", by=staff, at=BEFORE)
    approved(cycle)
    gate_exceptions.withdraw(signed.pk, by=staff, at=LATER)
    assert release.release_due(DUE) == 1
    assert list(Result.objects.values_list("registration", flat=True)) == [other.pk]


def test_excepted_candidate_is_told_with_everybody(cycle: Cycle, staff: User) -> None:
    excepted = scored_low()
    take_away(reading(excepted))
    gate_exceptions.sign(cycle.pk, excepted.pk, "coverage", reason="Nobody left.", by=staff, at=BEFORE)
    approved(cycle)
    assert release.release_due(DUE) == 1
    assert FactorScore.objects.get().how == "single"


# ---- Exceptions


def test_sign_covers_what_fails_and_nothing_that_comes_later(cycle: Cycle, staff: User) -> None:
    low = scored_low()
    take_away(reading(low))
    signed = gate_exceptions.sign(cycle.pk, low.pk, "coverage", reason=" Nobody left. ", by=staff, at=BEFORE)
    assert (signed.reason, signed.words) == (
        "Nobody left.",
        "factor 1 lies near the floor or the threshold and has no second reading; no entry of this candidate has two "
        "readings.",
    )
    make_scored_entry(low, 2, ("3.00",) * 3)
    [found] = release_gate.rows(cycle, make_policy(), BEFORE)
    assert [check.code for check in found.missing] == ["coverage"]
    again = gate_exceptions.sign(cycle.pk, low.pk, "coverage", reason="Still.", by=staff, at=LATER)
    [found] = release_gate.rows(cycle, make_policy(), BEFORE)
    assert [(check.code, check.reason) for check in found.excepted] == [("coverage", "Still.")]
    signed.refresh_from_db()
    assert (signed.withdrawn_by, signed.withdrawn_at, again.withdrawn_at) == (staff, LATER, None)


@pytest.mark.parametrize("rule", ["closed", "scored", "final", "adjudicated", "independent", "rubric", "totals", "fee"])
def test_sign_never_for_the_other_rules_by_verb_and_database(cycle: Cycle, staff: User, rule: str) -> None:
    low = scored_low()
    assert refusal(gate_exceptions.sign, cycle.pk, low.pk, rule, reason="Please.", by=staff, at=BEFORE)[0] == "never"
    row = {"cycle": cycle, "registration": low, "rule": rule, "words": "-", "reason": "-"}
    with pytest.raises(IntegrityError, match="exception_may_be"), transaction.atomic():
        GateException.objects.create(**row, signed_by=staff, signed_at=BEFORE)


def test_sign_is_refused_without_a_reason_without_need_and_once_told(cycle: Cycle, staff: User) -> None:
    low = scored_low()
    sign = {"by": staff, "at": BEFORE}
    assert refusal(gate_exceptions.sign, cycle.pk, low.pk, "coverage", reason=" ", **sign)[0] == "no-reason"
    assert refusal(gate_exceptions.sign, cycle.pk, low.pk, "coverage", reason="!", **sign)[0] == "nothing-fails"
    approved(cycle)
    release.release_due(DUE)
    assert refusal(gate_exceptions.sign, cycle.pk, low.pk, "coverage", reason="!", **sign)[0] == "already-told"


def test_withdraw_twice_keeps_the_first(cycle: Cycle, staff: User, other_staff: User) -> None:
    low = scored_low()
    take_away(reading(low))
    signed = gate_exceptions.sign(cycle.pk, low.pk, "coverage", reason="!", by=staff, at=BEFORE)
    gate_exceptions.withdraw(signed.pk, by=staff, at=BEFORE)
    again = gate_exceptions.withdraw(signed.pk, by=other_staff, at=LATER)
    assert (again.withdrawn_by, again.withdrawn_at) == (staff, BEFORE)


# ---- Previews


def test_preview_is_what_is_told_and_leaves_nothing(cycle: Cycle) -> None:
    registration = seven(make_registration(), (("2.75", "3.00", "3.25"), ("2.75", "2.75", "3.00")))
    found = release_gate.look(cycle, registration.pk, make_policy(), BEFORE)
    assert found is not None
    with previews.previewed(found[0], make_policy(), DUE) as result:
        seen = _content(result)
        assert Result.objects.count() == 1
    assert (Result.objects.count(), FactorScore.objects.count(), Certificate.objects.count()) == (0, 0, 0)
    approved(cycle)
    release.release_due(DUE)
    assert _content(Result.objects.get()) == seen


def _content(result: Result) -> tuple[object, ...]:
    told = (result.status, result.total, result.standing, result.factors_scored, result.released_at, result.policy_id)
    return told, list(result.factor_scores.values_list("entry", "numerator", "denominator", "how", "detail"))


def test_preview_leaves_nothing_when_the_page_breaks(cycle: Cycle) -> None:
    registration = seven(make_registration())
    found = release_gate.look(cycle, registration.pk, make_policy(), BEFORE)
    assert found is not None
    with pytest.raises(ZeroDivisionError), previews.previewed(found[0], make_policy(), DUE):
        raise ZeroDivisionError
    assert not Result.objects.exists()
