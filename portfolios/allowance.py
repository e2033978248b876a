"""Which factors a candidate may hand in, by what the cycle is for. Pure. Source: programme.md, Calendar."""

from collections.abc import Iterable
from enum import StrEnum

from candidates.deadlines import Stage


class Allowance(StrEnum):
    """What a cycle allows for one factor. Only FIRST and RETAKE let an entry begin."""

    FIRST = "first"
    RETAKE = "retake"
    BANKED = "banked"
    HANDED_IN = "handed_in"
    RETAKE_LATER = "retake_later"
    RETAKES_ONLY = "retakes_only"
    OUTSIDE = "outside"

    @property
    def may_begin(self) -> bool:
        return self in (Allowance.FIRST, Allowance.RETAKE)


def allowance(stage: Stage, outcomes: Iterable[str]) -> Allowance:
    """`outcomes` of this factor's entries handed in in earlier cycles: "" not released, "banked" or "fell_short"."""
    handed_in = list(outcomes)
    if stage == Stage.NONE:
        return Allowance.OUTSIDE
    if "banked" in handed_in:
        return Allowance.BANKED
    if "fell_short" in handed_in:
        return Allowance.RETAKE if stage == Stage.RETAKES else Allowance.RETAKE_LATER
    if handed_in:
        return Allowance.HANDED_IN
    return Allowance.RETAKES_ONLY if stage == Stage.RETAKES else Allowance.FIRST
