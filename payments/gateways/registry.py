"""Which providers there are, and which are switched on here."""

from collections.abc import Callable

from django.conf import settings

from icg_cert.lib.refusal import Refused
from payments.gateways.base import Gateway
from payments.gateways.paypal import PayPalGateway
from payments.gateways.stripe import StripeGateway

# name → (how it is made, the setting that switches it on), in the order in which payers see them.
GATEWAYS: dict[str, tuple[Callable[[], Gateway], str]] = {
    "stripe": (StripeGateway, "STRIPE_SECRET_KEY"),
    "paypal": (PayPalGateway, "PAYPAL_CLIENT_ID"),
}
# How a payer would say it: "by card".
WAYS = {"stripe": "card", "paypal": "PayPal"}


def switched_on() -> list[Gateway]:
    """The providers a payer may choose from."""
    return [make() for make, setting in GATEWAYS.values() if getattr(settings, setting)]


def get(name: str) -> Gateway:
    """The provider of that name. Refused when there is none, or it is switched off."""
    make, setting = GATEWAYS.get(name, (None, ""))
    if make is None or not getattr(settings, setting):
        raise Refused("method-off", "This way of paying is not available. Please choose another one.")
    return make()
