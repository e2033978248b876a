"""A stand-in for PayPal: tokens, orders, captures, refunds, disputes, webhooks, and a page where nobody really pays.

It encodes our reading of PayPal's documentation, no more: what it refuses, the real one refuses, as far as we know.
Everything it knows is in `state`, as JSON values.

Knobs, as methods and over HTTP (POST `/_ctl/<name>`, arguments as a JSON object), besides those of `Double`: what the
payer does (`approve`, `cancel`, `reverse_approval`), what PayPal decides (`next_capture` to be "PENDING", "DECLINED" or
refused with an issue, `complete`, `deny`, `fail_refund`), what the dashboard and the payer's bank do (`refund`,
`dispute`, `resolve`), and what goes wrong (`revoke_tokens`, `resend`, `forge`, `odd_bytes`).
"""

import base64
import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from html import escape
from typing import Any
from zlib import crc32

from tests.doubles import paypal_objects as objects
from tests.doubles.paypal_objects import Object, Problem
from tests.doubles.server import Answer, Asked, Double
from tests.doubles.stripe_page import whole

KEYS_LAST = timedelta(hours=6)
REFUND_KEYS_LAST = timedelta(days=45)
APPROVAL_LASTS = timedelta(hours=3)
TOKEN_LASTS = timedelta(hours=9)
SEARCH = timedelta(days=31)
CERT = "https://api.paypal.com/v1/notifications/certs/CERT-practice"
KNOBS: set[str] = set()


def knob(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Something people or banks do: under the lock, kept, and callable over HTTP."""
    KNOBS.add(turn.__name__)

    @wraps(turn)
    def turned(self: "PayPalDouble", *args: Any, **said: Any) -> Any:
        with self.lock:
            made = turn(self, *args, **said)
            self.save()
            return made

    return turned


class PayPalDouble(Double):
    """`portal` is where webhooks go: `<portal>/webhooks/paypal/`. Without it events are only remembered."""

    CLIENT_ID = "practice-client-no-money"
    CLIENT_SECRET = "practice-secret-no-money"
    WEBHOOK_ID = "practice-webhook"
    MERCHANT_ID = "PRACTICEMERCHANT"

    def __init__(self, port: int = 0, *, portal: str = "", **double: Any) -> None:
        super().__init__(port, **double)
        self.hook = f"{portal.rstrip('/')}/webhooks/paypal/" if portal else ""

    def empty(self) -> dict[str, Any]:
        kinds = ("tokens", "keys", "orders", "captures", "refunds", "disputes", "events")
        return {"next": "", "odd": False, "moved": [], **{kind: {} for kind in kinds}}

    # ---- What it is asked

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/checkoutnow":
            return self._page(asked)
        try:
            if asked.path == "/v1/oauth2/token":
                return self._token(asked)
            self._check_token(asked)
            return self._once(asked)
        except Problem as problem:
            return problem.answer

    def control(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/_ctl/")
        if name not in KNOBS:
            return super().control(asked)
        try:
            return Answer.json(getattr(self, name)(**asked.json()))
        except Problem as problem:
            return problem.answer

    def _token(self, asked: Asked) -> Answer:
        own = base64.b64encode(f"{self.CLIENT_ID}:{self.CLIENT_SECRET}".encode()).decode()
        if asked.header("authorization") != f"Basic {own}":
            raise Problem("invalid_client", 401)
        if asked.form().get("grant_type") != "client_credentials":
            raise Problem("unsupported_grant_type", 400)
        token = objects.name("A21")
        self.state["tokens"][token] = (self.now() + TOKEN_LASTS).isoformat()
        return Answer.json(
            {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LASTS.total_seconds())}
        )

    def _check_token(self, asked: Asked) -> None:
        ends = self.state["tokens"].get(asked.header("authorization").removeprefix("Bearer "))
        if ends is None or datetime.fromisoformat(ends) <= self.now():
            raise Problem("invalid_token", 401)

    def _once(self, asked: Asked) -> Answer:
        """The same key gets what the first call did, for as long as keys are kept."""
        key = asked.header("paypal-request-id")
        if asked.method != "POST" or not key:
            return self._do(asked)
        lasts = REFUND_KEYS_LAST if asked.path.endswith("/refund") else KEYS_LAST
        kept = self.state["keys"].get(f"{asked.path} {key}")
        if kept and self.now() - datetime.fromisoformat(kept["at"]) < lasts:
            return Answer(kept["status"], kept["body"].encode(), {"Content-Type": "application/json"})
        answer = self._do(asked)  # a refusal is raised, and not kept
        made = {"at": self.now().isoformat(), "status": answer.status, "body": answer.body.decode()}
        self.state["keys"][f"{asked.path} {key}"] = made
        return answer

    def _do(self, asked: Asked) -> Answer:
        for method, path, act in self._routes():
            found = re.fullmatch(path, asked.path)
            if found and method == asked.method:
                return act(asked, *found.groups())
        raise Problem("INVALID_RESOURCE_ID", 404)

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        return [
            ("POST", "/v2/checkout/orders", self._create),
            ("GET", r"/v2/checkout/orders/(\w+)", lambda asked, ref: self._show("orders", ref)),
            ("POST", r"/v2/checkout/orders/(\w+)/capture", self._capture),
            ("GET", r"/v2/payments/captures/(\w+)", lambda asked, ref: self._show("captures", ref)),
            ("POST", r"/v2/payments/captures/(\w+)/refund", self._refund),
            ("GET", r"/v2/payments/refunds/(\w+)", lambda asked, ref: self._show("refunds", ref)),
            ("GET", "/v1/customer/disputes", self._disputes),
            ("GET", r"/v1/customer/disputes/([\w-]+)", lambda asked, ref: self._show("disputes", ref)),
            ("GET", "/v1/reporting/transactions", self._transactions),
            ("POST", "/v1/notifications/verify-webhook-signature", self._verify),
        ]

    def _known(self, kind: str, ref: str) -> Object:
        if ref not in self.state[kind]:
            raise Problem("INVALID_RESOURCE_ID", 404)
        found: Object = self.state[kind][ref]
        return found

    def _show(self, kind: str, ref: str) -> Answer:
        found = self._known(kind, ref)
        if kind == "orders":
            self._let_lapse(found)
        return Answer.json(self.shown(found))

    def shown(self, kept: Object) -> Object:
        """An object as it is answered: an order with the payments it led to."""
        said = deepcopy(objects.shown(kept))
        captures = [each for each in self.state["captures"].values() if each["_order"] == kept.get("id")]
        if captures:
            taken = {each["id"] for each in captures}
            refunds = [each for each in self.state["refunds"].values() if each["_capture"] in taken]
            payments = {"captures": [objects.shown(each) for each in captures]}
            payments |= {"refunds": [objects.shown(each) for each in refunds]} if refunds else {}
            said["purchase_units"][0]["payments"] = payments
        return said

    def _said(self, asked: Asked, made: Object, status: int) -> Answer:
        """All of it where that is preferred; otherwise its name, its status and its links."""
        said = self.shown(made)
        is_whole = "return=representation" in asked.header("prefer")
        return Answer.json(said if is_whole else {key: said[key] for key in ("id", "status", "links")}, status)

    @staticmethod
    def _body(asked: Asked) -> Object:
        try:
            said = asked.json() if asked.body else {}
        except ValueError:
            raise Problem("MALFORMED_REQUEST_JSON", 400) from None
        if not isinstance(said, dict):
            raise Problem("MALFORMED_REQUEST_JSON", 400)
        return said

    # ---- Orders

    def _create(self, asked: Asked) -> Answer:
        made = objects.order(self._body(asked), self.now(), self.url, self.MERCHANT_ID)
        self.state["orders"][made["id"]] = made
        return self._said(asked, made, 200)

    def _let_lapse(self, order: Object) -> None:
        until = order.get("_approved_until")
        if order["status"] == "APPROVED" and until and datetime.fromisoformat(until) <= self.now():
            order["status"] = "PAYER_ACTION_REQUIRED"

    def _capture(self, asked: Asked, ref: str) -> Answer:
        order = self._known("orders", ref)
        self._let_lapse(order)
        if order["status"] == "COMPLETED":
            raise Problem("ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            raise Problem("ORDER_NOT_APPROVED")
        how, self.state["next"] = self.state["next"] or "COMPLETED", ""
        if how not in ("COMPLETED", "PENDING", "DECLINED"):
            order["status"] = "PAYER_ACTION_REQUIRED"  # the payer may choose another way and agree again
            raise Problem(how)
        made = {**objects.capture(order, how, self.now(), self.url), "_order": ref}
        self.state["captures"][made["id"]] = made
        order["status"] = "COMPLETED"
        if how == "COMPLETED":
            self._book(made["id"], "T0006", made["amount"], made["custom_id"])
        self._tell(f"PAYMENT.CAPTURE.{how}", made)
        return self._said(asked, order, 201)

    def _book(self, ref: str, code: str, moved: Object, custom: str, about: str = "") -> None:
        self.state["moved"].append(objects.transaction(ref, code, moved, self.now(), custom, about))

    # ---- Money that goes back

    def _refund(self, asked: Asked, ref: str) -> Answer:
        return self._said(asked, self._give_back(self._known("captures", ref), self._body(asked)), 201)

    def _give_back(self, capture: Object, said: Object) -> Object:
        made = objects.refund(capture, said, self.now(), self.url)
        left = Decimal(capture["amount"]["value"]) - self._returned(capture["id"])
        if made["amount"]["currency_code"] != capture["amount"]["currency_code"]:
            raise Problem("CURRENCY_MISMATCH")
        if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED") or Decimal(made["amount"]["value"]) > left:
            raise Problem("REFUND_AMOUNT_EXCEEDED")
        self.state["refunds"][made["id"]] = made
        self._count(capture)
        self._book(made["id"], "T1107", objects.negative(made["amount"]), made["custom_id"], capture["id"])
        self._tell("PAYMENT.CAPTURE.REFUNDED", made)
        return made

    def _returned(self, capture: str) -> Decimal:
        refunds = [each for each in self.state["refunds"].values() if each["_capture"] == capture]
        return sum((Decimal(each["amount"]["value"]) for each in refunds if each["status"] == "COMPLETED"), Decimal(0))

    def _count(self, capture: Object) -> None:
        back, whole_amount = self._returned(capture["id"]), Decimal(capture["amount"]["value"])
        capture["status"] = "COMPLETED" if not back else "REFUNDED" if back == whole_amount else "PARTIALLY_REFUNDED"

    # ---- Lists

    def _disputes(self, asked: Asked) -> Answer:
        wanted = asked.query.get("disputed_transaction_id", "")
        found = [
            each for each in self.state["disputes"].values()
            if each["disputed_transactions"][0]["seller_transaction_id"] == wanted
        ]  # fmt: skip
        short = ("dispute_id", "create_time", "update_time", "reason", "status", "dispute_amount", "links")
        return Answer.json({"items": [{key: each[key] for key in short} for each in found], "links": []})

    def _transactions(self, asked: Asked) -> Answer:
        since, until = (datetime.fromisoformat(asked.query[name]) for name in ("start_date", "end_date"))
        if until - since > SEARCH:
            raise Problem("INVALID_REQUEST", 400)
        size, page = int(asked.query.get("page_size", 100)), int(asked.query.get("page", 1))
        found = [
            each for each in self.state["moved"]
            if since <= datetime.fromisoformat(each["transaction_info"]["transaction_initiation_date"]) <= until
        ]  # fmt: skip
        shown = found[(page - 1) * size : page * size]
        said = {"transaction_details": shown, "page": page, "total_items": len(found)}
        return Answer.json({**said, "total_pages": max(1, -(-len(found) // size)), "links": []})

    # ---- Webhooks

    def events(self, kind: str = "") -> list[Object]:
        """What has happened so far, oldest first."""
        return [deepcopy(each) for each in self.state["events"].values() if kind in ("", each["event_type"])]

    def signed(self, event: Any, *, at: datetime | None = None, webhook: str = "") -> tuple[bytes, dict[str, str]]:
        """Body and headers as they would be delivered."""
        body = self._bytes(event)
        return body, self._proof(body, at or self.now(), webhook)

    def _bytes(self, event: Any) -> bytes:
        if not self.state["odd"]:
            return json.dumps(event).encode()
        # As legal as the other, and gone once somebody writes it anew.
        return json.dumps(event, ensure_ascii=False, indent=1).replace('": ', '" :  ').encode()

    def _proof(self, body: bytes, at: datetime, webhook: str = "") -> dict[str, str]:
        sent, moment = objects.name(), objects.stamp(at)
        return {
            "Paypal-Transmission-Id": sent,
            "Paypal-Transmission-Time": moment,
            "Paypal-Transmission-Sig": self._signature(sent, moment, webhook or self.WEBHOOK_ID, body),
            "Paypal-Cert-Url": CERT,
            "Paypal-Auth-Algo": "SHA256withRSA",
        }

    def _signature(self, sent: str, moment: str, webhook: str, body: bytes) -> str:
        signed = f"{sent}|{moment}|{webhook}|{crc32(body)}".encode()
        return base64.b64encode(hmac(self.CLIENT_SECRET.encode(), signed, sha256).digest()).decode()

    def _verify(self, asked: Asked) -> Answer:
        """Over the bytes as they stand in the request: what was decoded and written anew has another checksum."""
        said = self._body(asked)
        start = re.search(rb'"webhook_event"\s*:\s*', asked.body)
        if start is None or not {"transmission_id", "transmission_time", "transmission_sig"} <= set(said):
            raise Problem("MISSING_REQUIRED_PARAMETER", 400)
        text = asked.body[start.end() :].decode()
        length = json.JSONDecoder().raw_decode(text)[1]
        proof = [said["transmission_id"], said["transmission_time"], said["webhook_id"]]
        right = self._signature(*proof, text[:length].encode()) if said["webhook_id"] == self.WEBHOOK_ID else ""
        is_ours = compare_digest(right, said["transmission_sig"]) and said.get("cert_url") == CERT
        return Answer.json({"verification_status": "SUCCESS" if is_ours else "FAILURE"})

    def _tell(self, kind: str, about: Object) -> None:
        resource = self.shown(about) if "purchase_units" in about else objects.shown(about)
        event = {
            "id": objects.name("WH-"),
            "event_version": "1.0",
            "create_time": objects.stamp(self.now()),
            "resource_type": kind.split(".")[0].lower(),
            "event_type": kind,
            "summary": "Zahlung über eine Übungsseite",
            "resource": resource,
            "links": [],
        }
        self.state["events"][event["id"]] = event
        self._post(event, self._proof)

    def _post(self, event: Object, sign: Callable[[bytes, datetime], dict[str, str]]) -> None:
        self.send_bytes(self.hook, self._bytes(event), sign)

    @knob
    def resend(self, event: str, new_id: bool = False) -> Object:
        """The same event once more, or the same fact under another name."""
        again = deepcopy(self._known("events", event))
        if new_id:
            again["id"] = objects.name("WH-")
            self.state["events"][again["id"]] = again
        self._post(again, self._proof)
        return again

    @knob
    def forge(self, event: str) -> Object:
        """The same event, signed for somebody else's webhook."""
        again = deepcopy(self._known("events", event))
        self._post(again, lambda body, at: self._proof(body, at, "somebody-else"))
        return again

    @knob
    def odd_bytes(self, on: bool = True) -> None:
        """Write events in another legal form from now on."""
        self.state["odd"] = on

    @knob
    def revoke_tokens(self) -> None:
        self.state["tokens"] = {}

    # ---- The payer

    def _page(self, asked: Asked) -> Answer:
        order = self.state["orders"].get(asked.query.get("token", ""))
        if order is None:
            return Answer.html(whole("Page not found", "PayPal", "<h1>There is no such payment</h1>"), 404)
        decision = asked.form().get("decision") if asked.method == "POST" else ""
        if order["status"] in ("COMPLETED", "APPROVED") or decision not in ("pay", "cancel"):
            return Answer.html(_page(order))
        return Answer.to(self.approve(order["id"]) if decision == "pay" else self.cancel(order["id"]))

    @knob
    def approve(self, order: str) -> str:
        """The payer agrees; where their browser then goes. No money moves."""
        found = self._known("orders", order)
        if found["status"] not in ("COMPLETED", "APPROVED"):
            found["status"] = "APPROVED"
            found["payer"] = {"payer_id": "PRACTICEPAYER"}
            found["_approved_until"] = (self.now() + APPROVAL_LASTS).isoformat()
            self._tell("CHECKOUT.ORDER.APPROVED", found)
        return _with(found["_page"]["return_url"], f"token={order}&PayerID=PRACTICEPAYER")

    @knob
    def cancel(self, order: str) -> str:
        """Where the browser of a payer who changed their mind goes."""
        return _with(self._known("orders", order)["_page"]["cancel_url"], f"token={order}")

    @knob
    def reverse_approval(self, order: str) -> None:
        found = self._known("orders", order)
        found["status"] = "PAYER_ACTION_REQUIRED"
        about = {"order_id": order, "purchase_units": found["purchase_units"]}
        self._tell("CHECKOUT.PAYMENT-APPROVAL.REVERSED", about)

    # ---- What PayPal and banks decide

    @knob
    def next_capture(self, how: str) -> None:
        """How the next capture ends: PENDING, DECLINED, or refused with an issue such as INSTRUMENT_DECLINED."""
        self.state["next"] = how

    @knob
    def complete(self, capture: str) -> Object:
        """Money that was pending has come."""
        found = self._known("captures", capture)
        found["status"] = "COMPLETED"
        self._book(capture, "T0006", found["amount"], found["custom_id"])
        self._tell("PAYMENT.CAPTURE.COMPLETED", found)
        return found

    @knob
    def deny(self, capture: str) -> Object:
        """Money that was pending will not come."""
        found = self._known("captures", capture)
        found["status"] = "DENIED"
        self._tell("PAYMENT.CAPTURE.DENIED", found)
        return found

    @knob
    def refund(self, capture: str, value: str = "") -> Object:
        """Given back in PayPal's own pages: all, or so much ("100.00")."""
        found = self._known("captures", capture)
        left = Decimal(found["amount"]["value"]) - self._returned(capture)
        return self._give_back(found, {"amount": {**found["amount"], "value": value or str(left)}})

    @knob
    def fail_refund(self, refund: str) -> Object:
        """The payer's bank did not take it."""
        found = self._known("refunds", refund)
        found |= {"status": "FAILED", "update_time": objects.stamp(self.now())}
        capture = self._known("captures", found["_capture"])
        self._count(capture)
        self._book(objects.name(), "T1107", found["amount"], found["custom_id"], capture["id"])
        self._tell("PAYMENT.CAPTURE.REVERSED", capture)
        return found

    @knob
    def dispute(self, capture: str) -> Object:
        """The payer's bank questions a capture and takes its money for now."""
        of = self._known("captures", capture)
        made = objects.dispute(of, self.now(), self.now() + timedelta(days=10))
        self.state["disputes"][made["dispute_id"]] = made
        self._book(objects.name(), "T1201", objects.negative(of["amount"]), of["custom_id"], capture)
        self._tell("CUSTOMER.DISPUTE.CREATED", made)
        return made

    @knob
    def resolve(self, dispute: str, won: bool) -> Object:
        found = self._known("disputes", dispute)
        outcome = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
        found |= {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}}
        if won:
            found["money_movements"].append(objects.movement("CREDIT", found["dispute_amount"], self.now()))
            about = found["disputed_transactions"][0]
            self._book(
                objects.name(), "T1202", found["dispute_amount"], about["custom"], about["seller_transaction_id"]
            )
        self._tell("CUSTOMER.DISPUTE.RESOLVED", found)
        return found


def _with(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _page(order: Object) -> str:
    unit, is_open = order["purchase_units"][0], order["status"] == "PAYER_ACTION_REQUIRED"
    amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
    buttons = f"""<form method="post">
  <button class="pay" name="decision" value="pay">Agree and pay {amount}</button>
  <button name="decision" value="cancel">Cancel and go back</button>
</form>"""
    back = escape(order["_page"]["cancel_url"])
    rest = buttons if is_open else f'<p>You have agreed to this.</p><p><a class="button" href="{back}">Go back</a></p>'
    body = f'<h1>{escape(unit.get("description", ""))}</h1><p class="amount">{amount}</p>{rest}'
    return whole(f"Pay {amount}", "PayPal", body)
