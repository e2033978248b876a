"""Letters about orders and seats: to the coaches who sit on them, and to the payer's contact with their signed link.

No seat code is ever written in one, and no coach's name in what goes to the contact: the page shows both.
"""

from datetime import datetime
from typing import Any

from django.urls import reverse

from candidates.models import Programme, Registration
from icg_cert.mail import outbox
from payments import quotes
from payments.models import PurchaseOrder, Seat


def to_coach(
    event: str, seat: Seat, at: datetime, *, coach: Registration | None = None, fact: str = "", **context: Any
) -> None:
    """One letter per seat, coach, event and fact. Nothing where nobody has taken the seat."""
    registration = coach or seat.registration
    if registration is None:
        return
    cohort = registration.cohort
    outbox.queue(
        event,
        to=registration.user,
        key=f"{event}:{seat.pk}:{registration.pk}:{fact}"[:120],
        at=at,
        **_order(seat.order),
        code=registration.code,
        cohort=cohort.number,
        closes_at=cohort.registration_closes_at,
        is_open=cohort.window.contains(at),
        pay_path=reverse("payments:pay", args=[registration.pk]),
        **context,
    )


def to_contact(event: str, order: PurchaseOrder, at: datetime, *, fact: str = "", **context: Any) -> None:
    """One letter per order, event and fact. Nothing where a coach handed in their own order: they are told as coach."""
    if order.quote is None:
        return
    cohort = order.cohort
    outbox.queue(
        event,
        to=order.contact_email,
        key=f"{event}:{order.pk}:{fact}"[:120],
        at=at,
        **_order(order),
        contact_name=order.contact_name,
        cohort=cohort.number,
        closes_at=cohort.registration_closes_at,
        is_open=cohort.window.contains(at),
        quote_path=quotes.path(order.quote),
        **context,
    )


def _order(order: PurchaseOrder) -> dict[str, Any]:
    programme = Programme.objects.first()
    return {
        "number": order.number,
        "payer_name": order.payer.name,
        "money": order.money,
        "office_email": programme.contact_email if programme else "",
    }
