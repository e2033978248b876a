"""The inbox of webhooks: kept as they came, worked off after their door has answered, tried again, never believed.

An event says that something about an attempt is worth asking about; what is true, `settlement` asks the provider.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from icg_cert.audit import trail
from payments import notices, settlement
from payments.gateways.base import GatewayError, InboundEvent
from payments.models import Attempt, Delivery, ProviderRef

logger = logging.getLogger(__name__)
State = Delivery.State


def receive(event: InboundEvent, body: bytes, headers: Mapping[str, str], *, at: datetime) -> int:
    """Keep an authenticated event; its key in the inbox. The provider's second delivery of it is the first one."""
    row = Delivery(
        provider=event.provider,
        event_id=event.event_id,
        type=event.type[:100],
        body=body,
        headers=dict(headers),
        refs=[[ref.kind, ref.ref] for ref in event.refs],
        attempt_public_id=event.attempt_id,
        received_at=at,
        state=State.NEW if event.is_relevant else State.IGNORED,
        next_try_at=at,
        note=event.note[:300],
    )
    Delivery.objects.bulk_create([row], ignore_conflicts=True)
    return Delivery.objects.values_list("pk", flat=True).get(provider=event.provider, event_id=event.event_id)


def process(delivery_id: int, *, at: datetime) -> bool:
    """Ask the provider about what an event speaks of. False when it has to be tried again, or was done before."""
    delivery = Delivery.objects.get(pk=delivery_id)
    if delivery.state not in Delivery.WAITING:
        return False
    attempt = _attempt_of(delivery)
    if attempt is None:
        return _again(delivery_id, "It speaks of no attempt that we know.", at=at)
    try:
        settlement.look(attempt.pk, at=at)
    except GatewayError as error:
        return _again(delivery_id, f"The provider did not answer: {type(error).__name__}.", at=at)
    waiting = Delivery.objects.filter(pk=delivery_id, state__in=Delivery.WAITING)
    waiting.update(state=State.DONE, attempt=attempt, tries=F("tries") + 1)
    return True


@transaction.atomic
def retry(delivery_id: int, *, by: Any, at: datetime) -> None:
    """Let one that was given up be tried again with the next tick."""
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state in (State.DEAD, State.FAILED):
        before, delivery.state = delivery.state, State.NEW
        delivery.tries, delivery.next_try_at = 0, at
        delivery.save(update_fields=["state", "tries", "next_try_at"])
        trail.record("delivery.retry", delivery, by=by, at=at, before={"state": before}, after={"state": State.NEW})


def _attempt_of(delivery: Delivery) -> Attempt | None:
    """By the id we gave the provider, else by a name the provider gave to something of ours.

    A dispute knows nothing of our ids, and an event may overtake the answer that would have told us the name.
    """
    own = Attempt.objects.filter(provider=delivery.provider)
    if delivery.attempt_public_id and (named := own.filter(public_id=delivery.attempt_public_id).first()):
        return named
    wanted = Q(pk__in=[])
    for kind, ref in delivery.refs:
        wanted |= Q(kind=kind, ref=ref)
    known = ProviderRef.objects.filter(wanted, provider=delivery.provider).select_related("attempt").first()
    return known.attempt if known else None


@transaction.atomic
def _again(delivery_id: int, why: str, *, at: datetime) -> bool:
    """Try later, with growing waits; give up after the last, and tell finance."""
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state not in Delivery.WAITING:
        return False
    is_over = delivery.tries >= len(Delivery.BACKOFF)
    delivery.state = State.DEAD if is_over else State.FAILED
    delivery.next_try_at = at if is_over else at + Delivery.BACKOFF[delivery.tries]
    delivery.tries, delivery.note = delivery.tries + 1, why
    delivery.save(update_fields=["state", "next_try_at", "tries", "note"])
    logger.warning("delivery %s: try %s: %s", delivery_id, delivery.tries, why)
    if is_over:
        notices.delivery_needs_eyes(delivery, at=at)
    return False
