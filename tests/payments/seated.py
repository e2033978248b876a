"""What tests of seats share: codes, taking one, and how everything then stands."""

from collections.abc import Callable
from typing import Any

from candidates.models import Registration
from icg_cert.mail.models import Message
from payments import seat_codes, seats
from payments.models import PurchaseOrder, Seat
from tests.payments.conftest import NOW

Coach = Callable[..., Registration]


def codes(order: PurchaseOrder) -> list[str]:
    return [seat_codes.shown(seat) for seat in order.seats.filter(state="free").order_by("pk")]


def claim(registration: Registration, code: str, when: Any = NOW, by: Any = None) -> Seat:
    return seats.claim(registration.pk, code, by=by or registration.user, at=when)


def states(order: PurchaseOrder) -> list[str]:
    return list(order.seats.order_by("pk").values_list("state", flat=True))


def letters(event: str) -> list[str]:
    return list(Message.objects.filter(event=event).order_by("pk").values_list("to", flat=True))
