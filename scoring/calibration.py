"""Calibration: a scorer reads benchmarks as leads did, hears after each how near they came, and qualifies by the rule.

Nothing of it is a reading of anybody's entry: see models/calibration.py.
"""

from datetime import datetime

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring import qualifications, qualifying, trials
from scoring.models import Benchmark, Calibration, Pause, Qualification, Scorer, Sheet, Trial
from scoring.standards import standards

NONE_LEFT = (
    "There are not enough benchmarks of this factor that you have not read. The lead scorers decide how you go on; "
    "you need do nothing."
)


@transaction.atomic
def begin(factor: Factor, *, by: User, at: datetime) -> Sheet:
    """The sheet to go on with; a calibration under way goes on. Refused "no-standard", "qualified", "no-benchmarks"."""
    Scorer.objects.select_for_update(of=("self",), no_key=True).get(user=by)
    mine = Calibration.objects.filter(scorer=by, factor=factor, finished_at=None).first()
    return _next(mine or _made(factor, by, at), at)


def _made(factor: Factor, by: User, at: datetime) -> Calibration:
    standard = standards([factor.pk]).get(factor.pk)
    if standard is None:
        raise Refused("no-standard", "Nobody has said yet what qualifies for this factor. The lead scorers will.")
    is_paused = Pause.objects.in_force(at).filter(scorer=by, factor=factor).exists()
    if not is_paused and Qualification.objects.in_force(at).filter(scorer=by, factor=factor).exists():
        raise Refused("qualified", "You are qualified for this factor already. There is nothing to do.")
    if len(_unmet(factor, by)) < standard.benchmarks:
        raise Refused("no-benchmarks", NONE_LEFT)
    made = Calibration.objects.create(scorer=by, factor=factor, standard=standard, begun_at=at)
    trail.record("calibration.begin", made, by=by, at=at)
    return made


def _unmet(factor: Factor, scorer: User) -> list[trials.Reference]:
    profiles = Scorer.objects.filter(user=scorer).select_related("user")
    return trials.unmet(profiles, Benchmark.Use.CALIBRATION, [factor.pk])[scorer.pk, factor.pk]


def _next(calibration: Calibration, at: datetime) -> Sheet:
    """The sheet that is open, else the next benchmark's. Refused "no-benchmarks" where one was taken back meanwhile."""
    begun = Sheet.objects.filter(trial__calibration=calibration, status=Sheet.Status.DRAFT).first()
    if begun:
        return begun
    unmet = _unmet(calibration.factor, calibration.scorer)
    if not unmet:
        raise Refused("no-benchmarks", NONE_LEFT)
    reference = unmet[0]
    return trials.give(
        reference.benchmark,
        calibration.scorer,
        reference.rubric,
        use=Trial.Use.CALIBRATION,
        reference=reference,
        calibration=calibration,
        at=at,
    )


def go_on(calibration_id: int, *, at: datetime) -> Calibration:
    """After a benchmark was finalised: once there are enough, the verdict. In the caller's transaction."""
    found = (
        Calibration.objects.select_for_update(of=("self",))
        .select_related("standard", "scorer", "factor")
        .get(pk=calibration_id)
    )
    read = trials.pairs(found.trials.all())
    if found.finished_at or len(read) < found.standard.benchmarks:
        return found
    verdict = qualifying.verdict(found.standard.qualifying(), list(read.values()))
    found.finished_at, found.passed = at, verdict.passed
    found.words = verdict.words if verdict.passed else " ".join([verdict.words, *verdict.lacks])
    found.save(update_fields=["finished_at", "passed", "words"])
    trail.record("calibration.finish", found, by=None, at=at, reason=found.words, after={"passed": found.passed})
    if verdict.passed:
        qualifications.qualify(found.scorer, found.factor, reason=f"Calibration: {found.words}", by=None, at=at)
    return found
