"""The gate: every rule with its words, for candidates who pass and who do not."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from pytest_django import DjangoAssertNumQueries

from candidates.models import Cycle, Registration, User
from portfolios.models import Entry
from scoring import by_hand, gate_rules, release, release_gate
from scoring.gate_rules import Verdict
from scoring.models import Assignment, DeclaredTie, GateException, Qualification, Recusal, Result, Rubric, Statement
from tests.factories import (
    MICROSECOND,
    make_cohort,
    make_cycle,
    make_entry,
    make_extension,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_release,
    make_rubric,
    make_scored_entry,
    make_scorer,
    make_text,
)
from tests.scoring.worlds import BEFORE, correct, reading, seven, take_away


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    return make_cycle(2027)


def row(registration: Registration, when: datetime = BEFORE) -> dict[str, tuple[Verdict, str]]:
    """Code to verdict and words, of one candidate in the cycle of 2027."""
    rows = release_gate.rows(make_cycle(2027), make_policy(), when)
    [found] = [one for one in rows if one.registration == registration]
    return {check.code: (check.verdict, check.words) for check in found.checks}


def missing(registration: Registration, when: datetime = BEFORE) -> dict[str, str]:
    return {code: words for code, (verdict, words) in row(registration, when).items() if verdict is Verdict.MISSING}


def test_gate_of_a_ready_candidate(cycle: Cycle) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1)
    make_scored_entry(registration, 2, ("3.25",) * 3)
    assert row(registration) == {
        "closed": (Verdict.PASSED, "Every entry is locked."),
        "scored": (Verdict.PASSED, "2 of 2 entries scored."),
        "final": (Verdict.PASSED, "Every assigned reading is final."),
        "coverage": (Verdict.PASSED, "2 second readings asked for, all of them there."),
        "adjudicated": (Verdict.PASSED, "No open adjudication."),
        "independent": (Verdict.PASSED, "Nobody read their own entry, or a second attempt after the first."),
        "conflict": (Verdict.PASSED, "Nobody who read it has a tie to the candidate."),
        "qualified": (Verdict.PASSED, "Everybody who read it was free to."),
        "rubric": (Verdict.PASSED, "All readings of an entry used the same rubric."),
        "edition": (Verdict.PASSED, "Judged by the same rubrics as everybody of the cycle."),
        "totals": (Verdict.PASSED, "Computed in two separate ways, the same."),
        "fee": (Verdict.INFORMATION, "Paid."),
    }


def test_gate_says_that_an_unpaid_result_is_withheld_and_lets_it_through(cycle: Cycle) -> None:
    registration = seven(make_registration(payment_status=Registration.Payment.PO_COMMITTED))
    assert missing(registration) == {}
    assert row(registration)["fee"] == (
        Verdict.INFORMATION,
        "Seat held by purchase order. The result will be withheld until the fee is settled.",
    )


def test_gate_open_entry_and_running_extension(cycle: Cycle) -> None:
    registration = make_registration()
    make_entry(registration, make_factor(1), cycle)
    make_extension(registration, cycle, closes_at=BEFORE + MICROSECOND)
    assert missing(registration)["closed"] == (
        "factor 1 may still be changed by the candidate; their extension is still running."
    )
    other = make_registration()
    make_extension(other, cycle, closes_at=BEFORE)
    assert missing(other) == {}


def test_gate_unscored_and_unfinished(cycle: Cycle) -> None:
    registration = make_registration()
    make_entry(registration, make_factor(1), cycle, status=Entry.Status.LOCKED)
    half = make_scored_entry(registration, 2)
    half.assignments.get(role="second").sheet.ratings.filter(criterion__position=2).update(value=None)
    assert missing(registration) == {
        "scored": "factor 1 has no final first reading.",
        "final": "factor 2: second reading is not final.",
        "coverage": "factor 2 lies near the floor or the threshold and has no second reading; "
        "no entry of this candidate has two readings.",
    }


def test_gate_second_readings(cycle: Cycle) -> None:
    registration = make_registration(cohort=make_cohort(2024))
    make_scored_entry(registration, 1, ("3.25",) * 3, year=2027)
    assert missing(registration) == {"coverage": "no entry of this candidate has two readings."}
    make_scored_entry(registration, 2, year=2027)
    assert missing(registration) == {}
    make_scored_entry(registration, 3, ("3.25",) * 3, year=2027, is_retake=True)
    make_scored_entry(registration, 4, ("3.00",) * 3, year=2027)
    assert missing(registration) == {
        "coverage": "factor 3 is a retake and has no second reading; "
        "factor 4 lies near the floor or the threshold and has no second reading."
    }


def test_gate_entries_drawn_for_a_second_reading(cycle: Cycle) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1)
    make_scored_entry(registration, 2, ("4.00",) * 3)
    [found] = release_gate.rows(cycle, make_policy(2, double_percent=100), BEFORE)
    assert [check.words for check in found.missing] == [
        "factor 2 was drawn for a second reading and has no second reading."
    ]


def test_gate_open_adjudication(cycle: Cycle) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1, ("4.00",) * 3, ("2.75",) * 3)  # 1.25 apart: averaged
    assert missing(registration) == {}
    make_scored_entry(registration, 2, ("4.00",) * 3, ("2.75", "2.75", "2.25"))
    assert missing(registration) == {
        "adjudicated": "factor 2: the two readings lie too far apart, a lead scorer must decide."
    }


def test_gate_two_versions_of_a_rubric(cycle: Cycle) -> None:
    registration = make_registration()
    sheet = make_scored_entry(registration, 1).assignments.get(role="second").sheet
    other = make_scored_entry(make_registration(), 2).assignments.get(role="second").sheet.rubric
    type(sheet).objects.filter(pk=sheet.pk).update(rubric=other)
    assert missing(registration) == {"rubric": "factor 1 was read by two versions of its rubric."}


def test_gate_totals_that_disagree(cycle: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1)
    monkeypatch.setattr("scoring.scores.sheet_score", lambda values: Fraction(301, 100))
    assert missing(registration) == {"totals": "factor 1 comes to 301/100 and, computed again, to 3."}


def test_gate_finds_a_released_total_that_was_tampered_with(db: None) -> None:
    make_policy()
    registration = seven(make_registration(cohort=make_cohort(2025)), (("1.00",) * 3,) * 2, year=2026)
    decision = make_release(make_cycle(2026))
    release.release_due(decision.releases_at)
    assert missing(registration) == {}
    Result.objects.update(total_numerator=100)
    assert missing(registration) == {
        "totals": "the last released total is not the sum of the factor scores released until then."
    }


@pytest.mark.parametrize("count", [1, 3])
def test_gate_asks_the_same_few_times(
    cycle: Cycle, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        make_scored_entry(make_registration())
    policy = make_policy()
    with django_assert_num_queries(22):
        rows = list(release_gate.rows(cycle, policy, BEFORE))
    assert [row.is_ready for row in rows] == [True] * count


def test_gate_first_entries_of_a_scorer(cycle: Cycle) -> None:
    """By what they ever read, in the order in which it was given to them."""
    registration, sol = make_registration(), make_scorer("Sol Sato")
    make_scored_entry(registration, 1, ("4.00",) * 3, ("4.00",) * 3)
    for number in (2, 3):
        make_reading(make_locked(registration, number), sol, *("4.00",) * 3)
    assert missing(registration) == {}
    [found] = release_gate.rows(cycle, make_policy(2, double_first_entries=1), BEFORE)
    assert [check.words for check in found.missing] == [
        "factor 2 is among the first entries of its scorer and has no second reading."
    ]


def test_gate_ties_that_are_said_only_after_reading(cycle: Cycle) -> None:
    registration = seven(make_registration())
    scorer = reading(registration, 3).scorer
    DeclaredTie.objects.create(declared_by=scorer, name=registration.user.name, relation="close", declared_at=BEFORE)
    stepped_back = reading(registration, 5, "first").scorer
    Recusal.objects.create(scorer=stepped_back, registration=registration, declared_at=BEFORE)
    assert missing(registration) == {
        "conflict": "factor 3: the scorer of the second reading has a declared tie to this candidate; "
        "factor 5: the scorer of the first reading has stepped back from this candidate."
    }


def test_gate_ties_that_the_candidate_says(cycle: Cycle) -> None:
    registration = seven(make_registration())
    scorer = reading(registration, 1).scorer
    tie = {"name": "", "email": scorer.email.upper(), "relation": "coached_me", "declared_at": BEFORE}
    DeclaredTie.objects.create(declared_by=registration.user, **tie)
    assert list(missing(registration)) == ["conflict"]


def test_gate_a_tie_that_staff_set_aside_by_hand_is_shown_and_passes(cycle: Cycle, staff: User) -> None:
    registration = seven(make_registration(district="Elsewhere District"))
    assert set(missing(registration)) == {"conflict"}
    entry = make_locked(make_registration(district="Nearby"), 1)
    near = make_scorer("Nell Near", district="Nearby")
    by_hand.give(entry.pk, "first", to=near.pk, reason="Nobody else is left.", sets_aside=True, by=staff, at=BEFORE)
    checks = row(entry.registration)
    assert checks["conflict"] == (
        Verdict.PASSED,
        "Nobody who read it has a tie to the candidate. factor 1: the scorer of the first reading works in the "
        "candidate's district; set aside when it was given by hand: Nobody else is left.",
    )
    Recusal.objects.create(scorer=near, registration=entry.registration, declared_at=BEFORE)
    assert "conflict" not in missing(entry.registration)  # the district comes first, and is set aside


def test_gate_a_retake_read_by_who_knows_the_first_attempt(db: None) -> None:
    make_policy()
    registration = make_registration(cohort=make_cohort(2024))
    first = make_scored_entry(registration, 1, ("1.00",) * 3, ("1.00",) * 3, year=2025)
    retake = make_scored_entry(registration, 1, year=2027, is_retake=True)
    assert missing(registration) == {}
    Assignment.objects.filter(entry=retake, role="first").update(scorer=first.assignments.get(role="second").scorer)
    assert missing(registration) == {
        "independent": "factor 1: the scorer of the first reading knows an earlier attempt."
    }


@pytest.mark.parametrize(
    ("lapsed", "lacks"),
    [(None, False), (timedelta(0), True), (MICROSECOND, False)],  # half-open, like every span
)
def test_gate_qualified_when_it_was_given_to_them(db: None, lapsed: timedelta | None, lacks: bool) -> None:
    policy = make_policy(requires_qualification=True)
    registration = make_registration()
    make_scored_entry(registration, 1)
    for one in Assignment.objects.select_related("entry__factor"):
        ends = one.assigned_at + lapsed if lapsed is not None else None
        about = {"factor": one.entry.factor, "qualified_at": one.assigned_at, "lapsed_at": ends}
        Qualification.objects.create(scorer=one.scorer, reason="By benchmark.", **about)
    [found] = release_gate.rows(make_cycle(2027), policy, BEFORE)
    assert [check.code for check in found.missing] == ["qualified"] * lacks


@pytest.mark.parametrize(("late", "lacks"), [(timedelta(0), False), (MICROSECOND, True)])
def test_gate_signed_before_the_sheet_was_final(db: None, late: timedelta, lacks: bool) -> None:
    policy, cycle = make_policy(requires_statement=True), make_cycle(2027)
    registration = make_registration()
    make_scored_entry(registration, 1)
    for one in Assignment.objects.select_related("sheet"):
        assert one.sheet.finalised_at is not None
        signed = {"text": make_text("impartiality"), "signature": "X", "signed_at": one.sheet.finalised_at + late}
        Statement.objects.create(scorer=one.scorer, cycle=cycle, **signed)
    [found] = release_gate.rows(cycle, policy, BEFORE)
    assert [check.code for check in found.missing] == ["qualified"] * lacks


def newer_rubric(number: int, version: int = 2) -> Rubric:
    """Words that changed in the middle of the cycle: what was read already stays with the old ones."""
    Rubric.objects.filter(factor__number=number).update(is_current=False)
    return make_rubric(make_factor(number), version=version)


def use_rubric(registration: Registration, number: int, version: int) -> None:
    """Their readings of a factor by another version of its rubric, criterion by criterion."""
    rubric = newer_rubric(number, version)
    for one in Assignment.objects.filter(entry__registration=registration, entry__factor__number=number):
        ratings = one.sheet.ratings.order_by("criterion__position")
        for rating, criterion in zip(ratings, rubric.criteria.all(), strict=True):
            type(rating).objects.filter(pk=rating.pk).update(criterion=criterion)
        type(one.sheet).objects.filter(pk=one.sheet.pk).update(rubric=rubric)


def test_gate_another_edition_than_most_of_the_cycle(cycle: Cycle) -> None:
    mine, others = seven(make_registration()), [seven(make_registration()) for _ in range(2)]
    use_rubric(mine, 2, version=2)
    assert missing(mine) == {
        "edition": "factor 2 was read by another version of its rubric (version 2) than most of the cycle."
    }
    assert [missing(other) for other in others] == [{}, {}]


# ---- One seeded fault for each rule


def unfinished(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    reading(registration).sheet.ratings.filter(criterion__position=1).update(value=None)


def uncovered(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    Entry.objects.filter(registration=registration, factor__number=1).update(is_retake=True)
    take_away(reading(registration))


def by_the_candidate(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    Assignment.objects.filter(pk=reading(registration).pk).update(scorer=registration.user)


def by_an_unsigned_scorer(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    Assignment.objects.filter(pk=reading(registration).pk).update(scorer=make_scorer())


def stepped_back(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    Recusal.objects.create(scorer=reading(registration).scorer, registration=registration, declared_at=BEFORE)


def two_rubrics(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = reading(registration).sheet
    type(sheet).objects.filter(pk=sheet.pk).update(rubric=newer_rubric(1))


def wrong_sum(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.scores.sheet_score", lambda values: Fraction(301, 100))


FAULTS = {
    "closed": lambda one, patch: Entry.objects.filter(registration=one, factor__number=1).update(
        status=Entry.Status.SUBMITTED, locked_at=None
    ),
    "scored": lambda one, patch: take_away(reading(one, 1, "first")),
    "final": unfinished,
    "coverage": uncovered,
    "adjudicated": lambda one, patch: correct(one, value="2.25"),
    "independent": by_the_candidate,
    "conflict": stepped_back,
    "qualified": by_an_unsigned_scorer,
    "rubric": two_rubrics,
    "edition": lambda one, patch: use_rubric(one, 1, version=2),
    "totals": wrong_sum,
}


@pytest.mark.parametrize("code", FAULTS)
def test_gate_catches_one_seeded_fault_of_each_rule(db: None, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, cycle = make_policy(requires_statement=True), make_cycle(2027)
    mine, _, _ = (seven(make_registration(), *[(("4.00",) * 3,) * 2] * 7) for _ in range(3))
    signed = {"text": make_text("impartiality"), "signature": "X", "signed_at": cycle.closes_at}
    scorers = set(Assignment.objects.values_list("scorer", flat=True)) | {mine.user_id}
    Statement.objects.bulk_create(Statement(scorer_id=one, cycle=cycle, **signed) for one in scorers)

    def failing() -> dict[int, list[str]]:
        rows = release_gate.rows(cycle, policy, BEFORE)
        return {row.registration.pk: [check.code for check in row.missing] for row in rows if row.missing}

    assert failing() == {}
    FAULTS[code](mine, monkeypatch)
    assert failing()[mine.pk] == [code]
    if code != "totals":  # the others come through the same broken sum
        assert len(failing()) == 1


def test_every_rule_has_a_seeded_fault_and_only_four_may_be_excepted() -> None:
    assert list(FAULTS) == [code for code in gate_rules.RULES if code != "fee"]
    assert set(GateException.Rule.values) == {"coverage", "conflict", "qualified", "edition"}
    assert set(gate_rules.TITLES) == set(gate_rules.RULES)
