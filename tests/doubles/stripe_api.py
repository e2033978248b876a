"""How Stripe's API answers: keys, idempotency, lists by page, expansion. What the objects do is in `stripe.py`."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from tests.doubles import stripe_forms as forms
from tests.doubles.server import Answer, Asked, Double
from tests.doubles.stripe_forms import Problem
from tests.doubles.stripe_objects import VERSION, token

KEYS_LAST = timedelta(hours=24)
COLLECTIONS = {
    "checkout/sessions": "sessions",
    "payment_intents": "intents",
    "charges": "charges",
    "refunds": "refunds",
    "disputes": "disputes",
    "balance_transactions": "transactions",
    "events": "events",
}
PREFIXES = {
    "cs": "sessions",
    "pi": "intents",
    "ch": "charges",
    "re": "refunds",
    "dp": "disputes",
    "txn": "transactions",
    "evt": "events",
}
FILTERS = {
    "sessions": {"payment_intent", "status"},
    "intents": {"customer"},
    "charges": {"customer", "payment_intent"},
    "refunds": {"charge", "payment_intent"},
    "disputes": {"charge", "payment_intent"},
    "transactions": {"currency", "source", "type"},
    "events": {"type"},
}
LATER = {"failure_balance_transaction"}  # what an object may have and has only once it happened
BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gte": int.__ge__,
    "gt": int.__gt__,
    "lte": int.__le__,
    "lt": int.__lt__,
}


class StripeApi(Double):
    """Objects by kind in `state`, the answers that were kept by key, and the crashes that wait to happen."""

    API_KEY = "sk_test_practice_key_no_money"

    def empty(self) -> dict[str, Any]:
        return {"keys": {}, "crashes": [], **{kind: {} for kind in COLLECTIONS.values()}}

    def post(self, kind: str, ref: str, action: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """The object that was made or changed; None where nothing can be posted."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        try:
            if asked.header("authorization") != f"Bearer {self.API_KEY}":
                raise Problem("Invalid API Key provided.", 401)
            answer = self._once(asked)
        except Problem as problem:
            answer = problem.answer
        answer.headers["Request-Id"] = token("req_")
        answer.headers["Stripe-Version"] = asked.header("stripe-version") or VERSION
        return answer

    def _once(self, asked: Asked) -> Answer:
        """The same key and parameters get the kept answer, a failure too. A form that was refused is not kept."""
        key = asked.header("idempotency-key")
        if asked.method != "POST" or not key:
            return self._do(asked)
        kept = self.state["keys"].get(key)
        if kept and self.now() - datetime.fromisoformat(kept["at"]) < KEYS_LAST:
            if kept["asked"] != [asked.path, forms.decode(asked.form().items())]:
                raise Problem("This key was used with other parameters.", type="idempotency_error")
            return Answer(kept["status"], kept["body"].encode(), {**kept["headers"], "Idempotent-Replayed": "true"})
        answer = self._first(asked)
        self.state["keys"][key] = {
            "asked": [asked.path, forms.decode(asked.form().items())],
            "at": self.now().isoformat(),
            "status": answer.status,
            "body": answer.body.decode(),
            "headers": dict(answer.headers),
        }
        return answer

    def _first(self, asked: Asked) -> Answer:
        crash = next((each for each in self.state["crashes"] if asked.line.startswith(each["on"])), None)
        try:
            answer = self._do(asked) if crash is None or crash["acts"] else Answer()
        except Problem as problem:
            if not problem.is_kept:
                raise
            answer = problem.answer
        if crash is None:
            return answer
        self.state["crashes"].remove(crash)
        return Problem("Something broke on our side.", 500, type="api_error").answer

    def _do(self, asked: Asked) -> Answer:
        parts = re.fullmatch(rf"/v1/({'|'.join(COLLECTIONS)})(?:/(\w+))?(?:/(\w+))?", asked.path)
        if parts is None:
            raise Problem(f"Unrecognized request URL ({asked.line}).", 404)
        kind, ref, action = COLLECTIONS[parts[1]], parts[2], parts[3]
        pairs = asked.query.items() if asked.method == "GET" else parse_qsl(asked.body.decode(), True)
        params = forms.decode(pairs)
        if asked.method == "POST":
            made = self.post(kind, ref or "", action or "", params)
        elif action:
            made = None
        else:
            made = self.known(kind, ref) if ref else self._list(asked.path, kind, params)
        if made is None:
            raise Problem(f"Unrecognized request URL ({asked.line}).", 404)
        return Answer.json(self.shown(made, params.get("expand", [])))

    def known(self, kind: str, ref: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state[kind].get(ref)
        if found is None:
            raise Problem(f"No such object: '{ref}'", 404, code="resource_missing", param="id")
        return found

    def _list(self, path: str, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        """A page, newest first."""
        forms.only(params, FILTERS[kind] | {"created", "expand", "limit", "starting_after"})
        limit = forms.whole(params, "limit") if "limit" in params else 10
        if not 1 <= limit <= 100:
            raise Problem("The limit is between 1 and 100.", param="limit")
        rows = [each for each in reversed(self.state[kind].values()) if self._fits(each, kind, params)]
        if after := params.get("starting_after"):
            self.known(kind, after)
            rows = rows[[each["id"] for each in rows].index(after) + 1 :]
        return {"object": "list", "url": path, "has_more": len(rows) > limit, "data": rows[:limit]}

    def _fits(self, each: dict[str, Any], kind: str, params: dict[str, Any]) -> bool:
        created = params.get("created", {})
        bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
        is_within = all(BOUNDS[name](each["created"], forms.whole(bounds, name)) for name in bounds)
        return is_within and all(each.get(name) == params[name] for name in FILTERS[kind] & set(params))

    def shown(self, thing: dict[str, Any], paths: list[str]) -> dict[str, Any]:
        """A copy for the outside, with what is named expanded and what is ours left out."""
        shown = deepcopy(thing)
        for path in paths:
            self._expand(shown, path.split("."), path)
        return _without_ours(shown)

    def _expand(self, node: Any, names: list[str], path: str) -> None:
        if not names or node is None:
            return
        if isinstance(node, list):
            for each in node:
                self._expand(each, names, path)
            return
        name, *rest = names
        if name == "refunds" and node.get("object") == "charge":
            node[name] = self._list(f"/v1/charges/{node['id']}/refunds", "refunds", {"charge": node["id"]})
        if name in LATER and name not in node:
            return
        if name not in node:
            raise Problem(f"This property cannot be expanded ({path}).", param="expand[0]")
        if isinstance(node[name], str):
            node[name] = deepcopy(self._by_prefix(node[name], path))
        self._expand(node[name], rest, path)

    def _by_prefix(self, ref: str, path: str) -> dict[str, Any]:
        kind = PREFIXES.get(ref.partition("_")[0])
        if kind is None:
            raise Problem(f"This property cannot be expanded ({path}).", param="expand[0]")
        return self.known(kind, ref)

    def put(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        self.state[kind][thing["id"]] = thing
        return thing


def _without_ours(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_ours(each) for each in node]
    if isinstance(node, dict):
        return {name: _without_ours(value) for name, value in node.items() if not name.startswith("_")}
    return node
