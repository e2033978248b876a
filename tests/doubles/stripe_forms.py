"""How Stripe reads a form, looks at what it says, and says no."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.doubles.server import Answer

CURRENCIES = {"usd", "cad", "eur", "gbp"}
SMALLEST, LARGEST = 50, 99_999_999
SOONEST, LATEST = timedelta(minutes=30), timedelta(hours=24)  # how far ahead of its clock a page may expire
SESSION_PARAMS = {
    "adaptive_pricing", "cancel_url", "client_reference_id", "customer_email", "expand", "expires_at", "line_items",
    "metadata", "mode", "payment_intent_data", "payment_method_types", "success_url",
}  # fmt: skip
REFUND_PARAMS = {"amount", "charge", "expand", "metadata", "payment_intent", "reason"}
INTENT_DATA = {"capture_method", "description", "metadata", "receipt_email", "statement_descriptor_suffix"}


class Problem(Exception):
    """An answer that says no. `is_kept`: the work had begun, so the answer is kept with the idempotency key."""

    def __init__(self, message: str, status: int = 400, *, is_kept: bool = False, **fields: str) -> None:
        super().__init__(message)
        self.status, self.is_kept = status, is_kept
        self.error = {"message": message, "type": "invalid_request_error", **fields}

    @property
    def answer(self) -> Answer:
        return Answer.json({"error": self.error}, self.status)


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What a form says: `a[b][0]=x` is {"a": {"b": ["x"]}}."""
    tree: dict[str, Any] = {}
    for name, text in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = text
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    values = {name: _with_lists(value) for name, value in node.items()}
    return [values[name] for name in sorted(values, key=int)] if all(map(str.isdigit, values)) else values


def whole(params: dict[str, Any], name: str) -> int:
    """A whole number that was sent as text."""
    try:
        return int(params[name])
    except (ValueError, TypeError):
        raise Problem(f"Invalid integer: {params[name]}", param=name) from None


def only(params: dict[str, Any], allowed: set[str], inside: str = "") -> None:
    for name in params:
        if name not in allowed:
            full = f"{inside}[{name}]" if inside else name
            raise Problem(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)


def metadata(params: dict[str, Any]) -> dict[str, str]:
    said = params.get("metadata") or {}
    if not isinstance(said, dict) or len(said) > 50:
        raise Problem("Metadata is a hash of up to 50 keys.", param="metadata")
    if any(len(name) > 40 or not isinstance(text, str) or len(text) > 500 for name, text in said.items()):
        raise Problem("Metadata keys have up to 40 characters and values up to 500.", param="metadata")
    return dict(said)


def checkout(params: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What a new Checkout Session is to be like, looked at as closely as the real one does."""
    only(params, SESSION_PARAMS)
    if params.get("mode") != "payment":
        raise Problem("Only mode=payment is practised here.", param="mode")
    if params.get("payment_method_types", ["card"]) != ["card"]:
        raise Problem("The payment method type provided is invalid.", param="payment_method_types")
    data = params.get("payment_intent_data", {})
    only(data, INTENT_DATA, "payment_intent_data")
    amount, currency, description = _line_items(params)
    return {
        "amount": amount,
        "cancel_url": _address(params, "cancel_url"),
        "currency": currency,
        "description": description,
        "email": _email(params),
        "expires_at": _expiry(params, now),
        "intent": {"description": data.get("description"), "metadata": metadata(data)},
        "is_adaptive": params.get("adaptive_pricing", {}).get("enabled", "true") == "true",
        "metadata": metadata(params),
        "reference": _reference(params),
        "success_url": _address(params, "success_url", is_required=True),
    }


def _line_items(params: dict[str, Any]) -> tuple[int, str, str]:
    items = params.get("line_items")
    if not isinstance(items, list):
        raise Problem("Missing required param: line_items.", code="parameter_missing", param="line_items")
    price = items[0].get("price_data", {})
    currency = price.get("currency", "")
    if currency not in CURRENCIES:
        raise Problem(f"Invalid currency: {currency}.", param="line_items[0][price_data][currency]")
    if any(item.get("price_data", {}).get("currency") != currency for item in items):
        raise Problem("All line items must be in one currency.", param="line_items")
    name = price.get("product_data", {}).get("name", "")
    if not name:
        raise Problem("Missing required param: name.", param="line_items[0][price_data][product_data][name]")
    amount = sum(whole(item["price_data"], "unit_amount") * whole(item, "quantity") for item in items)
    if amount < SMALLEST:
        raise Problem("The total amount is too small.", code="amount_too_small")
    if amount > LARGEST:
        raise Problem("The total amount is too large.", code="amount_too_large")
    return amount, currency, name


def _address(params: dict[str, Any], name: str, *, is_required: bool = False) -> str | None:
    url = params.get(name)
    if url is None and not is_required:
        return None
    if not re.fullmatch(r"https?://[^\s/]+\S*", url or ""):
        raise Problem("Not a valid URL", code="url_invalid", param=name)
    return str(url)


def _reference(params: dict[str, Any]) -> str | None:
    ref = params.get("client_reference_id")
    if ref is not None and not re.fullmatch(r"[\w-]{1,200}", ref):
        raise Problem("Up to 200 letters, digits, dashes and underscores.", param="client_reference_id")
    return ref


def _email(params: dict[str, Any]) -> str | None:
    email = params.get("customer_email")
    if email is not None and not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", email):
        raise Problem(f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    return email


def _expiry(params: dict[str, Any], now: datetime) -> int:
    created = int(now.timestamp())
    if "expires_at" not in params:
        return created + int(LATEST.total_seconds())
    expires_at = whole(params, "expires_at")
    if not SOONEST.total_seconds() <= expires_at - created <= LATEST.total_seconds():
        raise Problem("The page must expire between 30 minutes and 24 hours from now.", param="expires_at")
    return expires_at
