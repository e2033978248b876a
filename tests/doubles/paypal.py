"""A stand-in for PayPal: tokens, orders, captures, refunds, disputes, webhooks, and a page where nobody really pays.

It encodes our reading of PayPal's documentation, no more: what it refuses, the real one refuses, as far as we know.
Everything it knows is in `state`, as JSON values.

Knobs, as methods and over HTTP (POST `/_ctl/<name>`, arguments as a JSON object), besides those of `Double`: what the
payer does (`approve`, `cancel`), what PayPal decides (`reverse_approval`, `decline_next`, `pend_next` or `next_capture`
for any other end, `complete`, `deny`, `fail_refund`, `reverse`), what the dashboard and the payer's bank do (`refund`,
`dispute`, `update_dispute`, `resolve`), and what goes wrong (`revoke_tokens`, `replay`, `forge`, `odd_bytes`).
"""

from copy import deepcopy
from datetime import datetime, timedelta

from tests.doubles import paypal_forms as forms
from tests.doubles import paypal_objects as objects
from tests.doubles import paypal_page
from tests.doubles.paypal_api import knob
from tests.doubles.paypal_forms import Problem
from tests.doubles.paypal_money import PayPalMoney
from tests.doubles.paypal_objects import PAYER, Object
from tests.doubles.server import Answer, Asked

APPROVAL_LASTS = timedelta(hours=3)


class PayPalDouble(PayPalMoney):
    """PayPal at work."""

    # ---- What it is asked

    def answer(self, asked: Asked) -> Answer:
        self.lapse_due()
        return self._page(asked) if asked.path == "/checkoutnow" else super().answer(asked)

    def post(self, kind: str, ref: str, action: str, said: Object) -> tuple[Object, int] | None:
        match (kind, bool(ref), action):
            case ("orders", False, ""):
                return self._create(said)
            case ("orders", True, "capture"):
                return self._capture(self.known("orders", ref)), 201
            case ("captures", True, "refund"):
                return self.give_back(self.known("captures", ref), forms.refund(said)), 201
        return None

    # ---- The payer

    def _create(self, said: Object) -> tuple[Object, int]:
        unit, page, has_source = forms.order(said)
        made = self.put("orders", objects.order(unit, page, has_source, self.now(), self.url, self.MERCHANT_ID))
        return made, 200 if has_source else 201  # the payer has something left to do, or nobody knows them yet

    def _page(self, asked: Asked) -> Answer:
        order = self.state["orders"].get(asked.query.get("token", ""))
        if order is None:
            return Answer.html(paypal_page.unknown(), 404)
        decision = asked.form().get("decision") if asked.method == "POST" else None
        if decision not in ("pay", "cancel") or order["status"] in paypal_page.ENDED:
            return Answer.html(paypal_page.page(order, _agreed(order)))
        return Answer.to(self.approve(order["id"]) if decision == "pay" else self.cancel(order["id"]))

    @knob
    def approve(self, order: str) -> str:
        """The payer agrees; where their browser then goes. No money moves."""
        found = self.known("orders", order)
        if found["status"] not in ("APPROVED", "COMPLETED"):
            found |= {"status": "APPROVED", "payer": deepcopy(PAYER), "payment_source": _source()}
            found["_approved_until"] = (self.now() + APPROVAL_LASTS).isoformat()
            self._tell("CHECKOUT.ORDER.APPROVED", self.shown(found))
        return _agreed(found)

    @knob
    def cancel(self, order: str) -> str:
        """Where the browser of a payer goes who changed their mind. PayPal notes it nowhere."""
        return _with(self.known("orders", order)["_page"]["cancel_url"], f"token={order}")

    # ---- The end of an agreement

    def lapse_due(self) -> None:
        """What nobody captured in time."""
        for order in self.state["orders"].values():
            if order["status"] == "APPROVED" and datetime.fromisoformat(order["_approved_until"]) <= self.now():
                self._reverse_approval(order)

    def _reverse_approval(self, order: Object) -> None:
        order["status"] = "PAYER_ACTION_REQUIRED"
        about = {"order_id": order["id"], "purchase_units": self.shown(order)["purchase_units"]}
        self._tell("CHECKOUT.PAYMENT-APPROVAL.REVERSED", about)

    @knob
    def reverse_approval(self, order: str) -> None:
        """The payer agreed, and PayPal no longer believes it."""
        found = self.known("orders", order)
        if found["status"] != "APPROVED":
            raise Problem("ORDER_NOT_APPROVED")
        self._reverse_approval(found)

    # ---- Taking the money

    def _capture(self, order: Object) -> Object:
        if order["status"] == "COMPLETED":
            raise Problem("ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            raise Problem("ORDER_NOT_APPROVED", links=_again(order))
        how, self.state["next"] = self.state["next"] or "COMPLETED", ""
        if how not in ("COMPLETED", "PENDING", "DECLINED"):
            order["status"] = "PAYER_ACTION_REQUIRED"  # the payer may choose another way and agree again
            raise Problem(how, links=_again(order))
        made = self.put("captures", objects.capture(order, how, self.now(), self.url))
        order |= {"status": "COMPLETED", "update_time": objects.stamp(self.now())}
        if how == "COMPLETED":
            self.book(made["id"], "T0006", made["amount"], made)
        self._tell(f"PAYMENT.CAPTURE.{how}", self.shown(made))
        return order

    @knob
    def next_capture(self, how: str) -> None:
        """How the next capture ends: PENDING, DECLINED, or refused with an issue such as INSTRUMENT_DECLINED."""
        self.state["next"] = how

    @knob
    def decline_next(self) -> None:
        """The next capture is refused, and the payer may agree again with another card."""
        self.state["next"] = "INSTRUMENT_DECLINED"

    @knob
    def pend_next(self) -> None:
        """The next capture takes days."""
        self.state["next"] = "PENDING"

    def _waiting(self, capture: str) -> Object:
        found = self.known("captures", capture)
        if found["status"] != "PENDING":
            raise Problem("CAPTURE_NOT_PENDING")
        return found

    @knob
    def complete(self, capture: str) -> Object:
        """Money that was pending has come."""
        found = self._waiting(capture)
        del found["status_details"]
        found |= {"status": "COMPLETED", **self.changed(), **objects.receivable(found["amount"])}
        self.book(capture, "T0006", found["amount"], found)
        self._tell("PAYMENT.CAPTURE.COMPLETED", self.shown(found))
        return found

    @knob
    def deny(self, capture: str) -> Object:
        """Money that was pending will not come. The capture's own word for it is another than the event's."""
        found = self._waiting(capture)
        del found["status_details"]
        found |= {"status": "DECLINED", **self.changed()}
        self._tell("PAYMENT.CAPTURE.DENIED", self.shown(found))
        return found

    # ---- What goes wrong

    @knob
    def revoke_tokens(self) -> None:
        """Every token that was given out is refused from now on."""
        self.state["tokens"] = {}

    @knob
    def odd_bytes(self, on: bool = True) -> None:
        """Write events in another legal form from now on."""
        self.state["odd"] = on

    @knob
    def replay(self, event: str = "", new_id: bool = False) -> Object:
        """An event, or the last one, once more; or the same fact under another name."""
        again = self._event(event)
        if new_id:
            again["id"] = objects.name("WH-")
            self.put("events", again)
        self._post(again, self._proof)
        return again

    @knob
    def forge(self, event: str = "") -> Object:
        """An event, or the last one, proved by somebody who has a webhook of their own."""
        again = self._event(event)
        self._post(again, lambda body, at: self._proof(body, at, "somebody-else"))
        return again

    def _event(self, event: str) -> Object:
        return deepcopy(self.known("events", event or next(reversed(self.state["events"]), "")))


def _agreed(order: Object) -> str:
    return _with(order["_page"]["return_url"], f"token={order['id']}&PayerID={PAYER['payer_id']}")


def _with(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _source() -> Object:
    """How the payer pays: with the account they agreed with."""
    account = {"account_id": PAYER["payer_id"], "account_status": "VERIFIED"}
    return {"paypal": {**account, "name": deepcopy(PAYER["name"]), "email_address": PAYER["email_address"]}}


def _again(order: Object) -> list[Object]:
    """Where the payer may agree once more."""
    href = next(link["href"] for link in order["links"] if link["rel"] in ("payer-action", "approve"))
    return [objects.link(href, "redirect", "GET")]
