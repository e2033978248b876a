"""Addresses by which a holder tells others: of this portal, and of those places that take a certificate in."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime

from scoring.models import Certificate

TITLE = "Certified Instructional Coach"
ISSUER = "Instructional Coaching Group"


def verify_url(certificate: Certificate) -> str:
    return settings.BASE_URL + reverse("scoring:verify", args=[certificate.code])


def linkedin_profile(certificate: Certificate) -> str:
    """LinkedIn's form "Add license or certification", filled in. It has no end: the certificate has none either."""
    awarded = localtime(certificate.awarded_at)
    fields = {
        "startTask": "CERTIFICATION_NAME",
        "name": TITLE,
        "organizationName": ISSUER,
        "issueYear": awarded.year,
        "issueMonth": awarded.month,
        "certUrl": verify_url(certificate),
        "certId": certificate.code,
    }
    return f"https://www.linkedin.com/profile/add?{urlencode(fields)}"


def linkedin_post(certificate: Certificate) -> str:
    return f"https://www.linkedin.com/sharing/share-offsite/?{urlencode({'url': verify_url(certificate)})}"
