"""Telling candidates that their window closes: 30, 14, 7 and 1 days before, once, only who has something to do."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from candidates import deadlines
from candidates.deadlines import Stage
from candidates.models import Cycle, Registration
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from portfolios import board, entries
from portfolios.models import Entry, Factor

DAYS_BEFORE = (30, 14, 7, 1)
LATEST_EXTENSION = timedelta(days=60)
EVENT = "reminder_entries"

PURPOSE = {
    Stage.ANY: "In this first year you may hand in any entries, or none. What you start but do not complete lapses.",
    Stage.REMAINING: "In this year all entries that remain are due.",
    Stage.RETAKES: "In this year you can retake the factors that fell short.",
}


def mark(closes_at: datetime, at: datetime) -> int | None:
    """Which reminder is due: the smallest number of days that is reached. None before the first and after closing."""
    if at >= closes_at:
        return None
    return min((days for days in DAYS_BEFORE if at >= closes_at - timedelta(days=days)), default=None)


def due(at: datetime) -> Iterator[tuple[int, int]]:
    """(registration, cycle) keys of who may be due a reminder and has not had it. `remind` decides exactly."""
    for cycle in Cycle.objects.filter(opens_at__lte=at, closes_at__gt=at - LATEST_EXTENSION):
        taking_part = Registration.objects.taking_part()
        extended = taking_part.in_cycle(cycle).filter(extensions__cycle=cycle).distinct()
        yield from ((pk, cycle.pk) for pk in extended.values_list("pk", flat=True))
        if days := mark(cycle.closes_at, at):
            usual = taking_part.exclude(extensions__cycle=cycle)
            told = Message.objects.filter(key=_key_of(cycle, days))
            for stage in PURPOSE:
                rows = usual.filter(may_be_due(cycle, stage)).exclude(Exists(told))
                yield from ((pk, cycle.pk) for pk in rows.values_list("pk", flat=True))


def may_be_due(cycle: Cycle, stage: Stage) -> Q:
    """A first sieve in SQL, wider than the rule, so that a tick does not look at thousands who are done."""
    own = Entry.objects.filter(registration=OuterRef("pk"))
    done = Entry.objects.filter(status__in=[Entry.Status.SUBMITTED, Entry.Status.LOCKED])
    factors_done = done.filter(registration=OuterRef(OuterRef("pk"))).values("factor")
    years, left = {
        Stage.ANY: (1, ~Exists(done.filter(registration=OuterRef("pk"), cycle=cycle))),
        Stage.REMAINING: (2, Exists(Factor.objects.exclude(pk__in=factors_done))),
        Stage.RETAKES: (3, Exists(own.filter(outcome=Entry.Outcome.FELL_SHORT))),
    }[stage]
    draft = Exists(own.filter(cycle=cycle, status=Entry.Status.DRAFT))
    return Q(cohort__year=cycle.year - years) & (Q(draft) | Q(left))


def _key_of(cycle: Cycle, days: int) -> Concat:
    """The mail's key as SQL, for the registration of the outer query."""
    number = Cast(OuterRef("pk"), CharField())
    return Concat(Value("entries-reminder:"), number, Value(f":{cycle.pk}:{days}"), output_field=CharField())


@transaction.atomic
def remind(registration_id: int, cycle_id: int, *, at: datetime) -> bool:
    """Queue the reminder that is due, if one is and something is left to do. A repeat is harmless."""
    registration = Registration.objects.select_related("cohort", "user").get(pk=registration_id)
    cycle = Cycle.objects.get(pk=cycle_id)
    closes_at = deadlines.closes_at(registration, cycle)
    days = mark(closes_at, at)
    if days is None or not registration.is_taking_part:
        return False
    found = board.of_cycle(registration, cycle, entries.of([registration]), at)
    if not found.is_something_due:
        return False
    outbox.queue(
        EVENT,
        to=registration.user,
        key=f"entries-reminder:{registration.pk}:{cycle.pk}:{days}",
        at=at,
        cycle=cycle.year,
        closes_at=closes_at,
        left="1 day" if days == 1 else f"{days} days",
        purpose=PURPOSE[found.stage],
        drafts=[str(card.factor) for card in found.drafts],
        untouched=[str(card.factor) for card in found.untouched],
    )
    return True
