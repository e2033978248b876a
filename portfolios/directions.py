"""Sending each year's submission directions in advance, to whoever may hand something in, once.

Staff write them into the cycle. Source: the programme's page ("Candidates will receive directions in advance").
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from candidates.models import Cycle, Registration
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from portfolios.reminders import PURPOSE, may_be_due

IN_ADVANCE = timedelta(days=30)
EVENT = "directions"


def due(at: datetime) -> Iterator[tuple[int, int]]:
    """(registration, cycle) keys of who has not had the directions, from a month before the window until it closes."""
    for cycle in Cycle.objects.filter(opens_at__lte=at + IN_ADVANCE, closes_at__gt=at).exclude(directions=""):
        key = Concat(Value(f"{EVENT}:{cycle.pk}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
        told = Message.objects.filter(key=key)
        for stage in PURPOSE:
            rows = Registration.objects.taking_part().filter(may_be_due(cycle, stage)).exclude(Exists(told))
            yield from ((pk, cycle.pk) for pk in rows.values_list("pk", flat=True))


@transaction.atomic
def send(registration_id: int, cycle_id: int, *, at: datetime) -> None:
    """Queue one person's mail. A repeat is harmless."""
    registration = Registration.objects.select_related("user").get(pk=registration_id)
    cycle = Cycle.objects.get(pk=cycle_id)
    outbox.queue(
        EVENT,
        to=registration.user,
        key=f"{EVENT}:{cycle.pk}:{registration.pk}",
        at=at,
        cycle=cycle.year,
        directions=cycle.directions,
        opens_at=cycle.opens_at,
        closes_at=cycle.closes_at,
    )
