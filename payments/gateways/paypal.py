"""PayPal, by redirect: the payer agrees on PayPal's page, and we take the money when we know that we want it.

Every attempt is one order of Orders v2, made under the attempt's own key. That the payer agreed moves nothing: only our
`finalize` does. So an order for a fee that was paid another way meanwhile is simply never captured.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings

from payments.gateways import paypal_answers, paypal_events, paypal_movements
from payments.gateways.base import (
    BadSignature,
    Checkout,
    Facts,
    InboundEvent,
    Redirect,
    Ref,
    Rejected,
    Return,
    Standing,
    Unavailable,
    VerifierUnavailable,
)
from payments.gateways.paypal_transport import PayPalApi, Refusal, RestPayPal

logger = logging.getLogger(__name__)
Object = dict[str, Any]

BODY_LIMIT = 256 * 1024
LONGEST_PROOF = 2000
# PayPal delivers again for three days, and may keep the time of its first try. No clock is five minutes fast.
OLDEST, AHEAD = timedelta(days=4), timedelta(minutes=5)
# What PayPal proves a delivery with, as it sends it and as it wants to be asked about it.
PROOFS = {
    "paypal-transmission-id": "transmission_id",
    "paypal-transmission-time": "transmission_time",
    "paypal-transmission-sig": "transmission_sig",
    "paypal-cert-url": "cert_url",
    "paypal-auth-algo": "auth_algo",
}
CERTIFICATE = re.compile(r"https://([a-z0-9-]{1,60}\.){1,5}paypal\.com/[\w./-]{1,300}", re.ASCII)
STRANGE = (LookupError, TypeError, ValueError, AttributeError)


class PayPalGateway:
    name = "paypal"
    label = "PayPal"
    hint = "You agree to the payment on PayPal's page and come back here."

    def __init__(self) -> None:
        self.livemode = settings.PAYPAL_API_URL == settings.PAYPAL_LIVE_URL
        self.account = settings.PAYPAL_MERCHANT_ID
        self.api: PayPalApi = _client(
            settings.PAYPAL_API_URL,
            settings.PAYPAL_CLIENT_ID,
            settings.PAYPAL_CLIENT_SECRET,
            settings.PAYMENT_TIMEOUT_SECONDS,
        )

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        with _asking("open"):
            ref = checkout.ref("order")
            order = self.api.get(ref) if ref else self.api.create(paypal_answers.order_of(checkout), checkout.key)
            url = paypal_answers.approve_link(order)
            if not url:
                raise Unavailable("the page is not open any more")
            return Redirect(Ref("order", order["id"]), url, checkout.expires_at)

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        with _asking("fetch"):
            order = self._order(checkout, at)
            # PayPal's own page is open for hours. We are done with it when the attempt ends: nothing is captured then.
            facts = Facts(Standing.NOTHING, at) if order is None else self._facts(order, at)
            is_over = facts.status == Standing.OPEN and at >= checkout.expires_at
            return replace(facts, status=Standing.EXPIRED) if is_over else facts

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        """Take the money, if the payer agreed to exactly what this attempt is for."""
        facts = self.fetch(checkout, at=at)
        says, ours = (facts.attempt_id, facts.amount), (checkout.attempt_id, checkout.amount)
        if facts.status != Standing.APPROVED or says != ours or facts.account != self.account:
            return facts
        with _asking("finalize"):
            try:
                # The key is the attempt's, so that asking again after a lost answer takes nothing twice. Where PayPal
                # has forgotten it, the look above and ORDER_ALREADY_CAPTURED stand in for it.
                self.api.capture(_order_id(facts), f"capture-{checkout.key}")
            except Refusal as refusal:
                if refusal.issue in paypal_answers.PROBLEMS:
                    # The attempt ends here. The payer begins another one, with a key that PayPal has no answer to yet.
                    return replace(facts, status=Standing.FAILED, problem=paypal_answers.PROBLEMS[refusal.issue])
                if refusal.issue != "ORDER_ALREADY_CAPTURED":
                    raise
        return self._read(checkout, at)

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        """Nothing but a look: v2 orders cannot be voided, and one that we do not capture takes no money."""
        facts = self.fetch(checkout, at=at)
        is_unpaid = facts.status in (Standing.OPEN, Standing.APPROVED)
        return replace(facts, status=Standing.CLOSED) if is_unpaid else facts

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        with _asking("refund"):
            # PayPal forgets a key after 45 days. What it gave back under it, the order remembers.
            order = self._order(checkout, at)
            if order is None:
                raise Rejected("no such order")
            if back.key not in paypal_answers.refund_keys(order):
                self.api.refund(back.charge_ref, paypal_answers.refund_of(checkout, back), back.key)
        return self._read(checkout, at)

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        """The event in a delivery; PayPal itself says whether it is one of its own."""
        try:
            proof, event = _proof(headers, at), _json(body)
        except BadSignature:
            raise
        except (*STRANGE, RecursionError) as error:
            raise BadSignature(type(error).__name__) from None
        self._verify(proof, body)
        try:
            return paypal_events.inbound(event)
        except STRANGE as error:
            raise BadSignature(type(error).__name__) from None

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        """The payment behind every movement of the account since then; once for each movement."""
        with _asking("recent"):
            for movement in self.api.transactions(since, at):
                facts = self._moved(movement["transaction_info"], at)
                if facts:
                    yield facts

    # ---- Asking

    def _read(self, checkout: Checkout, at: datetime) -> Facts:
        """The facts after money moved: whatever goes wrong now, it is no "nothing happened"."""
        try:
            return self.fetch(checkout, at=at)
        except Rejected as error:
            raise Unavailable("done, but not read") from error

    def _order(self, checkout: Checkout, at: datetime) -> Object | None:
        """The order of an attempt; None where there is none that could have moved money.

        PayPal cannot be asked for an order by our own name. It need not be: the payer is sent to the page only after
        the order's name was stored, so an order whose name never reached us is one that nobody can have agreed to.
        And one that nobody agreed to in its time PayPal forgets.
        """
        ref, capture = checkout.ref("order"), checkout.ref("capture")
        if not ref and capture:
            ref = self._order_behind(capture)
        if not ref:
            return None
        try:
            return self.api.get(ref)
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            if capture or at < checkout.expires_at:
                raise Unavailable("no such order") from None
            return None

    def _order_behind(self, capture: str) -> str:
        return str(self.api.get_capture(capture)["supplementary_data"]["related_ids"]["order_id"])

    def _facts(self, order: Object, at: datetime) -> Facts:
        disputes = [each for charge in paypal_answers.charges_of(order) for each in self._disputes(charge["id"])]
        return self._ours(paypal_answers.order_facts(order, disputes, at))

    def _disputes(self, capture: str) -> list[Object]:
        try:
            return list(self.api.disputes(capture))
        except Refusal as refusal:
            if refusal.status != 403:
                raise
            # A payment is a payment, also where nobody switched the app's feature on.
            logger.error("paypal: disputes cannot be read: switch on 'Customer disputes' in the app's features")
            return []

    def _ours(self, facts: Facts) -> Facts:
        return replace(facts, livemode=self.livemode, account=facts.account if self.account else "")

    def _moved(self, movement: Object, at: datetime) -> Facts | None:
        """The payment behind a movement. None for one that cannot be read: the others are still told."""
        try:
            capture = paypal_movements.capture_behind(movement)
            if not capture or not paypal_movements.has_moved(movement):
                return None
            order = None if paypal_movements.is_all(movement) else self._order_of_capture(capture)
            facts = paypal_movements.movement_facts(movement, at) if order is None else self._facts(order, at)
        except STRANGE as error:
            logger.error("paypal: a movement was not understood: %s", type(error).__name__)
            return None
        # What is in the account's own list came to this account.
        return replace(facts, livemode=self.livemode, account=self.account)

    def _order_of_capture(self, capture: str) -> Object | None:
        """None where the money did not come through an order: somebody paid by another of PayPal's ways."""
        try:
            return self.api.get(self._order_behind(capture))
        except Refusal as refusal:
            if refusal.status != 404:
                raise
        except KeyError:
            pass
        return None

    def _verify(self, proof: dict[str, str], body: bytes) -> None:
        asked = {**proof, "webhook_id": settings.PAYPAL_WEBHOOK_ID}
        try:
            with _asking("verify"):
                status = self.api.verify(asked, body)
        except Refusal as refusal:
            # Headers that PayPal cannot read are not its own; that it does not take our name is our own trouble.
            if refusal.status in (400, 422):
                raise BadSignature(refusal.issue) from None
            raise VerifierUnavailable(str(refusal)) from None
        except Unavailable as error:
            raise VerifierUnavailable(str(error)) from None
        if status != "SUCCESS":
            raise BadSignature("PayPal does not know it")


@lru_cache(maxsize=4)
def _client(url: str, client_id: str, secret: str, seconds: int) -> RestPayPal:
    """One client for everybody who asks the same place: it keeps the token."""
    return RestPayPal(url, client_id, secret, seconds)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """What goes wrong between us and PayPal, in the gateway's words. Never its text: that may hold a name."""
    try:
        yield
    except Refusal as refusal:
        logger.warning("paypal: %s: refused: %s", what, refusal)
        raise
    except Unavailable as error:
        logger.warning("paypal: %s: no answer: %s", what, error)
        raise
    except STRANGE as error:
        logger.error("paypal: %s: answer not understood: %s", what, type(error).__name__)
        raise Unavailable(type(error).__name__) from None


def _order_id(facts: Facts) -> str:
    return next(named.ref for named in facts.refs if named.kind == "order")


def _proof(headers: Mapping[str, str], at: datetime) -> dict[str, str]:
    """What the headers say, in the words in which PayPal is asked. BadSignature or ValueError where it cannot be so."""
    lower = {name.lower(): text for name, text in headers.items()}
    proof = {asked: lower.get(name, "") for name, asked in PROOFS.items()}
    if not settings.PAYPAL_WEBHOOK_ID or not all(_is_proof(text) for text in proof.values()):
        raise BadSignature("no proof")
    # Whoever verifies fetches the certificate from there.
    if not CERTIFICATE.fullmatch(proof["cert_url"]):
        raise BadSignature("a certificate from elsewhere")
    if not -AHEAD <= at - datetime.fromisoformat(proof["transmission_time"]) <= OLDEST:
        raise BadSignature("sent too long ago, or in the future")
    return proof


def _is_proof(text: str) -> bool:
    return text.isascii() and text.isprintable() and 0 < len(text) <= LONGEST_PROOF


def _json(body: bytes) -> Object:
    if len(body) > BODY_LIMIT:
        raise BadSignature("too much of a body")
    event = json.loads(body.decode(), parse_constant=_no_number)
    if not isinstance(event, dict):
        raise BadSignature("not an object")
    return event


def _no_number(text: str) -> Any:
    """Python reads NaN and Infinity. They are no JSON."""
    raise ValueError(text)
