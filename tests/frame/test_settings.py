"""What the environment makes of the settings, read by a fresh process as a deployment would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from portfolios.storage import S3Store
from portfolios.storage.s3 import client_at
from tests.factories import at

ROOT = Path(__file__).parent.parent.parent
READ = """
import json, sys
from icg_cert import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""
REAL = {
    "DATABASE_URL": "postgresql://somebody@db.example.org/portal",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "certification.example.org",
    "BASE_URL": "https://certification.example.org/",
}
NOW = at(2027, 5, 10)
SANDBOX = "https://api-m.sandbox.paypal.com"


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # ICG_TESTING would keep a developer's .env out, and the switches of the tests in; a missing .env is the same.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env=clean | environment, cwd=ROOT, capture_output=True, text=True
    )


def read(*names: str, **environment: str) -> dict[str, Any]:
    finished = run(READ, *names, **environment)
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


@pytest.fixture(autouse=True)
def without_dotenv() -> None:
    if (ROOT / ".env").exists():
        pytest.skip("a .env file here would answer for the environment")


def test_settings_without_anything_are_the_demo(tmp_path: Path) -> None:
    names = [
        "DEMO",
        "DEBUG",
        "STANDS_IN",
        "REQUIRE_SECOND_FACTOR",
        "BASE_URL",
        "EMAIL_FILE_PATH",
        "MEDIA_ROOT",
        "BADGE_KEYS_FILE",
    ]
    assert read(*names, ICG_VAR_DIR=str(tmp_path), PORT="8123") == {
        "DEMO": True,
        "DEBUG": False,
        "STANDS_IN": True,
        "REQUIRE_SECOND_FACTOR": False,
        "BASE_URL": "http://localhost:8123",
        "EMAIL_FILE_PATH": str(tmp_path / "mail"),
        "MEDIA_ROOT": str(tmp_path / "media"),
        "BADGE_KEYS_FILE": str(tmp_path / "badge-keys.json"),
    }


def test_settings_with_a_database_are_real_and_strict() -> None:
    names = ["DEMO", "STANDS_IN", "REQUIRE_SECOND_FACTOR", "BASE_URL", "SESSION_COOKIE_SECURE", "BADGE_KEYS_FILE"]
    names += ["SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", "INSECURE_KEY"]
    answer = read(*names, "SECRET_KEY", **{**REAL, "SECRET_KEY": ""})
    assert answer.pop("INSECURE_KEY") != answer.pop("SECRET_KEY") == ""
    assert answer == {
        "DEMO": False,
        "STANDS_IN": False,
        "REQUIRE_SECOND_FACTOR": True,
        "BASE_URL": "https://certification.example.org",
        "SESSION_COOKIE_SECURE": True,
        "BADGE_KEYS_FILE": "",
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31536000,
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": False,
    }


def test_settings_with_a_bucket_keep_files_there_and_let_the_browser_reach_it() -> None:
    bucket = {
        "S3_BUCKET": "portal",
        "S3_ENDPOINT_URL": "http://s3:8333",
        "S3_PUBLIC_URL": "https://files.example.org/x",
    }
    answer = read("STORAGES", "CONTENT_SECURITY_POLICY", **REAL, **bucket)
    default = answer["STORAGES"]["default"]
    policy = answer["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert default["BACKEND"] == "portfolios.storage.papers.Papers"
    assert (default["OPTIONS"]["bucket_name"], default["OPTIONS"]["endpoint_url"]) == ("portal", "http://s3:8333")
    assert policy["connect-src"] == ["'self'", "https://files.example.org"]
    assert policy["media-src"] == ["'self'", "blob:", "https://files.example.org"]
    assert policy["script-src"] == ["'self'"]


@pytest.mark.parametrize(
    ("bucket", "origin"),
    [
        ({"S3_REGION": "eu-west-1"}, "https://portal.s3.eu-west-1.amazonaws.com"),
        ({"S3_ENDPOINT_URL": "http://s3:8333", "S3_PUBLIC_URL": ""}, "http://s3:8333"),
        ({"S3_ENDPOINT_URL": "", "S3_PUBLIC_URL": ""}, "https://portal.s3.us-east-1.amazonaws.com"),
    ],
)
def test_settings_let_the_browser_reach_the_address_that_is_signed(bucket: dict[str, str], origin: str) -> None:
    """Amazon knows a bucket by its own host name; what the policy does not name, the browser would not send to."""
    names = ["CONTENT_SECURITY_POLICY", "S3_PUBLIC_URL", "S3_REGION", "S3_ADDRESSING"]
    answer = read(*names, S3_BUCKET="portal", **REAL, **bucket)
    policy = answer["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    for directive in ("img-src", "media-src", "connect-src", "frame-src"):
        assert policy[directive][-1] == origin
    keys = {"access_key": "key", "secret_key": "secret"}
    client = client_at(answer["S3_PUBLIC_URL"], region=answer["S3_REGION"], style=answer["S3_ADDRESSING"], **keys)
    signed = S3Store(bucket="portal", client=client, signer=client).url("a", content_type="", filename="", at=NOW)
    assert signed is not None
    assert signed.startswith(f"{origin}/")


@pytest.mark.parametrize(
    ("card", "pages"),
    [
        ({}, []),
        ({"STRIPE_SECRET_KEY": "sk_live_words"}, ["https://checkout.stripe.com"]),
        ({"STRIPE_SECRET_KEY": "sk_test_words", "STRIPE_API_URL": "http://127.0.0.1:8431"}, ["http://127.0.0.1:8431"]),
        ({"PAYPAL_CLIENT_ID": "app"}, ["https://www.paypal.com"]),
        ({"PAYPAL_CLIENT_ID": "app", "PAYPAL_API_URL": f"{SANDBOX}/"}, ["https://www.sandbox.paypal.com"]),
        ({"PAYPAL_CLIENT_ID": "app", "PAYPAL_API_URL": "http://127.0.0.1:8432"}, ["http://127.0.0.1:8432"]),
        ({"PAYPAL_API_URL": SANDBOX}, []),
        (
            {"STRIPE_SECRET_KEY": "sk_live_words", "PAYPAL_CLIENT_ID": "app"},
            ["https://checkout.stripe.com", "https://www.paypal.com"],
        ),
        ({"PAYMENT_PAGES": "https://pay.example.org"}, ["https://pay.example.org"]),
    ],
)
def test_settings_let_a_form_lead_to_the_payment_pages_alone(card: dict[str, str], pages: list[str]) -> None:
    policy = read("CONTENT_SECURITY_POLICY", **REAL, **card)["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["form-action"] == ["'self'", *pages]


def test_settings_of_the_demo_lead_to_the_stand_ins_beside_it() -> None:
    policy = read("CONTENT_SECURITY_POLICY", PORT="8100")["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["form-action"] == ["'self'", "http://127.0.0.1:8101", "http://127.0.0.1:8102"]


def test_settings_without_redis_queue_in_files_and_with_it_there(tmp_path: Path) -> None:
    assert read("CELERY_BROKER_URL") == {"CELERY_BROKER_URL": "filesystem://localhost//"}
    answer = read("CELERY_BROKER_URL", "CACHES", REDIS_URL="redis://r:6379/0")
    assert answer["CELERY_BROKER_URL"] == answer["CACHES"]["default"]["LOCATION"] == "redis://r:6379/0"


def test_settings_read_the_mail_server_from_one_address() -> None:
    names = ["EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS"]
    assert read(*names, EMAIL_URL="submission://me%40example.org:p%2Fw@smtp.example.org:587") == {
        "EMAIL_HOST": "smtp.example.org",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "me@example.org",
        "EMAIL_HOST_PASSWORD": "p/w",
        "EMAIL_USE_TLS": True,
    }


def test_wsgi_does_not_start_an_unsafe_production() -> None:
    assert run("import icg_cert.wsgi", **REAL).returncode == 0
    refused = run("import icg_cert.wsgi", **{**REAL, "BASE_URL": "http://certification.example.org"})
    assert refused.returncode == 1
    assert "icg_cert.E003" in refused.stderr


def test_every_name_of_the_env_example_is_read() -> None:
    source = (ROOT / "icg_cert" / "settings.py").read_text() + (ROOT / "icg_cert" / "embedded_postgres.py").read_text()
    source += (ROOT / "icg_cert" / "management" / "commands" / "serve.py").read_text()
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = [
        line.lstrip("# ").partition("=")[0]
        for line in lines
        if "=" in line and " " not in line.lstrip("# ").partition("=")[0]
    ]
    assert len(names) > 15
    assert [name for name in names if f'"{name}"' not in source] == []
