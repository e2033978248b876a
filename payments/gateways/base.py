"""What every payment provider looks like from here: frozen values in, frozen values out, no models.

A provider's page is opened for one attempt and told the attempt's id and a key. Whatever anybody says afterwards (a
return page, a webhook, a payer) is a hint to `fetch`: only what the provider itself answers is a fact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from icg_cert.lib.money import Money


class GatewayError(Exception):
    """Something between us and the provider."""


class Unavailable(GatewayError):
    """No answer, or none that can be read. Whether anything happened there is unknown: ask again, do not repeat."""


class Rejected(GatewayError):
    """The provider answered that it will not do it. Nothing happened there. The text is for us, not for the payer."""


class BadSignature(GatewayError):
    """The event was not sent by the provider, or not to us."""


class VerifierUnavailable(GatewayError):
    """The provider has to be asked whether an event is its own, and did not answer: let it deliver again."""


class Standing(StrEnum):
    """How a payment stands at the provider."""

    NOTHING = "nothing"  # it has never heard of this attempt
    OPEN = "open"  # its page waits for the payer
    APPROVED = "approved"  # the payer agreed and no money has moved; `finalize` takes it
    PROCESSING = "processing"  # the bank has yet to confirm
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Ref:
    """A name the provider gave to something: `kind` is session, intent, charge, order, capture or dispute."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """One attempt as the provider is told of it. Everything but `refs` is frozen with the key at the beginning."""

    attempt_id: UUID
    key: str
    amount: Money
    description: str
    email: str
    return_url: str
    expires_at: datetime
    refs: tuple[Ref, ...] = ()

    def ref(self, kind: str) -> str:
        """The stored name of that kind, or "" where the answer that held it never reached us."""
        return next((named.ref for named in self.refs if named.kind == kind), "")


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where to send the payer, and until when that page takes money."""

    ref: Ref
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Txn:
    """Money that moved. `kind` is one of LedgerEntry.Kind; `amount` is signed, what reached us is positive.

    `ref` is the provider's own name of the movement and the same on every reading of it. `key` is the `Return.key` of a
    refund that we asked for, "" of one made in the provider's own pages.
    """

    kind: str
    ref: str
    amount: Money
    occurred_at: datetime
    key: str = ""


class Contest(StrEnum):
    """How a dispute stands."""

    OPEN = "open"
    WON = "won"  # decided for us
    LOST = "lost"  # decided for the payer


@dataclass(frozen=True, slots=True)
class Disputed:
    """A payer's bank questions a charge. `amount` is positive; what moved because of it is in `txns`."""

    ref: str
    standing: Contest
    amount: Money
    opened_at: datetime
    reason: str = ""
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the provider answered about one attempt at `fetched_at`.

    `attempt_id` and `amount` are what the provider repeats, not what we sent: they are compared before anything is
    believed. PAID comes with its charge in `txns`, and stays PAID when money goes back: refunds (negative), refunds
    that failed and came back (`refund_failed`, positive), and money that disputes moved are in `txns` beside it.
    `problem` is a sentence for the payer.
    """

    status: Standing
    fetched_at: datetime
    attempt_id: UUID | None = None
    amount: Money | None = None
    txns: tuple[Txn, ...] = ()
    refs: tuple[Ref, ...] = ()
    disputes: tuple[Disputed, ...] = ()
    livemode: bool = False
    account: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Money to give back: `amount` (positive) of the charge `charge_ref`. `key` makes asking again harmless."""

    key: str
    charge_ref: str
    amount: Money


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """An authenticated hint that something about an attempt is worth fetching.

    `is_relevant` is False for types we have no use for and for events of another mode than ours; `note` says what a
    person should know of the delivery itself (another API version than ours).
    """

    provider: str
    event_id: str
    type: str
    attempt_id: UUID | None
    refs: tuple[Ref, ...]
    occurred_at: datetime
    is_relevant: bool = True
    note: str = ""


class Gateway(Protocol):
    """A provider. Every method but `authenticate` may raise Unavailable or Rejected.

    `name` is what rows store; `label` and `hint` are what the payer chooses by; `livemode` and `account` are what
    facts must carry to be ours.
    """

    name: str
    label: str
    hint: str
    livemode: bool
    account: str

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        """Make the provider's page. The same key again gives the same page, also after an answer that was lost."""
        ...

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        """The truth, also when `checkout.refs` is empty because the answer to `open` was lost."""
        ...

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        """Take money the payer approved. Again: the facts, never the money twice."""
        ...

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        """Let the page take no more money. May find that it was paid after all."""
        ...

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        """Give money back; the facts afterwards. The same key again never gives it back twice."""
        ...

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        """The event in a delivery, from its exact bytes. BadSignature or VerifierUnavailable otherwise."""
        ...

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        """Everything that moved money there since an instant, whether or not we know of it, page by page."""
        ...
