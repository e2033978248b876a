"""The shapes in which PayPal answers: plain JSON values with the fields its documentation shows. Our reading of it.

What begins with "_" is ours: what an order's page says, and what belongs to what.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from secrets import token_hex
from typing import Any

Object = dict[str, Any]

PAYER = {
    "name": {"given_name": "Petra", "surname": "Practice"},
    "email_address": "payer@example.org",
    "payer_id": "PRETENDPAYER2",
}
KINDS = {"CHECKOUT.": "checkout-order", "CUSTOMER.": "dispute", "PAYMENT.CAPTURE.RE": "refund", "PAYMENT.": "capture"}
# Values that another writer of JSON would write in another way.
ODD = {"practice": {"empty": {}, "list": [], "rate": 1.0, "street": "Übungsstraße 1/2 – ½ €"}}
CENT = Decimal("0.01")


def name(prefix: str = "") -> str:
    return prefix + token_hex(8).upper()


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(kept: Object) -> Object:
    """Without what only the double knows."""
    return {key: value for key, value in kept.items() if not key.startswith("_")}


def order(unit: Object, page: Object, has_source: bool, moment: datetime, url: str, merchant: str) -> Object:
    """A new order. Where its payer is to use an account, they must act first; otherwise it just stands there."""
    ref = name()
    here = f"{url}/v2/checkout/orders/{ref}"
    return {
        "id": ref,
        "intent": "CAPTURE",
        "status": "PAYER_ACTION_REQUIRED" if has_source else "CREATED",
        **({"payment_source": {"paypal": {}}} if has_source else {}),
        "purchase_units": [{**unit, "payee": {"merchant_id": merchant}}],
        "create_time": stamp(moment),
        "links": [
            link(here, "self", "GET"),
            link(f"{url}/checkoutnow?token={ref}", "payer-action" if has_source else "approve", "GET"),
            link(f"{here}/capture", "capture", "POST"),
        ],
        "_page": page,
    }


def capture(made: Object, status: str, moment: datetime, url: str) -> Object:
    """The money of an order, taken or not."""
    unit, ref = made["purchase_units"][0], name()
    here = f"{url}/v2/payments/captures/{ref}"
    return {
        "id": ref,
        "status": status,
        **({"status_details": {"reason": "PENDING_REVIEW"}} if status == "PENDING" else {}),
        "amount": unit["amount"],
        "final_capture": True,
        **_names(unit),
        "seller_protection": {"status": "NOT_ELIGIBLE"},
        **(receivable(unit["amount"]) if status == "COMPLETED" else {}),
        "supplementary_data": {"related_ids": {"order_id": made["id"]}},
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "links": [
            link(here, "self", "GET"),
            link(f"{here}/refund", "refund", "POST"),
            link(f"{url}/v2/checkout/orders/{made['id']}", "up", "GET"),
        ],
        "_order": made["id"],
    }


def receivable(amount: Object) -> Object:
    """What of a payment stays after PayPal's part."""
    gross = Decimal(amount["value"])
    fee = (gross * Decimal("0.0349") + Decimal("0.49")).quantize(CENT, ROUND_HALF_UP)
    parts = {"gross_amount": gross, "paypal_fee": fee, "net_amount": gross - fee}
    return {"seller_receivable_breakdown": {part: {**amount, "value": str(value)} for part, value in parts.items()}}


def refund(of: Object, wished: Object, moment: datetime, url: str) -> Object:
    """Money given back; what is not wished for is what the capture says."""
    ref = name()
    amount = wished["amount"]
    back = {"gross_amount": amount, "net_amount": amount, "total_refunded_amount": amount}
    return {
        "id": ref,
        "status": "COMPLETED",
        **_names(of),
        **wished,
        "seller_payable_breakdown": back,
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "links": [
            link(f"{url}/v2/payments/refunds/{ref}", "self", "GET"),
            link(f"{url}/v2/payments/captures/{of['id']}", "up", "GET"),
        ],
        "_capture": of["id"],
    }


def _names(of: Object) -> Object:
    return {key: of[key] for key in ("custom_id", "invoice_id") if key in of}


def dispute(of: Object, amount: Object, reason: str, stage: str, moment: datetime, due: datetime, url: str) -> Object:
    """A payer's complaint about a capture. Whether money is held for it, its movements say."""
    ref = name("PP-D-")
    return {
        "dispute_id": ref,
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "disputed_transactions": [
            {
                "seller_transaction_id": of["id"],
                "create_time": of["create_time"],
                "transaction_status": "COMPLETED",
                "gross_amount": of["amount"],
                "custom": of.get("custom_id", ""),
                "invoice_number": of.get("invoice_id", ""),
            }
        ],
        "reason": reason,
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": amount,
        "dispute_life_cycle_stage": stage,
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": stamp(due),
        "links": [link(f"{url}/v1/customer/disputes/{ref}", "self", "GET")],
    }


def movement(way: str, moved: Object, moment: datetime) -> Object:
    return {
        "affected_party": "SELLER",
        "amount": moved,
        "initiated_time": stamp(moment),
        "type": way,
        "reason": "DISPUTE_SETTLEMENT",
    }


def transaction(ref: str, code: str, moved: Object, moment: datetime, custom: str, about: str = "") -> Object:
    """A line of the account's list. `about` is the capture that it corrects."""
    info = {
        "transaction_id": ref,
        "transaction_event_code": code,
        "transaction_initiation_date": stamp(moment),
        "transaction_updated_date": stamp(moment),
        "transaction_amount": moved,
        "transaction_status": "S",
        "custom_field": custom,
    }
    return {
        "transaction_info": {**info, "paypal_reference_id": about, "paypal_reference_id_type": "TXN"} if about else info
    }


def negative(said: Object) -> Object:
    return {**said, "value": f"-{said['value']}"}


def event(kind: str, about: Object, moment: datetime) -> Object:
    what = next(word for begin, word in KINDS.items() if kind.startswith(begin))
    return {
        "id": name("WH-"),
        "event_version": "1.0",
        "create_time": stamp(moment),
        "resource_type": what,
        "resource_version": "2.0",
        "event_type": kind,
        "summary": f"{what} {about.get('id') or about.get('dispute_id') or about.get('order_id')}",
        "resource": about,
        "links": [],
    }


def link(href: str, rel: str, method: str) -> Object:
    return {"href": href, "rel": rel, "method": method}
