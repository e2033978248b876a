"""What PayPal takes and what it refuses, and in which words: our reading of its documentation."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from tests.doubles.server import Answer, Asked

Object = dict[str, Any]

ERRORS = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    404: "RESOURCE_NOT_FOUND",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
}
TWO_PLACES = {
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "SEK", "SGD", "THB", "USD",
}  # fmt: skip
NO_PLACES = {"HUF", "JPY", "TWD"}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
LONGEST = {"custom_id": 127, "description": 127, "invoice_id": 127, "reference_id": 256}
PROOF = ["auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id"]
SEARCH = timedelta(days=31)
SPACE = re.compile(r"\s*")


class Problem(Exception):
    """What PayPal answers instead: a status, its word for why, and where it may be put right."""

    def __init__(self, issue: str, status: int = 422, *, field: str = "", links: list[Object] | None = None) -> None:
        super().__init__(issue)
        self.issue, self.status, self.field, self.links = issue, status, field, links or []

    @property
    def answer(self) -> Answer:
        """PayPal's words for it, and our own sentences: nobody may depend on those."""
        detail = {"issue": self.issue, "description": self.issue.replace("_", " ").lower()}
        where = {"field": self.field, "location": "body"} if self.field else {}
        details = [detail | where] if self.issue else []
        said = {"name": ERRORS[self.status], "message": "This was not done.", "debug_id": token_hex(6)}
        return Answer.json({**said, "details": details, "links": self.links}, self.status)


def missing(field: str) -> Problem:
    return Problem("MISSING_REQUIRED_PARAMETER", 400, field=field)


def body(asked: Asked) -> Object:
    """A JSON object, or nothing, which is an empty one."""
    if not asked.header("content-type").startswith("application/json"):
        raise Problem("UNSUPPORTED_MEDIA_TYPE", 415)
    try:
        said = json.loads(asked.body.decode() or "{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Problem("MALFORMED_REQUEST_JSON", 400)
    return said


def amount(said: Any, field: str) -> Object:
    """A currency and its exact digits. Numbers are refused, and so is another count of places."""
    if not isinstance(said, dict):
        raise missing(field)
    value, currency = said.get("value"), said.get("currency_code")
    if not isinstance(value, str) or not isinstance(currency, str) or not NUMBER.fullmatch(value):
        raise Problem("INVALID_PARAMETER_SYNTAX", 400, field=f"{field}/value")
    if len(value) > 32 or len(currency) != 3:
        raise Problem("INVALID_STRING_LENGTH", 400, field=field)
    if currency not in TWO_PLACES | NO_PLACES:
        raise Problem("INVALID_CURRENCY_CODE", field=f"{field}/currency_code")
    if Decimal(value) <= 0:
        raise Problem("CANNOT_BE_ZERO_OR_NEGATIVE", field=f"{field}/value")
    if len(value.partition(".")[2]) != (2 if currency in TWO_PLACES else 0):
        raise Problem("DECIMAL_PRECISION" if currency in TWO_PLACES else "DECIMALS_NOT_SUPPORTED", field=field)
    return {"currency_code": currency, "value": value}


def order(said: Object) -> tuple[Object, Object, bool]:
    """The unit and the page that are wished for, and whether the payer is to use their PayPal account."""
    if said.get("intent") != "CAPTURE":
        raise missing("/intent") if "intent" not in said else Problem("INVALID_PARAMETER_VALUE", 400, field="/intent")
    unit = _unit(said.get("purchase_units"))
    source = said.get("payment_source")
    page = _inside(source, "paypal", "experience_context") if source else _inside(said, "application_context")
    for name in ("return_url", "cancel_url"):
        _address(page.get(name), f"/experience_context/{name}")
    return unit, page, bool(source)


def _inside(said: Any, *names: str) -> Object:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, dict) else {}


def _unit(units: Any) -> Object:
    field = "/purchase_units"
    if not isinstance(units, list) or not units or not isinstance(units[0], dict):
        raise missing(field)
    if len(units) > 1:
        raise Problem("NOT_SUPPORTED", 400, field=field)  # PayPal takes ten; nobody here asks for them
    unit = {"reference_id": "default", **units[0]}
    for name in LONGEST.keys() & unit.keys():
        text(unit[name], f"{field}/@0/{name}", LONGEST[name])
    return unit | {"amount": amount(unit.get("amount"), f"{field}/@0/amount")}


def text(said: Any, field: str, longest: int) -> None:
    if not isinstance(said, str):
        raise Problem("INVALID_PARAMETER_SYNTAX", 400, field=field)
    if not 1 <= len(said) <= longest:
        raise Problem("INVALID_STRING_LENGTH", 400, field=field)


def _address(said: Any, field: str) -> None:
    if said is None:
        raise missing(field)
    parts = urlsplit(said) if isinstance(said, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise Problem("INVALID_PARAMETER_SYNTAX", 400, field=field)


def refund(said: Object) -> Object:
    """What is wished for a refund, with nothing but what a refund may have."""
    wished = {name: said[name] for name in ("custom_id", "invoice_id", "note_to_payer") if name in said}
    for name, value in wished.items():
        text(value, f"/{name}", LONGEST.get(name, 255))
    return wished | ({"amount": amount(said["amount"], "/amount")} if said.get("amount") else {})


# ---- Lists


def span(query: dict[str, str]) -> tuple[datetime, datetime]:
    """From when to when. Both must be said, with their zone, and lie no more than 31 days apart."""
    since, until = _moment(query, "start_date"), _moment(query, "end_date")
    if not timedelta(0) <= until - since <= SEARCH:
        raise Problem("INVALID_PARAMETER_VALUE", 400)
    return since, until


def _moment(query: dict[str, str], name: str) -> datetime:
    if name not in query:
        raise Problem("MISSING_REQUIRED_PARAMETER", 400)
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError:
        raise Problem("INVALID_PARAMETER_SYNTAX", 400) from None
    if moment.tzinfo is None:
        raise Problem("INVALID_PARAMETER_SYNTAX", 400)
    return moment


def count(query: dict[str, str], name: str, usual: int, most: int) -> int:
    said = query.get(name, str(usual))
    if not (said.isascii() and said.isdigit() and 1 <= int(said) <= most):
        raise Problem("INVALID_PARAMETER_VALUE", 400)
    return int(said)


# ---- Bytes


def proof(said: Object) -> Object:
    """What comes with a webhook to be verified."""
    for name in PROOF:
        text(said.get(name), f"/{name}", 500)
    if not isinstance(said.get("webhook_event"), dict):
        raise missing("/webhook_event")
    return {name: said[name] for name in PROOF}


def member(said: bytes, name: str) -> bytes:
    """The bytes of a member of a JSON object, exactly as they stand there. b"" where it has none."""
    content = said.decode()
    found = [content[start:end] for key, start, end in _members(content) if key == name]
    return found[-1].encode() if found else b""


def _members(content: str) -> Iterator[tuple[str, int, int]]:
    """Name, and where its value begins and ends, of each member of what is known to be a JSON object."""
    decode = json.JSONDecoder().raw_decode
    at = _past(content, content.index("{") + 1)
    while content[at] != "}":
        key, at = decode(content, at)
        start = _past(content, _past(content, at) + 1)  # behind the colon
        _, at = decode(content, start)
        yield key, start, at
        at = _past(content, at)
        at = _past(content, at + 1) if content[at] == "," else at


def _past(content: str, at: int) -> int:
    """Where the next thing begins that is no space."""
    found = SPACE.match(content, at)
    return found.end() if found else at
