"""The shapes of PayPal's objects, as JSON values."""

from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex
from typing import Any

from tests.doubles.server import Answer

Object = dict[str, Any]
ERRORS = {400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND"}


class Problem(Exception):
    """What PayPal answers instead: a status, its word for why."""

    def __init__(self, issue: str, status: int = 422) -> None:
        super().__init__(issue)
        self.issue = issue
        self.status = status

    @property
    def answer(self) -> Answer:
        name = ERRORS.get(self.status, "UNPROCESSABLE_ENTITY")
        details = [{"issue": self.issue, "description": "See the issue."}]
        said = {"name": name, "message": "The request was not carried out.", "debug_id": token_hex(6)}
        return Answer.json({**said, "details": details, "links": []}, self.status)


def name(prefix: str = "") -> str:
    return prefix + token_hex(8).upper()


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(said: Any) -> Object:
    """A currency and exact digits, or a Problem: numbers and odd places are refused."""
    value = said.get("value") if isinstance(said, dict) else None
    if not isinstance(value, str) or not isinstance(said.get("currency_code"), str):
        raise Problem("MALFORMED_REQUEST_JSON", 400)
    whole, _, rest = value.partition(".")
    if not whole.isdigit() or not rest.isdigit() or len(rest) != 2 or Decimal(value) <= 0:
        raise Problem("DECIMAL_PRECISION")
    if len(said["currency_code"]) != 3:
        raise Problem("CURRENCY_NOT_SUPPORTED")
    return {"currency_code": said["currency_code"], "value": value}


def order(asked: Object, moment: datetime, url: str, merchant: str) -> Object:
    """A new order of one unit. Problem where what was asked cannot be one."""
    if asked.get("intent") != "CAPTURE":
        raise Problem("MISSING_REQUIRED_PARAMETER", 400)
    unit = dict(_only(asked.get("purchase_units")))
    page = ((asked.get("payment_source") or {}).get("paypal") or {}).get("experience_context") or {}
    if not page.get("return_url") or not page.get("cancel_url"):
        raise Problem("MISSING_REQUIRED_PARAMETER", 400)
    ref = name()
    unit |= {"reference_id": "default", "amount": amount(unit.get("amount")), "payee": {"merchant_id": merchant}}
    links = [
        _link(f"{url}/v2/checkout/orders/{ref}", "self", "GET"),
        _link(f"{url}/checkoutnow?token={ref}", "payer-action", "GET"),
    ]
    return {
        "id": ref,
        "intent": "CAPTURE",
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": {}},
        "purchase_units": [unit],
        "create_time": stamp(moment),
        "links": links,
        "_page": page,
    }


def capture(made: Object, status: str, moment: datetime, url: str) -> Object:
    """The money of an order, taken or not."""
    unit, ref = made["purchase_units"][0], name()
    return {
        "id": ref,
        "status": status,
        "amount": unit["amount"],
        "final_capture": True,
        "custom_id": unit.get("custom_id", ""),
        "invoice_id": unit.get("invoice_id", ""),
        "supplementary_data": {"related_ids": {"order_id": made["id"]}},
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "links": [
            _link(f"{url}/v2/payments/captures/{ref}", "self", "GET"),
            _link(f"{url}/v2/payments/captures/{ref}/refund", "refund", "POST"),
            _link(f"{url}/v2/checkout/orders/{made['id']}", "up", "GET"),
        ],
    }


def refund(of: Object, said: Object, moment: datetime, url: str) -> Object:
    """Money given back; what is not said is what the capture says."""
    ref = name()
    return {
        "id": ref,
        "status": "COMPLETED",
        "amount": amount(said["amount"]) if said.get("amount") else of["amount"],
        "invoice_id": said.get("invoice_id") or of["invoice_id"],
        "custom_id": said.get("custom_id") or of["custom_id"],
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "links": [
            _link(f"{url}/v2/payments/refunds/{ref}", "self", "GET"),
            _link(f"{url}/v2/payments/captures/{of['id']}", "up", "GET"),
        ],
        "_capture": of["id"],
    }


def dispute(of: Object, moment: datetime, due: datetime) -> Object:
    """A payer's question to the bank about a capture; the money is held for as long as it is open."""
    transaction = {"seller_transaction_id": of["id"], "custom": of["custom_id"], "invoice_number": of["invoice_id"]}
    return {
        "dispute_id": name("PP-D-"),
        "create_time": stamp(moment),
        "update_time": stamp(moment),
        "disputed_transactions": [transaction],
        "reason": "UNAUTHORISED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": of["amount"],
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": stamp(due),
        "money_movements": [movement("DEBIT", of["amount"], moment)],
        "links": [],
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


def shown(kept: Object) -> Object:
    """Without what only the double knows."""
    return {key: value for key, value in kept.items() if not key.startswith("_")}


def _only(units: Any) -> Object:
    if not isinstance(units, list) or len(units) != 1 or not isinstance(units[0], dict):
        raise Problem("MISSING_REQUIRED_PARAMETER", 400)
    return dict(units[0])


def _link(href: str, rel: str, method: str) -> Object:
    return {"href": href, "rel": rel, "method": method}
