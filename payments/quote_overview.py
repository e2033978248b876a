"""How a quote stands, gathered for the one page of its contact: order, seats, papers, money."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models.fields.files import FieldFile

from icg_cert.lib.money import Money
from icg_cert.lib.windows import Phase
from payments import papers, seat_codes
from payments.invoices import today
from payments.models import CreditNote, Invoice, PurchaseOrder, Quote, Seat

STATES = {
    "early": ("Quote", "muted"),
    "open": ("Quote, waiting for the purchase order", "info"),
    "over": ("Quote, no longer valid", "muted"),
    "submitted": ("Purchase order being checked", "info"),
    "accepted": ("Purchase order accepted", "good"),
    "paid": ("Paid", "good"),
    "refused": ("Purchase order refused", "warn"),
    "cancelled": ("Purchase order cancelled", "muted"),
}


@dataclass(frozen=True, slots=True)
class SeatLine:
    """A seat as its payer sees it. `code` is "" for a seat that was taken."""

    seat: Seat
    code: str
    coach: str
    may_give_back: bool


@dataclass(frozen=True)
class QuoteOverview:
    """Everything is read when first asked for, and once."""

    quote: Quote
    at: datetime

    @cached_property
    def order(self) -> PurchaseOrder | None:
        """The newest, whatever became of it."""
        return self.quote.orders.select_related("payer").first()

    @property
    def stage(self) -> str:
        """The key of STATES: the order's state, or the quote's own while there is none."""
        order = self.order
        if order is not None and order.state == PurchaseOrder.State.ACCEPTED:
            return "accepted" if self.owed or self.invoice is None else "paid"
        if order is not None:
            return str(order.state)
        if self.quote.cohort.phase(self.at) == Phase.BEFORE:
            return "early"
        return "open" if self.at < self.quote.valid_until else "over"

    @property
    def state_word(self) -> str:
        return STATES[self.stage][0]

    @property
    def state_kind(self) -> str:
        return STATES[self.stage][1]

    @property
    def may_hand_in(self) -> bool:
        """Also again, after one that was refused or withdrawn, while the quote is valid."""
        is_in_time = self.quote.cohort.window.contains(self.at) and self.at < self.quote.valid_until
        return is_in_time and (self.order is None or self.order.state not in PurchaseOrder.LIVE)

    @cached_property
    def lines(self) -> list[SeatLine]:
        """The seats of an accepted order that were not given back."""
        if self.order is None or self.order.state != PurchaseOrder.State.ACCEPTED:
            return []
        seats = self.order.seats.exclude(state=Seat.State.RELEASED).select_related("registration__user")
        return [_line(seat) for seat in seats.prefetch_related("allocations").order_by("pk")]

    @property
    def taken(self) -> int:
        return sum(1 for line in self.lines if line.coach)

    @property
    def free(self) -> int:
        return len(self.lines) - self.taken

    @property
    def is_claimable(self) -> bool:
        return self.quote.cohort.window.contains(self.at)

    @cached_property
    def invoice(self) -> Invoice | None:
        if self.order is None:
            return None
        return Invoice.objects.standing().filter(order=self.order).with_sums().first()

    @cached_property
    def credit_notes(self) -> list[CreditNote]:
        return list(self.invoice.credit_notes.order_by("pk")) if self.invoice else []

    @property
    def is_overdue(self) -> bool:
        return bool(self.owed) and self.invoice is not None and self.invoice.due_on < today(self.at)

    @property
    def owed(self) -> Money:
        return self.invoice.owed if self.invoice else Money(0, self.quote.currency)

    @property
    def paid(self) -> Money:
        return Money(self.invoice.paid_minor if self.invoice else 0, self.quote.currency)  # type: ignore[attr-defined]

    @cached_property
    def papers(self) -> dict[str, tuple[str, FieldFile]]:
        """Everything to download: the name it has in its address, what people call it, and the file."""
        w9 = papers.vendor().w9
        rows: list[Quote | Invoice | CreditNote] = [self.quote, *filter(None, [self.invoice]), *self.credit_notes]
        return {row.number: (str(row), row.document) for row in rows} | ({"W-9": ("Our W-9", w9)} if w9 else {})


def _line(seat: Seat) -> SeatLine:
    if seat.registration is not None:
        return SeatLine(seat, "", seat.registration.user.name, may_give_back=False)
    is_paid = any(allocation.undone_at is None for allocation in seat.allocations.all())
    return SeatLine(seat, seat_codes.shown(seat), "", may_give_back=not is_paid)
