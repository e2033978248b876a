"""Which readings are compared, and which never: drafts, who withdrew, other cycles, what the viewer is to decide."""

from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from candidates.models import Registration, User
from portfolios.models import Entry
from scoring import pairs, scores
from scoring.agreement import Severity, agreement, severity
from scoring.models import Rubric, Sheet
from scoring.pairs import Figures, OfCriteria, OfScorer
from tests.factories import (
    make_cycle,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_rubric,
    make_scorer,
)

SAME, NEAR, FAR = ("3.00", "3.00", "3.00"), ("3.25", "3.25", "3.00"), ("1.00", "1.00", "1.25")


@pytest.fixture(autouse=True)
def rules(db: None) -> scores.Rules:
    return make_policy().rules()


def twice(
    one: User, other: User, first: tuple[str, ...] = SAME, second: tuple[str, ...] = NEAR, entry: Entry | None = None
) -> Entry:
    """An entry with a first and a second reading; an empty tuple is a draft."""
    entry = entry or make_locked()
    make_reading(entry, one, *first)
    make_reading(entry, other, *second, role="second")
    return entry


def reworded(entry: Entry) -> Rubric:
    Rubric.objects.update(is_current=False)
    return make_rubric(entry.factor, version=2)


def figures(viewer: User) -> Figures:
    return pairs.figures(make_cycle(), viewer)


def listed(viewer: User, rules: scores.Rules) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in pairs.listed(make_cycle(), viewer, rules)]


def test_figures_of_two_entries(scorer: User, other_scorer: User, staff: User) -> None:
    """Sol reads first, once; then Tia. In quarters: 12 12 12 beside 13 13 12, and 12 12 12 beside 12 12 12."""
    twice(scorer, other_scorer)
    twice(other_scorer, scorer, second=SAME, entry=make_locked(factor=2))
    found = figures(staff)
    assert found == Figures(
        cycle=make_cycle(),
        entries=2,
        kept_back=0,
        everything=agreement({(12, 13): 2, (12, 12): 4}),
        levels=found.levels,
        factors=[
            OfCriteria(1, "Factor 1", 1, agreement({(12, 13): 2, (12, 12): 1})),
            OfCriteria(2, "Factor 2", 1, agreement({(12, 12): 3})),
        ],
        criteria=[
            OfCriteria(1, "Criterion 1", 1, agreement({(12, 13): 1})),
            OfCriteria(1, "Criterion 2", 1, agreement({(12, 13): 1})),
            OfCriteria(1, "Criterion 3", 1, agreement({(12, 12): 1})),
            *[OfCriteria(2, f"Criterion {n}", 1, agreement({(12, 12): 1})) for n in (1, 2, 3)],
        ],
        scorers=[
            OfScorer(
                scorer.pk,
                "Sol Sato",
                agreement({(12, 13): 2, (12, 12): 4}),
                severity({Fraction(-1, 6): 1, Fraction(0): 1}),
                Severity(0, None, None),
            ),
            OfScorer(
                other_scorer.pk,
                "Tia Torres",
                agreement({(13, 12): 2, (12, 12): 4}),
                severity({Fraction(1, 6): 1, Fraction(0): 1}),
                Severity(0, None, None),
            ),
        ],
    )
    assert found.levels == {(3, 3): 6}


def test_figures_of_nothing(staff: User) -> None:
    assert figures(staff) == Figures(make_cycle(), 0, 0, agreement({}), figures(staff).levels, [], [], [])


def test_severity_is_the_distance_of_sheets_from_co_readers_and_from_the_lead(
    scorer: User, other_scorer: User, lead: User, staff: User
) -> None:
    """Sol gives 3, Tia 13/12, Lee decides for 2: the gap of 23/12 is above 1.25."""
    entry = twice(scorer, other_scorer, second=FAR)
    make_reading(entry, lead, "2.00", "2.00", "2.00", role="adjudication")
    apart = Fraction(23, 12)
    assert [(one.name, one.beside_readers, one.beside_leads) for one in figures(staff).scorers] == [
        ("Sol Sato", Severity(1, apart, None), Severity(1, Fraction(1), None)),
        ("Tia Torres", Severity(1, -apart, None), Severity(1, Fraction(-11, 12), None)),
    ]


def test_an_adjudication_is_no_pair(scorer: User, other_scorer: User, lead: User, staff: User) -> None:
    entry = twice(scorer, other_scorer, second=FAR)
    before = figures(staff).everything
    make_reading(entry, lead, *SAME, role="adjudication")
    assert figures(staff).everything == before


@pytest.mark.parametrize(("first", "second"), [(SAME, ()), ((), SAME), ((), ())])
def test_a_draft_is_no_pair(
    first: tuple[str, ...], second: tuple[str, ...], scorer: User, other_scorer: User, staff: User, rules: scores.Rules
) -> None:
    entry = make_locked()
    make_reading(entry, scorer, *first)
    sheet = make_reading(entry, other_scorer, *second, role="second")
    assert (figures(staff).entries, listed(staff, rules)) == (0, [])
    assert sheet.status == ("final" if second else "draft")


def test_a_draft_with_values_is_no_pair(scorer: User, other_scorer: User, staff: User, rules: scores.Rules) -> None:
    twice(scorer, other_scorer)
    Sheet.objects.filter(assignment__scorer=other_scorer).update(status="draft")
    assert (figures(staff).entries, listed(staff, rules)) == (0, [])


def test_a_single_reading_is_no_pair(scorer: User, staff: User, rules: scores.Rules) -> None:
    make_reading(make_locked(), scorer, *SAME)
    assert (figures(staff).entries, listed(staff, rules)) == (0, [])


@pytest.mark.parametrize("status", Registration.ENDED)
def test_who_withdrew_is_out(
    status: str, scorer: User, other_scorer: User, lead: User, staff: User, rules: scores.Rules
) -> None:
    entry = twice(scorer, other_scorer, entry=make_locked(make_registration(status=status)))
    make_reading(entry, lead, role="adjudication")
    assert (figures(staff).entries, figures(lead).kept_back, listed(staff, rules)) == (0, 0, [])


def test_another_cycle_is_out(scorer: User, other_scorer: User, staff: User, rules: scores.Rules) -> None:
    twice(scorer, other_scorer, entry=make_locked(cycle=make_cycle(2028)))
    assert (figures(staff).entries, listed(staff, rules)) == (0, [])
    assert pairs.figures(make_cycle(2028), staff).entries == 1


def test_values_of_different_words_are_not_compared(scorer: User, other_scorer: User, staff: User) -> None:
    """Should a rubric change between two readings, its criteria are others."""
    entry = twice(scorer, other_scorer)
    newer = reworded(entry)
    sheet = Sheet.objects.get(assignment__scorer=other_scorer)
    for rating, criterion in zip(sheet.ratings.all(), newer.criteria.all(), strict=True):
        type(rating).objects.filter(pk=rating.pk).update(criterion=criterion)
    assert figures(staff).entries == 0


def test_a_rubric_of_two_versions_is_one_factor_and_two_sets_of_criteria(
    scorer: User, other_scorer: User, staff: User
) -> None:
    twice(scorer, other_scorer)
    newer = reworded(twice(scorer, other_scorer, second=SAME))
    for sheet in Sheet.objects.order_by("-pk")[:2]:
        for rating, criterion in zip(sheet.ratings.all(), newer.criteria.all(), strict=True):
            type(rating).objects.filter(pk=rating.pk).update(criterion=criterion)
    found = figures(staff)
    assert [(one.name, one.version, one.agreement.pairs) for one in found.factors] == [("Factor 1", 2, 6)]
    assert [(one.name, one.version) for one in found.criteria] == [
        (f"Criterion {n}", version) for version in (1, 2) for n in (1, 2, 3)
    ]


# ---- Blind


def test_who_is_to_decide_sees_nothing_of_the_pair_until_then(
    scorer: User, other_scorer: User, lead: User, staff: User, rules: scores.Rules
) -> None:
    apart = twice(scorer, other_scorer, second=FAR)
    twice(scorer, other_scorer)
    sheet = make_reading(apart, lead, role="adjudication")
    other_lead = make_scorer("Liv Lang", "lead scorer")
    seen = {person: (figures(person).entries, figures(person).kept_back) for person in (lead, other_lead, staff)}
    assert seen == {lead: (1, 1), other_lead: (2, 0), staff: (2, 0)}
    assert figures(lead).everything == agreement({(12, 13): 2, (12, 12): 1})
    Sheet.objects.filter(pk=sheet.pk).update(status="final", finalised_at=sheet.assignment.assigned_at)
    assert (figures(lead).entries, figures(lead).kept_back) == (2, 0)


def test_the_file_leaves_out_what_waits_for_an_adjudication_for_everybody(
    scorer: User, other_scorer: User, lead: User, staff: User, rules: scores.Rules
) -> None:
    """Any lead may be given the decision: before it is given out, and when it passes from one to another."""
    apart = twice(scorer, other_scorer, second=FAR)
    people = (lead, staff, make_scorer("Liv Lang", "lead scorer"))
    assert [listed(person, rules) for person in people] == [[], [], []]
    sheet = make_reading(apart, lead, role="adjudication")
    assert [listed(person, rules) for person in people] == [[], [], []]
    Sheet.objects.filter(pk=sheet.pk).update(status="final", finalised_at=sheet.assignment.assigned_at)
    assert [len(listed(person, rules)) for person in people] == [3, 3, 3]


def test_the_file_leaves_out_an_open_adjudication_also_where_readings_lie_close(
    scorer: User, other_scorer: User, lead: User, staff: User, rules: scores.Rules
) -> None:
    make_reading(twice(scorer, other_scorer), lead, role="adjudication")
    assert listed(staff, rules) == []


def test_the_file_keeps_a_gap_of_exactly_the_rule(
    scorer: User, other_scorer: User, staff: User, rules: scores.Rules
) -> None:
    """1.25 is averaged, 1.25 and a twelfth waits for a lead."""
    twice(scorer, other_scorer, ("3.00",) * 3, ("1.75",) * 3)
    assert len(listed(staff, rules)) == 3
    twice(scorer, other_scorer, ("3.25", "3.00", "3.00"), ("1.75",) * 3)
    assert len(listed(staff, rules)) == 3


def test_listed_says_each_pair(scorer: User, other_scorer: User, staff: User, rules: scores.Rules) -> None:
    entry = twice(scorer, other_scorer)
    again = twice(other_scorer, scorer, second=SAME, entry=make_locked(factor=2))
    codes = [one.registration.code for one in (entry, again)]
    people = [str(scorer.pk), str(other_scorer.pk)]
    assert listed(staff, rules) == [
        [codes[0], "1", "Criterion 1", *people, "3.00", "3.25"],
        [codes[0], "1", "Criterion 2", *people, "3.00", "3.25"],
        [codes[0], "1", "Criterion 3", *people, "3.00", "3.00"],
        *[[codes[1], "2", f"Criterion {n}", *people[::-1], "3.00", "3.00"] for n in (1, 2, 3)],
    ]


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(
    rows: int, scorer: User, other_scorer: User, lead: User, staff: User, rules: scores.Rules
) -> None:
    for n in range(rows):
        twice(make_scorer(), make_scorer(), entry=make_locked(factor=n + 1))
        make_reading(twice(scorer, other_scorer, second=FAR), lead, *SAME, role="adjudication")
    cycle = make_cycle()
    with CaptureQueriesContext(connection) as of_figures:
        pairs.figures(cycle, staff)
    with CaptureQueriesContext(connection) as of_file:
        list(pairs.listed(cycle, staff, rules))
    assert (len(of_figures), len(of_file)) == (5, 1)
