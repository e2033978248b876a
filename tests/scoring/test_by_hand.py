"""Staff choose who does one reading: what they may set aside, what never, and what is kept of it."""

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios.models import Entry
from scoring import by_hand
from scoring.models import Assignment, Rating, ScoringPolicy
from tests.factories import (
    at,
    make_assignment,
    make_cycle,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_sheet,
)
from tests.threads import run_all_at_once

WHEN = at(2027, 7, 1, 9)


@pytest.fixture(autouse=True)
def policy(db: None) -> ScoringPolicy:
    clock.jump_to(WHEN)
    return make_policy()


def give(entry: Entry, to: User, by: User, role: str = "first", **more: object) -> Assignment:
    defaults = {"reason": "They know playbooks.", "sets_aside": False}
    return by_hand.give(entry.pk, role, to=to.pk, by=by, at=WHEN, **{**defaults, **more})  # type: ignore[arg-type]


def refused(action: object) -> str:
    with pytest.raises(Refused) as refusal:
        action()  # type: ignore[operator]
    return refusal.value.code


def test_give_pins_a_reading_that_nobody_has(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    given = give(entry, other_scorer, staff, reason="  They know playbooks. ")
    row = (given.entry, given.scorer, given.role, given.reason, given.by_hand, given.assigned_by, given.assigned_at)
    assert row == (entry, other_scorer, "first", "coverage", "They know playbooks.", staff, WHEN)
    assert given.sheet.status == "draft"
    assert [mail.to for mail in Message.objects.all()] == ["tia@example.org"]
    event = Event.objects.get(verb="assignment.by_hand")
    after = {"role": "first", "scorer": other_scorer.pk, "set_aside": ""}
    assert (event.actor, event.reason, event.after) == (staff, "They know playbooks.", after)


def test_give_moves_an_unfinished_reading_without_its_notes(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    make_sheet(make_assignment(entry, scorer, reason="band"), "2.00", "2.00", "2.00", final=False)
    give(entry, other_scorer, staff)
    assert [(row.scorer, row.role, row.reason) for row in Assignment.objects.all()] == [(other_scorer, "first", "band")]
    assert Rating.objects.count() == 0
    assert list(Event.objects.order_by("pk").values_list("verb", flat=True)) == [
        "assignment.pass_on",
        "assignment.by_hand",
    ]


def test_give_sets_a_tie_aside_for_a_reason_and_says_which(staff: User) -> None:
    near = make_scorer("Near Neighbour", district="Lakeside School District")
    entry = make_locked()
    assert refused(lambda: give(entry, near, staff)) == "tied"
    assert refused(lambda: give(entry, near, staff, reason=" ", sets_aside=True)) == "no-reason"
    assert Assignment.objects.count() == 0
    give(entry, near, staff, sets_aside=True)
    assert Event.objects.get(verb="assignment.by_hand").after == {
        "role": "first",
        "scorer": near.pk,
        "set_aside": "district",
    }


def test_give_never_to_the_candidate_or_who_reads_it_or_read_it_before(
    scorer: User, other_scorer: User, staff: User
) -> None:
    candidate = make_scorer("Both Roles")
    registration = make_registration(candidate)
    make_reading(make_locked(registration), scorer, "2.00", "2.00", "2.00")
    retake = make_locked(registration, cycle=make_cycle(2029), is_retake=True)
    make_reading(retake, other_scorer)
    tries = [partial(give, retake, one, staff, "second", sets_aside=True) for one in (candidate, scorer, other_scorer)]
    assert [refused(one) for one in tries] == ["never"] * 3


def test_give_is_refused_where_nothing_is_to_be_read(scorer: User, other_scorer: User, lead: User, staff: User) -> None:
    final, withdrawn = make_locked(), make_locked(make_registration(status=Registration.Status.WITHDRAWN))
    make_reading(final, scorer, "4.00", "4.00", "4.00")
    told = make_locked(outcome=Entry.Outcome.BANKED)
    assert refused(lambda: give(final, other_scorer, staff)) == "final"
    assert refused(lambda: give(final, lead, staff, "adjudication")) == "not-read"
    assert [refused(partial(give, one, scorer, staff)) for one in (withdrawn, told)] == ["not-read"] * 2
    fresh = make_locked()
    assert [refused(partial(give, fresh, one, staff)) for one in (lead, staff)] == ["no-scorer"] * 2


def test_give_a_decision_to_a_lead(scorer: User, other_scorer: User, lead: User, staff: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, other_scorer, "4.00", "4.00", "4.00", role="second")
    given = give(entry, lead, staff, "adjudication")
    assert (given.scorer, given.reason) == (lead, "gap")


def test_options_say_what_everybody_holds_and_what_speaks_against_them(
    scorer: User, other_scorer: User, staff: User
) -> None:
    ScoringPolicy.objects.update(max_share_percent=34)
    near = make_scorer("Near Neighbour", district="Lakeside Elementary")
    registration = make_registration()
    make_reading(make_locked(registration, 2), other_scorer)
    entry = make_locked(registration)
    assert [
        (one.profile.user, one.minutes, one.tie, one.is_possible) for one in by_hand.options(entry, "first", WHEN)
    ] == [
        (scorer, 0, "", True),
        (near, 0, "school", True),
        (other_scorer, 30, "share", True),
    ]


def test_options_count_the_share_of_all_that_will_be_read(scorer: User, other_scorer: User, staff: User) -> None:
    ScoringPolicy.objects.update(max_share_percent=50)
    registration = make_registration()
    first, second, third = (make_locked(registration, factor) for factor in (1, 2, 3))
    for entry, tie in ((first, ""), (second, ""), (third, "share")):  # two of four
        assert {one.profile.user: one.tie for one in by_hand.options(entry, "first", WHEN)}[scorer] == tie
        make_reading(entry, scorer)


@pytest.mark.django_db(transaction=True)
def test_give_by_two_at_once_leaves_one_reader(
    scorer: User, other_scorer: User, staff: User, other_staff: User
) -> None:
    entry = make_locked()
    run_all_at_once([partial(give, entry, scorer, staff), partial(give, entry, other_scorer, other_staff)])
    assert entry.assignments.count() == 1
    assert Event.objects.filter(verb="assignment.by_hand").count() == 2


def test_page_shows_the_refusal_and_keeps_what_was_typed(scorer: User, staff: User) -> None:
    near = make_scorer("Near Neighbour", district="Lakeside School District")
    entry = make_locked()
    client = Client()
    client.force_login(staff)
    url = reverse("scoring:board-by-hand", args=[entry.pk, "first"])
    page = client.get(url).content.decode()
    assert "Near Neighbour, 0 minutes so far; works in the candidate&#x27;s district" in page
    answer = client.post(url, {"to": near.pk, "reason": "Nobody else is left."})
    assert (answer.status_code, "Nobody else is left." in answer.content.decode()) == (409, True)
    done = client.post(url, {"to": near.pk, "reason": "Nobody else is left.", "sets_aside": "on"}, follow=True)
    assert "Near Neighbour has this reading now, and is told." in done.content.decode()
    assert client.get(reverse("scoring:board-by-hand", args=[entry.pk, "third"])).status_code == 404
