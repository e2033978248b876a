"""Cards, on Stripe's hosted Checkout page: no card number ever reaches us, and no script of theirs our pages.

Every attempt is one Checkout Session, made under the attempt's own key. What anybody says about it afterwards leads to
`fetch`, which reads the session, its charge, and whatever refunds and disputes came after.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from payments.gateways import deadline, stripe_answers
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
)

logger = logging.getLogger(__name__)
stripe.enable_telemetry = False  # it would write into the home folder and tell Stripe of this machine

RETRIES = 2
PAGE = 100
BODY_LIMIT = 256 * 1024
PATIENCE = timedelta(minutes=5)  # how old, and how far ahead of our clock, a signature may be
LONGEST_OPEN = timedelta(hours=24)  # Stripe lets no page be open for longer
SIGNATURE = re.compile(r"t=(\d{1,12})(?:,\w{1,10}=\w{1,200}){1,20}", re.ASCII)
WITH_CHARGE = ["payment_intent.latest_charge"]
# An answer that says no. All others, and none at all, leave open whether anything happened.
REFUSALS = (
    stripe.CardError,
    stripe.InvalidRequestError,
    stripe.AuthenticationError,
    stripe.PermissionError,
    stripe.IdempotencyError,
)
STRANGE = (LookupError, TypeError, ValueError, AttributeError)


class StripeGateway:
    name = "stripe"
    label = "Credit or debit card"
    hint = "You pay on a page of Stripe, our card processor, and come back here."
    account = ""  # a key belongs to one account, and so does everything it can see

    def __init__(self) -> None:
        key = settings.STRIPE_SECRET_KEY
        self.livemode = key.startswith(("sk_live_", "rk_live_"))
        self.api = _client(key, settings.STRIPE_API_URL, settings.PAYMENT_TIMEOUT_SECONDS).v1

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        with _asking("open"):
            session = self._session(checkout.ref("session")) if checkout.ref("session") else self._new_session(checkout)
            if not session["url"]:
                raise Unavailable("the page is not open any more")
            expires_at = datetime.fromtimestamp(session["expires_at"], UTC)
            return Redirect(Ref("session", session["id"]), session["url"], expires_at)

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        with _asking("fetch"):
            ref = checkout.ref("session") or self._find(checkout)
            if not ref:
                return Facts(Standing.NOTHING, at)
            session = self._session(ref)
            charge = stripe_answers.charge_of(session)
            return stripe_answers.session_facts(session, *self._afterwards(charge), at)

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        """Nothing to do: Stripe takes the money when the payer presses Pay."""
        return self.fetch(checkout, at=at)

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        with _asking("close"):
            ref = checkout.ref("session") or self._find(checkout)
            try:
                if ref:
                    self.api.checkout.sessions.expire(ref)
            except stripe.InvalidRequestError:
                logger.info("stripe: close: the page was not open any more")
        return self.fetch(checkout, at=at)

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        with _asking("refund"):
            # Stripe forgets a key after a day. What it gave back under it, it remembers.
            refunds = self._refunds(back.charge_ref)
            if not any(refund["metadata"].get("key") == back.key for refund in refunds):
                about = {"attempt_id": str(checkout.attempt_id), "key": back.key}
                params: Any = {"charge": back.charge_ref, "amount": back.amount.minor, "metadata": about}
                self.api.refunds.create(params, {"idempotency_key": back.key})
        try:
            return self.fetch(checkout, at=at)
        except Rejected as error:
            raise Unavailable("given back, but not read") from error

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        try:
            return stripe_answers.inbound(_verified(body, headers, at), self.livemode)
        except BadSignature:
            raise
        except Exception as error:  # the client raises many things at what a stranger may send
            raise BadSignature(type(error).__name__) from None

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        """The charge behind every movement of the balance since then, newest first; once for each movement."""
        with _asking("recent"):
            params: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": ["data.source"]}
            for movement in self.api.balance_transactions.list(params).auto_paging_iter():
                source = movement.to_dict()["source"]
                facts = self._moved(source, at) if stripe_answers.charge_behind(source) else None
                if facts:
                    yield facts

    # ---- Asking

    def _new_session(self, checkout: Checkout) -> dict[str, Any]:
        """Every parameter comes from the frozen checkout: under one key they may never differ."""
        about = {"attempt_id": str(checkout.attempt_id)}
        product = {"name": checkout.description}
        price = {"currency": checkout.amount.currency.lower(), "unit_amount": checkout.amount.minor}
        params: Any = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "adaptive_pricing": {"enabled": False},  # the fee is in dollars wherever the payer sits
            "line_items": [{"quantity": 1, "price_data": {**price, "product_data": product}}],
            "customer_email": checkout.email,
            "client_reference_id": str(checkout.attempt_id),
            "metadata": about,
            # Charges, refunds and disputes know nothing of a session's metadata.
            "payment_intent_data": {
                "capture_method": "automatic",
                "description": checkout.description,
                "metadata": about,
            },
            "success_url": f"{checkout.return_url}?session={{CHECKOUT_SESSION_ID}}",
            "cancel_url": checkout.return_url,
            "expires_at": int(checkout.expires_at.timestamp()),
        }
        return self.api.checkout.sessions.create(params, {"idempotency_key": checkout.key}).to_dict()

    def _session(self, ref: str) -> dict[str, Any]:
        return self.api.checkout.sessions.retrieve(ref, {"expand": WITH_CHARGE}).to_dict()

    def _find(self, checkout: Checkout) -> str:
        """The session whose name never reached us; "" where there is none. Asking does not make one."""
        earliest = checkout.expires_at - LONGEST_OPEN
        params: Any = {"created": {"gte": int(earliest.timestamp())}, "limit": PAGE}
        for session in self.api.checkout.sessions.list(params).auto_paging_iter():
            if session.client_reference_id == str(checkout.attempt_id):
                return session.id
        return ""

    def _moved(self, source: dict[str, Any], at: datetime) -> Facts | None:
        """The charge behind a movement: its source, or what the refund or dispute that is its source is about.

        None for one that cannot be read (money of a currency we do not know): the others are still told.
        """
        ref, is_charge = stripe_answers.charge_behind(source), source["object"] == "charge"
        charge = source if is_charge else self.api.charges.retrieve(ref).to_dict()
        # Mostly a charge is all there is. What came after it is a movement of its own and found as such.
        is_all = is_charge and not charge["amount_refunded"] and not charge["disputed"]
        try:
            return stripe_answers.charge_facts(charge, *self._afterwards(None if is_all else charge), at)
        except STRANGE as error:
            logger.error("stripe: charge %s not understood: %s", ref, type(error).__name__)
            return None

    def _afterwards(self, charge: dict[str, Any] | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The refunds and the disputes of a charge."""
        if charge is None:
            return [], []
        disputed: Any = {"charge": charge["id"], "limit": PAGE}
        disputes = self.api.disputes.list(disputed).auto_paging_iter() if charge["disputed"] else []
        return self._refunds(charge["id"]), [dispute.to_dict() for dispute in disputes]

    def _refunds(self, charge: str) -> list[dict[str, Any]]:
        params: Any = {"charge": charge, "limit": PAGE, "expand": ["data.failure_balance_transaction"]}
        return [refund.to_dict() for refund in self.api.refunds.list(params).auto_paging_iter()]


class _PatientClient(stripe.RequestsClient):
    """Waits so many seconds for a whole answer."""

    def __init__(self, seconds: int) -> None:
        super().__init__(timeout=seconds)
        self.seconds = seconds

    def request(  # type: ignore[override]  # as the client it inherits from has it
        self, method: str, url: str, headers: Any, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        until = deadline.after(self.seconds)
        answer, status, answered = self.request_stream(method, url, headers, post_data)
        try:
            return deadline.read(answer, until), status, answered
        except deadline.TooSlow as error:
            raise stripe.APIConnectionError("no whole answer in time") from error  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4)
def _client(key: str, url: str, seconds: int) -> stripe.StripeClient:
    """One client for everybody who asks the same place: it keeps connections open."""
    everywhere: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), url) if url else None
    return stripe.StripeClient(
        key,
        stripe_version=stripe_answers.VERSION,
        base_addresses=everywhere,
        max_network_retries=RETRIES,
        http_client=_PatientClient(seconds),
    )


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """What goes wrong between us and Stripe, in the gateway's words. Never its text: that may hold a key or a name."""
    try:
        yield
    except REFUSALS as error:
        logger.warning("stripe: %s: refused: %s", what, type(error).__name__)
        raise Rejected(type(error).__name__) from None
    except stripe.StripeError as error:
        logger.warning("stripe: %s: no answer: %s", what, type(error).__name__)
        raise Unavailable(type(error).__name__) from None
    except STRANGE as error:
        logger.error("stripe: %s: answer not understood: %s", what, type(error).__name__)
        raise Unavailable(type(error).__name__) from None


def _verified(body: bytes, headers: Mapping[str, str], at: datetime) -> Any:
    """The JSON of a delivery that was signed with our secret, lately."""
    header = next((text for name, text in headers.items() if name.lower() == "stripe-signature"), "")
    signature = SIGNATURE.fullmatch(header)
    if signature is None or len(body) > BODY_LIMIT:
        raise BadSignature("no signature, or too much of a body")
    # Without a tolerance: that one is by the wall clock, and ours is the one the request came with.
    stripe.WebhookSignature.verify_header(body, header, settings.STRIPE_WEBHOOK_SECRET)
    if abs(at - datetime.fromtimestamp(int(signature[1]), UTC)) > PATIENCE:
        raise BadSignature("signed too long ago, or in the future")
    return json.loads(body)
