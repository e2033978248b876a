from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from pytest_django import Settings

from icg_cert.checks import TAG

SAFE = {
    "DEMO": False,
    "DEBUG": False,
    "SECRET_KEY": "x" * 32,
    "ALLOWED_HOSTS": ["certification.example.org"],
    "BASE_URL": "https://certification.example.org",
    "REQUIRE_SECOND_FACTOR": True,
    "STRIPE_SECRET_KEY": "sk_live_words",
    "STRIPE_WEBHOOK_SECRET": "whsec_words",
    "PAYPAL_CLIENT_ID": "an-app",
    "PAYPAL_CLIENT_SECRET": "its-secret",
    "PAYPAL_WEBHOOK_ID": "WH-1",
    "CLAMD_SOCKET": "unix:/run/clamav/clamd.ctl",
}
PRACTICE = {"STRIPE_SECRET_KEY": "sk_test_words"}
SANDBOX = "https://api-m.sandbox.paypal.com"


@pytest.fixture(autouse=True)
def has_badge_key(badge_key: Path) -> None:
    """What a real portal has beside its settings: a key that signs badges."""


def findings(settings: Settings, **changes: Any) -> list[str | None]:
    for name, value in {**SAFE, **changes}.items():
        setattr(settings, name, value)
    return [finding.id for finding in checks.run_checks(tags=[TAG])]


def test_safe_production_passes(settings: Settings) -> None:
    assert findings(settings) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": "x" * 31}, ["icg_cert.E001"]),
        ({"SECRET_KEY": "insecure: the demo's sign-ins are printed on the screen anyway"}, ["icg_cert.E001"]),
        ({"ALLOWED_HOSTS": []}, ["icg_cert.E002"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["icg_cert.E002"]),
        ({"BASE_URL": "http://certification.example.org"}, ["icg_cert.E003"]),
        ({"REQUIRE_SECOND_FACTOR": False}, ["icg_cert.E006"]),
        ({"STRIPE_SECRET_KEY": "sk_test_words"}, ["icg_cert.E007"]),
        ({"STRIPE_SECRET_KEY": "rk_live_words"}, []),
        ({"STRIPE_WEBHOOK_SECRET": ""}, ["icg_cert.E008"]),
        ({"STRIPE_SECRET_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}, []),
        ({"STRIPE_API_URL": "http://127.0.0.1:8431"}, ["icg_cert.E009"]),
        ({"PAYPAL_API_URL": SANDBOX}, ["icg_cert.E010"]),
        ({"PAYPAL_API_URL": "https://api.paypal.com"}, ["icg_cert.E010"]),
        ({"PAYPAL_API_URL": "http://127.0.0.1:8432"}, ["icg_cert.E010"]),
        ({"PAYPAL_CLIENT_SECRET": ""}, ["icg_cert.E011"]),
        ({"S3_BUCKET": "portal", "S3_PUBLIC_URL": "http://s3:8333"}, ["icg_cert.E015"]),
        ({"S3_BUCKET": "portal", "S3_PUBLIC_URL": "https://s3.us-east-1.amazonaws.com"}, []),
        ({"S3_BUCKET": "", "S3_PUBLIC_URL": ""}, []),
        ({"PAYPAL_WEBHOOK_ID": ""}, ["icg_cert.E012"]),
        ({"PAYPAL_CLIENT_ID": "", "PAYPAL_CLIENT_SECRET": "", "PAYPAL_WEBHOOK_ID": "", "PAYPAL_API_URL": SANDBOX}, []),
        ({"CLAMD_SOCKET": ""}, ["icg_cert.W001"]),
        ({"BADGE_KEYS_FILE": ""}, ["icg_cert.W002"]),
        ({"BADGE_KEYS_FILE": "/nowhere/badge-keys.json"}, ["icg_cert.E016"]),
        ({**PRACTICE, "DEMO": True, "PAYPAL_CLIENT_ID": "", "BADGE_KEYS_FILE": ""}, []),
        ({**PRACTICE, "DEMO": True, "PAYPAL_CLIENT_ID": "", "CLAMD_SOCKET": ""}, []),
        ({"BASE_URL": "", "SECRET_KEY": "short"}, ["icg_cert.E001", "icg_cert.E003"]),
        ({**PRACTICE, "BASE_URL": "", "DEMO": True, "PAYPAL_API_URL": SANDBOX}, []),
        ({**PRACTICE, "BASE_URL": "", "DEBUG": True, "PAYPAL_API_URL": "http://127.0.0.1:8432"}, []),
        ({**PRACTICE, "DEMO": True}, ["icg_cert.E013"]),
        ({**PRACTICE, "DEBUG": True}, ["icg_cert.E013"]),
        ({**PRACTICE, "DEMO": True, "PAYPAL_API_URL": "https://api.paypal.com"}, ["icg_cert.E013"]),
        ({**PRACTICE, "DEMO": True, "PAYPAL_CLIENT_ID": ""}, []),
        ({"DEMO": True, "PAYPAL_CLIENT_ID": "", "STRIPE_SECRET_KEY": "sk_live_words"}, ["icg_cert.E014"]),
        ({"DEBUG": True, "PAYPAL_CLIENT_ID": "", "STRIPE_SECRET_KEY": "rk_live_words"}, ["icg_cert.E014"]),
    ],
)
def test_unsafe_production_is_named(settings: Settings, changes: dict[str, Any], expected: list[str]) -> None:
    assert findings(settings, **changes) == expected


def test_moved_clock_is_refused_in_production(settings: Settings) -> None:
    settings.REHEARSAL_CLOCK_FILE.write_text("{}")
    assert findings(settings) == ["icg_cert.E005"]


@pytest.mark.parametrize("content", ["", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'])
def test_file_without_a_key_that_signs_is_refused(settings: Settings, badge_key: Path, content: str) -> None:
    badge_key.write_text(content)
    assert findings(settings) == ["icg_cert.E016"]
