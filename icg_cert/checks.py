"""What must hold before the portal serves real people. An unsafe production does not start."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from scoring.badges import keys

TAG = "icg_cert"
NO_BADGE_KEY = "Make a key with `manage.py make_badge_key`: BADGE_KEYS_FILE holds none that could sign a badge."


def safe_production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """One error for each thing that is unsafe or missing. The demo and DEBUG may do all but take real money."""
    if settings.DEMO or settings.DEBUG:
        return _no_real_money()
    key, hosts, clock_file = settings.SECRET_KEY, settings.ALLOWED_HOSTS, settings.REHEARSAL_CLOCK_FILE
    card_key = settings.STRIPE_SECRET_KEY
    has_paypal, is_sandbox = settings.PAYPAL_CLIENT_ID, settings.PAYPAL_API_URL != settings.PAYPAL_LIVE_URL
    has_bucket, is_safe = settings.S3_BUCKET, settings.S3_PUBLIC_URL.startswith("https://")
    findings = [
        ("E001", key == settings.INSECURE_KEY or len(key) < 32, "Set SECRET_KEY to a long random text."),
        ("E002", not hosts or "*" in hosts, "Set ALLOWED_HOSTS to the names the portal is reached by."),
        ("E003", not settings.BASE_URL.startswith("https://"), "Set BASE_URL to the portal's https:// address."),
        ("E005", clock_file.exists(), f"Remove {clock_file}: the clock of a real portal is never moved."),
        ("E006", not settings.REQUIRE_SECOND_FACTOR, "Switch REQUIRE_SECOND_FACTOR on: staff see others' data."),
        (
            "E007",
            card_key and not _is_live(card_key),
            "Set STRIPE_SECRET_KEY to a live key: a test one confirms without money.",
        ),
        ("E008", card_key and not settings.STRIPE_WEBHOOK_SECRET, "Set STRIPE_WEBHOOK_SECRET to the endpoint's."),
        ("E009", settings.STRIPE_API_URL, "Leave STRIPE_API_URL empty: money is paid to Stripe itself."),
        ("E010", has_paypal and is_sandbox, "Leave PAYPAL_API_URL unset: a sandbox confirms without money."),
        ("E011", has_paypal and not settings.PAYPAL_CLIENT_SECRET, "Set PAYPAL_CLIENT_SECRET to the app's."),
        ("E015", has_bucket and not is_safe, "Set S3_PUBLIC_URL to an https:// address: browsers send to no other."),
        ("E012", has_paypal and not settings.PAYPAL_WEBHOOK_ID, "Set PAYPAL_WEBHOOK_ID to the id of the webhook."),
        ("E016", settings.BADGE_KEYS_FILE and not _can_sign(), NO_BADGE_KEY),
    ]
    errors = [Error(text, id=f"icg_cert.{code}") for code, is_wrong, text in findings if is_wrong]
    return [*errors, *_wishes()]


def _can_sign() -> bool:
    """Whether badges could be signed with what BADGE_KEYS_FILE names."""
    try:
        return keys.signing_key() is not None
    except keys.UnreadableKeys:
        return False


def _wishes() -> list[CheckMessage]:
    """What a real portal should have and can do without."""
    findings = [
        ("W001", settings.CLAMD_SOCKET, "Set CLAMD_SOCKET: candidates' documents are not scanned for malware."),
        ("W002", settings.BADGE_KEYS_FILE, "Set BADGE_KEYS_FILE: certificates come without badges."),
    ]
    return [checks.Warning(text, id=f"icg_cert.{code}") for code, is_set, text in findings if not is_set]


def _no_real_money() -> list[CheckMessage]:
    """A portal that is for practice must not charge anybody."""
    host = urlsplit(settings.PAYPAL_API_URL).hostname or ""
    is_real = host.endswith(".paypal.com") and not host.endswith(".sandbox.paypal.com")
    card = "Set STRIPE_SECRET_KEY to a test key: this portal is for practice, and would take real money."
    paypal = "Set PAYPAL_API_URL to PayPal's sandbox: this portal is for practice, and would take real money."
    findings = [
        ("E013", settings.PAYPAL_CLIENT_ID and is_real, paypal),
        ("E014", _is_live(settings.STRIPE_SECRET_KEY), card),
    ]
    return [Error(text, id=f"icg_cert.{code}") for code, is_wrong, text in findings if is_wrong]


def _is_live(card_key: str) -> bool:
    return card_key.startswith(("sk_live_", "rk_live_"))
