from django.apps import AppConfig
from django.core import checks

from icg_cert.celery import app as celery_app
from icg_cert.checks import TAG, safe_production

__all__ = ["FrameConfig", "celery_app"]  # with the app loaded, .delay() finds our queue in web processes too


class FrameConfig(AppConfig):
    name = "icg_cert"
    verbose_name = "Portal"

    def ready(self) -> None:
        checks.register(safe_production, TAG)
