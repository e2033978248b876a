import os

from django.core import checks
from django.core.management.base import SystemCheckError
from django.core.wsgi import get_wsgi_application

from icg_cert.checks import TAG

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "icg_cert.settings")

application = get_wsgi_application()
if unsafe := checks.run_checks(tags=[TAG]):
    raise SystemCheckError("\n".join(str(error) for error in unsafe))
