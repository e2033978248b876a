"""How PayPal's API answers: tokens, keys, preferences, lists. What the objects do is in `paypal.py`."""

import base64
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from tests.doubles import paypal_forms as forms
from tests.doubles import paypal_objects as objects
from tests.doubles.paypal_forms import Problem
from tests.doubles.paypal_objects import Object
from tests.doubles.paypal_webhooks import PayPalWebhooks
from tests.doubles.server import Answer, Asked

KEYS_LAST = timedelta(hours=6)
REFUND_KEYS_LAST = timedelta(days=45)
TOKEN_LASTS = timedelta(hours=9)
COLLECTIONS = {
    "/v2/checkout/orders": "orders",
    "/v2/payments/captures": "captures",
    "/v2/payments/refunds": "refunds",
    "/v1/customer/disputes": "disputes",
}
IN_LISTS = (
    "dispute_id", "create_time", "update_time", "reason", "status", "dispute_amount", "dispute_life_cycle_stage",
    "dispute_channel", "seller_response_due_date", "links",
)  # fmt: skip


KNOBS: set[str] = set()


def knob(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Something people or banks do: under the lock, after what was due by now, kept, and callable over HTTP."""
    KNOBS.add(turn.__name__)

    @wraps(turn)
    def turned(self: "PayPalApi", *args: Any, **said: Any) -> Any:
        with self.lock:
            self.lapse_due()
            made = turn(self, *args, **said)
            self.save()
            return made

    return turned


class PayPalApi(PayPalWebhooks):
    """Objects by kind in `state`, what was made under which key, and every movement of the account."""

    MERCHANT_ID = "PRETENDSELLER"

    def empty(self) -> dict[str, Any]:
        kinds = ("tokens", "keys", "orders", "captures", "refunds", "disputes", "events")
        return {"next": "", "odd": False, "moved": [], **{kind: {} for kind in kinds}}

    def post(self, kind: str, ref: str, action: str, said: Object) -> tuple[Object, int] | None:
        """The order or refund that was made or changed, and its status; None where nothing can be posted."""
        raise NotImplementedError

    def lapse_due(self) -> None:
        """Whatever ended by now, ends."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        try:
            if asked.line == "POST /v1/oauth2/token":
                return self._token(asked)
            self._check_token(asked)
            return self._do(asked)
        except Problem as problem:
            return problem.answer

    def control(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/_ctl/")
        if name not in KNOBS:
            return super().control(asked)
        try:
            return Answer.json(getattr(self, name)(**(asked.json() if asked.body else {})))
        except Problem as problem:
            return problem.answer

    # ---- Who asks

    def _token(self, asked: Asked) -> Answer:
        own = base64.b64encode(f"{self.CLIENT_ID}:{self.CLIENT_SECRET}".encode()).decode()
        if asked.header("authorization") != f"Basic {own}":
            return Answer.json({"error": "invalid_client", "error_description": "Client Authentication failed"}, 401)
        is_form = asked.header("content-type").startswith("application/x-www-form-urlencoded")
        if not is_form or asked.form().get("grant_type") != "client_credentials":
            return Answer.json({"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"}, 400)
        token = objects.name("A21")
        self.state["tokens"][token] = (self.now() + TOKEN_LASTS).isoformat()
        seconds = int(TOKEN_LASTS.total_seconds())
        return Answer.json({"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": ""})

    def _check_token(self, asked: Asked) -> None:
        ends = self.state["tokens"].get(asked.header("authorization").removeprefix("Bearer "))
        if ends is None or datetime.fromisoformat(ends) <= self.now():
            raise Problem("", 401)

    # ---- What is asked

    def _do(self, asked: Asked) -> Answer:
        match asked.line:
            case "POST /v1/notifications/verify-webhook-signature":
                return self.verify(asked)
            case "GET /v1/reporting/transactions":
                return self._transactions(asked.query)
            case "GET /v1/customer/disputes":
                return self._disputes(asked.query)
        parts = re.fullmatch(rf"({'|'.join(COLLECTIONS)})(?:/([\w-]+))?(?:/(\w+))?", asked.path)
        if parts is None:
            raise Problem("INVALID_RESOURCE_ID", 404)
        kind, ref, action = COLLECTIONS[parts[1]], parts[2] or "", parts[3] or ""
        if asked.method == "POST":
            return self._once(asked, kind, ref, action)
        if asked.method != "GET" or action:
            raise Problem("INVALID_RESOURCE_ID", 404)
        return Answer.json(self.shown(self.known(kind, ref)))

    def _once(self, asked: Asked, kind: str, ref: str, action: str) -> Answer:
        """The same key gets what the first call made, as it is by now. What was refused is not kept: ask again."""
        key = asked.header("paypal-request-id")
        name, made_kind = f"{asked.path} {key}", "refunds" if action == "refund" else "orders"
        lasts = REFUND_KEYS_LAST if action == "refund" else KEYS_LAST
        kept = self.state["keys"].get(name)
        if kept and self.now() - datetime.fromisoformat(kept["at"]) < lasts:
            return self._said(asked, self.known(made_kind, kept["ref"]), 200)
        said = forms.body(asked)
        if not key and not action and said.get("payment_source"):
            raise Problem("PAYPAL_REQUEST_ID_REQUIRED", 400)
        made = self.post(kind, ref, action, said)
        if made is None:
            raise Problem("INVALID_RESOURCE_ID", 404)
        if key:
            self.state["keys"][name] = {"at": self.now().isoformat(), "ref": made[0]["id"]}
        return self._said(asked, *made)

    def _said(self, asked: Asked, made: Object, status: int) -> Answer:
        """All of it where that is preferred; otherwise its name, its status and its links."""
        said = self.shown(made)
        is_whole = "return=representation" in asked.header("prefer")
        return Answer.json(said if is_whole else {key: said[key] for key in ("id", "status", "links")}, status)

    def known(self, kind: str, ref: str) -> Object:
        found: Object | None = self.state[kind].get(ref)
        if found is None:
            raise Problem("INVALID_RESOURCE_ID", 404)
        return found

    def put(self, kind: str, thing: Object) -> Object:
        self.state[kind][thing.get("id") or thing["dispute_id"]] = thing
        return thing

    def shown(self, kept: Object) -> Object:
        """A copy for the outside: an order with the payments it led to, and nothing of what is ours."""
        said = deepcopy(objects.shown(kept))
        captures = [each for each in self.state["captures"].values() if each["_order"] == kept.get("id")]
        if captures:
            taken = {each["id"] for each in captures}
            refunds = [each for each in self.state["refunds"].values() if each["_capture"] in taken]
            lists = {"captures": captures, "refunds": refunds}
            said["purchase_units"][0]["payments"] = {
                name: [deepcopy(objects.shown(each)) for each in found] for name, found in lists.items() if found
            }
        return said

    # ---- Lists

    def _disputes(self, query: dict[str, str]) -> Answer:
        """Newest first. Links lead on while there are more."""
        wanted = query.get("disputed_transaction_id", "")
        size, begin = forms.count(query, "page_size", 10, 50), forms.count(query, "next_page_token", 1, 10**6) - 1
        found = [
            each for each in reversed(self.state["disputes"].values())
            if wanted in ("", each["disputed_transactions"][0]["seller_transaction_id"])
        ]  # fmt: skip
        here = f"{self.url}/v1/customer/disputes?page_size={size}" + (
            f"&disputed_transaction_id={wanted}" if wanted else ""
        )
        links = [objects.link(f"{here}&next_page_token={begin + 1}", "self", "GET")]
        if begin + size < len(found):
            links.append(objects.link(f"{here}&next_page_token={begin + size + 1}", "next", "GET"))
        shown = [{key: each[key] for key in IN_LISTS if key in each} for each in found[begin : begin + size]]
        return Answer.json({**({"items": shown} if shown else {}), "links": links})

    def _transactions(self, query: dict[str, str]) -> Answer:
        since, until = forms.span(query)
        size, page = forms.count(query, "page_size", 100, 500), forms.count(query, "page", 1, 10**6)
        found = [
            each for each in self.state["moved"]
            if since <= datetime.fromisoformat(each["transaction_info"]["transaction_initiation_date"]) <= until
        ]  # fmt: skip
        said = {
            "transaction_details": found[(page - 1) * size : page * size],
            "account_number": self.MERCHANT_ID,
            "start_date": objects.stamp(since),
            "end_date": objects.stamp(until),
            "last_refreshed_datetime": objects.stamp(self.now()),
            "page": page,
            "total_items": len(found),
            "total_pages": max(1, -(-len(found) // size)),
            "links": [],
        }
        return Answer.json(said)
