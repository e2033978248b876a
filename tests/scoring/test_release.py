"""The release: who may decide it, the instant itself, and everything that may happen to the job."""

from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from candidates.models import Cycle, Registration, User
from icg_cert.audit.models import Event
from icg_cert.mail.models import Message
from portfolios.models import Entry
from scoring import release, tasks
from scoring.models import Certificate, FactorScore, Release, Result
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_result,
    make_scored_entry,
)
from tests.scoring.worlds import BEFORE, DUE, TWICE, Readings, mails, refusal, seven
from tests.threads import run_at_once, run_behind


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    return make_cycle(2027)


def statuses() -> dict[int, str]:
    return dict(Result.objects.values_list("registration", "status"))


# ---- The decision


def test_prepare_approve_and_withdraw_are_written_down(cycle: Cycle, staff: User, other_staff: User) -> None:
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    release.approve(cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE + timedelta(hours=1))
    assert Release.objects.values_list("state", "prepared_by", "approved_by", "approved_at", "releases_at").get() == (
        "approved",
        staff.pk,
        other_staff.pk,
        BEFORE + timedelta(hours=1),
        DUE,
    )
    release.withdraw_approval(cycle.pk, by=staff, at=BEFORE + timedelta(hours=2))
    assert Release.objects.values_list("state", "approved_by", "approved_at").get() == ("prepared", None, None)
    assert list(Event.objects.order_by("at").values_list("verb", "actor")) == [
        ("release.prepare", staff.pk),
        ("release.approve", other_staff.pk),
        ("release.withdraw_approval", staff.pk),
    ]


def test_prepare_again_before_approval_decides_anew(cycle: Cycle, staff: User, other_staff: User) -> None:
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    release.prepare(cycle.pk, releases_at=DUE + timedelta(days=1), by=other_staff, at=BEFORE)
    assert Release.objects.values_list("prepared_by", "releases_at").get() == (other_staff.pk, DUE + timedelta(days=1))


def test_prepare_is_refused_until_the_window_and_its_grace_are_over(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    closed = cycle.closes_at + cycle.grace
    early = refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=closed - MICROSECOND)
    assert early == ("window-open", "The submission window of 2027 has not closed yet.")
    assert release.prepare(cycle.pk, releases_at=DUE, by=staff, at=closed).state == Release.State.PREPARED


def test_prepare_for_an_instant_that_has_passed_is_refused(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    assert (
        refusal(release.prepare, cycle.pk, releases_at=BEFORE - MICROSECOND, by=staff, at=BEFORE)[0] == "instant-past"
    )
    assert release.prepare(cycle.pk, releases_at=BEFORE, by=staff, at=BEFORE).releases_at == BEFORE


def test_prepare_for_an_instant_more_than_a_year_away_is_refused(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    latest = BEFORE + timedelta(days=366)
    far = refusal(release.prepare, cycle.pk, releases_at=latest + MICROSECOND, by=staff, at=BEFORE)
    assert far == ("instant-far", "This is more than a year away. Choose an earlier instant.")
    assert release.prepare(cycle.pk, releases_at=latest, by=staff, at=BEFORE).releases_at == latest


def test_prepare_while_somebody_is_not_ready_is_refused(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    make_entry(seven(make_registration()), make_factor(8), cycle, status=Entry.Status.LOCKED)
    assert refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=BEFORE) == (
        "not-ready",
        "1 candidate is not ready. Check all candidates again: the table names what is missing for each.",
    )
    assert not Release.objects.exists()


def test_prepare_with_nobody_to_tell_is_refused(cycle: Cycle, staff: User) -> None:
    assert refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=BEFORE)[0] == "not-ready"


def test_prepare_after_approval_or_release_is_refused(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    make_release(cycle)
    assert refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=BEFORE)[0] == "already-approved"
    release.release_due(DUE)
    assert refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=DUE)[0] == "already-released"


def test_approve_by_the_preparer_is_refused_by_verb_and_database(cycle: Cycle, staff: User) -> None:
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    assert refusal(release.approve, cycle.pk, seen=BEFORE, by=staff, at=BEFORE) == (
        "same-person",
        "You prepared this release. Another member of staff has to approve it.",
    )
    with pytest.raises(IntegrityError, match="release_takes_two"), transaction.atomic():
        Release.objects.update(state="approved", approved_by=staff, approved_at=BEFORE)


def test_approve_twice_keeps_the_first(cycle: Cycle, staff: User, other_staff: User) -> None:
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    release.approve(cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE)
    release.approve(cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE + timedelta(days=1))
    assert Release.objects.get().approved_at == BEFORE


def test_approve_what_was_prepared_anew_since_is_refused(cycle: Cycle, staff: User, other_staff: User) -> None:
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    release.prepare(cycle.pk, releases_at=DUE + timedelta(days=1), by=staff, at=BEFORE + MICROSECOND)
    for seen in (BEFORE, None):
        assert refusal(release.approve, cycle.pk, seen=seen, by=other_staff, at=BEFORE)[0] == "prepared-anew"
    release.approve(cycle.pk, seen=BEFORE + MICROSECOND, by=other_staff, at=BEFORE)
    assert Release.objects.values_list("state", "releases_at").get() == ("approved", DUE + timedelta(days=1))


def test_approve_unprepared_or_no_longer_ready_is_refused(cycle: Cycle, staff: User, other_staff: User) -> None:
    assert refusal(release.approve, cycle.pk, seen=BEFORE, by=staff, at=BEFORE)[0] == "not-prepared"
    registration = seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    make_entry(registration, make_factor(8), cycle, status=Entry.Status.LOCKED)
    assert refusal(release.approve, cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE)[0] == "not-ready"


def test_withdraw_approval_is_refused_once_anybody_was_told(cycle: Cycle, staff: User) -> None:
    decision = make_release(cycle)
    assert release.withdraw_approval(cycle.pk, by=staff, at=BEFORE).state == Release.State.PREPARED
    assert release.withdraw_approval(cycle.pk, by=staff, at=BEFORE).state == Release.State.PREPARED  # a repeat
    told, _ = seven(make_registration()), seven(make_registration())
    release.approve(cycle.pk, seen=decision.prepared_at, by=staff, at=BEFORE)
    release.release_one(decision.pk, told.pk, at=DUE)
    assert refusal(release.withdraw_approval, cycle.pk, by=staff, at=DUE)[0] == "already-told"


@pytest.mark.django_db(transaction=True)
def test_prepare_and_approve_at_once_do_not_block_each_other(staff: User, other_staff: User) -> None:
    make_policy()
    cycle = make_cycle(2027)
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    preparing = partial(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    approving = partial(release.approve, cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE)
    answers = run_behind(
        lambda: Cycle.objects.select_for_update().get(pk=cycle.pk),
        [
            lambda: refusal(preparing)[0],
            lambda: approving().state,
        ],
    )
    assert answers == ["already-approved", "approved"]


@pytest.mark.django_db(transaction=True)
def test_prepare_while_somebody_approves_finds_it_approved(staff: User, other_staff: User) -> None:
    make_policy()
    cycle = make_cycle(2027)
    seven(make_registration())
    release.prepare(cycle.pk, releases_at=DUE, by=staff, at=BEFORE)
    later = partial(release.prepare, cycle.pk, releases_at=DUE + timedelta(days=1), by=staff, at=BEFORE)
    approving = partial(release.approve, cycle.pk, seen=BEFORE, by=other_staff, at=BEFORE)
    assert run_behind(approving, [lambda: refusal(later)[0]]) == ["already-approved"]
    assert Release.objects.values_list("state", "releases_at").get() == ("approved", DUE)


@pytest.mark.parametrize("source", Release.State.values)
@pytest.mark.parametrize("target", Release.State.values)
def test_states_follow_the_map(cycle: Cycle, source: str, target: str, other_staff: User) -> None:
    decision = make_release(cycle, source)
    if target in Release.NEXT[source]:
        release._move(decision, target, approved_by=other_staff, approved_at=BEFORE)
    else:
        with pytest.raises(ValueError, match="does not go from"):
            release._move(decision, target)


# ---- The instant


@pytest.mark.parametrize(
    ("state", "when", "made"),
    [
        (Release.State.PREPARED, DUE + timedelta(days=1), 0),  # never approved
        (Release.State.APPROVED, DUE - MICROSECOND, 0),
        (Release.State.APPROVED, DUE, 1),
        (Release.State.APPROVED, DUE + MICROSECOND, 1),
        (Release.State.RELEASED, DUE + timedelta(days=1), 0),
    ],
)
def test_release_due_waits_for_approval_and_instant(cycle: Cycle, state: str, when: datetime, made: int) -> None:
    seven(make_registration())
    make_release(cycle, state)
    assert release.release_due(when) == made
    assert Result.objects.count() == made


def test_release_due_tells_everybody_once(cycle: Cycle) -> None:
    certified = seven(make_registration())
    short = make_registration()
    make_scored_entry(short, 1, ("2.00",) * 3, ("2.25",) * 3)
    nothing = make_registration()
    make_release(cycle)
    assert release.release_due(DUE) == 3
    assert statuses() == {certified.pk: "certified", short.pk: "not_yet", nothing.pk: "in_progress"}
    assert mails() == sorted(
        [
            ("certified", certified.user.email),
            ("results_released", certified.user.email),
            ("results_released", short.user.email),
            ("results_released", nothing.user.email),
        ],
        key=lambda mail: (mail[1], mail[0]),
    )
    assert set(Entry.objects.values_list("registration", "outcome")) == {
        (certified.pk, "banked"),
        (short.pk, "fell_short"),
    }
    assert Release.objects.values_list("state", "released_at").get() == ("released", DUE)


def test_mails_hold_no_score(cycle: Cycle) -> None:
    seven(make_registration())
    make_release(cycle)
    release.release_due(DUE)
    for message in Message.objects.all():
        assert "3.000" not in message.body_text + message.body_html + message.subject
        assert "21" not in message.body_text


def test_release_due_twice_changes_nothing(cycle: Cycle) -> None:
    seven(make_registration())
    make_release(cycle)
    release.release_due(DUE)
    before = (list(Result.objects.values()), list(FactorScore.objects.values()), mails(), Event.objects.count())
    assert release.release_due(DUE + timedelta(minutes=1)) == 0
    after = (list(Result.objects.values()), list(FactorScore.objects.values()), mails(), Event.objects.count())
    assert after == before


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_tell_everybody_once() -> None:
    make_policy()
    cycle = make_cycle(2027)
    registrations = [make_registration() for _ in range(4)]
    for registration in registrations:
        make_scored_entry(registration)
    make_release(cycle)
    made = run_at_once(lambda: release.release_due(DUE), times=2)
    assert sum(made) == 4
    assert sorted(Result.objects.values_list("registration", flat=True)) == [one.pk for one in registrations]
    assert (FactorScore.objects.count(), len(mails())) == (4, 4)
    assert Release.objects.get().state == Release.State.RELEASED


class Killed(BaseException):
    """The process is gone: nothing catches it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("survived", [0, 1, 2])
def test_killed_halfway_and_run_again(survived: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make_policy()
    cycle = make_cycle(2027)
    for _ in range(3):
        make_scored_entry(make_registration())
    make_release(cycle)
    calls = iter(range(3))

    def dying(result: Result, when: datetime) -> None:
        if next(calls) == survived:
            raise Killed
        tell(result, when)

    tell = release._tell
    with monkeypatch.context() as patched:
        patched.setattr(release, "_tell", dying)
        with pytest.raises(Killed):
            release.release_due(DUE)
    assert (Result.objects.count(), FactorScore.objects.count(), len(mails())) == (survived,) * 3
    assert Release.objects.get().state == Release.State.APPROVED
    assert release.release_due(DUE + timedelta(minutes=1)) == 3 - survived
    assert (Result.objects.count(), FactorScore.objects.count(), len(mails())) == (3, 3, 3)
    assert Release.objects.get().state == Release.State.RELEASED


def test_one_broken_candidate_keeps_nobody_else_waiting(
    cycle: Cycle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_registration(), make_registration()
    make_scored_entry(whole)
    make_scored_entry(broken).assignments.get(role="second").sheet.ratings.all().delete()
    make_release(cycle)
    assert release.release_due(DUE) == 1
    assert (list(statuses()), Release.objects.get().state) == ([whole.pk], Release.State.APPROVED)
    assert f"registration {broken.pk} was not released" in caplog.text


def test_one_broken_result_keeps_nobody_who_paid_from_theirs(cycle: Cycle, caplog: pytest.LogCaptureFixture) -> None:
    make_release(cycle)
    broken = make_result(standing=[], told_at=None)  # certified by nothing
    whole = make_result(told_at=None)
    assert release.tell_paid(DUE) == 1
    assert list(Result.objects.exclude(told_at=None)) == [whole]
    assert f"tell failed for {broken.pk}" in caplog.text


def test_approval_withdrawn_while_the_job_runs(cycle: Cycle, staff: User) -> None:
    registration = seven(make_registration())
    decision = make_release(cycle)
    release.withdraw_approval(cycle.pk, by=staff, at=DUE)
    assert release.release_one(decision.pk, registration.pk, at=DUE) is False
    assert not Result.objects.exists()


def test_release_one_looks_at_the_gate_again(cycle: Cycle) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1, ("4.00",) * 3)  # once only, and nothing else of theirs was read twice
    decision = make_release(cycle)
    code, message = refusal(release.release_one, decision.pk, registration.pk, at=DUE)
    assert (code, message) == ("not-ready", "no entry of this candidate has two readings.")
    assert not Result.objects.exists()


def test_job_late_by_a_day_says_so(cycle: Cycle) -> None:
    seven(make_registration())
    make_release(cycle)
    late = DUE + timedelta(days=1)
    release.release_due(late)
    assert Result.objects.values_list("released_at", "told_at").get() == (late, late)
    assert not Result.objects.released(late - MICROSECOND).exists()
    assert Result.objects.released(late).count() == 1


def test_results_of_a_withdrawn_approval_are_not_released(cycle: Cycle) -> None:
    seven(make_registration())
    decision = make_release(cycle)
    release.release_due(DUE)
    assert Result.objects.released(DUE).count() == 1
    Release.objects.filter(pk=decision.pk).update(state=Release.State.PREPARED)
    assert not Result.objects.released(DUE).exists()


def test_task_reads_the_clock(cycle: Cycle) -> None:
    seven(make_registration())
    make_release(cycle, releases_at=at(2020, 1, 1))
    assert (tasks.release_due(), tasks.tell_paid()) == (1, 0)


# ---- Who is told, and what


def test_withdrawn_before_the_instant_is_not_told(cycle: Cycle) -> None:
    seven(make_registration(status=Registration.Status.WITHDRAWN))
    told = seven(make_registration())
    make_release(cycle)
    release.release_due(DUE)
    assert list(statuses()) == [told.pk]


def test_unpaid_is_withheld_then_told_when_paid(cycle: Cycle) -> None:
    registration = seven(make_registration(payment_status=Registration.Payment.PO_COMMITTED))
    make_release(cycle)
    release.release_due(DUE)
    assert Release.objects.get().state == Release.State.RELEASED
    assert mails() == [("results_withheld", registration.user.email)]
    assert set(Entry.objects.values_list("outcome", flat=True)) == {""}
    assert not Certificate.objects.exists()
    assert not Result.objects.released(DUE).exists()
    assert release.tell_paid(DUE) == 0

    paid_at = DUE + timedelta(days=40)
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    assert (release.tell_paid(paid_at), release.tell_paid(paid_at)) == (1, 0)
    assert [event for event, _ in mails()] == ["certified", "results_released", "results_withheld"]
    assert set(Entry.objects.values_list("outcome", flat=True)) == {"banked"}
    assert Certificate.objects.get().issued_at == paid_at
    assert Result.objects.values_list("released_at", "told_at").get() == (DUE, paid_at)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (("2.75", "2.75", "2.75"), ("certified", Fraction(77, 4))),  # 19.25 exactly
        (("2.50", "2.75", "2.75"), ("not_yet", Fraction(77, 4) - Fraction(1, 12))),
    ],
)
def test_sum_at_the_threshold(cycle: Cycle, readings: tuple[str, ...], expected: tuple[str, Fraction]) -> None:
    values = tuple("2.25" if value == "2.50" else value for value in readings)
    plain = (("2.75",) * 3,) * 2
    last = (values, ("2.75",) * 3) if "2.25" in values else plain
    registration = seven(make_registration(), *[plain] * 6, last)
    make_release(cycle)
    release.release_due(DUE)
    result = Result.objects.get(registration=registration)
    assert (result.status, result.total) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((("1.75",) * 3,) * 2, "certified"),
        ((("1.75",) * 3, ("1.75", "1.75", "1.25")), "not_yet"),
    ],
)
def test_one_factor_at_the_floor_and_just_below(cycle: Cycle, last: Readings, expected: str) -> None:
    registration = seven(make_registration(), *[TWICE] * 6, last)
    make_release(cycle)
    release.release_due(DUE)
    assert statuses() == {registration.pk: expected}
    # What counts for a certificate is accomplished; otherwise it stands open to a retake.
    outcome = "banked" if expected == "certified" else "fell_short"
    assert Entry.objects.get(factor__number=7).outcome == outcome


@pytest.mark.parametrize(
    ("rule", "retaken", "status", "stands"),
    [
        ("best", "3.00", "certified", {"year": 2029, "score": [3, 1]}),
        ("best", "0.75", "not_certified", {"year": 2027, "score": [1, 1]}),
        ("latest", "0.75", "not_certified", {"year": 2029, "score": [3, 4]}),
    ],
)
def test_retake_better_and_worse(db: None, rule: str, retaken: str, status: str, stands: dict[str, object]) -> None:
    make_policy(retake_rule=rule)
    registration = seven(make_registration(), (("1.00",) * 3,) * 2)
    for year in (2027, 2028, 2029):
        if year == 2029:
            make_scored_entry(registration, 1, *[(retaken,) * 3] * 2, year=2029, is_retake=True)
        decision = make_release(make_cycle(year))
        release.release_due(decision.releases_at)
    assert list(Result.objects.order_by("cycle__year").values_list("status", flat=True)) == [
        "not_yet",
        "not_yet",
        status,
    ]
    last = Result.objects.get(cycle__year=2029)
    assert last.standing[0] == {"factor": 1, "name": "Factor 1", **stands}
    assert last.factor_scores.count() == 1


def test_nothing_handed_in_still_hears_in_the_third_year(db: None) -> None:
    make_policy()
    registration = make_registration(cohort=make_cohort(2024))
    make_release(make_cycle(2027))
    release.release_due(DUE)
    assert statuses() == {registration.pk: "not_certified"}


@pytest.mark.parametrize("count", [1, 3])
def test_release_one_asks_as_often_whoever_else_is_there(
    cycle: Cycle, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    registrations = [seven(make_registration()) for _ in range(count)]
    decision = make_release(cycle)
    with django_assert_num_queries(40):
        release.release_one(decision.pk, registrations[0].pk, at=DUE)
