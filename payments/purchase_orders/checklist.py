"""What can be said of an order by itself, for the person who judges it beside its document."""

from dataclasses import dataclass

from icg_cert.lib.windows import Phase
from icg_cert.lib.words import day_of, day_words
from payments.models import PurchaseOrder, Seat
from payments.payers import normalise
from payments.purchase_orders.order import today


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence, and whether it speaks for the order. None where only eyes can tell."""

    words: str
    holds: bool | None


def checklist(order: PurchaseOrder) -> list[Check]:
    """Everything that speaks for or against accepting it, most telling first."""
    return [_payer(order), _number(order), _amount(order), *_days(order), _in_time(order), *_quoted(order)]


def _payer(order: PurchaseOrder) -> Check:
    payer = order.payer
    if payer.verified_at is None:
        return Check(f"{payer} is not verified yet. Make sure that it exists and is called so.", False)
    return Check(f"{payer} was verified on {day_of(payer.verified_at)}.", True)


def _number(order: PurchaseOrder) -> Check:
    others = PurchaseOrder.objects.filter(payer=order.payer, number_normalised=order.number_normalised)
    before = others.exclude(pk=order.pk).count()
    if before:
        return Check(f"This payer sent {order.number} before; it was refused or cancelled then.", False)
    return Check(f"{order.number} is not used by this payer.", True)


def _amount(order: PurchaseOrder) -> Check:
    prices = [seat.money for seat in order.seats.exclude(state=Seat.State.RELEASED)]
    if not prices:
        return Check("It holds no seats any more.", False)
    first, *rest = prices
    total = sum(rest, first)
    return Check(f"{order.money} for {len(prices)} × {first}, together {total}.", not order.money < total)


def _days(order: PurchaseOrder) -> list[Check]:
    handed_in = today(order.submitted_at)
    checks = [Check(f"Dated {day_words(order.issued_on)}.", order.issued_on <= handed_in)]
    if order.valid_until is not None:
        checks.append(Check(f"Valid until {day_words(order.valid_until)}.", order.valid_until >= handed_in))
    return checks


def _in_time(order: PurchaseOrder) -> Check:
    is_in_time = order.cohort.phase(order.submitted_at) == Phase.OPEN
    return Check(f"Handed in on {day_of(order.submitted_at)}, in time for {order.cohort}.", is_in_time)


def _quoted(order: PurchaseOrder) -> list[Check]:
    if order.quote is None:
        return []
    is_same = normalise(order.quote.payer_name) == normalise(order.payer.name)
    return [Check(f"{order.quote} was made for {order.quote.payer_name}.", is_same)]
