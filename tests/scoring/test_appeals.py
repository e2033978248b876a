"""Appeals: until when, by whom, read by whom, what comes of them; twice, two at once, and bad luck."""

from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios import purging, retention
from portfolios.models import Entry, Hold
from scoring import appeal_desk, appeals, by_hand, corrections, handover, policies, release, sheets, tasks
from scoring.models import Appeal, Assignment, Certificate, FactorScore, Result, Scorer, ScoringPolicy, Sheet
from scoring.sheets import Content
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_policy,
    make_registration,
    make_release,
    make_requirement,
    make_scored_entry,
    make_scorer,
    make_upload,
)
from tests.scoring.telling import (
    DUE,
    END_OF_ASKING,
    NOVEMBER,
    ask,
    judge,
    read,
    release_year,
    score_of,
    standing,
    tell,
    twice,
)
from tests.threads import run_all_at_once, run_at_once

Role = Assignment.Role


@pytest.fixture
def registration(candidate: User) -> Registration:
    return make_registration(candidate, code="BCDF2345")


def refusal(verb: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        verb(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


def mails(event: str) -> list[str]:
    return list(Message.objects.filter(event=event).values_list("to", flat=True))


# ---- Until when, and by whom


@pytest.mark.parametrize(
    ("when", "is_open"),
    [(DUE, True), (END_OF_ASKING - MICROSECOND, True), (END_OF_ASKING, False), (END_OF_ASKING + MICROSECOND, False)],
)
def test_ask_within_the_days_of_the_policy(registration: Registration, when: datetime, is_open: bool) -> None:
    tell(registration)
    assert (appeals.window(score_of(registration)).opens_at, appeals.window(score_of(registration)).closes_at) == (
        DUE,
        END_OF_ASKING,
    )
    if is_open:
        assert ask(registration, when=when).state == Appeal.State.OPEN
    else:
        assert refusal(ask, registration, when=when) == "too-late"


def test_ask_before_the_release_is_not_there(registration: Registration) -> None:
    tell(registration)
    with pytest.raises(FactorScore.DoesNotExist):
        ask(registration, when=DUE - MICROSECOND)


def test_the_days_are_the_policys(registration: Registration) -> None:
    make_policy(appeal_days=0, appeal_decision_days=1)
    tell(registration)
    assert refusal(ask, registration, when=at(2027, 11, 1)) == "too-late"
    assert ask(registration, when=at(2027, 11, 1) - MICROSECOND).decide_by == at(2027, 11, 2)


def test_decide_by_is_the_end_of_a_day_whatever_the_clocks_do(registration: Registration) -> None:
    tell(registration)
    assert ask(registration, when=at(2027, 11, 1, 23)).decide_by == at(2027, 12, 17)


def test_the_days_begin_when_a_withheld_result_may_be_read(registration: Registration) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    tell(registration)
    with pytest.raises(FactorScore.DoesNotExist):
        ask(registration)
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    with pytest.raises(FactorScore.DoesNotExist):
        ask(registration)  # paid, and the job has not told it yet
    release.tell_paid(at(2028, 1, 10, 12))
    assert ask(registration, when=at(2028, 2, 10) - MICROSECOND).is_open
    assert refusal(ask, registration, 2, when=at(2028, 2, 10)) == "too-late"


def test_ask_for_somebody_elses_score_is_not_there(registration: Registration, stranger: User, staff: User) -> None:
    tell(registration)
    for person in (stranger, staff):
        with pytest.raises(FactorScore.DoesNotExist):
            appeals.ask(score_of(registration).pk, reason="Please.", by=person, at=NOVEMBER)


def test_ask_needs_words_and_not_too_many(registration: Registration) -> None:
    tell(registration)
    asking = partial(appeals.ask, score_of(registration).pk, by=registration.user, at=NOVEMBER)
    assert refusal(asking, reason="  \n") == "reason-missing"
    assert refusal(asking, reason="a" * 3001) == "too-long"
    assert asking(reason="a" * 3000).is_open


def test_ask_after_the_registration_ended_is_refused(registration: Registration) -> None:
    tell(registration)
    Registration.objects.update(status=Registration.Status.WITHDRAWN)
    assert refusal(ask, registration) == "not-standing"


def test_ask_for_what_nobody_can_read_any_more_is_refused(registration: Registration) -> None:
    tell(registration)
    make_upload(score_of(registration).entry, purged_at=NOVEMBER)
    assert refusal(ask, registration) == "files-deleted"


def test_ask_again_is_the_same_until_it_is_decided_and_once_for_all_then(
    registration: Registration, staff: User
) -> None:
    tell(registration)
    make_scorer()
    first = ask(registration)
    assert ask(registration, when=NOVEMBER + timedelta(days=1)) == first
    assert (mails("appeal_asked"), Hold.objects.count()) == (["ada@example.org"], 1)
    read(first, "3.00")
    appeals.decide(first.pk, words="", by=staff, at=NOVEMBER)
    assert refusal(ask, registration) == "asked-already"
    assert ask(registration, 2).is_open  # another factor


@pytest.mark.django_db(transaction=True)
def test_ask_twice_at_once_makes_one(registration: Registration) -> None:
    tell(registration)
    asked = run_at_once(lambda: ask(registration).pk, times=4)
    assert (len(set(asked)), Appeal.objects.count(), Hold.objects.count()) == (1, 1, 1)
    assert mails("appeal_asked") == ["ada@example.org"]


# ---- Who reads


def test_follow_up_gives_it_to_somebody_who_knows_nothing_of_the_factor(registration: Registration) -> None:
    tell(registration)  # by scorers of their own, who are active still
    read_it = set(Assignment.objects.filter(entry__factor__number=1).values_list("scorer", flat=True))
    tied = make_scorer(district=registration.district)
    appeal = ask(registration)
    assert appeals.follow_up_due() == [appeal.pk]
    assert appeals.follow_up(appeal.pk, at=NOVEMBER)
    given = Assignment.objects.get(role=Role.APPEAL)
    assert given.scorer_id not in {*read_it, tied.pk}
    assert (given.entry_id, given.due_at, given.reason) == (
        appeal.entry_id,
        appeal.decide_by - timedelta(days=7),
        "appeal",
    )
    assert (appeals.follow_up_due(), appeals.follow_up(appeal.pk, at=NOVEMBER)) == ([], False)


def test_follow_up_waits_until_somebody_may(registration: Registration) -> None:
    tell(registration, factors=1)
    ask(registration)
    assert tasks.follow_up_appeals() == 0
    assert [line.waits_for for line in appeal_desk.due(NOVEMBER)] == ["a scorer who may read it"]
    free = make_scorer()
    clock.jump_to(NOVEMBER)
    assert tasks.follow_up_appeals() == 1
    assert Assignment.objects.get(role=Role.APPEAL).scorer == free
    assert appeal_desk.due(NOVEMBER) == []


def test_a_reader_never_knew_another_attempt(registration: Registration) -> None:
    tell(registration, twice("2.00"), factors=1)
    knows = make_scorer()
    retake = make_scored_entry(registration, 1, ("3.00",) * 3, year=2029, is_retake=True)
    retake.assignments.update(scorer=knows)
    Scorer.objects.exclude(user=knows).update(is_active=False)
    appeal = ask(registration)
    assert not appeals.follow_up(appeal.pk, at=NOVEMBER)


def test_staff_choose_the_reader_by_hand(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    appeal = ask(registration)
    first, second = make_scorer("First Free"), make_scorer("Second Free")
    for chosen in (second, first):
        options = {one.profile.user_id: one.is_possible for one in by_hand.options(appeal.entry, Role.APPEAL, NOVEMBER)}
        assert options[chosen.pk]
        given = by_hand.give(
            appeal.entry_id, Role.APPEAL, to=chosen.pk, reason="Free.", sets_aside=False, by=staff, at=NOVEMBER
        )
        assert (given.scorer, given.due_at) == (chosen, appeal.decide_by - timedelta(days=7))
    judge(given.sheet, "3.00", NOVEMBER)
    again = partial(
        by_hand.give, appeal.entry_id, to=second.pk, reason="Free.", sets_aside=False, by=staff, at=NOVEMBER
    )
    assert refusal(again, Role.APPEAL) == "final"
    assert refusal(again, Role.APPEAL_LEAD) in ("not-read", "no-scorer")


def test_by_hand_without_an_appeal_reads_nobody(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    entry, free = score_of(registration).entry_id, make_scorer()
    giving = partial(by_hand.give, entry, Role.APPEAL, to=free.pk, reason="Free.", sets_aside=False, by=staff)
    assert refusal(giving, at=NOVEMBER) == "not-read"


def test_a_reader_who_steps_back_is_followed_by_another_with_the_same_deadline(registration: Registration) -> None:
    tell(registration, factors=1)
    appeal = ask(registration)
    one, other = make_scorer(), make_scorer()
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    sheet = Sheet.objects.get(assignment__role=Role.APPEAL)
    handover.recuse(sheet.pk, reason="", by=sheet.assignment.scorer, at=NOVEMBER)
    given = Assignment.objects.get(role=Role.APPEAL)
    assert {sheet.assignment.scorer, given.scorer} == {one, other}
    assert given.due_at == appeal.decide_by - timedelta(days=7)


def test_the_reader_is_not_told_what_it_is(registration: Registration) -> None:
    """Neither by queue, sheet, nor mail: no old score, no name, no word of the candidate."""
    tell(registration, twice("2.00"), factors=1)
    reader = make_scorer("Rea Reader")
    appeal = ask(registration)
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    sheet = Sheet.objects.get(assignment__role=Role.APPEAL)
    clock.jump_to(NOVEMBER)
    client = Client()
    client.force_login(reader)
    names = [("queue", []), ("sheet", [sheet.pk]), ("sheet-finalise", [sheet.pk]), ("sheet-recuse", [sheet.pk])]
    pages = [client.get(reverse(f"scoring:{name}", args=args)).content.decode() for name, args in names]
    pages.append(client.get(reverse("dashboard")).content.decode())
    message = Message.objects.get(event="assigned", to=reader.email)
    for text in [*pages, message.body_text, message.body_html, message.subject]:
        for told in ("ppeal", "Ada", "more was seen", "2.000", "Lakeside", "verified"):
            assert told not in text, told
    assert "Second reading" in pages[0]
    assert "Overdue" not in pages[0] + pages[1]
    for name, args in (("appeal-list", []), ("appeal-detail", [appeal.pk])):
        assert client.get(reverse(f"scoring:{name}", args=args)).status_code == 403
    assert client.get(reverse("scoring:appeal", args=[appeal.entry.cycle_id, 1])).status_code == 404


# ---- What comes of it


def test_confirmed_changes_nothing_but_says_so(registration: Registration, staff: User) -> None:
    result = tell(registration, (("2.25", "2.25", "3.00"),) * 2, factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "1.75")
    decided = appeals.decide(appeal.pk, words=" Thank you. ", by=staff, at=NOVEMBER + timedelta(days=2))
    assert (decided.outcome, decided.verified, decided.words, decided.result) == (
        "confirmed",
        Fraction(9, 4),
        "Thank you.",
        None,
    )
    assert standing(registration) == result
    assert mails("appeal_decided") == ["ada@example.org"]
    assert Hold.objects.get().lifted_at == NOVEMBER + timedelta(days=2)


def test_raised_makes_another_result_and_keeps_the_old_one(registration: Registration, staff: User) -> None:
    """Six threes and a 1.50, below the floor; a new reading of 2.75 brings it to 23/12, and so to the certificate."""
    old = tell(registration, (("1.75", "1.75", "1.00"),) * 2)
    assert (old.status, old.total) == ("not_yet", Fraction(39, 2))
    make_scorer()
    appeal = ask(registration)
    read(appeal, "2.75")
    when = NOVEMBER + timedelta(days=2)
    decided = appeals.decide(appeal.pk, words="", by=staff, at=when)

    new = standing(registration)
    assert (decided.outcome, decided.result, decided.verified) == ("raised", new, Fraction(23, 12))
    assert (new.status, new.total, new.replaces, new.released_at, new.told_at) == (
        "certified",
        18 + Fraction(23, 12),
        old,
        when,
        when,
    )
    old.refresh_from_db()
    assert (old.superseded_at, old.superseded_reason) == (when, "A score was verified at your request, and raised.")
    assert old.status == "not_yet"
    assert [row.score for row in old.factor_scores.all()] == [Fraction(3, 2), *[3] * 6]
    row = score_of(registration)
    assert (row.score, row.how) == (Fraction(23, 12), "verified")
    assert [(one.get("name"), one["counts"]) for one in row.detail["readings"]] == [
        (None, True),
        (None, True),
        ("Independent scorer", True),
    ]
    assert row.detail["criteria"][2]["mean"] == [19, 12]  # 1.00, 1.00, 2.75
    assert Certificate.objects.get().result == new
    assert set(Entry.objects.values_list("outcome", flat=True)) == {"banked"}


def test_a_lead_decides_where_the_readings_lie_apart(registration: Registration, staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    lead = make_scorer("Lia Lead", "lead scorer")
    appeal = ask(registration)
    read(appeal, "4.00")
    assert refusal(appeals.decide, appeal.pk, words="", by=staff, at=NOVEMBER) == "not-read"
    sheet = read(appeal, "3.00", role=Role.APPEAL_LEAD)
    assert sheet.assignment.scorer == lead
    appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    row = score_of(registration)
    assert (row.score, row.detail["comments"]) == (3, ["I saw 3.00."])
    assert [one["counts"] for one in row.detail["readings"]] == [False, False, False, True]


def test_decide_twice_and_by_two_at_once_is_once(registration: Registration, staff: User, other_staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    first = appeals.decide(appeal.pk, words="One.", by=staff, at=NOVEMBER)
    again = appeals.decide(appeal.pk, words="Two.", by=other_staff, at=NOVEMBER + timedelta(days=1))
    assert (again.words, again.decided_by, again.result) == ("One.", staff, first.result)
    assert Result.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_decide_on_threads_makes_one_result(registration: Registration, staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    run_at_once(lambda: appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER), times=3)
    assert (Result.objects.count(), mails("appeal_decided")) == (2, ["ada@example.org"])


@pytest.mark.django_db(transaction=True)
def test_two_appeals_decided_at_once_count_both(registration: Registration, staff: User) -> None:
    tell(registration, twice("2.00"), twice("2.00"), factors=2)
    for _ in range(3):
        make_scorer()
    asked = [ask(registration, number) for number in (1, 2)]
    for appeal in asked:
        read(appeal, "3.00")
    run_all_at_once([partial(appeals.decide, one.pk, words="", by=staff, at=NOVEMBER) for one in asked])
    assert standing(registration).total == 2 * Fraction(7, 3)
    assert Result.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_decided_while_the_next_cycle_is_released_both_come_out_right(
    registration: Registration, staff: User, turn: int
) -> None:
    """Whoever is first: the later result counts the raised score, at once or counted anew."""
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    make_scored_entry(registration, 2, year=2028)
    decision = make_release(make_cycle(2028))
    instant = decision.releases_at
    deciding = partial(appeals.decide, appeal.pk, words="", by=staff, at=instant)
    releasing = partial(release.release_one, decision.pk, registration.pk, at=instant)
    run_all_at_once([deciding, releasing] if turn % 2 else [releasing, deciding])
    assert (standing(registration).total, standing(registration, 2028).total) == (Fraction(7, 3), Fraction(16, 3))


def test_nobody_decides_about_themselves(registration: Registration) -> None:
    tell(registration, factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    deciding = partial(appeals.decide, appeal.pk, words="", by=registration.user, at=NOVEMBER)
    assert refusal(deciding) == "own-registration"


def test_a_score_corrected_meanwhile_is_the_one_that_is_verified(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    found = corrections.propose(
        standing(registration).pk,
        scores={appeal.entry_id: Fraction(3)},
        reason="Typed wrongly.",
        by=staff,
        at=NOVEMBER,
    )
    corrections.approve(found.pk, seen=NOVEMBER, by=other_staff, at=NOVEMBER)
    decided = appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    assert (decided.outcome, score_of(registration).score) == ("confirmed", 3)


def test_a_later_result_that_counted_the_score_is_counted_anew(registration: Registration, staff: User) -> None:
    """Not certified in year 3 by one factor of year 1, whose appeal is decided after that release."""
    tell(registration, (("1.75", "1.75", "1.00"),) * 2)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "2.75")
    make_scored_entry(registration, 1, ("1.00",) * 3, ("1.00",) * 3, year=2029, is_retake=True)
    late = release_year(registration, 2029)
    assert (late.status, late.total) == ("not_certified", Fraction(39, 2))

    appeals.decide(appeal.pk, words="", by=staff, at=at(2029, 11, 2))
    statuses = Result.objects.order_by("cycle__year", "pk").values_list("cycle__year", "status", "superseded_at")
    assert [(year, status, when is None) for year, status, when in statuses] == [
        (2027, "not_yet", False),
        (2027, "certified", True),
        (2029, "not_certified", False),
        (2029, "certified", True),
    ]
    assert standing(registration, 2029).replaces == late
    assert Certificate.objects.get().result == standing(registration, 2027)


def test_gate_of_the_next_cycle_can_ask_what_is_open(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    make_scorer()
    appeal = ask(registration)
    cycles = {year: make_cycle(year) for year in (2026, 2027, 2028, 2029, 2030)}
    assert {year for year, cycle in cycles.items() if appeals.open_appeals(cycle)} == {2028, 2029}
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    assert not appeals.open_appeals(cycles[2028])


# ---- Taken back, and ended


def test_withdraw_before_a_reader_begins(registration: Registration, stranger: User) -> None:
    tell(registration, factors=1)
    make_scorer()
    appeal = ask(registration)
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    with pytest.raises(Appeal.DoesNotExist):
        appeals.withdraw(appeal.pk, by=stranger, at=NOVEMBER)
    for _ in range(2):
        assert appeals.withdraw(appeal.pk, by=registration.user, at=NOVEMBER).state == "withdrawn"
    assert not Assignment.objects.filter(role=Role.APPEAL).exists()
    assert Hold.objects.get().lifted_at == NOVEMBER
    assert list(Event.objects.filter(verb="appeal.withdraw").values_list("actor", flat=True)) == [registration.user_id]
    assert ask(registration).pk != appeal.pk  # the days are not over


def test_withdraw_after_a_reader_began_is_refused(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    make_scorer()
    appeal = ask(registration)
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    sheet = Sheet.objects.get(assignment__role=Role.APPEAL)
    sheets.save(sheet.pk, version=0, new=Content({}, "Hm."), by=sheet.assignment.scorer, at=NOVEMBER)
    withdrawing = partial(appeals.withdraw, appeal.pk, by=registration.user, at=NOVEMBER)
    assert refusal(withdrawing) == "begun"
    sheet.refresh_from_db()
    judge(sheet, "3.00", NOVEMBER)
    appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    assert refusal(withdrawing) == "decided"


@pytest.mark.django_db(transaction=True)
def test_withdraw_and_save_at_once_are_one_or_the_other(registration: Registration) -> None:
    tell(registration, factors=1)
    reader = make_scorer()
    appeal = ask(registration)
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    sheet = Sheet.objects.get(assignment__role=Role.APPEAL)

    def withdraw() -> str:
        try:
            return str(appeals.withdraw(appeal.pk, by=registration.user, at=NOVEMBER).state)
        except Refused as refused:
            return refused.code

    def save() -> str:
        try:
            sheets.save(sheet.pk, version=0, new=Content({}, "Hm."), by=reader, at=NOVEMBER)
        except Sheet.DoesNotExist:
            return "gone"
        return "saved"

    assert run_all_at_once([withdraw, save]) in (["withdrawn", "gone"], ["begun", "saved"])


def test_who_withdraws_from_the_programme_ends_their_appeal(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    Registration.objects.update(status=Registration.Status.WITHDRAWN)
    assert refusal(appeals.decide, appeal.pk, words="", by=staff, at=NOVEMBER) == "not-standing"
    clock.jump_to(NOVEMBER)
    assert (tasks.follow_up_appeals(), tasks.follow_up_appeals()) == (1, 0)
    appeal.refresh_from_db()
    assert (appeal.state, Hold.objects.get().lifted_at is None) == ("withdrawn", False)
    assert refusal(appeals.decide, appeal.pk, words="", by=staff, at=NOVEMBER) == "withdrawn"
    assert Sheet.objects.final().filter(assignment__role=Role.APPEAL).exists()  # what was judged is kept


def test_files_are_kept_while_it_is_open(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    make_cycle(2029)
    make_scorer()
    upload = make_upload(score_of(registration).entry, make_requirement(score_of(registration).entry.factor))
    appeal = ask(registration)
    late = at(2030, 11, 30)
    assert retention.due_one(upload.pk, late).is_held  # type: ignore[union-attr]
    assert not purging.purge(upload.pk, at=late)
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="", by=staff, at=late)
    assert purging.purge(upload.pk, at=late)


def test_is_late_from_the_instant_on(registration: Registration) -> None:
    tell(registration, factors=1)
    appeal = ask(registration)
    assert [appeal.is_late(when) for when in (appeal.decide_by - MICROSECOND, appeal.decide_by)] == [False, True]


def test_a_fee_is_refused(staff: User) -> None:
    make_policy()
    numbers = {name: getattr(ScoringPolicy.objects.get(), name) for name in policies.NUMBERS}
    adopting = partial(policies.adopt, by=staff, at=NOVEMBER)
    assert refusal(adopting, **{**numbers, "appeal_fee_minor": 5000}) == "appeal-fee"
