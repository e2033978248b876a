"""Filling sheets: what is refused, what a second tab is told, and two scorers who finalise at the same moment."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from scoring import sheets
from scoring.models import Assignment, FeedbackStatement, Rating, Sheet
from scoring.sheets import Content, Rated
from tests.factories import at, make_factor, make_locked, make_policy, make_reading
from tests.threads import run_all_at_once, run_at_once

WHEN = at(2027, 7, 1, 9)
LATER = at(2027, 7, 1, 10)


@pytest.fixture
def sheet(scorer: User) -> Sheet:
    make_policy()
    return make_reading(make_locked(), scorer)


def filled(sheet: Sheet, *values: str, evidence: str = "Seen at 2:10.", **more: object) -> Content:
    criteria = sheet.rubric.criteria.all()
    ratings = {one.pk: Rated(Decimal(value), evidence) for one, value in zip(criteria, values, strict=False)}
    return Content(ratings=ratings, **more)  # type: ignore[arg-type]


def refused(action: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value


def saved_values(sheet: Sheet) -> list[str]:
    return [str(value) for value in Rating.objects.filter(sheet=sheet).values_list("value", flat=True)]


# ---- Saving


def test_save_writes_what_was_typed(sheet: Sheet, scorer: User) -> None:
    own = FeedbackStatement.objects.create(factor=sheet.assignment.entry.factor, position=1, text="Clear goals.")
    everybodys = FeedbackStatement.objects.create(factor=None, position=1, text="Thank you.")
    new = filled(sheet, "2.75", "3.00", "4.25", comment="Well done.", feedback=frozenset({own.pk, everybodys.pk}))
    after = sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)
    assert (after.version, after.saved_at, after.status) == (1, WHEN, "draft")
    assert sheets.content(Sheet.objects.get(pk=sheet.pk)) == new


def test_save_half_a_sheet_is_fine(sheet: Sheet, scorer: User) -> None:
    sheets.save(sheet.pk, version=0, new=filled(sheet, "2.75"), by=scorer, at=WHEN)
    assert [one.value for one in sheets.content(sheet).ratings.values()] == [Decimal("2.75"), None, None]


def test_save_can_take_a_value_back(sheet: Sheet, scorer: User) -> None:
    new = filled(sheet, "2.75", "3.00", "3.00")
    sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)
    emptied = replace(new, ratings=dict.fromkeys(new.ratings, Rated()))
    sheets.save(sheet.pk, version=1, new=emptied, by=scorer, at=LATER)
    assert sheets.content(Sheet.objects.get(pk=sheet.pk)) == emptied


def test_save_twice_the_same_counts_once(sheet: Sheet, scorer: User) -> None:
    """The answer of the first was lost; the page sends the same again, on the version it knows."""
    new = filled(sheet, "2.75", "3.00", "3.00")
    sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)
    again = sheets.save(sheet.pk, version=0, new=new, by=scorer, at=LATER)
    assert (again.version, again.saved_at) == (1, WHEN)


def test_save_from_a_second_tab_never_overwrites(sheet: Sheet, scorer: User) -> None:
    sheets.save(sheet.pk, version=0, new=filled(sheet, "4.00", "4.00", "4.00"), by=scorer, at=WHEN)
    stale = filled(sheet, "1.00", "1.00", "1.00")
    refusal = refused(lambda: sheets.save(sheet.pk, version=0, new=stale, by=scorer, at=LATER))
    assert refusal.code == "stale"
    assert saved_values(sheet) == ["4.00", "4.00", "4.00"]


@pytest.mark.parametrize("value", ["0.00", "0.74", "1.50", "2.50", "3.50", "4.50", "-1.00", "9.99"])
def test_save_refuses_values_outside_the_twelve(value: str, sheet: Sheet, scorer: User) -> None:
    new = filled(sheet, "3.00", value, "3.00")
    assert refused(lambda: sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)).code == "not-a-value"
    assert Rating.objects.count() == 0


def test_the_database_refuses_values_outside_the_twelve(sheet: Sheet) -> None:
    criterion = sheet.rubric.criteria.first()
    with pytest.raises(IntegrityError, match="rating_is_one_of_twelve"), transaction.atomic():
        Rating.objects.create(sheet=sheet, criterion=criterion, value=Decimal("2.50"))


def test_save_refuses_a_criterion_of_another_rubric(sheet: Sheet, scorer: User) -> None:
    other = make_reading(make_locked(factor=2), scorer)
    new = filled(other, "3.00")
    assert refused(lambda: sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)).code == "unknown-criterion"


def test_save_refuses_a_statement_of_another_factor(sheet: Sheet, scorer: User) -> None:
    foreign = FeedbackStatement.objects.create(factor=make_factor(2), position=1, text="Not for factor 1.")
    new = filled(sheet, "3.00", feedback=frozenset({foreign.pk}))
    assert refused(lambda: sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)).code == "unknown-statement"


def test_save_refuses_what_is_too_long(sheet: Sheet, scorer: User) -> None:
    new = filled(sheet, "3.00", comment="x" * 5001)
    assert refused(lambda: sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)).code == "too-long"
    sheets.save(sheet.pk, version=0, new=replace(new, comment="x" * 5000), by=scorer, at=WHEN)


def test_save_somebody_elses_sheet_finds_nothing(sheet: Sheet, other_scorer: User, lead: User, staff: User) -> None:
    for person in (other_scorer, lead, staff):
        with pytest.raises(Sheet.DoesNotExist):
            sheets.save(sheet.pk, version=0, new=filled(sheet, "3.00"), by=person, at=WHEN)


# ---- Finalising


def ready(sheet: Sheet, scorer: User, *values: str) -> Sheet:
    return sheets.save(sheet.pk, version=sheet.version, new=filled(sheet, *values), by=scorer, at=WHEN)


def test_finalise_counts_once_and_for_good(sheet: Sheet, scorer: User) -> None:
    ready(sheet, scorer, "4.00", "4.00", "4.00")
    final = sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN)
    assert (final.status, final.finalised_at) == ("final", WHEN)
    again = sheets.finalise(sheet.pk, version=1, by=scorer, at=LATER)
    assert again.finalised_at == WHEN
    assert Event.objects.filter(verb="sheet.finalise").count() == 1


def test_finalise_names_each_missing_criterion(sheet: Sheet, scorer: User) -> None:
    ready(sheet, scorer, "4.00")
    refusal = refused(lambda: sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN))
    second, third = [str(one.pk) for one in sheet.rubric.criteria.all()[1:]]
    assert refusal.code == "incomplete"
    assert refusal.fields == {
        second: "“Criterion 2” has no value yet.",
        third: "“Criterion 3” has no value yet.",
    }
    assert Sheet.objects.get(pk=sheet.pk).status == "draft"


@pytest.mark.parametrize(("value", "needed"), [("1.00", True), ("2.25", True), ("2.75", False), ("4.00", False)])
def test_finalise_asks_for_evidence_where_it_tells_bad_news(
    value: str, needed: bool, sheet: Sheet, scorer: User
) -> None:
    new = filled(sheet, value, value, value, evidence="  ")
    saved = sheets.save(sheet.pk, version=0, new=new, by=scorer, at=WHEN)
    assert len(sheets.missing(saved)) == (3 if needed else 0)


def test_finalise_what_another_tab_changed_is_refused(sheet: Sheet, scorer: User) -> None:
    ready(sheet, scorer, "4.00", "4.00", "4.00")
    new = filled(sheet, "1.00", "1.00", "1.00")
    sheets.save(sheet.pk, version=1, new=new, by=scorer, at=LATER)
    assert refused(lambda: sheets.finalise(sheet.pk, version=1, by=scorer, at=LATER)).code == "stale"
    assert Sheet.objects.get(pk=sheet.pk).status == "draft"


def test_a_final_sheet_cannot_be_changed(sheet: Sheet, scorer: User) -> None:
    ready(sheet, scorer, "4.00", "4.00", "4.00")
    sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN)
    new = filled(sheet, "1.00", "1.00", "1.00")
    assert refused(lambda: sheets.save(sheet.pk, version=1, new=new, by=scorer, at=LATER)).code == "final"
    assert sheets.save(sheet.pk, version=0, new=filled(sheet, "4.00", "4.00", "4.00"), by=scorer, at=LATER).version == 1


def test_finalise_near_a_mark_adds_a_second_reading(sheet: Sheet, scorer: User, other_scorer: User) -> None:
    ready(sheet, scorer, "3.00", "3.00", "3.00")
    sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN)
    second = sheet.assignment.entry.assignments.get(role="second")
    assert (second.reason, second.scorer) == ("band", other_scorer)


@pytest.mark.django_db(transaction=True)
def test_finalise_by_two_scorers_at_once_makes_one_adjudication(scorer: User, other_scorer: User, lead: User) -> None:
    make_policy()
    entries = [make_locked() for _ in range(5)]  # a race that is lost once in a while must not be missed
    for entry in entries:
        first, second = make_reading(entry, scorer), make_reading(entry, other_scorer, role="second")
        ready(first, scorer, "1.00", "1.00", "1.00")
        ready(second, other_scorer, "4.00", "4.00", "4.00")
        finalised = [(first, scorer), (second, other_scorer)]
        run_all_at_once([partial(sheets.finalise, one.pk, version=1, by=who, at=WHEN) for one, who in finalised])
    added = Assignment.objects.filter(role="adjudication").order_by("entry")
    assert [(one.entry, one.scorer, one.reason) for one in added] == [(entry, lead, "gap") for entry in entries]
    assert Sheet.objects.final().count() == 10


@pytest.mark.django_db(transaction=True)
def test_finalise_the_same_sheet_twice_at_once(sheet: Sheet, scorer: User, other_scorer: User) -> None:
    ready(sheet, scorer, "3.00", "3.00", "3.00")
    run_at_once(lambda: sheets.finalise(sheet.pk, version=1, by=scorer, at=WHEN).status, times=2)
    assert Event.objects.filter(verb="sheet.finalise").count() == 1
    assert Assignment.objects.filter(role="second").count() == 1


@pytest.mark.django_db(transaction=True)
def test_save_from_two_tabs_at_once_keeps_one_of_them_whole(sheet: Sheet, scorer: User) -> None:
    def tab(value: str) -> Callable[[], str]:
        def press() -> str:
            try:
                sheets.save(sheet.pk, version=0, new=filled(sheet, value, value, value), by=scorer, at=WHEN)
            except Refused as refusal:
                return refusal.code
            return "saved"

        return press

    answers = run_all_at_once([tab("1.00"), tab("4.00")])
    assert sorted(answers) == ["saved", "stale"]
    assert saved_values(sheet) == [["1.00"] * 3, ["4.00"] * 3][answers.index("saved")]


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in Sheet.Status for b in Sheet.Status if a != b])
def test_status_moves_only_towards_final(before: str, after: str) -> None:
    assert (after in Sheet.NEXT[before]) is ((before, after) == ("draft", "final"))
