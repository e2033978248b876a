"""Holding one candidate's results back: the release goes on without them, and they are told that it takes longer.

A hold that is lifted before the approval leaves no trace in the release. Lifted later, it stands for the approval: what
was approved goes out at once; what changed meanwhile takes another person than the one who set the hold.
"""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.timezone import localtime

from candidates.models import Cycle, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from scoring import approval, release_gate
from scoring.models import Release, Result, ResultHold


@transaction.atomic
def hold(cycle_id: int, registration_id: int, *, reason: str, hear_on: date, by: User, at: datetime) -> ResultHold:
    """Let the release go on without them. A repeat changes nothing.

    Refused: `no-reason`, `day-passed`, `already-told`.
    """
    _refuse_form(reason, hear_on, at)
    list(Release.locked().filter(cycle=cycle_id))
    Registration.objects.select_for_update().get(pk=registration_id)
    if Result.objects.filter(cycle=cycle_id, registration=registration_id, superseded_at=None).exists():
        raise Refused("already-told", "They have been told their result, so there is nothing left to hold back.")
    made, is_new = ResultHold.objects.get_or_create(
        cycle_id=cycle_id,
        registration_id=registration_id,
        lifted_at=None,
        defaults={"reason": reason.strip(), "hear_on": hear_on, "set_by": by, "set_at": at},
    )
    if is_new:
        after = {"hear_on": hear_on.isoformat()}
        trail.record("result.hold", made.registration, by=by, at=at, reason=made.reason, after=after)
    return made


def _refuse_form(reason: str, hear_on: date, at: datetime) -> None:
    if not reason.strip():
        message = "Say why. The reason is read by staff alone."
        raise Refused("no-reason", message, fields={"reason": message})
    if hear_on < localtime(at).date():
        message = "This day has passed. Choose the day until which they hear from us."
        raise Refused("day-passed", message, fields={"hear_on": message})


@transaction.atomic
def lift(cycle_id: int, registration_id: int, *, seen: str, by: User, at: datetime) -> ResultHold | None:
    """From now on they are told like everybody; after the release, by the job at once. None where nothing is held.

    `seen` is the digest of what was looked at; it counts once the release is approved. Refused: `not-ready`, `changed`
    since they looked, `same-person`.
    """
    decision = Release.locked().select_related("cycle", "policy").filter(cycle=cycle_id).first()
    Registration.objects.select_for_update().get(pk=registration_id)
    held = ResultHold.objects.in_force().filter(cycle=cycle_id, registration=registration_id).first()
    if held is None:
        return None
    if decision and decision.state != Release.State.PREPARED:
        held.lifted_digest = _as_looked_at(decision, held, seen, by, at)
    held.lifted_by, held.lifted_at = by, at
    held.save(update_fields=["lifted_by", "lifted_at", "lifted_digest"])
    after = {"digest": held.lifted_digest}
    trail.record("result.lift_hold", held.registration, by=by, at=at, after=after)
    return held


def _as_looked_at(decision: Release, held: ResultHold, seen: str, by: User, at: datetime) -> str:
    """The digest of what will be told. This is its approval, so it is refused like one."""
    found = release_gate.look(decision.cycle, held.registration_id, decision.policy, at)
    row = found[1] if found else None
    if row is None or row.told is None or not row.is_ready:
        words = " ".join(check.words for check in row.missing) if row else "They take no part in this release any more."
        raise Refused("not-ready", f"Not ready: {words}")
    if row.told.digest != seen:
        raise Refused("changed", "Something changed since you looked at this candidate. Look once more, then lift it.")
    if row.told.digest != approval.approved(decision, held.registration_id) and held.set_by_id == by.pk:
        raise Refused(
            "same-person",
            "Their result is not the one that was approved, and you held it back. Another member of staff has to look "
            "at it and lift the hold.",
        )
    return row.told.digest


def held(cycle: Cycle) -> QuerySet[ResultHold]:
    """Holds in force, to be looked up by registration."""
    return ResultHold.objects.in_force().filter(cycle=cycle, registration=OuterRef("pk")).order_by()


def lifted(cycle: Cycle) -> QuerySet[ResultHold]:
    """Holds whose lifting let a result go."""
    rows = ResultHold.objects.filter(cycle=cycle, registration=OuterRef("pk"), lifted_at__isnull=False)
    return rows.exclude(lifted_digest="").order_by()


def not_yet_told() -> QuerySet[ResultHold]:
    """Holds that were lifted and whose candidates wait for the job."""
    told = Result.objects.filter(registration=OuterRef("registration"), cycle=OuterRef("cycle"), superseded_at=None)
    return ResultHold.objects.exclude(lifted_digest="").filter(~Exists(told)).order_by()


def due(at: datetime) -> QuerySet[ResultHold]:
    """Holds in force of releases that are out, whose candidates have not been told that it takes longer."""
    out = [Release.State.APPROVED, Release.State.RELEASED]
    rows = ResultHold.objects.in_force().filter(told_at=None, cycle__release__state__in=out)
    return rows.filter(cycle__release__releases_at__lte=at).order_by("pk")


@transaction.atomic
def say_later(hold_id: int, *, at: datetime) -> bool:
    """Tell one candidate, without a reason, that their results take longer and when they hear. Once."""
    one = due(at).select_for_update(of=("self",)).filter(pk=hold_id).first()
    if one is None:
        return False
    ResultHold.objects.filter(pk=one.pk).update(told_at=at)
    registration = one.registration
    if registration.is_standing:
        year = one.cycle.year
        key = f"results_later:{one.pk}"
        outbox.queue("results_later", to=registration.user, key=key, at=at, year=year, hear_on=one.hear_on)
    return True


def told_later(user: User, cycle: Cycle) -> ResultHold | None:
    """What a candidate was told of a hold, while it lasts."""
    held = ResultHold.objects.in_force().filter(cycle=cycle, registration__user=user, told_at__isnull=False)
    return held.first()
