"""The demo's stand-ins for Stripe and PayPal: started beside the portal, and paid at while its history is written.

They are programs of their own (`python -m tests.doubles`) and know nothing of us; here is how we know of them.
"""

import sys
from datetime import datetime

import requests
from django.conf import settings
from django.core.management.base import CommandError

SECONDS = 10


def command(stripe_port: int, paypal_port: int, portal: str) -> list[str]:
    """What runs both until it is told to stop."""
    return [
        *[sys.executable, "-m", "tests.doubles", "--portal", portal],
        *["--stripe-port", str(stripe_port), "--paypal-port", str(paypal_port)],
        *["--folder", str(settings.VAR_DIR / "doubles"), "--clock-file", str(settings.REHEARSAL_CLOCK_FILE)],
    ]


def refuse_silence() -> None:
    """Say what to do where nobody stands in for the card provider: the demo's past has payments."""
    try:
        requests.get(f"{settings.STRIPE_API_URL}/_ctl/log", timeout=SECONDS).raise_for_status()
    except requests.RequestException:
        told = " ".join(command(8001, 8002, settings.BASE_URL)[1:])
        raise CommandError(
            f"Nobody stands in for Stripe at {settings.STRIPE_API_URL}. `make run` starts it; by hand: python {told}"
        ) from None


def set_clock(at: datetime | None) -> None:
    """What Stripe's stand-in takes for now; None for the demo's own clock."""
    told = {"at": at.isoformat() if at else None}
    requests.post(f"{settings.STRIPE_API_URL}/_ctl/clock", json=told, timeout=SECONDS).raise_for_status()


def press_pay(page: str) -> None:
    """What a payer does on the hosted page. Nobody goes where it leads: the portal may not be up yet."""
    requests.post(page, {"decision": "pay"}, timeout=SECONDS, allow_redirects=False).raise_for_status()
