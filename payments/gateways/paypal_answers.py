"""What PayPal's objects mean: plain JSON values in, facts out. KeyError, TypeError or ValueError otherwise.

An order is what the payer agrees to, a capture the money we then take. PayPal gives no name to the movements that a
dispute causes, so they are named here after everything that tells one from another.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from icg_cert.lib.money import Money
from payments.gateways.base import Checkout, Contest, Disputed, Facts, Ref, Return, Standing, Txn
from payments.gateways.names import attempt_id

Object = dict[str, Any]

ORDERS = {
    "CREATED": Standing.OPEN,
    "SAVED": Standing.OPEN,
    "PAYER_ACTION_REQUIRED": Standing.OPEN,
    "APPROVED": Standing.APPROVED,
    "VOIDED": Standing.CLOSED,
    "COMPLETED": Standing.PROCESSING,  # by itself it says nothing about money
}
CAPTURES = {
    "COMPLETED": Standing.PAID,
    "PARTIALLY_REFUNDED": Standing.PAID,
    "REFUNDED": Standing.PAID,
    "PENDING": Standing.PROCESSING,
    "DECLINED": Standing.FAILED,
    "DENIED": Standing.FAILED,
    "FAILED": Standing.FAILED,
}
DECLINED = "PayPal declined the payment."
OTHER_SOURCE = "The card or account that you chose at PayPal was declined."
OTHER_COUNTRY = "PayPal does not allow this payment from your country."
AGREE_AGAIN = "PayPal no longer has your agreement to the payment."
# Why an order that the payer agreed to gave no money, by PayPal's word for it. It has taken nothing then.
PROBLEMS = {
    "INSTRUMENT_DECLINED": OTHER_SOURCE,
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": OTHER_SOURCE,
    "TRANSACTION_REFUSED": DECLINED,
    "TRANSACTION_BLOCKED_BY_PAYEE": DECLINED,  # by the rules that we set in our account
    "PAYEE_BLOCKED_TRANSACTION": DECLINED,
    "DECLINED_DUE_TO_RELATED_TXN": DECLINED,
    "COMPLIANCE_VIOLATION": DECLINED,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": DECLINED,
    "PAYER_CANNOT_PAY": DECLINED,
    "PAYER_ACCOUNT_RESTRICTED": DECLINED,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": DECLINED,
    "PAYER_COUNTRY_NOT_SUPPORTED": OTHER_COUNTRY,
    "DOMESTIC_TRANSACTION_REQUIRED": OTHER_COUNTRY,
    "TRANSACTION_LIMIT_EXCEEDED": "The limit of your PayPal account was reached.",
    "PAYER_ACTION_REQUIRED": AGREE_AGAIN,
    "ORDER_NOT_APPROVED": AGREE_AGAIN,
    "ORDER_EXPIRED": AGREE_AGAIN,
}
CONTESTS = {
    "RESOLVED_SELLER_FAVOUR": Contest.WON,
    "RESOLVED_WITH_PAYOUT": Contest.WON,  # PayPal paid the payer out of its own pocket
    "CANCELED_BY_BUYER": Contest.WON,
    "DENIED": Contest.WON,
    "RESOLVED_BUYER_FAVOUR": Contest.LOST,
    "ACCEPTED": Contest.LOST,
}
CAME_BACK = {"FAILED", "CANCELLED"}
AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
LONGEST_DESCRIPTION = 127


# ---- What we ask for


def order_of(checkout: Checkout) -> Object:
    """Everything comes from the frozen checkout: under one key it may never differ."""
    ours = str(checkout.attempt_id)
    unit = {
        "custom_id": ours,
        "invoice_id": ours,
        "description": checkout.description[:LONGEST_DESCRIPTION],
        "amount": _said(checkout.amount),
    }
    page = {
        "return_url": checkout.return_url,
        "cancel_url": checkout.return_url,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    }
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": page}},
    }


def refund_of(checkout: Checkout, back: Return) -> Object:
    """Our own name of the attempt, as on all of its objects, and the key by which we know this refund again."""
    return {"amount": _said(back.amount), "custom_id": str(checkout.attempt_id), "invoice_id": back.key}


# ---- What is answered


def approve_link(order: Object) -> str:
    """The page where the payer agrees; "" where PayPal offers none any more."""
    if ORDERS[order["status"]] != Standing.OPEN:
        return ""
    links = {link["rel"]: str(link["href"]) for link in order["links"]}
    return links.get("payer-action") or links.get("approve") or ""


def captures_of(order: Object) -> list[Object]:
    """Every try to take the order's money, also those that took none."""
    return _payments(order, "captures")


def charges_of(order: Object) -> list[Object]:
    return [capture for capture in captures_of(order) if _ismoney(capture)]


def refund_keys(order: Object) -> set[str]:
    """What the refunds of an order are known by."""
    return {refund.get("invoice_id") or "" for refund in _payments(order, "refunds")}


def order_facts(order: Object, disputes: list[Object], at: datetime) -> Facts:
    """How an order stands, with the disputes about its captures. `account` is the merchant it is to be paid to."""
    unit, captures = _unit(order), captures_of(order)
    refs = [Ref("order", order["id"]), *(Ref("capture", each["id"]) for each in captures)]
    return Facts(
        status=_standing(order, captures),
        fetched_at=at,
        attempt_id=attempt_id(unit.get("custom_id")),
        amount=money(unit["amount"]),
        txns=tuple(_txns(order, disputes)),
        refs=(*refs, *(Ref("dispute", each["dispute_id"]) for each in disputes)),
        disputes=tuple(_disputed(each) for each in disputes),
        account=(unit.get("payee") or {}).get("merchant_id") or "",
        problem=DECLINED if captures and _standing(order, captures) == Standing.FAILED else "",
    )


def _unit(order: Object) -> Object:
    """Our orders have one."""
    (unit,) = order["purchase_units"]
    return dict(unit)


def _payments(order: Object, kind: str) -> list[Object]:
    return (_unit(order).get("payments") or {}).get(kind) or []


def _ismoney(capture: Object) -> bool:
    return CAPTURES[capture["status"]] == Standing.PAID


def _standing(order: Object, captures: list[Object]) -> Standing:
    found = {CAPTURES[capture["status"]] for capture in captures}
    best = [standing for standing in (Standing.PAID, Standing.PROCESSING, Standing.FAILED) if standing in found]
    # An order whose only capture was declined may come without any status.
    return best[0] if best else ORDERS[order["status"]]


def _txns(order: Object, disputes: list[Object]) -> Iterator[Txn]:
    for capture in charges_of(order):
        yield Txn("charge", capture["id"], money(capture["amount"]), instant(capture["create_time"]))
    for refund in _payments(order, "refunds"):
        yield from _refunded(refund, _unit(order))
    for dispute in disputes:
        for movement in dispute.get("money_movements") or []:
            yield from _contested(dispute["dispute_id"], movement)


def _refunded(refund: Object, unit: Object) -> Iterator[Txn]:
    """Money that left, and where the payer's bank did not take it, came back."""
    if refund["status"] == "PENDING":
        return
    amount, name = money(refund["amount"]), refund.get("invoice_id") or ""
    # A refund made in PayPal's own pages carries on the name of what it gives back.
    key = "" if name == unit.get("invoice_id") else name
    yield Txn("refund", refund["id"], -amount, instant(refund["create_time"]), key)
    if refund["status"] in CAME_BACK:
        yield Txn("refund_failed", refund["id"], amount, instant(refund.get("update_time") or refund["create_time"]))


def _contested(dispute: str, movement: Object) -> Iterator[Txn]:
    is_fee = str(movement.get("reason") or "").endswith("_FEE")
    if movement["affected_party"] != "SELLER" or is_fee:
        return
    amount, moment = money(movement["amount"]), instant(movement["initiated_time"])
    ref = f"{dispute}:{movement['type']}:{amount.minor}:{int(moment.timestamp())}"
    if movement["type"] == "DEBIT":
        yield Txn("dispute_withdrawn", ref, -amount, moment)
    else:
        yield Txn("dispute_reinstated", ref, amount, moment)


def _disputed(dispute: Object) -> Disputed:
    due = dispute.get("seller_response_due_date")
    return Disputed(
        ref=dispute["dispute_id"],
        standing=_contest(dispute),
        amount=money(dispute["dispute_amount"]),
        opened_at=instant(dispute["create_time"]),
        reason=str(dispute.get("reason") or "").replace("_", " ").lower(),
        answer_by=instant(due) if due else None,
    )


def _contest(dispute: Object) -> Contest:
    if dispute["status"] != "RESOLVED":
        return Contest.OPEN
    return CONTESTS.get((dispute.get("dispute_outcome") or {}).get("outcome_code") or "", Contest.OPEN)


def _said(amount: Money) -> Object:
    return {"currency_code": amount.currency, "value": str(amount.amount)}


def money(said: Object) -> Money:
    """Exactly, or not at all. KeyError for a currency we have no name for, ValueError for a part of a cent."""
    if not AMOUNT.fullmatch(said["value"]):
        raise ValueError("not an amount")
    return Money.of(Decimal(said["value"]), said["currency_code"])


def instant(text: str) -> datetime:
    """ValueError for one without its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant without its zone")
    return moment
