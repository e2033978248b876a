from django.apps import AppConfig
from django.core import checks

from icg_cert.checks import TAG, safe_production


class FrameConfig(AppConfig):
    name = "icg_cert"
    verbose_name = "Portal"

    def ready(self) -> None:
        checks.register(safe_production, TAG)
