"""An order and who is on it, locked in the one order in which everybody locks them (see ledger.py)."""

from collections.abc import Iterable
from dataclasses import dataclass

from candidates.models import Registration
from icg_cert.lib.refusal import Refused
from payments.models import Payer, PurchaseOrder, Seat


@dataclass(frozen=True, slots=True)
class Seating:
    """`seats` are those that were not given back, oldest first, hanging on the locked order."""

    order: PurchaseOrder
    seats: list[Seat]

    @property
    def free(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.registration is None]

    @property
    def claimed(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.registration is not None]

    @property
    def people(self) -> list[Registration]:
        return [seat.registration for seat in self.seats if seat.registration is not None]


def lock(order_id: int, *, people: Iterable[int | None] = ()) -> Seating:
    """The registrations of these keys, then the payer, then the order. DoesNotExist.

    Every change of a seat is made under these locks: of its order, and of the registrations it concerns.
    """
    locked = _people(people)
    payer = Payer.objects.select_for_update(of=("self",)).get(orders=order_id)
    rows = PurchaseOrder.objects.select_for_update(of=("self",)).select_related("cohort", "quote")
    order = rows.get(pk=order_id)
    order.payer = payer
    rest = Seat.objects.filter(order=order).exclude(state=Seat.State.RELEASED)
    seats = list(rest.select_related("registration__user", "registration__cohort").order_by("pk"))
    for seat in seats:
        seat.order = order
        seat.registration = locked.get(seat.registration_id, seat.registration)
    return Seating(order, seats)


def lock_all(order_id: int) -> Seating:
    """The same with everybody who holds a seat of it. Refused when somebody took one a moment ago."""
    people = set(Seat.objects.filter(order=order_id, state=Seat.State.CLAIMED).values_list("registration", flat=True))
    seating = lock(order_id, people=people)
    _check_same({registration.pk for registration in seating.people}, people)
    return seating


def lock_seat(seat_id: int, *, also: Iterable[int] = ()) -> tuple[Seating, Seat]:
    """The seating of a seat with its registration and `also` these; and the seat in it, or as it was given back."""
    known = Seat.objects.get(pk=seat_id)
    people = {known.registration_id, *also}
    seating = lock(known.order_id, people=people)
    here = next((seat for seat in seating.seats if seat.pk == seat_id), None)
    seat = here or Seat.objects.select_related("order", "registration").get(pk=seat_id)
    _check_same([seat.registration_id], people)
    return seating, seat


def _people(keys: Iterable[int | None]) -> dict[int | None, Registration]:
    rows = Registration.objects.select_for_update(of=("self",)).select_related("user", "cohort")
    return {row.pk: row for row in rows.filter(pk__in=[key for key in set(keys) if key is not None]).order_by("pk")}


def _check_same(now: Iterable[int | None], locked: Iterable[int | None]) -> None:
    if set(now) - set(locked) - {None}:
        raise Refused("changed-meanwhile", "Somebody changed this order at the same moment. Please look again.")
