"""What an appeal comes to, from the readings that counted and the one that verifies them. Pure and exact.

The policy for appeals: one scorer who has read nothing of the entry reads it again. Where that score lies no more than
the adjudication gap from the released one, all readings that count are averaged, the new one with them. Where it lies
further away, a lead scorer who has not read it either decides, and that score stands alone. Whatever comes out below
the released score confirms it: an appeal never lowers a score.
"""

from collections.abc import Sequence
from fractions import Fraction

from scoring.scores import Rules, lies_apart


def needs_lead(released: Fraction, again: Fraction, rules: Rules) -> bool:
    """Whether the new reading and the released score lie too far apart to be averaged."""
    return lies_apart(released, again, rules)


def verified(
    released: Fraction, counting: Sequence[Fraction], again: Fraction | None, lead: Fraction | None, rules: Rules
) -> Fraction | None:
    """What the readings come to together; None while one is still to come.

    `counting` are the scores of the readings that made the released one.
    """
    if again is None:
        return None
    if needs_lead(released, again, rules):
        return lead
    together = [*counting, again]
    return sum(together, Fraction(0)) / len(together)


def kept(released: Fraction, found: Fraction) -> Fraction:
    """The score after the appeal."""
    return max(released, found)
