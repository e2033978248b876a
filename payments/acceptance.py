"""The no-refund policy: read and accepted, its version and the time stored, before anything is paid."""

from datetime import datetime
from typing import Any

from django.db import transaction

from candidates.models import PolicyText, Registration
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from payments.models import PolicyAcceptance

KIND = PolicyText.Kind.NO_REFUNDS


def accept(registration: Registration, text_id: int | None, *, at: datetime) -> None:
    """Store that the owner accepted the text they were shown. Belongs inside the transaction of what needs it.

    A repeat keeps the first time. Refused when nothing was accepted, or a text that is no longer the current one.
    """
    text = PolicyText.current(KIND)
    if text_id is None:
        message = "Please read the no-refund policy and tick the box to accept it."
        raise Refused("not-accepted", message, fields={"accepted": message})
    if text_id != text.pk:
        message = "The no-refund policy changed while this page was open. Please read it again and accept it."
        raise Refused("text-changed", message, fields={"accepted": message})
    _, is_new = PolicyAcceptance.objects.get_or_create(
        registration=registration, text=text, defaults={"accepted_at": at}
    )
    if is_new:
        trail.record(
            "no_refunds.accept", registration, by=registration.user, at=at, after={"text": str(text), "pk": text.pk}
        )


@transaction.atomic
def accept_for(registration_id: int, text_id: int | None, *, by: Any, at: datetime) -> None:
    """The same as a step of its own, by the owner alone. Refused for anybody else."""
    registration = Registration.objects.select_for_update().get(pk=registration_id)
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can accept the policy for their own registration.")
    accept(registration, text_id, at=at)


def is_accepted(registration: Registration) -> bool:
    """Whether the current text was accepted."""
    text = PolicyText.current(KIND)
    return PolicyAcceptance.objects.filter(registration=registration, text=text).exists()
