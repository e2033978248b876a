"""Appeals: a candidate asks for one released score to be verified, once, within the days that the policy gives.

Somebody who has read nothing of the candidate's factor reads the entry again, blind, and does not know what for. What
the readings come to is a rule (scoring/rescore.py), not an opinion; a score is never lowered by asking.

Lock order: the registration, then the entry, then the appeal.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import takewhile
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from candidates.models import Cycle, Registration, User
from candidates.registration import refuse_own
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Window, start_of
from icg_cert.mail import outbox
from portfolios import retention
from portfolios.models import Entry, Upload
from scoring import appeal_readings, assignment, handover, superseding
from scoring.models import Appeal, AppealQuerySet, Assignment, FactorScore, Result, Sheet

LONGEST_REASON = 3000
LONGEST_WORDS = 3000
HOLD = "A score of this entry is being verified."
RAISED = "A score was verified at your request, and raised."
State = Appeal.State


def window(score: FactorScore) -> Window:
    """When its candidate may ask: from the instant it was told until the end of the policy's last day.

    Days are whole ones in the programme's zone. A result that replaces another leaves alone what it did not change.
    """
    return windows([score])[score.entry_id]


def windows(scores: Iterable[FactorScore]) -> dict[int, Window]:
    """The same for many told ones, by entry, in one query. With their results' policies loaded."""
    scores = list(scores)
    told: dict[int, list[tuple[Fraction, datetime]]] = {score.entry_id: [] for score in scores}
    rows = FactorScore.objects.filter(entry__in=told, result__told_at__isnull=False).select_related("result")
    for row in rows.order_by("-result__told_at", "-result"):
        told[row.entry_id].append((row.score, row.result.told_at or row.result.released_at))
    return {score.entry_id: _window(score, told[score.entry_id]) for score in scores}


def _window(score: FactorScore, told: list[tuple[Fraction, datetime]]) -> Window:
    """`told` is what was told of the entry, the newest first."""
    opens_at = min(told_at for _, told_at in takewhile(lambda one: one[0] == score.score, told))
    return Window(opens_at, _after(opens_at, score.result.policy.appeal_days))


def _after(moment: datetime, days: int) -> datetime:
    """The end of the day that is so many days after this one: the first instant that is too late."""
    day = moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return start_of(day + timedelta(days=days + 1), settings.TIME_ZONE)


def open_appeals(cycle: Cycle) -> AppealQuerySet:
    """Those about earlier scores of candidates who are to be told at this cycle's release: what it should wait for."""
    return Appeal.objects.open().before(cycle)


@transaction.atomic
def ask(score_id: int, *, reason: str, by: User, at: datetime) -> Appeal:
    """Ask for one's own score to be verified. While that is under way, a repeat gives the appeal there is.

    FactorScore.DoesNotExist for what is not told, withheld, replaced or somebody else's. Refused: `not-standing`,
    `asked-already`, `too-late`, `reason-missing`, `too-long`, `files-deleted`.
    """
    score = _told(score_id, by, at)
    list(Registration.objects.select_for_update().filter(pk=score.result.registration_id))
    score = _told(score_id, by, at)
    if found := Appeal.objects.standing().filter(entry=score.entry_id).first():
        if found.is_open:
            return found
        raise Refused("asked-already", "This score was verified already, and that can be done once.")
    _refuse_asking(score, reason, at)
    hold = retention.hold(score.result.registration_id, entry_id=score.entry_id, reason=HOLD, by=by, at=at)
    decide_by = _after(at, score.result.policy.appeal_decision_days)
    appeal = Appeal.objects.create(
        entry=score.entry, score=score, reason=reason.strip(), asked_at=at, decide_by=decide_by, hold=hold
    )
    trail.record("appeal.ask", appeal, by=by, at=at)
    _write("appeal_asked", appeal, at)
    return appeal


def _told(score_id: int, by: User, at: datetime) -> FactorScore:
    told = Result.objects.released(at).filter(registration__user=by, told_at__isnull=False)
    rows = FactorScore.objects.filter(result__in=told)
    return rows.select_related("entry__factor", "result__policy", "result__registration").get(pk=score_id)


def _refuse_asking(score: FactorScore, reason: str, at: datetime) -> None:
    if not score.result.registration.is_standing:
        raise Refused("not-standing", "Your registration has ended, so nothing more is read. Your scores stand.")
    if not window(score).contains(at):
        raise Refused("too-late", "The time to ask for this score to be verified is over.")
    if not reason.strip():
        message = "Say in a sentence why you ask. It stays with the appeal; no scorer sees it."
        raise Refused("reason-missing", message, fields={"reason": message})
    if len(reason) > LONGEST_REASON:
        message = f"Please shorten this to {LONGEST_REASON} characters."
        raise Refused("too-long", message, fields={"reason": message})
    if Upload.objects.filter(entry=score.entry_id, state__in=Upload.HANDED_IN).exclude(purged_at=None).exists():
        raise Refused("files-deleted", "The files of this entry have been deleted, so nobody can read it again.")


@transaction.atomic
def withdraw(appeal_id: int, *, by: User, at: datetime) -> Appeal:
    """Take one's appeal back, before a reader has begun. A repeat changes nothing.

    Appeal.DoesNotExist for somebody else's. Refused: `begun`, `decided`.
    """
    appeal = _locked(appeal_id)
    if appeal.entry.registration.user_id != by.pk:
        raise Appeal.DoesNotExist
    if appeal.state == State.DECIDED:
        raise Refused("decided", "This appeal is decided.")
    if appeal.is_open:
        if any(sheet.saved_at for sheet in _sheets(appeal)):
            raise Refused("begun", "A scorer has begun to read, so it goes on. Your score cannot be lowered by it.")
        _drop(appeal, by=by, at=at)
    return appeal


def follow_up_due() -> list[int]:
    """Open appeals that somebody must be given a reading of."""
    waiting = Appeal.objects.open().exclude(entry__registration__status__in=Registration.ENDED)
    return [appeal.pk for appeal in waiting if appeal_readings.of(appeal).wanted]


@transaction.atomic
def follow_up(appeal_id: int, *, at: datetime) -> bool:
    """Give the reading it waits for to whoever may, and has the fewest. False where none is due, or nobody may."""
    appeal = _locked(appeal_id)
    role = appeal_readings.of(appeal).wanted if appeal.is_open else None
    if role is None:
        return False
    due_at, why = reader_due(appeal, at), appeal_readings.REASON
    return assignment.add(appeal.entry, role, why, by=None, at=at, due_at=due_at) is not None


def reader_due(appeal: Appeal, at: datetime) -> datetime:
    """Until when its reader should be done, with some days left to decide."""
    return max(appeal.decide_by - appeal_readings.FOR_THE_DECISION, at + timedelta(days=1))


@transaction.atomic
def decide(appeal_id: int, *, words: str, by: User, at: datetime) -> Appeal:
    """Tell the candidate what the readings came to; a raised score replaces the result. A repeat changes nothing.

    Refused: `withdrawn`, `own-registration`, `not-standing`, `not-read`, `too-long`.
    """
    superseding.lock(Appeal.objects.values_list("entry__registration", flat=True).get(pk=appeal_id))
    appeal = _locked(appeal_id)
    if appeal.state == State.DECIDED:
        return appeal
    _refuse_deciding(appeal, words, by)
    found = appeal_readings.of(appeal)
    if found.verified is None:
        raise Refused(
            "not-read", "A reading is still to come. What it comes to decides, so there is nothing to say yet."
        )
    made = None
    if found.is_raised:
        changes = {appeal.entry_id: appeal_readings.change(found)}
        made = superseding.supersede(_result_of(found), changes, reason=RAISED, by=by, at=at)
    outcome = Appeal.Outcome.RAISED if made else Appeal.Outcome.CONFIRMED
    fields = {"outcome": outcome, "numerator": found.verified.numerator, "denominator": found.verified.denominator}
    _end(appeal, State.DECIDED, at, by=by, words=words.strip(), decided_by=by, result=made, **fields)
    trail.record("appeal.decide", appeal, by=by, at=at, after={"outcome": outcome, "verified": str(found.verified)})
    _write("appeal_decided", appeal, at)
    return appeal


def _refuse_deciding(appeal: Appeal, words: str, by: User) -> None:
    if appeal.state == State.WITHDRAWN:
        raise Refused("withdrawn", "This appeal was taken back.")
    refuse_own(appeal.entry.registration, by)
    if not appeal.entry.registration.is_standing:
        raise Refused("not-standing", "The candidate's registration has ended; the appeal ends with it.")
    if len(words) > LONGEST_WORDS:
        message = f"Please shorten this to {LONGEST_WORDS} characters."
        raise Refused("too-long", message, fields={"words": message})


def _result_of(found: appeal_readings.Verification) -> Result:
    rows = Result.objects.select_related("cycle", "policy", "registration__cohort", "registration__user")
    return rows.get(pk=found.score.result_id)


def ended_due() -> list[int]:
    """Open appeals of candidates whose registration has ended since."""
    ended = Appeal.objects.open().filter(entry__registration__status__in=Registration.ENDED)
    return list(ended.values_list("pk", flat=True))


@transaction.atomic
def end_with_registration(appeal_id: int, *, at: datetime) -> bool:
    """Whose registration has ended is read no more, and what they asked for ends with it."""
    appeal = _locked(appeal_id)
    if not appeal.is_open or appeal.entry.registration.is_standing:
        return False
    _drop(appeal, by=None, at=at)
    return True


def _locked(appeal_id: int) -> Appeal:
    """The appeal, and before it its entry, so that nobody gives out, passes on or finishes its readings meanwhile."""
    entry_id = Appeal.objects.values_list("entry", flat=True).get(pk=appeal_id)
    entry = assignment.for_update(Entry.objects.all()).select_related("factor").get(pk=entry_id)
    appeal = Appeal.objects.select_for_update(of=("self",)).select_related("score", "hold").get(pk=appeal_id)
    appeal.entry = entry
    return appeal


def _sheets(appeal: Appeal) -> list[Sheet]:
    """Locked, so that a reader who saves at this moment is before us or after."""
    mine = Sheet.objects.filter(assignment__entry=appeal.entry_id, assignment__role__in=Assignment.OF_APPEALS)
    return list(mine.order_by("pk").select_for_update(of=("self",)))


def _drop(appeal: Appeal, *, by: User | None, at: datetime) -> None:
    """End it without a decision; unfinished readings of it are taken away."""
    for sheet in _sheets(appeal):
        if sheet.assignment and sheet.status != Sheet.Status.FINAL:
            handover.take_away(sheet.assignment, by=by, at=at)
    _end(appeal, State.WITHDRAWN, at, by=by)
    trail.record("appeal.withdraw", appeal, by=by, at=at)


def _end(appeal: Appeal, state: str, at: datetime, *, by: User | None, **fields: object) -> None:
    """ValueError for a state that does not follow from the present. Its files go their way again."""
    if state not in Appeal.NEXT[appeal.state]:
        raise ValueError(f"An appeal does not go from {appeal.state} to {state}")
    for name, value in {"state": state, "ended_at": at, **fields}.items():
        setattr(appeal, name, value)
    appeal.save(update_fields=["state", "ended_at", *fields])
    retention.lift(appeal.hold_id, reason=f"The appeal is {state}.", by=by, at=at)


def _write(event: str, appeal: Appeal, at: datetime) -> None:
    outbox.queue(
        event,
        to=appeal.entry.registration.user,
        key=f"{event}:{appeal.pk}",
        at=at,
        year=appeal.entry.cycle.year,
        cycle_id=appeal.entry.cycle_id,
        number=appeal.entry.factor.number,
        decide_by=appeal.decide_by,
    )
