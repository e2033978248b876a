"""Attempts to pay: beginning one, with at most one alive per registration and no provider called under a lock."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.signing import Signer
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from candidates.models import Cohort, Registration
from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from icg_cert.lib.words import day_words
from payments import acceptance, ledger, settlement, unmatched
from payments.gateways import registry
from payments.gateways.base import GatewayError, Redirect, Rejected
from payments.models import Attempt, ProviderCall
from payments.overview import number_of

State = Attempt.State
# How long a provider's page takes money. Stripe asks for 30 minutes at least, measured by its own clock.
TERM = timedelta(minutes=32)
NOT_TAKEN = "The payment page could not be opened. Nothing was taken. Please try again or choose another way to pay."


def start(registration_id: int, provider: str, *, by: Any, at: datetime, accepted: int | None) -> str:
    """The address of the provider's page for the registration's fee; `accepted` is the policy text's key.

    Two tabs get the same page: one attempt is alive at a time, and opening it again with its key gives what the first
    call gave. Refused outside the cohort's window, when nothing is owed, and while an earlier payment is in doubt.
    """
    gateway = registry.get(provider)
    _look_again(registration_id, provider, at=at)
    attempt, call = _begin(registration_id, provider, by=by, at=at, accepted=accepted)
    if call is None:
        return attempt.url
    try:
        redirect = gateway.open(settlement.checkout_of(attempt), at=at)
    except GatewayError as error:
        raise _not_opened(attempt.pk, call.pk, error, at=at) from error
    return _opened(attempt.pk, call.pk, redirect, at=at)


def stop(registration_id: int, *, by: Any, at: datetime) -> None:
    """Give up the live attempt, to pay another way. Refused when it is in doubt or paid by now."""
    for attempt in Attempt.objects.live().filter(registration=registration_id, registration__user=by):
        ended = settlement.close(attempt.pk, at=at)
        if ended.state in Attempt.LIVE:
            raise _in_doubt()
        if ended.state == State.PAID:
            raise Refused("already-paid", "Your payment has arrived. You have nothing left to pay.")


def look_again(registration_id: int, *, at: datetime) -> None:
    """Ask the provider once more about the live attempt, if there is one."""
    for attempt in Attempt.objects.live().filter(registration=registration_id):
        settlement.settle(attempt.pk, at=at)


def return_token(public_id: UUID) -> str:
    """What proves, without a session, that a return address came from us."""
    return Signer(salt="payments.return").signature(str(public_id))


def returned(public_id: UUID, token: str) -> Attempt:
    """The attempt of a return address. DoesNotExist for a token that is not its own."""
    if not constant_time_compare(token, return_token(public_id)):
        raise Attempt.DoesNotExist
    return Attempt.objects.select_related("registration__cohort").get(public_id=public_id)


def _look_again(registration_id: int, provider: str, *, at: datetime) -> None:
    """Before a new attempt: what became of the live one? Another provider's is closed first."""
    live = Attempt.objects.live().filter(registration=registration_id).first()
    if live is None:
        return
    if live.provider != provider:
        settlement.close(live.pk, at=at)
    elif live.state != State.OPENING or (live.expires_at and live.expires_at <= at):
        settlement.settle(live.pk, at=at)


@transaction.atomic(durable=True)
def _begin(
    registration_id: int, provider: str, *, by: Any, at: datetime, accepted: int | None
) -> tuple[Attempt, ProviderCall | None]:
    """The live attempt or a new one, and the trace of the call that must open it; None where its page is known."""
    registration = ledger.lock(registration_id)
    _check_owed(registration, by=by, at=at)
    acceptance.accept(registration, accepted, at=at)
    live = Attempt.objects.live().filter(registration=registration).first()
    if live is not None and live.state in Attempt.IN_DOUBT:
        raise _in_doubt()
    if live is not None and live.provider != provider:
        # Another tab began it since we looked. Opening it with this provider would make two pages of one attempt.
        raise Refused("begun-elsewhere", "You have just begun to pay another way. Pay there, or try again from here.")
    if live is not None and live.state == State.OPEN and live.url:
        return live, None
    attempt = live or _insert(registration, provider, by=by, at=at)
    return attempt, ProviderCall.objects.create(attempt=attempt, operation="open", started_at=at)


def _check_owed(registration: Registration, *, by: Any, at: datetime) -> None:
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can pay for their own registration.")
    if not registration.is_standing:
        raise Refused("not-standing", "This registration has ended, so there is nothing to pay.")
    if unmatched.waiting().filter(attempt__registration=registration).exists():
        raise Refused("looked-at", "Your money has come and is being looked at. Do not pay again: we write to you.")
    ledger.recompute(registration, at=at)
    if registration.payment_status == Registration.Payment.PO_COMMITTED:
        raise Refused("order-accepted", "Your seat is held by a purchase order. You do not have to pay yourself.")
    if registration.holds_seat:
        raise Refused("already-paid", "Your fee is paid. You have nothing left to pay.")
    if registration.payment_status == Registration.Payment.PO_REQUESTED:
        message = "Your purchase order is being checked. Withdraw it first if you want to pay another way."
        raise Refused("order-being-checked", message)


def check_window(cohort: Cohort, at: datetime) -> None:
    """A fee is begun inside the cohort's registration window only; what was begun in it may end after it."""
    if at < cohort.registration_opens_at:
        raise Refused("window-not-open", "Registration for this cohort has not opened yet. Please come back then.")
    if at >= cohort.registration_closes_at:
        last = day_words(cohort.last_day)
        message = f"Registration closed at the end of {last}, so the fee can no longer be paid. Nothing was taken."
        raise Refused("window-closed", message)


def owed(registration: Registration) -> Money:
    """What is left to pay."""
    balance = ledger.balance(registration)
    return registration.fee - balance if balance.minor > 0 else registration.fee


def _insert(registration: Registration, provider: str, *, by: Any, at: datetime) -> Attempt:
    check_window(registration.cohort, at)
    public_id, amount, expires_at = uuid4(), owed(registration), at + TERM
    path = reverse("payments:pay-return", args=[public_id, return_token(public_id)])
    attempt = Attempt.objects.create(
        public_id=public_id,
        registration=registration,
        provider=provider,
        amount_minor=amount.minor,
        currency=amount.currency,
        state=State.OPENING,
        idem_key=f"open-{public_id}",
        request={
            "description": f"Certification fee, cohort {registration.cohort.number}, {number_of(registration)}",
            "email": registration.user.email,
            "return_url": f"{settings.BASE_URL}{path}",
            "expires_at": expires_at.isoformat(),
        },
        opened_at=at,
        expires_at=expires_at,
    )
    trail.record("payment.start", attempt, by=by, at=at, after={"provider": provider, "amount_minor": amount.minor})
    return attempt


@transaction.atomic(durable=True)
def _finish_opening(attempt_id: int, call_id: int, redirect: Redirect, *, at: datetime) -> str:
    registration, attempt = settlement.lock(attempt_id)
    settlement.finish(call_id, None, at=at)
    settlement.remember(attempt, (redirect.ref,))
    if attempt.state not in {State.OPENING, State.OPEN, State.UNKNOWN}:
        return ""
    attempt.state, attempt.url, attempt.expires_at = State.OPEN, redirect.url, redirect.expires_at
    attempt.save(update_fields=["state", "url", "expires_at"])
    ledger.recompute(registration, at=at)
    return attempt.url


def _opened(attempt_id: int, call_id: int, redirect: Redirect, *, at: datetime) -> str:
    url = _finish_opening(attempt_id, call_id, redirect, at=at)
    if not url:
        raise Refused("superseded", "This payment was finished or given up in another tab. Here is how it stands.")
    return url


@transaction.atomic(durable=True)
def _not_opened(attempt_id: int, call_id: int, error: GatewayError, *, at: datetime) -> Refused:
    """A definite no ends the attempt; no answer leaves it unknown, and the job asks again."""
    registration, attempt = settlement.lock(attempt_id)
    settlement.finish(call_id, error, at=at)
    is_definite = isinstance(error, Rejected)
    state = State.FAILED if is_definite else State.UNKNOWN
    if state in Attempt.NEXT[attempt.state]:
        attempt.state = state
        attempt.problem = "The payment page could not be opened." if is_definite else ""
        attempt.save(update_fields=["state", "problem"])
    ledger.recompute(registration, at=at)
    return Refused("not-opened", NOT_TAKEN) if is_definite else _in_doubt()


def _in_doubt() -> Refused:
    return Refused(
        "in-doubt",
        "Your payment is being confirmed. Do not pay again. We ask the payment provider every few minutes and e-mail "
        "you when we know.",
    )
