"""Before Django reads its settings: the tests' own var folder and their own PostgreSQL, apart from the demo's.

Tests that need a program (chromium, redis-server ...) are marked `@pytest.mark.requires("chromium")`.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import django
import pytest

VAR = Path(__file__).parent / "var" / "tests"

os.environ["ICG_TESTING"] = "1"
os.environ["ICG_DEMO"] = "1"
os.environ["ICG_VAR_DIR"] = str(VAR)
os.environ["PYTEST_DEBUG_TEMPROOT"] = str(VAR)  # tmp_path: not in a /tmp that others clean up
os.environ["DJANGO_SETTINGS_MODULE"] = "icg_cert.settings"
FOREIGN = ["REDIS_URL", "S3_BUCKET", "EMAIL_URL", "BASE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "PORT"]
FOREIGN += ["S3_ENDPOINT_URL", "S3_PUBLIC_URL", "PART_CHECKSUM"]
FOREIGN += ["PAYMENT_TIMEOUT_SECONDS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_URL"]
FOREIGN += ["PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID", "PAYPAL_MERCHANT_ID", "PAYPAL_API_URL"]
FOREIGN += ["CLAMD_SOCKET", "DOCUMENT_PREVIEWS", "SECRET_KEY_FALLBACKS", "BADGE_KEYS_FILE"]
for name in FOREIGN:
    os.environ.pop(name, None)  # what the developer's shell says about a real portal is not for the tests

from django.core.cache import caches  # noqa: E402

from icg_cert import embedded_postgres  # noqa: E402

(VAR / "static").mkdir(parents=True, exist_ok=True)
if not os.environ.get("DATABASE_URL"):
    embedded_postgres.ensure(VAR, durable=False)
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*programs): skip where one is missing, fail under REQUIRE_ALL=1")
    config.addinivalue_line("markers", "payment_case(*numbers): which fault cases of payments.md a test holds")
    config.addinivalue_line("markers", "media_case(*numbers): which fault cases of media.md a test holds")


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [program for marker in item.iter_markers("requires") for program in marker.args]
    missing = [program for program in wanted if shutil.which(program) is None]
    if missing:
        sentence = f"{' and '.join(missing)} not installed; .ci/run installs what these tests need"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    """No test sees another's files, cache or moved clock, in whichever process it runs."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.REHEARSAL_CLOCK_FILE = tmp_path / "rehearsal-clock"
    settings.BADGE_KEYS_FILE = str(tmp_path / "badge-keys.json")
    caches["default"].clear()
