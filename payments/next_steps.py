"""What people should do next about money."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse

from candidates.models import Registration
from icg_cert.lib.next_step import NextStep
from payments import permissions
from payments.gateways import registry
from payments.models import PurchaseOrder

Payment = Registration.Payment


def next_step(user: Any, at: datetime) -> NextStep | None:
    """The candidate's own fee first; then, for the office, purchase orders that wait to be checked. Two queries."""
    mine = Registration.objects.filter(permissions.registrations_payable_by(user))
    return among(mine.select_related("cohort"), user, at)


def among(registrations: Iterable[Registration], user: Any, at: datetime) -> NextStep | None:
    """The same, where the person's own registrations are at hand, the newest first."""
    registration = next((each for each in registrations if each.is_standing), None)
    step = _of_candidate(registration, at) if registration else None
    return step or (_of_office() if permissions.may_decide_orders(user) else None)


def _of_candidate(registration: Registration, at: datetime) -> NextStep | None:
    url = reverse("payments:pay", args=[registration.pk])
    waits = {
        Payment.PENDING: (
            "Your payment is being confirmed",
            "Do not pay again. We ask the payment provider every few minutes and e-mail you when we know.",
            "See how it stands",
        ),
        Payment.PO_REQUESTED: (
            "Your purchase order is being checked",
            "We e-mail you when it is accepted and your seat is held, or if something has to be changed.",
            "See your purchase order",
        ),
    }
    if registration.payment_status in waits:
        title, text, action = waits[Payment(registration.payment_status)]
        return NextStep(title, text, url, action, kind="wait")
    if registration.holds_seat or not registration.cohort.window.contains(at):
        return None
    title = f"Pay your certification fee of {registration.fee}"
    text = f"{_ways()}. Your registration is complete once the fee is settled."
    return NextStep(title, text, url, "Choose how to pay", deadline=registration.cohort.registration_closes_at)


def _ways() -> str:
    """ "By card, PayPal, or a purchase order of your district": what is switched on here."""
    words = {"stripe": "card", "paypal": "PayPal"}
    ways = [words[gateway.name] for gateway in registry.switched_on() if gateway.name in words]
    return f"By {''.join(f'{way}, ' for way in ways)}{'or ' if ways else ''}a purchase order of your district"


def _of_office() -> NextStep | None:
    waiting = PurchaseOrder.objects.filter(state=PurchaseOrder.State.SUBMITTED).count()
    if not waiting:
        return None
    title = "1 purchase order waits for you" if waiting == 1 else f"{waiting} purchase orders wait for you"
    url = reverse("admin:payments_purchaseorder_changelist") + "?state__exact=submitted"
    text = "Compare each with its document. Its seats are held once you accept it."
    return NextStep(title, text, url, "Check purchase orders")
