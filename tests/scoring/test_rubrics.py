"""A rubric is its words: the same words are the same version, other words are another, and none ever changes."""

from dataclasses import replace

import pytest
from django.db import InternalError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring.models import Criterion, Level, Rubric
from scoring.rubrics import CriterionWords, LevelWords, content_hash, publish, words_of
from tests.factories import at, make_factor
from tests.threads import run_at_once

LEVELS = [LevelWords(number, f"Level {number}", f"When it is {number}.") for number in (4, 3, 2, 1)]
CRITERIA = [CriterionWords("Listening", "Do they listen?"), CriterionWords("Asking", "Do they ask?")]
NOW = at(2026, 11, 2, 9)


@pytest.fixture
def factor(db: None) -> Factor:
    return make_factor()


def _versions(factor: Factor) -> list[tuple[int, bool]]:
    return list(factor.rubrics.order_by("version").values_list("version", "is_current"))


def test_content_hash_is_stable_across_releases_of_the_portal() -> None:
    """Results store it for ever, so it may not change with the code that computes it."""
    assert content_hash(LEVELS, CRITERIA) == "99bacc5e8427fe4925282ff19b96e27a3d2c51c8e738cf610069c38b44f26cd1"


def test_content_hash_does_not_depend_on_the_order_of_levels() -> None:
    assert content_hash(reversed(LEVELS), CRITERIA) == content_hash(LEVELS, CRITERIA)


@pytest.mark.parametrize(
    ("levels", "criteria"),
    [
        ([replace(LEVELS[0], words="Other."), *LEVELS[1:]], CRITERIA),
        ([replace(LEVELS[0], name="Other"), *LEVELS[1:]], CRITERIA),
        (LEVELS, [replace(CRITERIA[0], question="Other?"), CRITERIA[1]]),
        (LEVELS, CRITERIA[::-1]),
        (LEVELS, CRITERIA[:1]),
    ],
    ids=["words", "level-name", "question", "order-of-criteria", "fewer-criteria"],
)
def test_content_hash_tells_other_words_apart(levels: list[LevelWords], criteria: list[CriterionWords]) -> None:
    assert content_hash(levels, criteria) != content_hash(LEVELS, CRITERIA)


def test_publish_writes_the_words_as_given(factor: Factor, staff: User) -> None:
    rubric = publish(factor, LEVELS, CRITERIA, by=staff, at=NOW)

    assert (rubric.version, rubric.is_current) == (1, True)
    assert rubric.content_hash == content_hash(LEVELS, CRITERIA)
    assert words_of(rubric) == (LEVELS, CRITERIA)
    assert list(Event.objects.values_list("verb", "actor", "before", "after")) == [
        ("rubric.publish", staff.pk, None, {"version": 1})
    ]


def test_publish_of_the_same_words_is_the_same_version(factor: Factor, staff: User) -> None:
    first = publish(factor, LEVELS, CRITERIA, by=staff, at=NOW)
    padded = [replace(level, words=f" {level.words}\r\n") for level in LEVELS]

    assert publish(factor, padded, CRITERIA, by=staff, at=NOW) == first
    assert _versions(factor) == [(1, True)]
    assert Event.objects.count() == 1


def test_publish_of_other_words_is_the_next_version_and_current(factor: Factor, staff: User) -> None:
    first = publish(factor, LEVELS, CRITERIA, by=staff, at=NOW)
    second = publish(factor, LEVELS, CRITERIA[:1], by=staff, at=NOW)

    assert _versions(factor) == [(1, False), (2, True)]
    assert words_of(first) == (LEVELS, CRITERIA)
    assert words_of(second) == (LEVELS, CRITERIA[:1])


def test_publish_of_earlier_words_makes_the_earlier_version_current_again(factor: Factor, staff: User) -> None:
    first = publish(factor, LEVELS, CRITERIA, by=staff, at=NOW)
    publish(factor, LEVELS, CRITERIA[:1], by=staff, at=NOW)

    assert publish(factor, LEVELS, CRITERIA, by=staff, at=NOW) == first
    assert _versions(factor) == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("levels", "criteria", "code"),
    [
        (LEVELS[:3], CRITERIA, "levels-incomplete"),
        ([*LEVELS, LEVELS[0]], CRITERIA, "levels-incomplete"),
        (LEVELS, [], "no-criteria"),
        (LEVELS, [CRITERIA[0], CRITERIA[0]], "criterion-twice"),
        ([replace(LEVELS[0], words="  "), *LEVELS[1:]], CRITERIA, "words-missing"),
        (LEVELS, [replace(CRITERIA[0], question="")], "words-missing"),
    ],
)
def test_publish_refuses_what_nobody_could_score_by(
    factor: Factor, staff: User, levels: list[LevelWords], criteria: list[CriterionWords], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        publish(factor, levels, criteria, by=staff, at=NOW)
    assert refused.value.code == code
    assert not Rubric.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_publish_twice_at_once_makes_one_version() -> None:
    factor = make_factor()
    outcomes = run_at_once(lambda: publish(factor, LEVELS, CRITERIA, by=None, at=NOW).version, times=2)
    assert outcomes == [1, 1]
    assert _versions(factor) == [(1, True)]


def _change_level(rubric: Rubric) -> None:
    Level.objects.filter(rubric=rubric, number=4).update(words="Easier.")


def _change_criterion(rubric: Rubric) -> None:
    Criterion.objects.filter(rubric=rubric, position=1).update(question="Easier?")


def _remove_criterion(rubric: Rubric) -> None:
    Criterion.objects.filter(rubric=rubric, position=1).delete()


def _claim_other_words(rubric: Rubric) -> None:
    Rubric.objects.filter(pk=rubric.pk).update(content_hash="0" * 64)


@pytest.mark.parametrize("change", [_change_level, _change_criterion, _remove_criterion, _claim_other_words])
def test_the_database_refuses_to_change_words_that_exist(factor: Factor, staff: User, change: object) -> None:
    rubric = publish(factor, LEVELS, CRITERIA, by=staff, at=NOW)
    with pytest.raises(InternalError, match="Cannot update"), transaction.atomic():
        change(rubric)  # type: ignore[operator]
    assert words_of(Rubric.objects.get()) == (LEVELS, CRITERIA)
