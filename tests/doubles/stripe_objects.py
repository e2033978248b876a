"""The shapes in which Stripe answers: plain JSON values with the fields and the nulls its documentation shows.

Our reading of it, and of nothing else: nobody at Stripe has ever seen this.
"""

import secrets
from datetime import datetime
from typing import Any

from tests.doubles import stripe_forms as forms

VERSION = "2026-10-28.endive"
DECLINES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "lost_card": "Your card was declined.",
    "fraudulent": "Your card was declined.",
}
# Decline codes that are error codes of their own, too; all others come under "card_declined".
OWN_CODES = {"expired_card", "incorrect_cvc"}
NOBODY = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def token(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(12)}"


def session(params: dict[str, Any], now: datetime, origin: str) -> dict[str, Any]:
    """A new Checkout Session. What begins with "_" is ours: what the payment will carry, and what the page says."""
    form, ref = forms.checkout(params, now), token("cs_test_a1")
    return {
        "id": ref,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": form["is_adaptive"]},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": form["amount"],
        "amount_total": form["amount"],
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": form["cancel_url"],
        "client_reference_id": form["reference"],
        "client_secret": None,
        "created": int(now.timestamp()),
        "currency": form["currency"],
        "custom_fields": [],
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": None,
        "customer_email": form["email"],
        "expires_at": form["expires_at"],
        "invoice": None,
        "livemode": False,
        "locale": None,
        "metadata": form["metadata"],
        "mode": "payment",
        "payment_intent": None,  # there is none before somebody presses Pay
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": form["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{origin}/c/pay/{ref}",
        "_intent": form["intent"],
        "_description": form["description"],
    }


def intent(session: dict[str, Any], now: datetime) -> dict[str, Any]:
    ref = token("pi_")
    return {
        "id": ref,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{ref}_secret_{secrets.token_hex(6)}",
        "confirmation_method": "automatic",
        "created": int(now.timestamp()),
        "currency": session["currency"],
        "customer": None,
        "description": session["_intent"]["description"],
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": session["_intent"]["metadata"],
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(intent: dict[str, Any], status: str, now: datetime, decline: str = "") -> dict[str, Any]:
    """A try to take the money: "succeeded", "pending" or "failed"."""
    ref, taken = token("ch_"), intent["amount"] if status == "succeeded" else 0
    return {
        "id": ref,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": taken,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": NOBODY, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "ICG CERTIFICATION",
        "captured": status == "succeeded",
        "created": int(now.timestamp()),
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": _code(decline) if decline else None,
        "failure_message": DECLINES.get(decline),
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),  # copied when it is made
        "on_behalf_of": None,
        "outcome": None,
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": None,
        "payment_method_details": None,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def _code(decline: str) -> str:
    return decline if decline in OWN_CODES else "card_declined"


def payment_error(charge: str, decline: str) -> dict[str, Any]:
    return {
        "charge": charge,
        "code": _code(decline),
        "decline_code": decline,
        "doc_url": "",
        "message": DECLINES[decline],
        "type": "card_error",
    }


def refund(charge: dict[str, Any], amount: int, params: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": token("re_"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": int(now.timestamp()),
        "currency": charge["currency"],
        "customer": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": forms.metadata(params),
        "payment_intent": charge["payment_intent"],
        "payment_method": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def dispute(charge: dict[str, Any], amount: int, reason: str, now: datetime, answer_by: datetime) -> dict[str, Any]:
    return {
        "id": token("dp_"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": int(now.timestamp()),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": int(answer_by.timestamp()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},  # its own, which nobody fills
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response",
    }


def transaction(
    kind: str, category: str, amount: int, fee: int, source: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """A movement of the account's balance. `source` is the charge, refund or dispute that caused it."""
    created = int(now.timestamp())
    return {
        "id": token("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source["id"],
        "status": "available",
        "type": kind,
    }


def event(kind: str, about: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": token("evt_"),
        "object": "event",
        "api_version": VERSION,
        "created": int(now.timestamp()),
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
