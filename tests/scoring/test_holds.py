"""Holding one candidate back: the release goes on, they are told neutrally, and lifting lets them go at once."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import Cycle, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from scoring import holds, release, release_gate
from scoring.models import Release, Result, ResultHold
from tests.factories import MICROSECOND, at, make_cycle, make_policy, make_registration, make_scored_entry
from tests.scoring.worlds import BEFORE, DUE, approved, correct, mails, reading, refusal, seven, take_away
from tests.threads import run_all_at_once, run_at_once

SOON = DUE + timedelta(minutes=1)
HEAR = at(2027, 11, 15).date()


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    return make_cycle(2027)


def hold(registration: Registration, by: User, when: datetime = BEFORE) -> ResultHold:
    cycle = make_cycle(2027)
    return holds.hold(cycle.pk, registration.pk, reason="A question of ours.", hear_on=HEAR, by=by, at=when)


def lift(registration: Registration, by: User, when: datetime = SOON, seen: str | None = None) -> ResultHold | None:
    cycle = make_cycle(2027)
    return holds.lift(cycle.pk, registration.pk, seen=digest(registration) if seen is None else seen, by=by, at=when)


def digest(registration: Registration) -> str:
    found = release_gate.look(make_cycle(2027), registration.pk, make_policy(), BEFORE)
    assert found is not None
    return found[1].told.digest if found[1].told else ""


def told() -> list[int]:
    return list(Result.objects.order_by("registration").values_list("registration", flat=True))


def test_release_goes_on_without_who_is_held_back_ready_or_not(cycle: Cycle, staff: User) -> None:
    held, unscored, other = seven(make_registration()), seven(make_registration()), seven(make_registration())
    take_away(reading(unscored, 1, "first"))
    hold(held, staff)
    hold(unscored, staff)
    approved(cycle)
    assert release.release_due(DUE) == 1
    assert (told(), Release.objects.get().state) == ([other.pk], Release.State.RELEASED)


def test_candidate_is_told_neutrally_once_at_the_instant(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    seven(make_registration())
    hold(held, staff)
    approved(cycle)
    release.release_due(DUE - MICROSECOND)
    assert mails(held.user) == []
    for when in (DUE, SOON):
        release.release_due(when)
    assert mails(held.user) == [("results_later", held.user.email)]
    message = Message.objects.get(user=held.user)
    assert message.subject == "Your 2027 results take a little longer"
    assert "We will e-mail you by 15 November 2027." in message.body_text
    assert "question" not in message.body_text + message.body_html
    assert ResultHold.objects.get().told_at == DUE


def test_candidate_reads_neutrally_that_it_takes_longer(cycle: Cycle, staff: User, client: Client) -> None:
    held = seven(make_registration())
    hold(held, staff)
    seven(make_registration())
    approved(cycle)
    client.force_login(held.user)
    clock.jump_to(BEFORE)
    assert "Results come out on" in client.get(reverse("scoring:result-list")).content.decode()
    release.release_due(DUE)
    clock.jump_to(SOON)
    page = client.get(reverse("scoring:result-list")).content.decode()
    assert "Your results take a little longer. We e-mail you by" in page
    assert "15 November 2027" in page
    assert "question" not in page
    assert "take a little longer" in client.get(reverse("dashboard")).content.decode()


def test_lifted_before_the_approval_is_told_with_everybody(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    hold(held, staff)
    lift(held, staff, BEFORE, seen="")
    approved(cycle)
    assert release.release_due(DUE) == 1
    assert mails(held.user) == [("certified", held.user.email), ("results_released", held.user.email)]


def test_lifted_after_the_release_is_told_by_the_job_at_once(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    seven(make_registration())
    hold(held, staff)
    approved(cycle)
    release.release_due(DUE)
    lift(held, staff)  # who set it may lift it: it is what was approved
    assert [release.release_due(SOON), release.release_due(SOON)] == [1, 0]
    assert held.pk in told()
    assert Result.objects.get(registration=held).released_at == SOON
    assert [event for event, _ in mails(held.user)] == ["certified", "results_later", "results_released"]


def test_what_changed_while_held_takes_another_person_and_what_they_saw(
    cycle: Cycle, staff: User, other_staff: User
) -> None:
    held = seven(make_registration())
    seven(make_registration())
    hold(held, staff)
    approved(cycle)
    release.release_due(DUE)
    before = digest(held)
    correct(held, value="3.25")
    look = {"by": other_staff, "at": SOON}
    assert refusal(holds.lift, cycle.pk, held.pk, seen=before, **look)[0] == "changed"
    assert refusal(holds.lift, cycle.pk, held.pk, seen=digest(held), by=staff, at=SOON)[0] == "same-person"
    lift(held, other_staff)
    correct(held, value="3.00")  # once more, after it was looked at: told neither as approved first nor as seen
    assert release.release_due(SOON) == 0
    assert (
        "What they would be told is not what was approved."
        in Message.objects.filter(event="release_refused")[0].body_text
    )
    correct(held, value="3.25")
    assert release.release_due(SOON + timedelta(minutes=1)) == 1
    assert Result.objects.get(registration=held).standing[0]["score"] == [25, 8]


def test_lift_of_who_is_not_ready_is_refused_once_the_release_is_approved(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    seven(make_registration())
    take_away(reading(held, 1, "first"))
    hold(held, staff)
    approved(cycle)
    code, message = refusal(holds.lift, cycle.pk, held.pk, seen="", by=staff, at=SOON)
    assert (code, message) == ("not-ready", "Not ready: factor 1 has no final first reading.")


def test_held_again_after_it_was_lifted_stays(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    seven(make_registration())
    hold(held, staff)
    approved(cycle)
    release.release_due(DUE)
    lift(held, staff)
    hold(held, staff, SOON)
    assert release.release_due(SOON) == 0
    assert [event for event, _ in mails(held.user)] == ["results_later", "results_later"]  # another day to hear by


def test_hold_set_between_approval_and_instant_keeps_that_candidate(cycle: Cycle, staff: User) -> None:
    held, other = seven(make_registration()), seven(make_registration())
    approved(cycle)
    hold(held, staff, DUE - timedelta(hours=1))
    assert release.release_due(DUE) == 1
    assert told() == [other.pk]


def test_who_was_left_out_may_be_held_so_that_the_release_ends(cycle: Cycle, staff: User, other_staff: User) -> None:
    changed = seven(make_registration())
    seven(make_registration())
    approved(cycle)
    correct(changed, value="3.25")
    release.release_due(DUE)
    assert Release.objects.get().state == Release.State.APPROVED
    hold(changed, staff, SOON)
    release.release_due(SOON)
    assert Release.objects.get().state == Release.State.RELEASED
    lift(changed, other_staff, SOON)
    assert release.release_due(SOON) == 1


def test_approval_withdrawn_forgets_what_lifting_approved(cycle: Cycle, staff: User, other_staff: User) -> None:
    held = seven(make_registration())
    hold(held, staff)
    seven(make_registration())
    approved(cycle)
    lift(held, staff, DUE - timedelta(hours=2))
    release.withdraw_approval(cycle.pk, by=staff, at=DUE - timedelta(hours=1))
    correct(held, value="3.25")
    seen = release.prepare(cycle.pk, releases_at=DUE, by=staff, at=DUE - timedelta(minutes=50)).prepared_at
    release.approve(cycle.pk, seen=seen, by=other_staff, at=DUE - timedelta(minutes=40))
    assert release.release_due(DUE) == 2


def test_hold_is_refused_without_reason_for_a_day_gone_or_once_told(cycle: Cycle, staff: User) -> None:
    registration = seven(make_registration())
    about = {"by": staff, "at": BEFORE}
    yesterday = BEFORE.date() - timedelta(days=1)
    key = (cycle.pk, registration.pk)
    assert refusal(holds.hold, *key, reason=" ", hear_on=HEAR, **about)[0] == "no-reason"
    assert refusal(holds.hold, *key, reason="!", hear_on=yesterday, **about)[0] == "day-passed"
    assert holds.hold(*key, reason="!", hear_on=BEFORE.date(), **about).pk
    lift(registration, staff, BEFORE, seen="")
    approved(cycle)
    release.release_due(DUE)
    assert refusal(holds.hold, *key, reason="!", hear_on=HEAR, **about)[0] == "already-told"


def test_hold_and_lift_twice_change_nothing_and_are_written_down(cycle: Cycle, staff: User, other_staff: User) -> None:
    registration = seven(make_registration())
    assert hold(registration, staff) == hold(registration, other_staff)
    assert lift(registration, staff, BEFORE, seen="") is not None
    assert lift(registration, staff, BEFORE, seen="") is None
    events = Event.objects.about(registration).order_by("pk").values_list("verb", "actor", "reason")
    assert list(events) == [("result.hold", staff.pk, "A question of ours."), ("result.lift_hold", staff.pk, "")]


def test_who_withdraws_while_held_gets_no_mail(cycle: Cycle, staff: User) -> None:
    held = seven(make_registration())
    seven(make_registration())
    hold(held, staff)
    approved(cycle)
    Registration.objects.filter(pk=held.pk).update(status=Registration.Status.WITHDRAWN)
    release.release_due(DUE)
    assert mails(held.user) == []


def test_with_everybody_held_there_is_nothing_to_release(cycle: Cycle, staff: User) -> None:
    hold(seven(make_registration()), staff)
    assert refusal(release.prepare, cycle.pk, releases_at=DUE, by=staff, at=BEFORE)[0] == "not-ready"


@pytest.mark.django_db(transaction=True)
def test_hold_while_the_job_runs_is_in_time_or_too_late(staff: User) -> None:
    """Either they are told and the hold is refused, or they are held and not told; never both."""
    make_policy()
    cycle = make_cycle(2027)
    registration = make_registration()
    make_scored_entry(registration)
    make_scored_entry(make_registration())
    approved(cycle)

    def holding() -> str:
        try:
            hold(registration, staff, DUE)
        except release.Refused as refused:
            return refused.code
        return "held"

    [_, answer] = run_all_at_once([lambda: str(release.release_due(DUE)), holding])
    is_told = Result.objects.filter(registration=registration).exists()
    assert (answer, is_told) in {("held", False), ("already-told", True)}


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_tell_of_a_hold_and_a_lift_once(staff: User) -> None:
    make_policy()
    cycle = make_cycle(2027)
    held, lifted = make_registration(), make_registration()
    for registration in (held, lifted, make_registration()):
        make_scored_entry(registration)
    hold(held, staff)
    hold(lifted, staff)
    approved(cycle)
    lift(lifted, staff, DUE)
    made = run_at_once(lambda: release.release_due(DUE), times=2)
    assert sum(made) == 2
    assert (len(mails(held.user)), len(mails(lifted.user))) == (1, 1)
