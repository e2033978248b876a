"""The release of a cycle's results: prepared by one, approved by another, told by the job at the stored instant.

Before that instant a result does not exist. The job makes one transaction a candidate, so that it may be killed
anywhere, run twice or twice at once: who has a result is skipped, who has none is still due. It tells what was approved
and nothing else: whoever would be told something different is left out, and staff are told.
"""

import logging
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from candidates.models import Cycle, Registration, User
from candidates.models import RegistrationQuerySet as Registrations
from icg_cert.audit import trail
from icg_cert.lib.jobs import each_due
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios.models import Entry
from scoring import approval, certificates, dry_runs, holds, policies, release_gate, results, scores, standing
from scoring.dry_runs import Tally
from scoring.models import FactorScore, Release, Result, ScoringPolicy
from scoring.release_gate import Setting
from scoring.standing import Candidate

logger = logging.getLogger(__name__)
LATEST = timedelta(days=366)  # a slip in the year keeps everybody waiting; 9999 ends beyond what Python reads


@transaction.atomic
def prepare(cycle_id: int, *, releases_at: datetime, by: User, at: datetime) -> Release:
    """Decide on the instant and on what is told then, once the gate is open: a dry run keeps it, and is approved.

    Prepared again before approval, the newer decision stands.

    Refused: `window-open`, `not-ready`, `instant-past`, `instant-far`, `already-approved`, `already-released`.
    """
    cycle = Cycle.objects.select_for_update().get(pk=cycle_id)
    _refuse_unless_preparable(cycle, releases_at, at)
    policy = policies.bind(cycle, by=by, at=at)
    run, tally = dry_runs.keep(cycle, policy, by=by, at=at)
    _refuse_unless_ready(tally)
    release, _ = Release.objects.update_or_create(
        cycle=cycle,
        defaults={"policy": policy, "run": run, "prepared_by": by, "prepared_at": at, "releases_at": releases_at},
    )
    after = {"releases_at": releases_at.isoformat(), "digest": run.digest}
    trail.record("release.prepare", release, by=by, at=at, after=after)
    return release


def _refuse_unless_preparable(cycle: Cycle, releases_at: datetime, at: datetime) -> None:
    release = Release.locked().filter(cycle=cycle).first()
    if release and release.state == Release.State.RELEASED:
        raise Refused("already-released", f"The results of {cycle.year} have been released.")
    if release and release.state == Release.State.APPROVED:
        raise Refused(
            "already-approved", "This release is approved. Withdraw the approval first, then prepare it again."
        )
    if at < cycle.closes_at + cycle.grace:
        raise Refused("window-open", f"The submission window of {cycle.year} has not closed yet.")
    if releases_at < at:
        message = "This instant has passed. Choose one that is still to come."
        raise Refused("instant-past", message, fields={"releases_at": message})
    if releases_at > at + LATEST:
        message = "This is more than a year away. Choose an earlier instant."
        raise Refused("instant-far", message, fields={"releases_at": message})


def _refuse_unless_ready(tally: Tally) -> None:
    """`not-ready` while a rule of the gate fails for anybody who is not held back, or while there is nobody to tell."""
    if tally.blocking:
        who = "1 candidate is" if tally.blocking == 1 else f"{tally.blocking} candidates are"
        message = f"{who} not ready. Check all candidates again: the table names what is missing for each."
        raise Refused("not-ready", message)
    if not tally.to_tell:
        raise Refused("not-ready", "There is no candidate to be told, so there is nothing to release.")


def _locked(cycle_id: int) -> Release:
    """The cycle's release under lock. Refused: `not-prepared`."""
    release = Release.locked().filter(cycle_id=cycle_id).first()
    if release is None:
        raise Refused("not-prepared", "This release has not been prepared yet.")
    return release


@transaction.atomic
def approve(cycle_id: int, *, seen: datetime | None, by: User, at: datetime) -> Release:
    """The second person's yes to the decision prepared at `seen`, and to the dry run it was prepared with.

    A repeat changes nothing. Refused: `not-prepared`, `same-person`, `prepared-anew` (since they looked), `not-ready`,
    `changed` (anything that was prepared).
    """
    release = _locked(cycle_id)
    if release.state != Release.State.PREPARED:
        return release
    if release.prepared_by_id == by.pk:
        raise Refused("same-person", "You prepared this release. Another member of staff has to approve it.")
    if release.prepared_at != seen:
        raise Refused(
            "prepared-anew", "This release was prepared anew since you looked at it. Look once more, then approve it."
        )
    tally = dry_runs.tally(release.cycle, release.policy, at)
    _refuse_unless_ready(tally)
    if release.run and tally.digest != release.run.digest:
        raise Refused(
            "changed",
            "Something changed since this release was prepared. Check all candidates again to see what, then prepare "
            "it again.",
        )
    _move(release, Release.State.APPROVED, approved_by=by, approved_at=at)
    after = {"releases_at": release.releases_at.isoformat(), "digest": tally.digest}
    trail.record("release.approve", release, by=by, at=at, after=after)
    return release


@transaction.atomic
def withdraw_approval(cycle_id: int, *, by: User, at: datetime) -> Release:
    """Take the yes back, as long as nobody has been told. Refused: `not-prepared`, `already-told`."""
    release = _locked(cycle_id)
    if release.state == Release.State.PREPARED:
        return release
    if release.state == Release.State.RELEASED or release.cycle.results.exists():
        raise Refused("already-told", "Results have already been told. A release cannot be taken back.")
    before = {"approved_by": release.approved_by_id}
    _move(release, Release.State.PREPARED, approved_by=None, approved_at=None)
    trail.record("release.withdraw_approval", release, by=by, at=at, before=before)
    return release


def _move(release: Release, state: str, **fields: object) -> None:
    """Write the next state. ValueError for one that does not follow from the present."""
    if state not in Release.NEXT[release.state]:
        raise ValueError(f"A release does not go from {release.state} to {state}")
    for name, value in {"state": state, **fields}.items():
        setattr(release, name, value)
    release.save(update_fields=["state", *fields])


def release_due(at: datetime) -> int:
    """Tell everybody whose approved release has reached its instant; the number of results made."""
    lifted = Exists(holds.not_yet_told().filter(cycle=OuterRef("cycle")))
    due = Release.objects.filter(Q(state=Release.State.APPROVED) | Q(lifted, state=Release.State.RELEASED))
    due = due.filter(releases_at__lte=at).select_related("cycle", "policy").order_by("releases_at")
    made = sum(_release_cycle(release, at) for release in due)
    each_due(holds.say_later, holds.due(at).values_list("pk", flat=True), at=at)
    return made


def _release_cycle(release: Release, at: datetime) -> int:
    keys = list(to_tell(release).order_by("pk").values_list("pk", flat=True))
    setting = Setting.of(release.cycle, release.policy)
    made = sum(_release_or_log(release, key, setting, at) for key in keys)
    _finish(release.pk, at)
    return made


def waiting(cycle: Cycle) -> Registrations:
    """Who is to be told at this cycle's release and has not been, held back or not."""
    told = Result.objects.filter(registration=OuterRef("pk"), cycle=cycle, superseded_at=None)
    return standing.in_process(cycle).exclude(Exists(told))


def to_tell(release: Release) -> Registrations:
    """Of those, whom nobody holds back. Once everybody else has been told: whose hold was lifted since."""
    who = waiting(release.cycle).exclude(Exists(holds.held(release.cycle)))
    return who.filter(Exists(holds.lifted(release.cycle))) if release.state == Release.State.RELEASED else who


def _release_or_log(release: Release, registration_id: int, setting: Setting, at: datetime) -> bool:
    """One candidate's failure is logged, and tried again at the next tick; it keeps nobody else waiting."""
    try:
        return release_one(release.pk, registration_id, setting, at=at)
    except Refused as refusal:
        logger.exception("release %s: registration %s was not released", release.pk, registration_id)
        approval.say_refused(release, registration_id, refusal, at)
    except Exception:
        logger.exception("release %s: registration %s was not released", release.pk, registration_id)
    return False


@transaction.atomic
def release_one(release_id: int, registration_id: int, setting: Setting | None = None, *, at: datetime) -> bool:
    """Make one candidate's result, with its scores and its mail; False when there is nothing to do any more.

    The release is locked first: jobs at the same time take turns, and nobody withdraws the approval meanwhile.
    Refused: `not-ready`, when the gate no longer lets this candidate through; `changed`, when they would be told
    something else than what was approved.
    """
    release = Release.locked().select_related("cycle", "policy").get(pk=release_id)
    if release.state == Release.State.PREPARED or release.releases_at > at:
        return False
    still = Registration.objects.select_for_update().filter(pk=registration_id).first()
    if still is None or not to_tell(release).filter(pk=still.pk).exists():
        return False
    setting = setting or Setting.of(release.cycle, release.policy)
    [candidate] = standing.load(Registration.objects.filter(pk=still.pk), release.cycle, setting.rules)
    approval.refuse_unless_approved(release, release_gate.row_of(candidate, setting, at))
    result = make_result(candidate, release.policy, at)
    trail.record("result.release", result, by=None, at=at, after={"status": result.status, "total": str(result.total)})
    if candidate.registration.is_settled:
        _tell(result, at)
    else:
        _say_withheld(result, at)
    return True


def make_result(candidate: Candidate, policy: ScoringPolicy, at: datetime) -> Result:
    """The rows of one result and its scores, in the caller's transaction. Nobody is told."""
    rules = policy.rules()
    result = Result.objects.create(
        registration=candidate.registration,
        cycle=candidate.cycle,
        policy=policy,
        released_at=at,
        **results.decision(candidate.standing(rules), candidate.year, rules),
    )
    FactorScore.objects.bulk_create(results.factor_score(result, judged, rules) for judged in candidate.entries)
    return result


def tell_paid(at: datetime) -> int:
    """Tell those whose withheld results have become readable, because the fee was settled since; how many."""
    return each_due(tell, Result.objects.released(at).filter(told_at=None).values_list("pk", flat=True), at=at)


@transaction.atomic
def tell(result_id: int, *, at: datetime) -> bool:
    """Do for one result what a release does for whoever had paid by then. A repeat changes nothing."""
    result = Result.objects.released(at).select_for_update(of=("self",)).filter(pk=result_id, told_at=None).first()
    if result is None:
        return False
    _tell(result, at)
    return True


def _tell(result: Result, at: datetime) -> None:
    take_effect(result, at)
    _write(result, "results_released", at)


def take_effect(result: Result, at: datetime) -> None:
    """The result may be read from now on: its entries say how they came out, and what follows from it follows.

    Until then an entry says nothing of its outcome, for that would be a part of the result.
    """
    result.told_at = at
    result.save(update_fields=["told_at"])
    write_outcomes(result)
    if result.status == Result.Status.CERTIFIED:
        certificates.issue(result, at=at)


def write_outcomes(result: Result) -> None:
    """To the entries whose scores it tells, and to all that count for a certificate."""
    rules = result.policy.rules()
    told = {row.entry_id: scores.is_banked(row.score, rules) for row in FactorScore.objects.filter(result=result)}
    for is_banked, outcome in ((True, Entry.Outcome.BANKED), (False, Entry.Outcome.FELL_SHORT)):
        Entry.objects.filter(pk__in=[entry for entry in told if told[entry] is is_banked]).update(outcome=outcome)
    if result.status == Result.Status.CERTIFIED:
        _bank(result)


def _bank(result: Result) -> None:
    """Every entry that counts for a certificate is accomplished, one between floor and threshold too: no retake."""
    counts = [Q(factor__number=one["factor"], cycle__year=one["year"]) for one in result.standing]
    entries = Entry.objects.filter(reduce(or_, counts), registration=result.registration_id)
    entries.update(outcome=Entry.Outcome.BANKED)


def _say_withheld(result: Result, at: datetime) -> None:
    _write(result, "results_withheld", at)


def _write(result: Result, event: str, at: datetime) -> None:
    outbox.queue(
        event,
        to=result.registration.user,
        key=f"{event}:{result.pk}",
        at=at,
        year=result.cycle.year,
        cycle_id=result.cycle_id,
        registration_id=result.registration_id,
        is_final=results.is_final(result) and not result.is_withheld,
    )


@transaction.atomic
def _finish(release_id: int, at: datetime) -> None:
    """Mark the release as done once nobody waits any more but those who are held back."""
    release = Release.locked().select_related("cycle").get(pk=release_id)
    if release.state != Release.State.APPROVED or to_tell(release).exists():
        return
    _move(release, Release.State.RELEASED, released_at=at)
    trail.record("release.finish", release, by=None, at=at, after={"results": release.cycle.results.count()})
