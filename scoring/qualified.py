"""Who may read what, as pages show it: a scorer's own standing per factor, and the board of everybody."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from candidates.models import User
from portfolios import catalogue
from portfolios.models import Factor
from scoring import trials
from scoring.models import Benchmark, Calibration, Pause, Qualification, Scorer, Sheet, Standard, Trial
from scoring.standards import standards


@dataclass(frozen=True, slots=True)
class Standing:
    """One scorer and one factor. `unmet` benchmarks are left to calibrate on; `calibrations` stand newest first."""

    factor: Factor
    qualified: Qualification | None
    pause: Pause | None
    standard: Standard | None
    unmet: int
    calibrations: list[Calibration]

    @property
    def under_way(self) -> Calibration | None:
        return next((one for one in self.calibrations if one.finished_at is None), None)

    @property
    def last(self) -> Calibration | None:
        return next((one for one in self.calibrations if one.finished_at), None)

    @property
    def has_enough(self) -> bool:
        return self.standard is not None and self.unmet >= self.standard.benchmarks

    @property
    def may_begin(self) -> bool:
        if self.under_way:
            return True
        return self.has_enough and (self.qualified is None or self.pause is not None)


def of_scorer(scorer: User, at: datetime) -> list[Standing]:
    """Every factor, in a fixed number of queries."""
    factors = catalogue.factors()
    keys = [factor.pk for factor in factors]
    asked = standards(keys)
    profiles = Scorer.objects.filter(user=scorer).select_related("user")
    unmet = trials.unmet(profiles, Benchmark.Use.CALIBRATION, keys)
    qualified = {one.factor_id: one for one in Qualification.objects.in_force(at).filter(scorer=scorer)}
    paused = {one.factor_id: one for one in Pause.objects.in_force(at).filter(scorer=scorer)}
    taken = _calibrations(scorer)
    return [
        Standing(
            factor=factor,
            qualified=qualified.get(factor.pk),
            pause=paused.get(factor.pk),
            standard=asked.get(factor.pk),
            unmet=len(unmet.get((scorer.pk, factor.pk), ())),
            calibrations=taken[factor.pk],
        )
        for factor in factors
    ]


def _calibrations(scorer: User) -> dict[int, list[Calibration]]:
    """Each with what was finalised of it, as `read`."""
    read = Trial.objects.filter(sheet__status=Sheet.Status.FINAL).select_related("sheet").order_by("given_at", "pk")
    rows = Calibration.objects.filter(scorer=scorer).select_related("standard")
    found: dict[int, list[Calibration]] = defaultdict(list)
    for one in rows.prefetch_related(Prefetch("trials", read, to_attr="read")):
        found[one.factor_id].append(one)
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """One scorer on the board: per factor (its number) the qualification and the pause in force."""

    scorer: User
    cells: list[tuple[int, Qualification | None, Pause | None]]


def board(at: datetime) -> tuple[list[Factor], list[Line]]:
    """Every active scorer and every factor, in three queries."""
    factors = catalogue.factors()
    held = {(one.scorer_id, one.factor_id): one for one in Qualification.objects.in_force(at)}
    paused = {(one.scorer_id, one.factor_id): one for one in Pause.objects.in_force(at)}
    people = [one.user for one in Scorer.objects.active().order_by("user__name", "user")]
    return list(factors), [
        Line(one, [(f.number, held.get((one.pk, f.pk)), paused.get((one.pk, f.pk))) for f in factors]) for one in people
    ]


@dataclass(frozen=True, slots=True)
class History:
    """All that ever was between one scorer and one factor, newest first."""

    qualifications: list[Qualification]
    pauses: list[Pause]
    calibrations: list[Calibration]

    @property
    def qualified(self) -> Qualification | None:
        return next((one for one in self.qualifications if one.lapsed_at is None), None)

    @property
    def pause(self) -> Pause | None:
        return next((one for one in self.pauses if one.lifted_at is None), None)


def history(scorer: User, factor: Factor) -> History:
    return History(
        list(Qualification.objects.filter(scorer=scorer, factor=factor)),
        list(Pause.objects.filter(scorer=scorer, factor=factor).select_related("lifted_by")),
        list(Calibration.objects.filter(scorer=scorer, factor=factor)),
    )
