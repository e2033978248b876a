"""The retakes of the third year, before and while its window is open: which factors, and which of them one means to.

What a candidate says binds nobody and may change until the window closes; how many readers are needed is planned by it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db import transaction
from django.db.models import Count

from candidates import announced, deadlines, history
from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Window
from portfolios import board, entries
from portfolios.allowance import Allowance
from portfolios.models import Factor
from scoring import policies
from scoring.models import FactorScore, RetakeWish
from scoring.standing import LAST_YEAR


@dataclass(frozen=True, slots=True)
class Choice:
    """One factor that may be retaken: its score so far, and whether its candidate means to."""

    factor: Factor
    score: Fraction | None
    is_wished: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """A candidate's third year. `awaited` are factors whose result, still to come, decides."""

    registration: Registration
    cycle: Cycle
    window: Window
    choices: tuple[Choice, ...]
    awaited: tuple[Factor, ...]
    best_counts: bool

    @property
    def wished(self) -> list[int]:
        return [one.factor.pk for one in self.choices if one.is_wished]


def of(user: User, at: datetime) -> Choices | None:
    """Of the registration whose second window is over and whose third is not; None for everybody else."""
    for registration in history.registrations(user):
        year = registration.cohort.year + LAST_YEAR
        cycles = {cycle.year: cycle for cycle in announced.cycles()}
        second, third = cycles.get(year - 1), cycles.get(year)
        if not (second and third and registration.is_taking_part):
            continue
        if second.closes_at <= at < deadlines.closes_at(registration, third):
            return _of(registration, third, at)
    return None


def _of(registration: Registration, cycle: Cycle, at: datetime) -> Choices:
    found = board.of_cycle(registration, cycle, entries.of([registration]), at)
    scores = _scores(registration, at)
    wished = set(RetakeWish.objects.filter(registration=registration, cycle=cycle).values_list("factor", flat=True))
    return Choices(
        registration=registration,
        cycle=cycle,
        window=found.window,
        choices=tuple(
            Choice(card.factor, scores.get(card.factor.pk), card.factor.pk in wished)
            for card in found.cards
            if card.allowance == Allowance.RETAKE
        ),
        awaited=tuple(card.factor for card in found.cards if card.allowance == Allowance.HANDED_IN),
        best_counts=policies.policy_of(cycle).rules().retake == "best",
    )


def _scores(registration: Registration, at: datetime) -> dict[int, Fraction]:
    """By factor the latest that was told; nothing while results are withheld."""
    if not registration.is_settled:
        return {}
    told = {"result__registration": registration, "result__superseded_at": None, "result__told_at__lte": at}
    rows = FactorScore.objects.filter(**told).select_related("entry").order_by("result__cycle__year")
    return {row.entry.factor_id: row.score for row in rows}


@transaction.atomic
def wish(factors: Collection[int], *, by: User, at: datetime) -> None:
    """Say which factors one means to retake; what was said before is forgotten. A repeat changes nothing.

    Refused: `not-open` (no third year ahead), `not-allowed` (a factor that cannot be retaken).
    """
    list(Registration.objects.select_for_update().filter(user=by).order_by("pk"))
    found = of(by, at)
    if found is None:
        raise Refused("not-open", "There is no third year ahead of you in which something could be retaken.")
    allowed = {one.factor.pk for one in found.choices}
    if set(factors) - allowed:
        raise Refused("not-allowed", "One of these factors cannot be retaken. Look at the list once more.")
    if set(factors) == set(found.wished):
        return
    mine = RetakeWish.objects.filter(registration=found.registration, cycle=found.cycle)
    mine.exclude(factor__in=factors).delete()
    RetakeWish.objects.bulk_create(
        RetakeWish(registration=found.registration, cycle=found.cycle, factor_id=factor, said_at=at)
        for factor in sorted(set(factors) - set(found.wished))
    )
    after = {"cycle": found.cycle.year, "factors": sorted(factors)}
    trail.record("retakes.wish", found.registration, by=by, at=at, after=after)


def announced_for(cycle: Cycle) -> list[tuple[int, int]]:
    """How many mean to retake each factor: (its number, how many), of those who still take part."""
    rows = RetakeWish.objects.filter(cycle=cycle, registration__in=Registration.objects.taking_part())
    return list(rows.order_by("factor__number").values_list("factor__number").annotate(count=Count("pk")))
