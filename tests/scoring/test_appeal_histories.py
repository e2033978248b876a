"""Over random histories: an appeal lowers no score and no status, and what stands is what counting anew gives."""

from datetime import datetime
from fractions import Fraction
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from candidates.models import Registration, User
from scoring import appeals
from scoring.appeal_readings import Next
from scoring.appeal_readings import of as readings_of
from scoring.models import Appeal, Assignment, FactorScore, Result
from scoring.scores import VALUES
from tests.factories import make_policy, make_registration, make_scored_entry, make_scorer, make_user
from tests.scoring.telling import DUE, ask, read, release_year, tell, twice

RANK = {"not_certified": 0, "not_yet": 0, "in_progress": 1, "certified": 2}
values = st.sampled_from([str(value) for value in VALUES])
near = st.sampled_from(["1.75", "2.00", "2.25", "2.75", "3.00", "3.25"])  # where the rules decide
factors = st.integers(1, 7)
HISTORIES = {
    "first": st.lists(near, min_size=7, max_size=7),
    "retakes": st.dictionaries(factors, near, max_size=3),
    "asked": st.lists(st.tuples(factors, values, values, st.booleans()), max_size=3, unique_by=lambda one: one[0]),
    "again": st.lists(st.tuples(factors, values, values), max_size=3, unique_by=lambda one: one[0]),
    "rule": st.sampled_from(["best", "latest"]),
}


def from_scratch(candidate: User, rule: str) -> dict[int, tuple[str, Fraction]]:
    """By year, status and total, in the plainest words, from the factor scores that stand."""
    rows = FactorScore.objects.filter(result__registration__user=candidate, result__superseded_at=None)
    told = [(row.result.cycle.year, row.entry.factor.number, row.score) for row in rows]
    found = {}
    for result in Result.objects.filter(registration__user=candidate, superseded_at=None):
        year, counts = result.cycle.year, dict[int, Fraction]()
        for _, number, score in sorted(one for one in told if one[0] <= year):
            counts[number] = max(counts.get(number, score), score) if rule == "best" else score
        total, is_whole = sum(counts.values(), Fraction(0)), len(counts) == 7
        if is_whole and total * 4 >= 77 and min(counts.values()) * 4 >= 7:
            status = "certified"
        elif year - result.registration.cohort.year == 3:
            status = "not_certified"
        else:
            status = "in_progress" if all(score * 4 >= 11 for score in counts.values()) else "not_yet"
        found[year] = (status, total)
    return found


def as_told(candidate: User) -> dict[int, tuple[str, Fraction]]:
    results = Result.objects.filter(registration__user=candidate, superseded_at=None)
    return {result.cycle.year: (result.status, result.total) for result in results.select_related("cycle")}


def scores(candidate: User) -> dict[int, Fraction]:
    rows = FactorScore.objects.filter(result__registration__user=candidate, result__superseded_at=None)
    return {row.entry_id: row.score for row in rows}


@pytest.mark.django_db
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each example is a candidate's three years: too slow to shrink
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.fixed_dictionaries(HISTORIES))
def test_an_appeal_lowers_nothing_and_what_stands_is_counted_right(history: dict) -> None:  # type: ignore[type-arg]
    with transaction.atomic():
        _walk(history)
        transaction.set_rollback(True)


def _walk(history: dict) -> None:  # type: ignore[type-arg]
    """A first year with appeals, some decided only after the third, whose retakes may be appealed as well."""
    make_policy(retake_rule=history["rule"])
    candidate, staff = make_user("Ada Abara"), make_user("Stef Stone", "staff")
    registration = make_registration(candidate)
    for person in (("Rea Reader",), ("Roy Reader",), ("Lia Lead", "lead scorer")):
        make_scorer(*person)
    tell(registration, *(twice(value) for value in history["first"]))
    decide = partial(_decide, candidate=candidate, staff=staff, rule=history["rule"])
    asked = [(_ask_and_read(registration, *one[:3], when=DUE), one[3]) for one in history["asked"]]
    for appeal, is_late in asked:
        if not is_late:
            decide(appeal, when=DUE)
    if as_told(candidate)[2027][0] != "certified":
        for number, value in history["retakes"].items():
            make_scored_entry(registration, number, *twice(value), year=2029, is_retake=True)
        end = release_year(registration, 2029).released_at
        asked_again = [one for one in history["again"] if one[0] in history["retakes"]]
        again = [_ask_and_read(registration, *one, when=end, year=2029) for one in asked_again]
        for appeal in [*again, *(appeal for appeal, is_late in asked if is_late)]:
            decide(appeal, when=end)


def _ask_and_read(
    registration: Registration, number: int, again: str, lead: str, *, when: datetime, year: int = 2027
) -> Appeal:
    appeal = ask(registration, number, when, year)
    read(appeal, again, when)
    if readings_of(appeal).next == Next.LEAD:
        read(appeal, lead, when, role=Assignment.Role.APPEAL_LEAD)
    return appeal


def _decide(appeal: Appeal, *, candidate: User, staff: User, rule: str, when: datetime) -> None:
    before, statuses = scores(candidate), as_told(candidate)
    assert statuses == from_scratch(candidate, rule)
    appeals.decide(appeal.pk, words="", by=staff, at=when)
    after, now = scores(candidate), as_told(candidate)
    assert all(after[entry] >= score for entry, score in before.items())
    assert all(RANK[now[year][0]] >= RANK[status] for year, (status, _) in statuses.items())
    assert now == from_scratch(candidate, rule)
