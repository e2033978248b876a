"""What an appeal comes to, against the rule written out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.rescore import kept, needs_lead, verified
from scoring.scores import VALUES, Rules

RULES = Rules(
    version=1,
    threshold=Fraction(11, 4),
    floor=Fraction(7, 4),
    adjudication_gap=Fraction(5, 4),
    double_band=Fraction(1, 4),
    double_percent=0,
    double_first_entries=0,
    retake="best",
)
scores = st.sampled_from(VALUES).map(Fraction)


def F(text: str) -> Fraction:  # noqa: N802
    return Fraction(text)


@pytest.mark.parametrize(
    ("counting", "again", "lead", "found", "stands"),
    [
        (["2.5", "2.5"], None, None, None, None),  # nobody has read it yet
        (["2.5", "2.5"], "3.25", None, "2.75", "2.75"),  # the mean of three
        (["2.5"], "3.25", None, "2.875", "2.875"),  # of two, where one had read it
        (["2.5", "2.5"], "2.5", None, "2.5", "2.5"),
        (["2.5", "2.5"], "1.75", None, "2.25", "2.5"),  # lower: confirmed
        (["2.5", "2.5"], "3.75", None, "35/12", "35/12"),  # exactly the gap
        (["2.5", "2.5"], "4", None, None, None),  # beyond it: a lead decides
        (["2.5", "2.5"], "4", "3.25", "3.25", "3.25"),
        (["2.5", "2.5"], "4", "1", "1", "2.5"),
        (["2.5", "2.5"], "1", "4", "4", "4"),
    ],
)
def test_verified(counting: list[str], again: str | None, lead: str | None, found: str | None, stands: str) -> None:
    released = F("2.5")
    answer = verified(released, [*map(F, counting)], again and F(again), lead and F(lead), RULES)  # type: ignore[arg-type]
    assert answer == (found and F(found))
    assert (None if answer is None else kept(released, answer)) == (stands and F(stands))


@given(st.lists(scores, min_size=1, max_size=2), scores, scores)
def test_nothing_is_ever_lowered_and_a_lead_stands_alone(
    counting: list[Fraction], again: Fraction, lead: Fraction
) -> None:
    released = sum(counting, Fraction(0)) / len(counting)
    found = verified(released, counting, again, lead, RULES)
    assert found is not None
    assert kept(released, found) >= released
    if needs_lead(released, again, RULES):
        assert (found, verified(released, counting, again, None, RULES)) == (lead, None)
    else:
        assert min(*counting, again) <= found <= max(*counting, again)
