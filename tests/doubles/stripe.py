"""A stand-in for Stripe: hosted Checkout, payments, refunds, disputes, events, and a page on which nobody really pays.

It encodes our reading of Stripe's documentation, no more: what it refuses, the real one refuses, as far as we know.
Tests hold it against the official client. Everything it knows is in `state`, as JSON values.

Knobs, as methods and over HTTP (POST `/_ctl/<name>`, arguments as a JSON object), besides those of `Double`: what the
payer does (`pay`, `decline`, `cancel`, `submit` and `confirm` for money that takes days), what the dashboard does
(`refund`, `finish_refund`, `fail_refund`), what the payer's bank does (`dispute`, `escalate`, `close_dispute`), and
what goes wrong (`crash`, `resend`, `forge`).
"""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from stripe import WebhookSignature

from tests.doubles import stripe_forms as forms
from tests.doubles import stripe_objects as objects
from tests.doubles import stripe_page
from tests.doubles.server import Answer, Asked
from tests.doubles.stripe_api import StripeApi
from tests.doubles.stripe_forms import Problem

DISPUTE_FEE = 1500
KNOBS: set[str] = set()


def knob(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Something people or banks do: under the lock, after what was due by now, kept, and callable over HTTP."""
    KNOBS.add(turn.__name__)

    @wraps(turn)
    def turned(self: "StripeDouble", *args: Any, **said: Any) -> Any:
        with self.lock:
            self.expire_due()
            made = turn(self, *args, **said)
            self.save()
            return made

    return turned


class StripeDouble(StripeApi):
    """`portal` is where webhooks go: `<portal>/webhooks/stripe/`. Without it events are only remembered."""

    WEBHOOK_SECRET = "whsec_practice_secret_no_money"

    def __init__(self, port: int = 0, *, portal: str = "", **double: Any) -> None:
        super().__init__(port, **double)
        self.hook = f"{portal.rstrip('/')}/webhooks/stripe/" if portal else ""

    # ---- What it is asked

    def answer(self, asked: Asked) -> Answer:
        self.expire_due()
        return self._page(asked) if asked.path.startswith("/c/pay/") else super().answer(asked)

    def post(self, kind: str, ref: str, action: str, params: dict[str, Any]) -> dict[str, Any] | None:
        match (kind, bool(ref), action):
            case ("sessions", False, ""):
                return self.put("sessions", objects.session(params, self.now(), self.url))
            case ("sessions", True, "expire"):
                return self._expire_by_hand(ref)
            case ("refunds", False, ""):
                return self._give_back(params)
        return None

    def control(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/_ctl/")
        if name not in KNOBS:
            return super().control(asked)
        try:
            return Answer.json(getattr(self, name)(**asked.json()))
        except Problem as problem:
            return problem.answer

    # ---- Events

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """What has happened so far, oldest first."""
        return [deepcopy(each) for each in self.state["events"].values() if kind in ("", each["type"])]

    def signed(self, event: Any, *, secret: str = "", at: datetime | None = None) -> tuple[bytes, dict[str, str]]:
        """Body and headers as they would be delivered."""
        body = json.dumps(event).encode()
        return body, self._signature(body, at or self.now(), secret)

    def _signature(self, body: bytes, at: datetime, secret: str = "") -> dict[str, str]:
        header = WebhookSignature.generate_signature_header(
            body.decode(), secret or self.WEBHOOK_SECRET, int(at.timestamp())
        )
        return {"Stripe-Signature": header}

    def _tell(self, kind: str, about: dict[str, Any]) -> None:
        event = self.put("events", objects.event(kind, self.shown(about, []), self.now()))
        self.send(self.hook, event, self._signature)

    @knob
    def resend(self, event: str, new_id: bool = False) -> dict[str, Any]:
        """The same event once more, or the same fact under another name."""
        again = deepcopy(self.known("events", event))
        if new_id:
            again["id"] = objects.token("evt_")
            self.put("events", again)
        self.send(self.hook, again, self._signature)
        return again

    @knob
    def forge(self, event: str) -> dict[str, Any]:
        """The same event, signed by somebody who does not know our secret."""
        again = deepcopy(self.known("events", event))
        self.send(self.hook, again, lambda body, at: self._signature(body, at, "whsec_somebody_else"))
        return again

    # ---- The payer

    def _page(self, asked: Asked) -> Answer:
        session = self.state["sessions"].get(asked.path.removeprefix("/c/pay/"))
        if session is None:
            return Answer.html(stripe_page.unknown(), 404)
        decision = asked.form().get("decision") if asked.method == "POST" else None
        if session["status"] != "open" or decision not in ("pay", "decline", "cancel"):
            return Answer.html(stripe_page.page(session))
        if decision == "cancel":
            return Answer.to(self.cancel(session["id"]))
        if decision == "decline":
            self.decline(session["id"])
            return Answer.html(stripe_page.page(session, is_declined=True))
        self.pay(session["id"])
        return Answer.to(_success(session))

    def _open(self, session: str) -> dict[str, Any]:
        found = self.known("sessions", session)
        if found["status"] != "open":
            raise Problem(f"This page is {found['status']}.")
        return found

    def _intent(self, session: dict[str, Any]) -> dict[str, Any]:
        if session["payment_intent"] is None:
            made = self.put("intents", objects.intent(session, self.now()))
            session["payment_intent"] = made["id"]
            self._tell("payment_intent.created", made)
        return self.known("intents", session["payment_intent"])

    def _charge(self, intent: dict[str, Any], status: str, decline: str = "") -> dict[str, Any]:
        made = self.put("charges", objects.charge(intent, status, self.now(), decline))
        intent["latest_charge"] = made["id"]
        return made

    def _complete(self, session: dict[str, Any]) -> None:
        email = session["customer_email"]
        details = {"address": objects.NOBODY, "email": email, "name": None, "phone": None, "tax_exempt": "none"}
        session.update(status="complete", url=None, customer_details={**details, "tax_ids": []})

    def _take(self, intent: dict[str, Any], charge: dict[str, Any]) -> None:
        """The money is ours."""
        amount = intent["amount"]
        charge.update(status="succeeded", paid=True, captured=True, amount_captured=amount)
        fee = (amount * 29 + 500) // 1000 + 30
        charge["balance_transaction"] = self._moved("charge", "charge", amount, fee, charge)["id"]
        intent.update(status="succeeded", amount_received=amount, last_payment_error=None)
        self._tell("charge.succeeded", charge)
        self._tell("payment_intent.succeeded", intent)

    def _refuse(self, intent: dict[str, Any], charge: dict[str, Any], code: str) -> None:
        error = objects.payment_error(charge["id"], code)
        charge.update(status="failed", failure_code=error["code"], failure_message=error["message"])
        intent.update(status="requires_payment_method", last_payment_error=error)
        self._tell("charge.failed", charge)
        self._tell("payment_intent.payment_failed", intent)

    def _moved(self, kind: str, category: str, amount: int, fee: int, source: dict[str, Any]) -> dict[str, Any]:
        return self.put("transactions", objects.transaction(kind, category, amount, fee, source, self.now()))

    @knob
    def pay(self, session: str) -> dict[str, Any]:
        """The payer presses Pay and the bank agrees; the charge."""
        opened = self._open(session)
        intent = self._intent(opened)
        charge = self._charge(intent, "succeeded")
        self._take(intent, charge)
        self._complete(opened)
        opened["payment_status"] = "paid"
        self._tell("checkout.session.completed", opened)
        return charge

    @knob
    def decline(self, session: str, code: str = "generic_decline") -> dict[str, Any]:
        """The payer presses Pay and the bank refuses; the page stays open. The charge that failed."""
        intent = self._intent(self._open(session))
        charge = self._charge(intent, "failed", code)
        self._refuse(intent, charge, code)
        return charge

    @knob
    def cancel(self, session: str) -> str:
        """The payer goes back, which Stripe does not note anywhere; the address they go to."""
        opened = self._open(session)
        return opened["cancel_url"] or _success(opened)

    @knob
    def submit(self, session: str) -> dict[str, Any]:
        """The payer is done and the money takes days; the charge that waits."""
        opened = self._open(session)
        intent = self._intent(opened)
        intent["status"] = "processing"
        charge = self._charge(intent, "pending")
        self._tell("payment_intent.processing", intent)
        self._complete(opened)
        self._tell("checkout.session.completed", opened)
        return charge

    @knob
    def confirm(self, session: str, code: str = "") -> dict[str, Any]:
        """The days are over: the money is here, or it was refused with a code. The charge."""
        waited = self.known("sessions", session)
        intent = self.known("intents", waited["payment_intent"])
        charge = self.known("charges", intent["latest_charge"])
        if code:
            self._refuse(intent, charge, code)
        else:
            self._take(intent, charge)
            waited["payment_status"] = "paid"
        self._tell(f"checkout.session.async_payment_{'failed' if code else 'succeeded'}", waited)
        return charge

    # ---- The end of a page

    def expire_due(self) -> None:
        now = self.now().timestamp()
        for session in self.state["sessions"].values():
            if session["status"] == "open" and session["expires_at"] <= now:
                self._expire(session)

    def _expire(self, session: dict[str, Any]) -> dict[str, Any]:
        session.update(status="expired", url=None)
        self._tell("checkout.session.expired", session)
        return session

    def _expire_by_hand(self, ref: str) -> dict[str, Any]:
        session = self.known("sessions", ref)
        if session["status"] != "open":
            raise Problem("Only an open Checkout Session can be expired.", is_kept=True)
        return self._expire(session)

    # ---- Money that goes back

    def _give_back(self, params: dict[str, Any], *, waits: bool = False) -> dict[str, Any]:
        forms.only(params, forms.REFUND_PARAMS)
        if "charge" not in params and "payment_intent" not in params:
            raise Problem("One of charge and payment_intent is required.", code="parameter_missing", param="charge")
        ref = params.get("charge") or self.known("intents", params["payment_intent"])["latest_charge"]
        charge = self.known("charges", ref)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = forms.whole(params, "amount") if "amount" in params else left
        if left <= 0:
            raise Problem("The charge has already been refunded.", code="charge_already_refunded", is_kept=True)
        if not 0 < amount <= left:
            raise Problem("The amount is not between 1 and what is left.", param="amount", is_kept=True)
        if any(each["charge"] == ref and each["status"] == "lost" for each in self.state["disputes"].values()):
            raise Problem("The charge was charged back.", code="charge_disputed", is_kept=True)
        refund = self.put("refunds", objects.refund(charge, amount, params, self.now()))
        if not waits:
            self._send_back(refund)
        self._tell("refund.created", refund)
        return refund

    def _send_back(self, refund: dict[str, Any]) -> None:
        charge, amount = self.known("charges", refund["charge"]), refund["amount"]
        refund["balance_transaction"] = self._moved("refund", "refund", -amount, 0, refund)["id"]
        refund["status"] = "succeeded"
        self._count_back(charge, amount)
        self._tell("charge.refunded", charge)

    def _count_back(self, charge: dict[str, Any], amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]

    @knob
    def refund(self, charge: str, amount: int | None = None, waits: bool = False) -> dict[str, Any]:
        """Somebody gives money back in the dashboard; all that is left unless they say how much."""
        params: dict[str, Any] = {"charge": charge, "reason": "requested_by_customer"}
        params |= {"amount": str(amount)} if amount else {}
        return self._give_back(params, waits=waits)

    @knob
    def finish_refund(self, refund: str) -> dict[str, Any]:
        """A refund that waited leaves."""
        found = self.known("refunds", refund)
        self._send_back(found)
        self._tell("refund.updated", found)
        return found

    @knob
    def fail_refund(self, refund: str, reason: str = "lost_or_stolen_card") -> dict[str, Any]:
        """The payer's bank does not take the money: it comes back to us."""
        found = self.known("refunds", refund)
        if found["balance_transaction"]:
            back = self._moved("refund_failure", "refund_failure", found["amount"], 0, found)
            found["failure_balance_transaction"] = back["id"]
            self._count_back(self.known("charges", found["charge"]), -found["amount"])
        found.update(status="failed", failure_reason=reason)
        for kind in ("refund.failed", "refund.updated", "charge.refund.updated"):
            self._tell(kind, found)
        return found

    # ---- The payer's bank

    @knob
    def dispute(
        self, charge: str, amount: int | None = None, reason: str = "fraudulent", withdrawn: bool = True, days: int = 9
    ) -> dict[str, Any]:
        """The bank questions a charge, and mostly takes the money at once; an inquiry leaves it where it is."""
        found = self.known("charges", charge)
        answer_by = self.now() + timedelta(days=days)
        made = objects.dispute(found, amount or found["amount"], reason, self.now(), answer_by)
        self.put("disputes", made)
        found["disputed"] = True
        made["status"] = "needs_response" if withdrawn else "warning_needs_response"
        self._tell("charge.dispute.created", made)
        if withdrawn:
            self._withdraw(made)
        return made

    def _withdraw(self, dispute: dict[str, Any]) -> None:
        dispute["balance_transactions"].append(
            self._moved("adjustment", "dispute", -dispute["amount"], DISPUTE_FEE, dispute)
        )
        dispute["is_charge_refundable"] = False
        self._tell("charge.dispute.funds_withdrawn", dispute)

    @knob
    def escalate(self, dispute: str) -> dict[str, Any]:
        """An inquiry becomes a dispute, and the money goes."""
        found = self.known("disputes", dispute)
        found["status"] = "needs_response"
        self._withdraw(found)
        self._tell("charge.dispute.updated", found)
        return found

    @knob
    def close_dispute(self, dispute: str, won: bool) -> dict[str, Any]:
        """The bank decides. What it took comes back when we won."""
        found = self.known("disputes", dispute)
        if found["status"].startswith("warning"):
            found["status"] = "warning_closed"
        else:
            found["status"] = "won" if won else "lost"
        if won and found["balance_transactions"]:
            back = self._moved("adjustment", "dispute_reversal", found["amount"], -DISPUTE_FEE, found)
            found["balance_transactions"].append(back)
            self._tell("charge.dispute.funds_reinstated", found)
        self._tell("charge.dispute.closed", found)
        return found

    # ---- What goes wrong

    @knob
    def crash(self, on: str, acts: bool = False) -> None:
        """The next POST that begins so answers 500, which is kept with its key. `acts`: after doing its work."""
        self.state["crashes"].append({"on": on, "acts": acts})


def _success(session: dict[str, Any]) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
