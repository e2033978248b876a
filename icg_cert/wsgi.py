import os

from django.core import checks
from django.core.management.base import SystemCheckError
from django.core.wsgi import get_wsgi_application

from icg_cert.checks import TAG

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "icg_cert.settings")

application = get_wsgi_application()
if unsafe := [finding for finding in checks.run_checks(tags=[TAG]) if finding.is_serious()]:
    raise SystemCheckError("\n".join(str(error) for error in unsafe))
