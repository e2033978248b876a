"""What PayPal's webhooks speak of. Nothing in them is believed: they say which attempt is worth asking about."""

import re
from collections.abc import Iterator
from typing import Any

from payments.gateways.base import InboundEvent, Ref
from payments.gateways.names import attempt_id, is_name
from payments.gateways.paypal_answers import Object, instant

EVENTS = {
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.DECLINED",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
}
CAPTURE_LINK = re.compile(r".*/v2/payments/captures/([A-Z0-9]{1,40})", re.ASCII)


def inbound(event: Object) -> InboundEvent:
    """A delivery that PayPal knows as its own. ValueError where it is not an event."""
    kind, about = event["event_type"], event["resource"]
    if not (is_name(event["id"]) and is_name(kind)):
        raise ValueError("not an event")
    return InboundEvent(
        provider="paypal",
        event_id=event["id"],
        type=kind,
        attempt_id=attempt_id(_custom(about)),
        refs=tuple(Ref(named, ref) for named, ref in _named(kind, about) if is_name(ref)),
        occurred_at=instant(event["create_time"]),
        is_relevant=kind in EVENTS,
    )


def _custom(about: Object) -> Any:
    """What we named it: an order says so in its unit, a dispute in the transactions it is about."""
    unit, disputed = (about.get("purchase_units") or [{}])[0], (about.get("disputed_transactions") or [{}])[0]
    return about.get("custom_id") or unit.get("custom_id") or disputed.get("custom")


def _named(kind: str, about: Object) -> Iterator[tuple[str, Any]]:
    """The names in an event, by what it is about. A refund names its capture in a link only."""
    related = (about.get("supplementary_data") or {}).get("related_ids") or {}
    if kind.startswith("CHECKOUT."):
        yield "order", about.get("order_id") or about.get("id")
    elif kind.startswith("CUSTOMER.DISPUTE."):
        yield "dispute", about.get("dispute_id")
        yield from (("capture", each.get("seller_transaction_id")) for each in about["disputed_transactions"])
    elif kind.startswith("PAYMENT.CAPTURE."):
        up = [CAPTURE_LINK.fullmatch(str(link.get("href"))) for link in about.get("links") or [] if link["rel"] == "up"]
        yield "order", related.get("order_id")
        yield from (("capture", link[1]) for link in up if link)
        yield "capture", related.get("capture_id")
        if kind not in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"):
            yield "capture", about.get("id")
