"""What PayPal's list of everything that moved on the account says of one movement (Transaction Search)."""

from datetime import datetime

from icg_cert.lib.money import Money
from payments.gateways.base import Facts, Ref, Standing, Txn
from payments.gateways.names import attempt_id
from payments.gateways.paypal_answers import Object, instant, money

# Fees that came or went with a refund or a reversal: what the payer paid is not touched by them.
FEES = {"T1108", "T1109", "T1116", "T1118"}


def capture_behind(movement: Object) -> str:
    """The payment that a movement is about; "" for fees, payouts and all the rest."""
    code = movement["transaction_event_code"]
    if code.startswith("T00"):
        return str(movement["transaction_id"]) if money(movement["transaction_amount"]).minor > 0 else ""
    if not code.startswith(("T11", "T12")) or code in FEES:
        return ""
    is_named = movement.get("paypal_reference_id_type") == "TXN"
    return str(movement["paypal_reference_id" if is_named else "transaction_id"])


def has_moved(movement: Object) -> bool:
    """Not pending, and not denied."""
    return movement["transaction_status"] in ("S", "V")


def is_all(movement: Object) -> bool:
    """Whether a payment is all there is, as mostly. What comes after it is a movement of its own and found as such."""
    return movement["transaction_event_code"].startswith("T00") and movement["transaction_status"] == "S"


def movement_facts(movement: Object, at: datetime) -> Facts:
    """A movement of the account by itself: a payment, or what came after one that PayPal's orders know nothing of."""
    amount, begun = money(movement["transaction_amount"]), instant(movement["transaction_initiation_date"])
    return Facts(
        status=Standing.PAID,
        fetched_at=at,
        attempt_id=attempt_id(movement.get("custom_field")),
        amount=amount,
        txns=(Txn(_kind(movement, amount), movement["transaction_id"], amount, begun),),
        refs=(Ref("capture", capture_behind(movement)),),
    )


def _kind(movement: Object, amount: Money) -> str:
    """By its group: T00 payments, T11 reversals and refunds, T12 what disputes moved."""
    if movement["transaction_event_code"].startswith("T00"):
        return "charge"
    if movement["transaction_event_code"] == "T1107":
        return "refund" if amount.minor < 0 else "refund_failed"
    return "dispute_withdrawn" if amount.minor < 0 else "dispute_reinstated"
