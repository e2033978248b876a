"""How a registration's payment stands, gathered for the people who look: the payer's page, the receipt, the office."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from candidates.models import Registration
from icg_cert.lib.money import Money
from payments.models import Attempt, LedgerEntry, PolicyAcceptance, PurchaseOrder

Payment = Registration.Payment
KINDS = {
    Payment.PAID: "good",
    Payment.OVERPAID: "good",
    Payment.PO_COMMITTED: "good",
    Payment.PENDING: "info",
    Payment.PO_REQUESTED: "info",
    Payment.PARTLY_PAID: "warn",
    Payment.DISPUTED: "warn",
}


@dataclass(frozen=True)
class Overview:
    """Everything is read when first asked for, and once."""

    registration: Registration
    at: datetime

    @property
    def state_word(self) -> str:
        return self.registration.get_payment_status_display()

    @property
    def state_kind(self) -> str:
        return KINDS.get(Payment(self.registration.payment_status), "muted")

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
        attempt, order = self.attempt, self.order
        if attempt is None or attempt.state not in {Attempt.State.FAILED, Attempt.State.EXPIRED, Attempt.State.CLOSED}:
            return None
        return None if order and order.submitted_at >= attempt.opened_at else attempt

    @property
    def unfinished(self) -> Attempt | None:
        """The attempt whose page still waits for the payer."""
        attempt = self.attempt
        if attempt is None or attempt.state != Attempt.State.OPEN or not attempt.url or not attempt.expires_at:
            return None
        return attempt if self.at < attempt.expires_at else None

    @cached_property
    def order(self) -> PurchaseOrder | None:
        """The newest purchase order, whatever became of it."""
        return self.registration.purchase_orders.first()

    @cached_property
    def has_unmatched(self) -> bool:
        """Whether money came in that does not fit its attempt: a person looks at it, nobody pays again meanwhile."""
        return LedgerEntry.objects.filter(registration=None, attempt__registration=self.registration).exists()

    @property
    def is_in_doubt(self) -> bool:
        return self.registration.payment_status == Payment.PENDING or (
            self.has_unmatched and not self.registration.holds_seat
        )

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
