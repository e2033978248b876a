"""What was approved for each candidate, and what follows where they would be told something else."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from scoring.models import DryRunRow, Release, ResultHold
from scoring.release_gate import Row


def approved(decision: Release, registration_id: int) -> str | None:
    """The digest of what was approved for one candidate: with the release, or since by lifting a hold.

    None for who was no part of it.
    """
    lifted = ResultHold.objects.filter(
        cycle=decision.cycle_id, registration=registration_id, lifted_at__gte=decision.approved_at
    ).exclude(lifted_digest="")
    if since := lifted.order_by("-lifted_at", "-pk").values_list("lifted_digest", flat=True).first():
        return since
    rows = DryRunRow.objects.filter(run=decision.run_id, registration=registration_id)
    return rows.values_list("digest", flat=True).first()


def refuse_unless_approved(release: Release, row: Row) -> None:
    """`not-ready` or `changed`. A release from before there were dry runs was approved by the gate alone."""
    if row.missing:
        raise Refused("not-ready", " ".join(check.words for check in row.missing))
    if release.run_id is None:
        return
    expected = approved(release, row.registration.pk)
    if expected is None:
        raise Refused("changed", "They were no part of what was approved.")
    if row.told is None or row.told.digest != expected:
        raise Refused("changed", "What they would be told is not what was approved.")


@transaction.atomic
def say_refused(release: Release, registration_id: int, refusal: Refused, at: datetime) -> None:
    """Tell both who decided that somebody was left out, and why; once for each reason."""
    name = sha256(f"{release.approved_at}/{refusal.message}".encode()).hexdigest()[:12]
    key = f"release_refused:{release.pk}:{registration_id}:{name}"
    if Message.objects.filter(key__startswith=f"{key}:").exists():
        return
    registration = Registration.objects.get(pk=registration_id)
    trail.record("result.refuse", registration, by=None, at=at, reason=refusal.message)
    about: dict[str, Any] = {"year": release.cycle.year, "cycle_id": release.cycle_id, "code": registration.code}
    for who in filter(None, (release.prepared_by, release.approved_by)):
        outbox.queue("release_refused", to=who, key=f"{key}:{who.pk}", at=at, why=refusal.message, **about)
