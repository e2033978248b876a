"""How a registration's payment stands, gathered for the people who look: the payer's page, the receipt, the office."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import F

from candidates.models import Registration
from icg_cert.lib.money import Money
from payments import unmatched
from payments.models import Attempt, LedgerEntry, PolicyAcceptance, PurchaseOrder, Quote, Seat

Payment = Registration.Payment
# The shape of each status, wherever it is shown.
KINDS = {
    Payment.UNPAID: "warn",
    Payment.PENDING: "info",
    Payment.PO_REQUESTED: "info",
    Payment.PO_COMMITTED: "good",
    Payment.PARTLY_PAID: "warn",
    Payment.PAID: "good",
    Payment.OVERPAID: "good",
    Payment.DISPUTED: "bad",
    Payment.REFUNDED: "muted",
}


def number_of(registration: Registration) -> str:
    """What a registration is called on receipts and at providers. Not the candidate's code: scorers know people by
    that, and employers read receipts."""
    return f"{registration.cohort.year}-{registration.pk:05}"


@dataclass(frozen=True)
class Overview:
    """Everything is read when first asked for, and once."""

    registration: Registration
    at: datetime

    @property
    def receipt_number(self) -> str:
        return number_of(self.registration)

    @property
    def state_word(self) -> str:
        return "Being looked at" if self._is_looked_at else self.registration.get_payment_status_display()

    @property
    def _is_looked_at(self) -> bool:
        return self.has_unmatched and not self.registration.holds_seat

    @property
    def state_kind(self) -> str:
        return "info" if self._is_looked_at else KINDS[Payment(self.registration.payment_status)]

    @cached_property
    def entries(self) -> list[LedgerEntry]:
        """What moved, oldest first."""
        return list(self.registration.ledger.order_by("occurred_at", "pk"))

    @property
    def balance(self) -> Money:
        mine = [entry.amount_minor for entry in self.entries if entry.currency == self.registration.currency]
        return Money(sum(mine), self.registration.currency)

    @property
    def owed(self) -> Money:
        left = self.registration.fee - self.balance
        return left if left.minor > 0 else Money(0, left.currency)

    @cached_property
    def attempt(self) -> Attempt | None:
        """The newest attempt."""
        return self.registration.attempts.first()

    @property
    def last_failure(self) -> Attempt | None:
        """The newest attempt, where it ended without money and nothing else was tried since."""
        attempt, seat = self.attempt, self.seat
        if attempt is None or attempt.state not in {Attempt.State.FAILED, Attempt.State.EXPIRED, Attempt.State.CLOSED}:
            return None
        return None if seat and seat.claimed_at and seat.claimed_at >= attempt.opened_at else attempt

    @property
    def unfinished(self) -> Attempt | None:
        """The attempt whose page still waits for the payer."""
        attempt = self.attempt
        if attempt is None or attempt.state != Attempt.State.OPEN or not attempt.url or not attempt.expires_at:
            return None
        return attempt if self.at < attempt.expires_at else None

    @cached_property
    def seat(self) -> Seat | None:
        """The seat the registration has; else the one it had last."""
        rows = Seat.objects.filter(registration=self.registration).select_related("order__payer", "order__quote")
        return rows.order_by(F("released_at").desc(nulls_first=True), "-claimed_at", "-pk").first()

    @property
    def order(self) -> PurchaseOrder | None:
        """The order of that seat, whatever became of it."""
        return self.seat.order if self.seat else None

    @property
    def is_own_order(self) -> bool:
        """Whether the order is the candidate's own doing, and theirs to withdraw."""
        order = self.order
        return order is not None and order.quote_id is None and order.submitted_by_id == self.registration.user_id

    @cached_property
    def is_promised_too(self) -> bool:
        """Whether the fee is paid and an accepted order still promises it: its seat has to be given back."""
        seat = self.seat
        if seat is None or seat.state != Seat.State.CLAIMED or not self.registration.is_settled:
            return False
        return seat.order.state == PurchaseOrder.State.ACCEPTED and not seat.allocations.standing().exists()

    @property
    def may_give_up_seat(self) -> bool:
        """Before the payer's money came, and while there is another way to pay. An own order is withdrawn instead."""
        is_promised = self.registration.payment_status in {Payment.PO_COMMITTED, Payment.PO_REQUESTED}
        is_withdrawable = self.is_own_order and self.registration.payment_status == Payment.PO_REQUESTED
        is_open = self.registration.cohort.window.contains(self.at)
        return is_promised and not is_withdrawable and not self.balance and is_open

    @cached_property
    def quote(self) -> Quote | None:
        """The newest quote that the candidate asked for, while it is valid."""
        return self.registration.quotes.filter(valid_until__gt=self.at).first()

    @cached_property
    def has_unmatched(self) -> bool:
        """Whether money came in that does not fit its attempt: a person looks at it, nobody pays again meanwhile."""
        return unmatched.waiting().filter(attempt__registration=self.registration).exists()

    @property
    def is_in_doubt(self) -> bool:
        return self.registration.payment_status == Payment.PENDING or self._is_looked_at

    @property
    def is_owed(self) -> bool:
        """Whether there is anything to pay for that nobody has promised or begun to confirm."""
        is_promised = self.registration.payment_status == Payment.PO_REQUESTED
        held = self.registration.holds_seat or is_promised or self.is_in_doubt
        return self.registration.is_standing and not held

    @property
    def may_begin(self) -> bool:
        return self.is_owed and self.registration.cohort.window.contains(self.at)

    @cached_property
    def acceptance(self) -> PolicyAcceptance | None:
        return self.registration.policy_acceptances.select_related("text").order_by("-accepted_at").first()
