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
from django.urls import reverse

from candidates.models import Registration, User
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.mail import outbox
from payments import ledger, permissions
from payments.gateways import registry
from payments.gateways.base import Checkout, Facts, Gateway, GatewayError, Ref, Rejected, Standing, Txn
from payments.models import Attempt, LedgerEntry, ProviderCall, ProviderRef, Seat

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


def settle(attempt_id: int, *, at: datetime) -> Attempt:
    """Ask the provider and apply what it says; the attempt as it then stands. Any number of times, from anywhere.

    Without an answer the attempt is UNKNOWN until somebody asks again. RuntimeError inside a transaction.
    """
    gateway, checkout = _prepare(attempt_id)
    try:
        facts = gateway.fetch(checkout, at=at)
        if facts.status == Standing.APPROVED:
            operation, ask = ("finalize", gateway.finalize) if _is_owed(attempt_id) else ("close", gateway.close)
            facts = call(attempt_id, operation, ask, checkout, at=at)
    except GatewayError as error:
        logger.warning("attempt %s: no facts: %s", attempt_id, type(error).__name__)
        return _doubt(attempt_id, at=at)
    return apply(attempt_id, facts, at=at)


def close(attempt_id: int, *, at: datetime) -> Attempt:
    """Let a live attempt take no more money; it may turn out paid after all. The attempt as it then stands."""
    gateway, checkout = _prepare(attempt_id)
    try:
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
    registration, attempt = lock(attempt_id)
    if _is_ours(attempt, facts):
        new = [entry for entry, is_new in _post(registration, attempt, facts.txns, at) if is_new]
        before = attempt.state
        _move(attempt, facts)
        remember(attempt, facts.refs)
        ledger.recompute(registration, at=at)
        _tell(registration, attempt, new, before, at)
    else:
        _put_aside(registration, attempt, facts, at)
    return attempt


def lock(attempt_id: int) -> tuple[Registration, Attempt]:
    """The registration and then the attempt, locked, in the one order in which everybody locks them."""
    registration_id = Attempt.objects.values_list("registration_id", flat=True).get(pk=attempt_id)
    registration = ledger.lock(registration_id)
    return registration, Attempt.objects.select_for_update().get(pk=attempt_id)


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
        return registry.get(attempt.provider), checkout_of(attempt)


def _is_owed(attempt_id: int) -> bool:
    """Whether the fee is still to be taken. A payer who approved twice is charged once."""
    registration = Registration.objects.get(attempts=attempt_id)
    return registration.is_standing and not registration.holds_seat


def _is_ours(attempt: Attempt, facts: Facts) -> bool:
    """Whether the facts are about this attempt and its exact amount. Nothing known there contradicts nothing."""
    if facts.status == Standing.NOTHING:
        return True
    gateway = registry.get(attempt.provider)
    says = (facts.attempt_id, facts.amount, facts.livemode, facts.account)
    charged = sum((txn.amount.minor for txn in facts.txns if txn.kind == LedgerEntry.Kind.CHARGE), 0)
    is_whole = charged == (attempt.amount_minor if facts.status == Standing.PAID else 0)
    is_one_currency = all(txn.amount.currency == attempt.currency for txn in facts.txns)
    expected: tuple[UUID, Money, bool, str] = (attempt.public_id, attempt.money, gateway.livemode, gateway.account)
    return says == expected and is_whole and is_one_currency


def _post(
    registration: Registration | None, attempt: Attempt, txns: tuple[Txn, ...], at: datetime, reason: str = ""
) -> list[tuple[LedgerEntry, bool]]:
    return [
        ledger.post(
            registration=registration,
            kind=txn.kind,
            amount=txn.amount,
            provider=attempt.provider,
            txn_ref=txn.ref,
            occurred_at=txn.occurred_at,
            at=at,
            attempt=attempt,
            reason=reason,
        )
        for txn in txns
    ]


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


@transaction.atomic(durable=True)
def _doubt(attempt_id: int, *, at: datetime) -> Attempt:
    """The provider did not answer: what was live is unknown until it does, and nobody is asked to pay again."""
    registration, attempt = lock(attempt_id)
    if State.UNKNOWN in Attempt.NEXT[attempt.state]:
        attempt.state = State.UNKNOWN
        attempt.save(update_fields=["state"])
        ledger.recompute(registration, at=at)
    return attempt


def _put_aside(registration: Registration, attempt: Attempt, facts: Facts, at: datetime) -> None:
    """Facts that do not fit: real money is written down as unmatched, no status moves, and people are told."""
    reason = "The provider's facts do not match the attempt"
    new = [entry for entry, is_new in _post(None, attempt, facts.txns, at, reason) if is_new]
    if new:
        trail.record("payment.put_aside", attempt, by=None, at=at, reason=reason)
    for entry in new:
        _alert("mismatch", registration, entry, at)


def _tell(registration: Registration, attempt: Attempt, new: list[LedgerEntry], before: str, at: datetime) -> None:
    """One mail per fact: the key names it."""
    for entry in new:
        trail.record(
            "payment.post", attempt, by=None, at=at, after={"kind": entry.kind, "amount_minor": entry.amount_minor}
        )
        if entry.kind == LedgerEntry.Kind.CHARGE:
            _confirm(registration, entry, at)
    if not new and before in Attempt.IN_DOUBT and attempt.state in ENDED_UNPAID:
        _disappoint(registration, attempt, at)


def _confirm(registration: Registration, entry: LedgerEntry, at: datetime) -> None:
    is_over = registration.payment_status == Registration.Payment.OVERPAID
    outbox.queue(
        "payment_received",
        to=registration.user,
        key=f"payment_received:{entry.provider}:{entry.txn_ref}"[:120],
        at=at,
        money=entry.money,
        code=registration.code,
        cohort=registration.cohort.number,
        is_over=is_over,
        pay_path=reverse("payments:pay", args=[registration.pk]),
    )
    is_promised = Seat.objects.claimed().filter(registration=registration).exists()
    if is_over or is_promised or not registration.is_standing:
        what = "overpaid" if is_over else "promised" if is_promised else "not_standing"
        _alert(what, registration, entry, at)


def _disappoint(registration: Registration, attempt: Attempt, at: datetime) -> None:
    outbox.queue(
        "payment_failed",
        to=registration.user,
        key=f"payment_failed:{attempt.public_id}",
        at=at,
        money=attempt.money,
        problem=attempt.problem,
        closes_at=registration.cohort.registration_closes_at,
        is_open=registration.cohort.window.contains(at),
        pay_path=reverse("payments:pay", args=[registration.pk]),
    )


def _alert(what: str, registration: Registration, entry: LedgerEntry, at: datetime) -> None:
    """Tell finance of money that a person has to look at."""
    for person in User.objects.filter(permissions.watches_money()).distinct():
        outbox.queue(
            "payment_attention",
            to=person,
            key=f"payment_attention:{entry.pk}:{person.pk}",
            at=at,
            what=what,
            money=entry.money,
            provider=entry.provider,
            txn_ref=entry.txn_ref,
            code=registration.code,
            ledger_path=reverse("admin:payments_ledgerentry_change", args=[entry.pk]),
        )
