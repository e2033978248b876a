"""Money that goes back: what came twice, too much, for a registration that has ended, or from nobody known.

One person asks, another approves; only then is the provider told, with a key that was stored first, so that asking it
twice returns the money once. The fee itself is never refunded: that is the policy everybody accepted.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from icg_cert.audit import trail
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import ledger, notices, settlement
from payments.gateways.base import Facts, GatewayError, Rejected, Return
from payments.models import Dispute, LedgerEntry, Payer, Refund, Remittance

logger = logging.getLogger(__name__)
State = Refund.State
Kind = LedgerEntry.Kind
PATIENCE = timedelta(minutes=2)


def returnable(entry: LedgerEntry) -> Money:
    """What of an entry may go back: of a check what is nobody's seat, of a charge what goes beyond the fee.

    Zero for what is neither; what was asked for and is under way counts as gone.
    """
    return Money(max(0, _spare(entry)), entry.currency)


def _spare(entry: LedgerEntry) -> int:
    """The same, and below zero where more was asked for than there is by now."""
    if entry.kind == Kind.PO_MONEY:
        remittance = Remittance.objects.filter(entry=entry).with_left().first()
        left = remittance.left.minor if remittance else 0
    elif entry.kind == Kind.CHARGE:
        left = min(_left_of(entry), _beyond_the_fee(entry)) - _under_way(entry)
    else:
        left = 0
    return left


@transaction.atomic
def request(entry_id: int, *, amount: Money, reason: str, by: Any, at: datetime) -> Refund:
    """Ask for the return of so much of an entry. Refused when it is more than may go back, or no reason is given."""
    entry = _lock(entry_id)
    if not reason.strip():
        raise _wrong("reason-missing", "reason", "Say why it goes back.")
    if entry.kind == Kind.CHARGE and entry.attempt_id is None:
        message = f"No attempt of ours brought this. Return it in {entry.provider}'s own pages: it is found there."
        raise Refused("not-ours-to-send", message)
    most = returnable(entry)
    if amount.minor <= 0 or amount.currency != entry.currency or most < amount:
        message = f"At most {most} of this can go back: the fee itself is not refunded."
        raise _wrong("too-much", "amount", message if most else "Nothing of this can go back.")
    refund = Refund.objects.create(
        entry=entry,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason.strip(),
        requested_by=by,
        requested_at=at,
    )
    trail.record(
        "refund.request", refund, by=by, at=at, reason=reason, after={"minor": amount.minor, "entry": entry.pk}
    )
    return refund


@transaction.atomic
def decline(refund_id: int, *, reason: str, by: Any, at: datetime) -> Refund:
    """Do not approve; the money stays. By another person than asked."""
    refund = _waiting(refund_id, by)
    if not reason.strip():
        raise _wrong("reason-missing", "reason", "Say why it does not go back.")
    return _decide(refund, State.DECLINED, by=by, at=at, reason=reason.strip())


def approve(refund_id: int, *, reference: str = "", by: Any, at: datetime) -> Refund:
    """Let it go back, by another person than asked, and tell the provider. A second click changes nothing.

    What came by check goes back by a check of ours, whose number is `reference`.
    """
    refund = _approve(refund_id, reference.strip(), by=by, at=at)
    if refund.state in (State.APPROVED, State.UNKNOWN):
        send(refund.pk, at=at)
        refund.refresh_from_db()
    return refund


def unsent(at: datetime) -> QuerySet[Refund]:
    """Approved, and no answer of the provider yet: a crash of ours, or silence of theirs."""
    return Refund.objects.filter(state__in=[State.APPROVED, State.UNKNOWN], decided_at__lt=at - PATIENCE)


def send(refund_id: int, *, at: datetime) -> bool:
    """Tell the provider, with the stored key; False while it does not answer."""
    refund = Refund.objects.select_related("entry__attempt").get(pk=refund_id)
    attempt = refund.entry.attempt
    if refund.state not in (State.APPROVED, State.UNKNOWN) or attempt is None:
        return False
    back = Return(str(refund.key), refund.entry.txn_ref, refund.money)

    def ask(checkout: Any, *, at: datetime) -> Facts:
        return settlement.asked(attempt.provider).refund(checkout, back, at=at)

    try:
        facts = settlement.call(attempt.pk, "refund", ask, settlement.checkout_of(attempt), at=at)
    except GatewayError as error:
        logger.warning("refund %s: %s", refund_id, type(error).__name__)
        return _finish(refund_id, State.FAILED if isinstance(error, Rejected) else State.UNKNOWN, "", at=at)
    settlement.apply(attempt.pk, facts, at=at)
    refs = [txn.ref for txn in facts.txns if txn.kind == Kind.REFUND and txn.key == str(refund.key)]
    came_back = [txn.ref for txn in facts.txns if txn.kind == Kind.REFUND_FAILED and txn.ref in refs]
    # Until it has left, nothing in the ledger stands for it. So it stays under way, and is asked about again.
    ended = State.FAILED if came_back else State.DONE if refs else State.UNKNOWN
    return _finish(refund_id, ended, "".join(refs[:1]), at=at)


@transaction.atomic
def _approve(refund_id: int, reference: str, *, by: Any, at: datetime) -> Refund:
    refund = _lock_refund(refund_id)
    if refund.state != State.REQUESTED and refund.decided_by_id == by.pk:
        return refund
    _check_waiting(refund, by)
    if _spare(refund.entry) < 0:
        raise Refused("too-much", "Less of this can go back by now than was asked for. Decline it, and ask anew.")
    if refund.entry.kind == Kind.CHARGE:
        return _decide(refund, State.APPROVED, by=by, at=at)
    if not reference:
        raise _wrong("reference-missing", "reference", "Enter the number of the check by which it goes back.")
    _post_check(refund, reference, by=by, at=at)
    refund.reference = reference
    return _decide(refund, State.DONE, by=by, at=at)


def _post_check(refund: Refund, reference: str, *, by: Any, at: datetime) -> None:
    entry = refund.entry
    ledger.post(
        registration=entry.registration,
        payer=entry.payer,
        kind=Kind.REFUND,
        amount=-refund.money,
        provider=entry.provider,
        txn_ref=f"refund:{refund.key}",
        corrects=entry,
        occurred_at=at,
        at=at,
        by=by,
        reason=f"{refund.reason} (check {reference})",
    )


@transaction.atomic
def _finish(refund_id: int, state: str, reference: str, *, at: datetime) -> bool:
    refund = _lock_refund(refund_id)
    if state not in Refund.NEXT[refund.state]:
        return False
    before, refund.state = refund.state, state
    refund.reference = reference or refund.reference
    refund.finished_at = at if state in (State.DONE, State.FAILED) else None
    refund.save(update_fields=["state", "reference", "finished_at"])
    trail.record("refund.finish", refund, by=None, at=at, before={"state": before}, after={"state": state})
    if state == State.FAILED:
        notices.refund_needs_eyes(refund, at=at)
    return state == State.DONE


def _decide(refund: Refund, state: str, *, by: Any, at: datetime, reason: str = "") -> Refund:
    before, refund.state, refund.decided_by, refund.decided_at = refund.state, state, by, at
    refund.finished_at = at if state == State.DONE else None
    refund.save(update_fields=["state", "decided_by", "decided_at", "finished_at", "reference"])
    verb = "decline" if state == State.DECLINED else "approve"
    trail.record(
        f"refund.{verb}", refund, by=by, at=at, reason=reason, before={"state": before}, after={"state": state}
    )
    return refund


def _waiting(refund_id: int, by: Any) -> Refund:
    refund = _lock_refund(refund_id)
    _check_waiting(refund, by)
    return refund


def _check_waiting(refund: Refund, by: Any) -> None:
    if refund.state != State.REQUESTED:
        raise Refused("decided", f"This refund is already decided: {refund.get_state_display().lower()}.")
    if refund.requested_by_id == by.pk:
        raise Refused("own-refund", "You asked for this refund, so somebody else must decide about it.")


def _lock(entry_id: int) -> LedgerEntry:
    """The entry, under the lock of the account that its money stands in."""
    entry = LedgerEntry.objects.select_related("registration", "payer").get(pk=entry_id)
    account = ledger.account_of(entry)
    if account is not None:
        ledger.lock(account.pk)
    if entry.payer_id is not None:
        Payer.objects.select_for_update().get(pk=entry.payer_id)
    return LedgerEntry.objects.select_for_update(of=("self",)).select_related("registration", "payer").get(pk=entry_id)


def _lock_refund(refund_id: int) -> Refund:
    _lock(Refund.objects.values_list("entry_id", flat=True).get(pk=refund_id))
    return Refund.objects.select_for_update(of=("self",)).select_related("entry").get(pk=refund_id)


def _left_of(charge: LedgerEntry) -> int:
    """What came in less what went back of it, and what a dispute took or may still take."""
    back = charge.corrections.exclude(kind=Kind.TRANSFER).aggregate(total=Sum("amount_minor"))["total"]
    disputed = Dispute.objects.open().filter(attempt=charge.attempt_id).aggregate(total=Sum("amount_minor"))["total"]
    return max(0, charge.amount_minor + (back or 0) - (disputed or 0))


def _beyond_the_fee(charge: LedgerEntry) -> int:
    """What the account of a charge holds that the programme may not keep: all of it once the registration has ended."""
    account = ledger.account_of(charge)
    if account is None or account.currency != charge.currency:
        return _left_of(charge)
    stands = ledger.position(account)
    return (stands.balance - stands.at_risk).minor - (account.fee_minor if account.is_standing else 0)


def _under_way(charge: LedgerEntry) -> int:
    """Asked for and not in the ledger yet: of this charge, or of the account it shares with others."""
    same, account = Q(entry=charge), ledger.account_of(charge)
    if account is not None:
        same |= Q(entry__registration=account)
    return Refund.objects.filter(same, state__in=Refund.LIVE).aggregate(total=Sum("amount_minor"))["total"] or 0


def _wrong(code: str, field: str, message: str) -> Refused:
    return Refused(code, message, fields={field: message})
