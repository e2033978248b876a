"""Watching that scorers value as they did when they qualified: pausing who drifts, reading once more what may suffer,
and letting them back. The figures are scoring/drift.py's.
"""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum

from candidates.models import Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios.models import Entry, Factor
from scoring import assignment, drift, handover, planner, qualifications, trials
from scoring.drift import Look, Seeded, Values
from scoring.models import Assignment, Benchmark, Calibration, Pause, Rating, Release, Scorer, Sheet, Trial
from scoring.standards import standards

Desk = tuple[int, int]  # scorer, factor
SHARED = [Assignment.Role.FIRST, Assignment.Role.SECOND]


def drifting(at: datetime) -> list[Desk]:
    """Who drifts in which factor, and is not paused for it yet; by the benchmarks among their readings alone."""
    seeded = _seeded(_counting(at))
    asked = standards({factor for _, factor in seeded})
    paused = set(Pause.objects.standing().values_list("scorer", "factor"))
    found = [
        desk
        for desk, read in seeded.items()
        if desk not in paused
        and (standard := asked.get(desk[1]))
        and drift.look(standard.drift(), read, []).state == drift.DRIFTS
    ]
    return sorted(found)


def look(scorer: User, factor: Factor, at: datetime) -> Look | None:
    """What leads see of one scorer and factor; None without a standard."""
    standard = standards([factor.pk]).get(factor.pk)
    if standard is None:
        return None
    mine = _seeded(_counting(at).filter(scorer=scorer, benchmark__entry__factor=factor))
    return drift.look(standard.drift(), mine.get((scorer.pk, factor.pk), []), _beside(scorer, factor, at))


def _counting(at: datetime) -> QuerySet[Trial]:
    """Finished benchmarks among readings of cycles in progress, since the last pause was lifted."""
    seeds = Trial.objects.filter(use=Trial.Use.SEED, cycle__releases_at__gt=at, sheet__status=Sheet.Status.FINAL)
    lifted = Pause.objects.filter(
        scorer=OuterRef("scorer"),
        factor=OuterRef("benchmark__entry__factor"),
        lifted_at__gte=OuterRef("sheet__finalised_at"),
    )
    return seeds.filter(~Exists(lifted))


def _seeded(seeds: QuerySet[Trial]) -> dict[Desk, list[Seeded]]:
    """In the order in which they were finished; two queries."""
    rows: list[tuple[int, int, int, Any]] = list(
        seeds.order_by("sheet__finalised_at", "pk").values_list(
            "pk", "scorer", "benchmark__entry__factor", "sheet__finalised_at"
        )
    )
    values = trials.pairs([pk for pk, *_ in rows])
    found: dict[Desk, list[Seeded]] = defaultdict(list)
    for pk, scorer, factor, finalised_at in rows:
        found[scorer, factor].append(Seeded(finalised_at, Values(tuple(values[pk]))))
    return found


def _beside(scorer: User, factor: Factor, at: datetime) -> list[Fraction]:
    """Of entries two have read: the scorer's score less the other's, in the order in which both were there."""
    mine = Assignment.objects.filter(scorer=scorer, role__in=SHARED)
    both = Entry.objects.locked().filter(factor=factor, cycle__releases_at__gt=at, assignments__in=mine)
    sheets = Rating.objects.filter(
        sheet__assignment__entry__in=both.values("pk"),
        sheet__assignment__role__in=SHARED,
        sheet__status=Sheet.Status.FINAL,
        value__isnull=False,
    )
    columns = ("sheet__assignment__entry", "sheet__assignment__scorer")
    scores = sheets.order_by().values_list(*columns).annotate(Sum("value"), Count("pk"), Max("sheet__finalised_at"))
    by_entry: dict[int, dict[int, tuple[Fraction, datetime]]] = defaultdict(dict)
    for entry, reader, total, count, finalised_at in scores:
        by_entry[entry][reader] = (Fraction(total) / count, finalised_at)
    apart = [
        (max(when for _, when in read.values()), entry, _less_the_other(read, scorer.pk))
        for entry, read in by_entry.items()
        if len(read) == len(SHARED)
    ]
    return [difference for _, _, difference in sorted(apart)]


def _less_the_other(read: dict[int, tuple[Fraction, datetime]], mine: int) -> Fraction:
    [other] = [score for reader, (score, _) in read.items() if reader != mine]
    return read[mine][0] - other


@transaction.atomic
def pause(desk: Desk, *, at: datetime) -> bool:
    """If they drift, give them nothing of the factor for now; what is unfinished goes to others. Whether it began."""
    scorer_id, factor_id = desk
    assignment.hold_still()  # one pause after the other
    scorer, factor = User.objects.get(pk=scorer_id), Factor.objects.get(pk=factor_id)
    seen = look(scorer, factor, at)
    if (
        seen is None
        or seen.state != drift.DRIFTS
        or Pause.objects.standing().filter(scorer=scorer_id, factor=factor).exists()
    ):
        return False
    made = Pause.objects.create(
        scorer=scorer, factor=factor, began_at=at, since=seen.since, reason=_words(seen), figures=_figures(seen)
    )
    trail.record("scorer.pause", made, by=None, at=at, reason=made.reason, after=made.figures)
    handover.pass_on_factor(scorer_id, factor_id, by=None, at=at)
    _tell(made, at)
    return True


def _words(seen: Look) -> str:
    severity = seen.severity or Fraction(0)
    side = "above" if severity > 0 else "below"
    hundredths = round(abs(severity) * 100)
    return (
        f"Of the last {seen.values} values on benchmarks {seen.off} are off; their mean lies "
        f"{hundredths // 100}.{hundredths % 100:02} points {side} the reference."
    )


def _figures(seen: Look) -> dict[str, Any]:
    severity = seen.severity or Fraction(0)
    return {"values": seen.values, "off": seen.off, "severity": [severity.numerator, severity.denominator]}


def _tell(made: Pause, at: datetime) -> None:
    """The scorer, and every lead but them. No mail names a candidate, a benchmark or a scorer."""
    name = made.factor.name
    outbox.queue("scoring_paused", to=made.scorer, key=f"paused:{made.pk}", at=at, factor=name)
    for lead in Scorer.objects.leads().exclude(user=made.scorer_id):
        path = f"/scoring/qualifications/{made.scorer_id}/{made.factor.number}/"
        outbox.queue(
            "scorer_paused", to=lead.user, key=f"scorer-paused:{made.pk}:{lead.user_id}", at=at, factor=name, path=path
        )


@transaction.atomic
def lift(scorer: User, factor: Factor, *, reason: str, by: User, at: datetime) -> bool:
    """Let them read the factor again. Whether anything changed.

    Refused "own", "no-reason", "not-recalibrated" while there are benchmarks for it they have not read.
    """
    qualifications.refuse_own(scorer, by)
    found = Pause.objects.standing().select_for_update().filter(scorer=scorer, factor=factor).first()
    if found is None:
        return False
    if not reason.strip():
        raise Refused("no-reason", "Say why the pause ends.", fields={"reason": "Say why."})
    _refuse_before_calibration(found)
    found.lifted_at, found.lifted_by, found.lifted_reason = at, by, reason.strip()
    found.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
    trail.record("scorer.resume", found, by=by, at=at, reason=found.lifted_reason)
    outbox.queue("scoring_resumed", to=scorer, key=f"resumed:{found.pk}", at=at, factor=factor.name)
    return True


def _refuse_before_calibration(found: Pause) -> None:
    again = Calibration.objects.filter(scorer=found.scorer, factor=found.factor, begun_at__gte=found.began_at)
    if again.filter(passed=True).exists():
        return
    asked = standards([found.factor_id]).get(found.factor_id)
    profiles = Scorer.objects.filter(user=found.scorer_id).select_related("user")
    left = trials.unmet(profiles, Benchmark.Use.CALIBRATION, [found.factor_id]).get(
        (found.scorer_id, found.factor_id), []
    )
    if again.filter(finished_at=None).exists() or (asked and len(left) >= asked.benchmarks):
        raise Refused(
            "not-recalibrated",
            "They have not passed a calibration since the pause, and there are benchmarks for it. Ask them to do that.",
        )


# ---- What may have suffered


def to_read_once_more(at: datetime) -> list[int]:
    """Entries a paused scorer alone has read since their last good check, in cycles that are not released."""
    paused = Pause.objects.filter(
        Q(since=None) | Q(since__lt=OuterRef("sheet__finalised_at")),
        scorer=OuterRef("scorer"),
        factor=OuterRef("entry__factor"),
        began_at__gte=OuterRef("sheet__finalised_at"),
    )
    firsts = Assignment.objects.filter(Exists(paused), role=Assignment.Role.FIRST, sheet__status=Sheet.Status.FINAL)
    return list(_unreleased().filter(assignments__in=firsts).order_by("pk").values_list("pk", flat=True))


def _unreleased() -> QuerySet[Entry]:
    """Read once, and not told."""
    open_ = (
        Entry.objects.locked().filter(outcome=Entry.Outcome.NONE).exclude(registration__status__in=Registration.ENDED)
    )
    twice = Assignment.objects.filter(entry=OuterRef("pk")).exclude(role=Assignment.Role.FIRST)
    return open_.exclude(cycle__release__state=Release.State.RELEASED).filter(~Exists(twice))


@transaction.atomic
def read_once_more(entry_id: int, *, at: datetime) -> bool:
    """A second reading by somebody else; False where there is one, or nobody may do it yet: the job asks again."""
    entry = assignment.for_update(Entry.objects.all()).get(pk=entry_id)
    if not _unreleased().filter(pk=entry.pk).exists():
        return False
    return assignment.add(entry, planner.SECOND, planner.ONCE_MORE, by=None, at=at) is not None
