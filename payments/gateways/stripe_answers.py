"""What Stripe's objects mean: plain JSON values in, facts and events out. KeyError, TypeError or ValueError otherwise.

Which money moved is read from Stripe's own balance transactions, not from statuses: a refund that has not left yet and
an inquiry that took nothing move nothing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from icg_cert.lib.money import Money
from payments.gateways.base import Contest, Disputed, Facts, InboundEvent, Ref, Standing, Txn
from payments.gateways.names import LONGEST, attempt_id, is_name

Object = dict[str, Any]

VERSION = "2026-10-28.endive"  # of the API: what we ask for, and what the webhook endpoint has to be created with
EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
}
# By decline code. A card that was reported lost or stolen is simply declined: who holds it should not learn more.
PROBLEMS = {
    "insufficient_funds": "There was not enough money in the card's account.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code was not right.",
    "incorrect_number": "The card number was not right.",
    "incorrect_zip": "The ZIP code did not match the card.",
    "card_velocity_exceeded": "The card's limit was reached.",
    "withdrawal_count_limit_exceeded": "The card's limit was reached.",
    "card_not_supported": "The card cannot be used for this kind of payment.",
    "authentication_required": "The bank asked you to confirm the payment, and that did not happen.",
    "payment_intent_authentication_failure": "The bank asked you to confirm the payment, and that did not happen.",
    "processing_error": "The bank could not be reached.",
    "try_again_later": "The bank could not be reached.",
}
DECLINED = "The bank declined the card."
CONTESTS = {
    "won": Contest.WON,
    "warning_closed": Contest.WON,
    "prevented": Contest.WON,
    "lost": Contest.LOST,
}
REFS = {"checkout.session": "session", "payment_intent": "intent", "charge": "charge", "dispute": "dispute"}


def session_facts(session: Object, refunds: list[Object], disputes: list[Object], at: datetime) -> Facts:
    """How a Checkout Session stands, with its payment and charge inside (expanded), and what came after the charge."""
    intent, charge = session["payment_intent"], charge_of(session)
    refs = [("session", session), ("intent", intent), ("charge", charge), *(("dispute", each) for each in disputes)]
    return Facts(
        status=_standing(session, intent, at),
        fetched_at=at,
        attempt_id=attempt_id(session["client_reference_id"]),
        amount=_money(session["amount_total"], session["currency"]),
        txns=tuple(_txns(charge, refunds, disputes)) if charge else (),
        refs=tuple(Ref(kind, found["id"]) for kind, found in refs if found),
        disputes=tuple(_disputed(each) for each in disputes),
        livemode=session["livemode"],
        problem=_problem(intent),
    )


def charge_facts(charge: Object, refunds: list[Object], disputes: list[Object], at: datetime) -> Facts:
    """What became of a charge that succeeded, whoever made it."""
    refs = [Ref("intent", charge["payment_intent"])] if charge["payment_intent"] else []
    return Facts(
        status=Standing.PAID,
        fetched_at=at,
        attempt_id=attempt_id(charge["metadata"].get("attempt_id")),
        amount=_money(charge["amount"], charge["currency"]),
        txns=tuple(_txns(charge, refunds, disputes)),
        refs=(*refs, Ref("charge", charge["id"]), *(Ref("dispute", each["id"]) for each in disputes)),
        disputes=tuple(_disputed(each) for each in disputes),
        livemode=charge["livemode"],
    )


def charge_of(session: Object) -> Object | None:
    """The charge that took the session's money; None while there is none. Declined ones took nothing."""
    charge: Object | None = (session["payment_intent"] or {}).get("latest_charge")
    return charge if charge and charge["status"] == "succeeded" else None


def charge_behind(source: Object | None) -> str:
    """The charge that a movement of the balance is about; "" for payouts, fees and all the rest."""
    source = source or {}
    if source.get("object") == "charge":
        return str(source["id"])
    return str(source["charge"] or "") if source.get("object") in ("refund", "dispute") else ""


def inbound(event: Object, livemode: bool) -> InboundEvent:
    """A delivery whose signature was right. ValueError where it is not an event."""
    if event["object"] != "event" or not (is_name(event["id"]) and is_name(event["type"])):
        raise ValueError("not an event")
    about, version = event["data"]["object"], event["api_version"]
    metadata = about.get("metadata") or {}
    return InboundEvent(
        provider="stripe",
        event_id=event["id"],
        type=event["type"],
        attempt_id=attempt_id(metadata.get("attempt_id")),
        refs=tuple(_named(about)),
        occurred_at=_instant(event["created"]),
        is_relevant=event["type"] in EVENTS and event["livemode"] is livemode,
        note="" if version == VERSION else f"Sent in API version {version}; we expect {VERSION}."[:LONGEST],
    )


def _named(about: Object) -> Iterator[Ref]:
    names: list[tuple[str, Any]] = [(REFS.get(about["object"], ""), about.get("id"))]
    names += [("intent", about.get("payment_intent")), ("charge", about.get("charge"))]
    return (Ref(kind, ref) for kind, ref in names if kind and is_name(ref))


def _standing(session: Object, intent: Object | None, at: datetime) -> Standing:
    paying = intent["status"] if intent else ""
    if session["payment_status"] == "paid" or paying == "succeeded":
        return Standing.PAID
    if paying == "processing":
        return Standing.PROCESSING
    if session["status"] == "open":
        return Standing.OPEN  # declined or not: the page lets the payer try again
    if session["status"] == "expired":
        return Standing.EXPIRED if at >= _instant(session["expires_at"]) else Standing.CLOSED
    return Standing.FAILED if paying in ("requires_payment_method", "canceled") else Standing.PROCESSING


def _problem(intent: Object | None) -> str:
    error = (intent or {}).get("last_payment_error")
    if not error:
        return ""
    return PROBLEMS.get(error.get("decline_code") or "") or PROBLEMS.get(error.get("code") or "", DECLINED)


def _txns(charge: Object, refunds: list[Object], disputes: list[Object]) -> Iterator[Txn]:
    taken = _money(charge["amount_captured"], charge["currency"])
    yield Txn("charge", charge["id"], taken, _instant(charge["created"]))
    for refund in refunds:
        yield from _refunded(refund)
    for dispute in disputes:
        yield from map(_contested, dispute["balance_transactions"])


def _refunded(refund: Object) -> Iterator[Txn]:
    """Money that left, and where the payer's bank did not take it, came back."""
    if not refund["balance_transaction"]:
        return
    money, back = _money(refund["amount"], refund["currency"]), refund.get("failure_balance_transaction")
    yield Txn("refund", refund["id"], -money, _instant(refund["created"]), refund["metadata"].get("key", ""))
    if back:
        yield Txn("refund_failed", refund["id"], money, _instant(back["created"]))


def _contested(movement: Object) -> Txn:
    kind = "dispute_withdrawn" if movement["amount"] < 0 else "dispute_reinstated"
    money = _money(movement["amount"], movement["currency"])
    return Txn(kind, movement["id"], money, _instant(movement["created"]))


def _disputed(dispute: Object) -> Disputed:
    due_by = (dispute["evidence_details"] or {}).get("due_by")
    return Disputed(
        ref=dispute["id"],
        standing=CONTESTS.get(dispute["status"], Contest.OPEN),
        amount=_money(dispute["amount"], dispute["currency"]),
        opened_at=_instant(dispute["created"]),
        reason=dispute["reason"],
        answer_by=_instant(due_by) if due_by else None,
    )


def _money(minor: int, currency: str) -> Money:
    return Money(minor, currency.upper())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
