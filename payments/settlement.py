"""Settling: ask the provider how an attempt stands, and write down what is true.

A return page, a webhook, a button and the job are only hints; each of them calls `settle`. The provider is asked
before any lock is taken and outside any transaction, so that a slow answer blocks nobody and a rollback repeats no
call. Late truth wins: an attempt that was given up and turns out paid is paid.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from candidates.models import Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import disputes, ledger, notices
from payments.gateways import registry
from payments.gateways.base import Checkout, Facts, Gateway, GatewayError, Ref, Rejected, Standing, Txn, Unavailable
from payments.models import Attempt, LedgerEntry, ProviderCall, ProviderRef, Refund

logger = logging.getLogger(__name__)
State = Attempt.State
Outcome = ProviderCall.Outcome
STATES = {
    Standing.NOTHING: State.CLOSED,
    Standing.OPEN: State.OPEN,
    Standing.APPROVED: State.PROCESSING,
    Standing.PROCESSING: State.PROCESSING,
    Standing.PAID: State.PAID,
    Standing.FAILED: State.FAILED,
    Standing.EXPIRED: State.EXPIRED,
    Standing.CLOSED: State.CLOSED,
}
ENDED_UNPAID = {State.FAILED, State.EXPIRED, State.CLOSED}
Kind = LedgerEntry.Kind


def settle(attempt_id: int, *, at: datetime) -> Attempt:
    """Ask the provider and apply what it says; the attempt as it then stands. Any number of times, from anywhere.

    Without an answer the attempt is UNKNOWN until somebody asks again. RuntimeError inside a transaction.
    """
    try:
        return look(attempt_id, at=at)
    except GatewayError:
        return Attempt.objects.get(pk=attempt_id)


def look(attempt_id: int, *, at: datetime) -> Attempt:
    """`settle` for whoever comes back to ask again: raises GatewayError when the provider did not answer."""
    try:
        gateway, checkout = _prepare(attempt_id)
        facts = gateway.fetch(checkout, at=at)
        if facts.status == Standing.APPROVED:
            operation, ask = ("finalize", gateway.finalize) if _is_wanted(attempt_id) else ("close", gateway.close)
            facts = call(attempt_id, operation, ask, checkout, at=at)
    except GatewayError as error:
        logger.warning("attempt %s: no facts: %s", attempt_id, type(error).__name__)
        _doubt(attempt_id, at=at)
        raise
    return apply(attempt_id, facts, at=at)


def close(attempt_id: int, *, at: datetime) -> Attempt:
    """Let a live attempt take no more money; it may turn out paid after all. The attempt as it then stands."""
    try:
        gateway, checkout = _prepare(attempt_id)
        facts = call(attempt_id, "close", gateway.close, checkout, at=at)
    except GatewayError as error:
        logger.warning("attempt %s: not closed: %s", attempt_id, type(error).__name__)
        return _doubt(attempt_id, at=at)
    return apply(attempt_id, facts, at=at)


def call(attempt_id: int, operation: str, ask: Callable[..., Facts], checkout: Checkout, *, at: datetime) -> Facts:
    """Make a call that may move money, with its trace committed before it leaves. Raises what the gateway raises."""
    with transaction.atomic(durable=True):
        trace = ProviderCall.objects.create(attempt_id=attempt_id, operation=operation, started_at=at)
    try:
        facts = ask(checkout, at=at)
    except GatewayError as error:
        finish(trace.pk, error, at=at)
        raise
    finish(trace.pk, None, at=at)
    return facts


def finish(call_id: int, error: GatewayError | None, *, at: datetime) -> None:
    """Write how a call ended."""
    failed = Outcome.ERROR if isinstance(error, Rejected) else Outcome.UNKNOWN
    ProviderCall.objects.filter(pk=call_id).update(outcome=Outcome.OK if error is None else failed, finished_at=at)


@transaction.atomic(durable=True)
def apply(attempt_id: int, facts: Facts, *, at: datetime) -> Attempt:
    """Write facts into the ledger and the attempt, under the lock of the registration. A repeat changes nothing."""
    elsewhere = _lock_elsewhere(attempt_id)
    registration, attempt = lock(attempt_id)
    is_ours, before = _is_ours(attempt, facts), attempt.state
    new = post(registration if is_ours else None, attempt, facts.txns, at=at)
    remember(attempt, facts.refs)
    if is_ours:
        _move(attempt, facts)
    elif new:
        _give_up(attempt, facts)
    changed = disputes.keep(attempt, facts.disputes, at=at)
    for account in (registration, *elsewhere):
        ledger.recompute(account, at=at)
    _tell(registration, attempt, new, before, at)
    disputes.tell(registration, changed, at=at)
    return attempt


def _lock_elsewhere(attempt_id: int) -> list[Registration]:
    """Whose the money of the attempt is by now, other than its own registration: all locked, in the order of keys."""
    own = Attempt.objects.values_list("registration_id", flat=True).get(pk=attempt_id)
    matched = LedgerEntry.objects.filter(corrects__attempt=attempt_id, kind=Kind.TRANSFER, amount_minor__gt=0)
    keys = {own, *matched.exclude(registration=None).values_list("registration_id", flat=True)}
    return [account for account in map(ledger.lock, sorted(keys)) if account.pk != own]


def lock(attempt_id: int) -> tuple[Registration, Attempt]:
    """The registration and then the attempt, locked, in the one order in which everybody locks them."""
    registration_id = Attempt.objects.values_list("registration_id", flat=True).get(pk=attempt_id)
    registration = ledger.lock(registration_id)
    return registration, Attempt.objects.select_for_update().get(pk=attempt_id)


def asked(provider: str) -> Gateway:
    """The provider of something that was begun. Unavailable while it is switched off: nobody else knows the truth."""
    try:
        return registry.get(provider)
    except Refused as off:
        raise Unavailable("switched off") from off


def checkout_of(attempt: Attempt) -> Checkout:
    """The attempt as its provider was told of it, from the request frozen at its beginning."""
    return Checkout(
        attempt_id=attempt.public_id,
        key=attempt.idem_key,
        amount=attempt.money,
        description=attempt.request["description"],
        email=attempt.request["email"],
        return_url=attempt.request["return_url"],
        expires_at=datetime.fromisoformat(attempt.request["expires_at"]),
        refs=tuple(Ref(named.kind, named.ref) for named in attempt.refs.order_by("pk")),
    )


def remember(attempt: Attempt, refs: tuple[Ref, ...]) -> None:
    """Store the names the provider gave, once each."""
    rows = [ProviderRef(attempt=attempt, provider=attempt.provider, kind=r.kind, ref=r.ref) for r in refs]
    ProviderRef.objects.bulk_create(rows, ignore_conflicts=True)


def _prepare(attempt_id: int) -> tuple[Gateway, Checkout]:
    # durable: inside somebody's transaction this fails at once, before the provider is called.
    with transaction.atomic(durable=True):
        attempt = Attempt.objects.get(pk=attempt_id)
        return asked(attempt.provider), checkout_of(attempt)


def _is_wanted(attempt_id: int) -> bool:
    """Whether money that the payer agreed to is to be taken: the attempt was not given up, and the fee is still owed.

    A payer who approved on two pages is charged once.
    """
    attempt = Attempt.objects.select_related("registration").get(pk=attempt_id)
    registration = attempt.registration
    return attempt.state in Attempt.LIVE and registration.is_standing and not registration.holds_seat


def _is_ours(attempt: Attempt, facts: Facts) -> bool:
    """Whether the facts are about this attempt and its exact amount. Nothing known there contradicts nothing."""
    if facts.status == Standing.NOTHING:
        return True
    gateway = registry.get(attempt.provider)
    says = (facts.attempt_id, facts.amount, facts.livemode, facts.account)
    charged = sum((txn.amount.minor for txn in facts.txns if txn.kind == Kind.CHARGE), 0)
    is_whole = charged == (attempt.amount_minor if facts.status == Standing.PAID else 0)
    is_one_currency = all(txn.amount.currency == attempt.currency for txn in facts.txns)
    expected: tuple[UUID, Money, bool, str] = (attempt.public_id, attempt.money, gateway.livemode, gateway.account)
    return says == expected and is_whole and is_one_currency


def post(
    registration: Registration | None, attempt: Attempt, txns: tuple[Txn, ...], *, at: datetime
) -> list[LedgerEntry]:
    """Write what moved, each movement once; the entries that are new.

    Charges go to `registration`, or to nobody where the facts do not fit. What corrects a charge goes where the charge
    stands by now, which may be another account: somebody matched it.
    """
    found = [_post_one(registration, attempt, txn, at) for txn in sorted(txns, key=_charges_first)]
    return [entry for entry, is_new in found if is_new]


def _charges_first(txn: Txn) -> bool:
    return txn.kind != Kind.CHARGE


def _post_one(registration: Registration | None, attempt: Attempt, txn: Txn, at: datetime) -> tuple[LedgerEntry, bool]:
    charge = None
    if txn.kind != Kind.CHARGE:
        charge = attempt.ledger.filter(kind=Kind.CHARGE).select_related("registration").first()
        registration = ledger.account_of(charge) if charge else registration
    return ledger.post(
        registration=registration,
        kind=txn.kind,
        amount=txn.amount,
        provider=attempt.provider,
        txn_ref=txn.ref,
        occurred_at=txn.occurred_at,
        at=at,
        attempt=attempt,
        corrects=charge,
        reason="" if registration else "The provider's facts do not match the attempt",
    )


def _move(attempt: Attempt, facts: Facts) -> None:
    """Move the attempt to where the provider has it. Older facts than the last ones applied never move it back."""
    is_older = attempt.facts_at is not None and facts.fetched_at < attempt.facts_at
    state = STATES[facts.status]
    if state != attempt.state and state not in Attempt.NEXT[attempt.state]:
        return
    if is_older and state != State.PAID:
        return
    attempt.state = state
    attempt.problem = facts.problem
    attempt.facts_at = facts.fetched_at if not is_older else attempt.facts_at
    attempt.save(update_fields=["state", "problem", "facts_at"])


def _give_up(attempt: Attempt, facts: Facts) -> None:
    """Its page has taken money that does not fit, and takes no more. A person decides about that money."""
    if State.CLOSED in Attempt.NEXT[attempt.state]:
        attempt.state, attempt.facts_at = State.CLOSED, facts.fetched_at
        attempt.problem = "The money that came in does not fit."
        attempt.save(update_fields=["state", "problem", "facts_at"])


@transaction.atomic(durable=True)
def _doubt(attempt_id: int, *, at: datetime) -> Attempt:
    """The provider did not answer: what was live is unknown until it does, and nobody is asked to pay again."""
    registration, attempt = lock(attempt_id)
    if State.UNKNOWN in Attempt.NEXT[attempt.state]:
        attempt.state = State.UNKNOWN
        attempt.save(update_fields=["state"])
        ledger.recompute(registration, at=at)
    return attempt


def _tell(registration: Registration, attempt: Attempt, new: list[LedgerEntry], before: str, at: datetime) -> None:
    for entry in new:
        moved = {"kind": entry.kind, "amount_minor": entry.amount_minor}
        trail.record("payment.post", attempt, by=None, at=at, after=moved, reason=entry.reason)
        _tell_of(entry.registration or registration, entry, at)
    if not new and before in Attempt.IN_DOUBT and attempt.state in ENDED_UNPAID:
        notices.not_made(registration, attempt, at=at)


def _tell_of(registration: Registration, entry: LedgerEntry, at: datetime) -> None:
    """Whose account the entry stands in hears of it, or finance; the disputes speak for themselves."""
    if entry.registration_id is None:
        notices.entry_needs_eyes("mismatch", entry, registration.code, at=at)
    elif entry.kind == Kind.CHARGE:
        notices.received(registration, entry, at=at)
    elif entry.kind == Kind.REFUND:
        notices.returned(registration, entry, at=at)
    elif entry.kind == Kind.REFUND_FAILED:
        Refund.objects.filter(reference=entry.txn_ref, state=Refund.State.DONE).update(state=Refund.State.FAILED)
        notices.entry_needs_eyes("refund_failed", entry, registration.code, at=at)
