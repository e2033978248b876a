"""Giving readings out: the rules on real rows, asked twice, and by two people at once."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from candidates.models import Cycle, PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios.models import Entry
from scoring import assignment, handover, outlook, policies, qualifications, readings, statements, tasks
from scoring.models import Assignment, CyclePolicy, ReadingTime, Rubric, Scorer, ScoringPolicy, Sheet
from scoring.outlook import Missing
from tests.factories import (
    at,
    make_cycle,
    make_entry,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_text,
    make_user,
)
from tests.threads import run_all_at_once, run_behind

WHEN = at(2027, 7, 1, 9)


@pytest.fixture(autouse=True)
def policy(db: None) -> ScoringPolicy:
    return make_policy()


def held() -> list[tuple[int, str, str, str]]:
    rows = Assignment.objects.order_by("entry", "role")
    return [(row.entry_id, row.role, row.reason, row.scorer.name) for row in rows]


def missing(cycle: Cycle) -> list[Missing]:
    return outlook.outlook(cycle, list(readings.to_be_read(cycle)), policies.policy_of(cycle), WHEN).missing


def readers_of(entry: Entry) -> set[User]:
    return {row.scorer for row in entry.assignments.all()}


def code_of(action: object) -> str:
    with pytest.raises(Refused) as refused:
        action()  # type: ignore[operator]
    return refused.value.code


# ---- A cycle at once


def test_assign_cycle_gives_every_entry_its_readings(scorer: User, other_scorer: User, lead: User, staff: User) -> None:
    registration = make_registration()
    entries = [make_locked(registration, factor) for factor in (1, 2, 3)]
    done = assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN)
    assert (done.given, done.stuck) == (4, [])
    assert Counter(row.role for row in Assignment.objects.all()) == {"first": 3, "second": 1}
    assert {row.scorer for row in Assignment.objects.all()} == {scorer, other_scorer}
    assert {(row.assigned_by, row.assigned_at) for row in Assignment.objects.all()} == {(staff, WHEN)}
    assert Sheet.objects.filter(status="draft", saved_at=None, version=0).count() == 4


def test_assign_cycle_asked_again_changes_nothing(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    before = held()
    assert assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN).given == 0
    assert held() == before
    assert (Message.objects.count(), Event.objects.filter(verb="cycle.assign").count()) == (2, 1)


def test_assign_cycle_fills_what_came_later(scorer: User, other_scorer: User, staff: User) -> None:
    first = make_locked()
    assignment.assign_cycle(first.cycle_id, by=staff, at=WHEN)
    before = held()
    later = make_locked()
    assert assignment.assign_cycle(first.cycle_id, by=staff, at=WHEN).given == 2
    assert [row for row in held() if row[0] == first.pk] == before
    assert readers_of(later) == {scorer, other_scorer}


def test_assign_cycle_tells_each_scorer_once(scorer: User, other_scorer: User, staff: User) -> None:
    entries = [make_locked() for _ in range(2)]
    assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN)
    mails = Message.objects.order_by("to")
    assert [(mail.to, mail.subject) for mail in mails] == [
        ("sol@example.org", "2 entries are waiting for your reading"),
        ("tia@example.org", "2 entries are waiting for your reading"),
    ]
    assert "31 October 2027, 9:00 a.m. Central Time" in mails[0].body_text
    assert "http://localhost:8000/scoring/" in mails[0].body_text


def test_assign_cycle_says_nothing_of_candidates_in_mail(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked(make_registration(make_user("Nora Nameless", email="nora@secret.example")))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    said = str(Message.objects.values_list("subject", "body_text", "body_html", "context"))
    assert not [word for word in ("Nora", "nora@", "Lakeside") if word in said]


@pytest.mark.parametrize("status", ["draft", "submitted", "lapsed"])
def test_assign_cycle_of_entries_not_handed_in_for_good(status: str, scorer: User, staff: User) -> None:
    entry = make_entry(status=status)
    assert code_of(lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)) == "nothing-handed-in"


@pytest.mark.parametrize("status", Registration.ENDED)
def test_assign_cycle_leaves_out_whose_registration_ended(status: str, scorer: User, staff: User) -> None:
    entry = make_locked(make_registration(status=status))
    assert code_of(lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)) == "nothing-handed-in"


def test_assign_cycle_keeps_to_its_cycle(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    elsewhere = make_locked(cycle=make_cycle(2028))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert (entry.assignments.count(), elsewhere.assignments.count()) == (2, 0)


def test_assign_cycle_without_a_rubric_or_a_policy_says_so(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    Rubric.objects.update(is_current=False)
    assert code_of(lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)) == "no-rubric"
    ScoringPolicy.objects.all().delete()
    assert code_of(lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)) == "no-policy"
    assert Assignment.objects.count() == 0


# ---- Who may not read


@pytest.mark.parametrize(
    "ties",
    [
        {"district": "lakeside school district", "employer": ""},
        {"district": "", "employer": "The Lakeside  School District"},
        {"district": "Lakeside Elementary", "employer": ""},
    ],
)
def test_assign_cycle_nobody_scores_their_own_district(
    ties: dict[str, str], scorer: User, other_scorer: User, staff: User
) -> None:
    near = make_scorer("Near Neighbour", **ties)
    entry = make_locked()
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert readers_of(entry) == {scorer, other_scorer}
    assert not near.assignments.exists()


def test_assign_cycle_an_empty_district_is_no_conflict(staff: User) -> None:
    people = {make_scorer(district="", employer="") for _ in range(2)}
    entry = make_locked(make_registration(district="", employer=""))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert readers_of(entry) == people


def test_assign_cycle_nobody_scores_themselves_or_whom_they_supervise(
    scorer: User, other_scorer: User, staff: User
) -> None:
    candidate = make_scorer("Both Roles")
    boss = make_scorer("Boss", email="boss@example.org")
    entry = make_locked(make_registration(candidate, supervisor_email="Boss@Example.org"))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert readers_of(entry) == {scorer, other_scorer}
    assert not boss.assignments.exists()


def test_assign_cycle_leads_and_inactive_scorers_get_no_readings(
    scorer: User, other_scorer: User, lead: User, staff: User
) -> None:
    Scorer.objects.filter(user=make_scorer("Away")).update(is_active=False)
    User.objects.filter(pk=make_scorer("Gone").pk).update(is_active=False)
    entry = make_locked()
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert readers_of(entry) == {scorer, other_scorer}


def test_assign_cycle_a_retake_never_goes_to_who_read_it_before(scorer: User, other_scorer: User, staff: User) -> None:
    registration = make_registration()
    before = make_locked(registration)
    make_reading(before, scorer, "2.00", "2.00", "2.00")
    fresh = make_scorer("Fresh Eyes")
    retake = make_locked(registration, cycle=make_cycle(2029), is_retake=True)
    assignment.assign_cycle(retake.cycle_id, by=staff, at=at(2029, 7, 1))
    assert readers_of(retake) == {other_scorer, fresh}
    assert sorted(row[1:3] for row in held() if row[0] == retake.pk) == [("first", "coverage"), ("second", "retake")]


def test_assign_cycle_who_read_another_factor_may_read_a_retake(scorer: User, other_scorer: User, staff: User) -> None:
    registration = make_registration()
    make_reading(make_locked(registration, factor=2), scorer, "2.00", "2.00", "2.00")
    retake = make_locked(registration, cycle=make_cycle(2029), is_retake=True)
    assignment.assign_cycle(retake.cycle_id, by=staff, at=at(2029, 7, 1))
    assert readers_of(retake) == {scorer, other_scorer}


def test_assign_cycle_names_entries_nobody_may_score_and_gives_the_rest(
    scorer: User, other_scorer: User, staff: User
) -> None:
    Scorer.objects.update(district="Hillside Schools", employer="")
    fine, hopeless = make_locked(), make_locked(make_registration(district="Hillside Schools"))
    done = assignment.assign_cycle(fine.cycle_id, by=staff, at=WHEN)
    code = hopeless.registration.code
    assert done.given == 2
    assert [str(one) for one in done.stuck] == [
        f"{code}, factor 1: no scorer may do the {kind} reading (2 work in the candidate's district)"
        for kind in ("first", "second")
    ]


def test_assign_cycle_refuses_by_name_when_nothing_can_be_given(scorer: User, staff: User) -> None:
    Scorer.objects.update(district="Lakeside School District")
    entry = make_locked()
    with pytest.raises(Refused, match=entry.registration.code) as refused:
        assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert refused.value.code == "nobody-may"
    assert Assignment.objects.count() == 0


def test_outlook_is_what_assign_cycle_would_do(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    code = entry.registration.code
    planned = missing(entry.cycle)
    assert [(one.code, one.role, one.reason, one.minutes) for one in planned] == [
        (code, "first", "coverage", 30),
        (code, "second", "one per candidate", 30),
    ]
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert [(one.entry, one.role, one.reason, one.name) for one in planned] == held()
    assert missing(entry.cycle) == []


# ---- Policy


def test_assign_cycle_a_scorers_first_entries_are_read_twice(staff: User) -> None:
    ScoringPolicy.objects.update(double_first_entries=3)
    old, new = make_scorer("Old Hand"), make_scorer("New Hand")
    for _ in range(2):
        make_reading(make_locked(cycle=make_cycle(2026), registration=make_registration()), old)
    registration = make_registration()
    entries = [make_locked(registration, factor) for factor in (1, 2, 3, 4)]
    assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN)
    theirs = Assignment.objects.filter(scorer=new).order_by("assigned_at", "pk")[:3]
    assert [readers_of(one.entry) for one in theirs] == [{old, new}] * len(theirs)
    assert "first entries" in [row[2] for row in held()]


def test_assign_cycle_random_share(scorer: User, other_scorer: User, staff: User) -> None:
    ScoringPolicy.objects.update(double_percent=100)
    registration = make_registration()
    entries = [make_locked(registration, factor) for factor in (1, 2)]
    assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN)
    assert [row[2] for row in held() if row[1] == "second"] == ["random share", "random share"]


def test_assign_cycle_binds_the_cycle_to_the_policy_it_has(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    make_policy(version=2, double_percent=100)
    bound = CyclePolicy.objects.get()
    assert (bound.cycle, bound.policy.version, bound.bound_by, bound.bound_at) == (entry.cycle, 1, staff, WHEN)
    assert policies.policy_of(entry.cycle).version == 1
    assert policies.policy_of(make_cycle(2028)).version == 2
    again = make_locked(make_registration(), 2)
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert sorted(row[2] for row in held() if row[0] == again.pk) == ["coverage", "one per candidate"]


def test_follow_up_due_asks_each_cycle_by_its_own_policy(scorer: User, other_scorer: User, staff: User) -> None:
    old, new = make_locked(), make_locked(cycle=make_cycle(2028))
    policies.bind(old.cycle, by=staff, at=WHEN)
    make_policy(version=2, double_band="0.00")
    for entry in (old, new):
        make_reading(entry, scorer, "3.00", "3.00", "3.00")  # within a quarter of the threshold
    assert assignment.follow_up_due() == [old.pk]
    assert assignment.follow_up(new.pk, by=None, at=WHEN) is None


def test_assign_cycle_by_minutes_not_by_count(scorer: User, other_scorer: User, staff: User) -> None:
    for number, minutes in ((1, 60), (2, 20), (3, 20), (4, 20)):
        ReadingTime.objects.create(factor=make_factor(number), minutes=minutes)
    for factor in (1, 2, 3, 4):
        make_reading(make_locked(make_registration(), factor), make_scorer(district="Lakeside Elementary"))
    Scorer.objects.exclude(user__in=[scorer, other_scorer]).update(is_active=False)
    assignment.assign_cycle(make_cycle().pk, by=staff, at=WHEN)
    given = {row.scorer.name: row.scorer.assignments.count() for row in Assignment.objects.filter(role="second")}
    assert sorted(given.values()) == [1, 3]


def test_assign_cycle_keeps_to_the_share_of_one_candidate(staff: User) -> None:
    ScoringPolicy.objects.update(max_share_percent=34)
    people = [make_scorer() for _ in range(3)]
    registration = make_registration()
    entries = [make_locked(registration, factor) for factor in (1, 2, 3, 4, 5)]
    done = assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN)
    assert (done.given, Counter(row.scorer for row in Assignment.objects.all())) == (6, dict.fromkeys(people, 2))


def test_assign_cycle_only_to_the_qualified_when_the_policy_asks(scorer: User, other_scorer: User, staff: User) -> None:
    ScoringPolicy.objects.update(requires_qualification=True)
    entry = make_locked()
    assert code_of(lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)) == "nobody-may"
    assert missing(entry.cycle)[0].why == "2 are not qualified for this factor"
    made = [
        qualifications.qualify(one, entry.factor, reason="Tried.", by=staff, at=WHEN) for one in (scorer, other_scorer)
    ]
    qualifications.lapse(made[1].pk, reason="Drifted.", by=staff, at=WHEN)
    qualifications.qualify(other_scorer, make_factor(2), reason="Tried.", by=staff, at=WHEN)
    done = assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert held() == [(entry.pk, "first", "coverage", "Sol Sato")]
    assert [one.why for one in done.stuck] == ["1 reads this entry already, 1 is not qualified for this factor"]


def test_assign_cycle_only_to_who_signed_when_the_policy_asks(scorer: User, other_scorer: User, staff: User) -> None:
    ScoringPolicy.objects.update(requires_statement=True)
    entry = make_locked()
    make_text(PolicyText.Kind.IMPARTIALITY)
    statements.sign(entry.cycle_id, version=1, signature="Sol Sato", by=scorer, at=WHEN)
    statements.sign(make_cycle(2028).pk, version=1, signature="Tia Torres", by=other_scorer, at=WHEN)
    done = assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert held() == [(entry.pk, "first", "coverage", "Sol Sato")]
    assert [one.why for one in done.stuck] == ["1 reads this entry already, 1 has not signed this year's statement"]


def test_assign_cycle_a_mail_domain_of_work_is_a_tie_and_a_public_one_is_none(
    scorer: User, other_scorer: User, staff: User
) -> None:
    at_work = make_scorer("Wes Work", email="wes@lakeside.example")
    entry = make_locked(make_registration(supervisor_email="boss@lakeside.example"))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert readers_of(entry) == {scorer, other_scorer}
    assert not at_work.assignments.exists()


# ---- What follows from final readings


@pytest.mark.parametrize(
    ("values", "follows"),
    [
        (("1.25", "1.25", "1.75"), []),  # 1.4167: below the band around the floor
        (("1.25", "1.25", "2.00"), [("second", "band")]),  # exactly 1.50
        (("2.00", "2.00", "2.00"), [("second", "band")]),
        (("2.00", "2.00", "2.25"), []),  # 2.0833: between the bands
        (("3.00", "3.00", "3.00"), [("second", "band")]),
        (("3.00", "3.00", "3.25"), []),
    ],
)
def test_follow_up_reads_a_close_call_again(
    values: tuple[str, ...], follows: list[tuple[str, str]], scorer: User, other_scorer: User
) -> None:
    entry = make_locked()
    make_reading(entry, scorer, *values)
    assignment.follow_up(entry.pk, by=None, at=WHEN)
    assignment.follow_up(entry.pk, by=None, at=WHEN)
    added = entry.assignments.exclude(role="first")
    assert [(row.role, row.reason) for row in added] == follows
    assert {row.scorer for row in added} <= {other_scorer}


def test_follow_up_averages_exactly_the_gap(scorer: User, other_scorer: User, lead: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.75", "1.75", "1.75")
    make_reading(entry, other_scorer, "3.00", "3.00", "3.00", role="second")
    assert assignment.follow_up(entry.pk, by=None, at=WHEN) is None


def test_follow_up_sends_the_next_gap_to_a_lead(scorer: User, other_scorer: User, lead: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.75", "1.75", "1.75")
    make_reading(entry, other_scorer, "3.00", "3.00", "3.25", role="second")
    added = assignment.follow_up(entry.pk, by=None, at=WHEN)
    assert added is not None
    assert (added.role, added.reason, added.scorer, added.assigned_by) == ("adjudication", "gap", lead, None)
    assert [mail.subject for mail in Message.objects.filter(user=lead)] == ["One entry is waiting for your reading"]
    assert assignment.follow_up(entry.pk, by=None, at=WHEN) is None
    assert Assignment.objects.filter(role="adjudication").count() == 1


def test_follow_up_never_goes_to_the_lead_who_read_it(scorer: User, lead: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, lead, "4.00", "4.00", "4.00", role="second")
    assert assignment.follow_up(entry.pk, by=None, at=WHEN) is None
    assert assignment.follow_up_due() == [entry.pk]
    other_lead = make_scorer("Lou Lead", "lead scorer")
    assert tasks.follow_up_due() == 1
    assert entry.assignments.get(role="adjudication").scorer == other_lead
    assert (assignment.follow_up_due(), tasks.follow_up_due()) == ([], 0)


def test_follow_up_keeps_a_lead_away_from_their_own_district(scorer: User, other_scorer: User) -> None:
    make_scorer("Lou Lead", "lead scorer", district="Lakeside School District")
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, other_scorer, "4.00", "4.00", "4.00", role="second")
    assert assignment.follow_up(entry.pk, by=None, at=WHEN) is None


def test_follow_up_waits_while_a_reading_is_open(scorer: User, other_scorer: User, lead: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, other_scorer, role="second")
    assert assignment.follow_up(entry.pk, by=None, at=WHEN) is None
    assert assignment.follow_up_due() == []


def test_follow_up_uses_the_rubric_of_the_first_reading(scorer: User, other_scorer: User) -> None:
    entry = make_locked()
    first = make_reading(entry, scorer, "3.00", "3.00", "3.00")
    Rubric.objects.update(is_current=False)
    Rubric.objects.create(factor=entry.factor, version=2, content_hash="2" * 64)
    added = assignment.follow_up(entry.pk, by=None, at=WHEN)
    assert added is not None
    assert added.sheet.rubric == first.rubric


def test_follow_up_due_leaves_released_entries_alone(scorer: User, other_scorer: User) -> None:
    entry = make_locked(outcome=Entry.Outcome.BANKED)
    make_reading(entry, scorer, "3.00", "3.00", "3.00")
    assert assignment.follow_up_due() == []


def test_nothing_more_is_given_out_of_who_withdrew(scorer: User, other_scorer: User, staff: User) -> None:
    registration = make_registration()
    make_reading(make_locked(registration, 1), scorer, "2.75", "2.75", "2.75")  # near the threshold
    make_reading(make_locked(registration, 2), scorer)
    Registration.objects.update(status=Registration.Status.WITHDRAWN)
    assert (assignment.follow_up_due(), tasks.follow_up_due()) == ([], 0)
    assert assignment.follow_up(Entry.objects.earliest("pk").pk, by=None, at=WHEN) is None
    assert handover.stand_down(scorer.pk, by=staff, at=WHEN) == 1
    assert [row.scorer for row in Assignment.objects.all()] == [scorer]
    assert not Message.objects.exists()


# ---- At once


@pytest.mark.django_db(transaction=True)
def test_assign_cycle_by_two_staff_at_once(scorer: User, other_scorer: User, staff: User, other_staff: User) -> None:
    entries = [make_locked() for _ in range(5)]
    cycle = entries[0].cycle
    pressed = run_all_at_once(
        [lambda who=who: assignment.assign_cycle(cycle.pk, by=who, at=WHEN).given for who in (staff, other_staff)]
    )
    assert sorted(pressed) == [0, 10]
    assert Assignment.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_assign_cycle_by_two_who_saw_the_same_plan(
    scorer: User, other_scorer: User, staff: User, other_staff: User
) -> None:
    entries = [make_locked() for _ in range(3)]
    cycle = entries[0].cycle
    seen = outlook.outlook(cycle, list(readings.to_be_read(cycle)), policies.policy_of(cycle), WHEN).fingerprint

    def press(who: User) -> str:
        try:
            return str(assignment.assign_cycle(cycle.pk, by=who, at=WHEN, seen=seen).given)
        except Refused as refusal:
            return refusal.code

    assert sorted(run_all_at_once([partial(press, staff), partial(press, other_staff)])) == ["6", "facts-changed"]
    assert Assignment.objects.count() == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leaves", ["recuse", "stand_down", "declare"])
def test_who_leaves_while_a_cycle_is_given_out_keeps_nothing(
    leaves: str, scorer: User, other_scorer: User, staff: User
) -> None:
    """They come second, and what was given to them a moment ago and is not yet to be seen goes on all the same."""
    third, registration = make_scorer("Una Unger"), make_registration(make_user("Nora Nameless"))
    sheet = make_reading(make_locked(registration, 1), scorer)
    entries = [make_locked(registration, factor) for factor in (2, 3, 4, 5, 6)]
    gone: dict[str, Callable[[], object]] = {
        "recuse": lambda: handover.recuse(sheet.pk, reason="", by=scorer, at=WHEN),
        "stand_down": lambda: handover.stand_down(scorer.pk, by=staff, at=WHEN),
        "declare": lambda: handover.declare(name="Nora Nameless", email="", relation="close", by=scorer, at=WHEN),
    }
    run_behind(lambda: assignment.assign_cycle(entries[0].cycle_id, by=staff, at=WHEN), [gone[leaves]])
    assert {row.scorer for row in Assignment.objects.all()} == {other_scorer, third}
    assert Assignment.objects.count() == 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leaves", ["stand_down", "declare"])
def test_who_left_before_a_cycle_is_given_out_gets_nothing(
    leaves: str, scorer: User, other_scorer: User, staff: User
) -> None:
    entry = make_locked(make_registration(make_user("Nora Nameless")))
    make_scorer("Una Unger")
    gone: dict[str, Callable[[], object]] = {
        "stand_down": lambda: handover.stand_down(scorer.pk, by=staff, at=WHEN),
        "declare": lambda: handover.declare(name="Nora Nameless", email="", relation="close", by=scorer, at=WHEN),
    }
    run_behind(gone[leaves], [lambda: assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)])
    assert not scorer.assignments.exists()
    assert entry.assignments.count() == 2


def test_assign_cycle_queries_do_not_grow(
    scorer: User, other_scorer: User, staff: User, django_assert_num_queries: object
) -> None:
    cycle = make_cycle()
    policies.bind(cycle, by=staff, at=WHEN)
    for count in (1, 3):
        for number in range(count):
            make_locked(make_registration(), factor=1 + number % 2)
        with django_assert_num_queries(31):  # type: ignore[operator]
            assignment.assign_cycle(cycle.pk, by=staff, at=WHEN)
