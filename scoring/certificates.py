"""Certificates: issued with a certified result, verified by anyone who has the code, revoked with a reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.timezone import localtime

from candidates.models import User, normalised_code
from icg_cert.audit import trail
from icg_cert.lib import pdf
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from scoring.models import Certificate, Result


class Answer(StrEnum):
    VALID = "valid"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """What anyone may know of a code: nothing but this."""

    code: str
    answer: Answer
    certificate: Certificate | None = None


def issue(result: Result, *, at: datetime) -> Certificate:
    """The certificate of a certified result, and the mail that goes with it; the first one is kept for good.

    Call it inside the transaction that tells the result. ValueError for a result that certifies nobody.
    """
    if result.status != Result.Status.CERTIFIED:
        raise ValueError(f"Result {result.pk} is not certified")
    user = result.registration.user
    certificate, is_new = Certificate.objects.get_or_create(
        registration=result.registration, defaults={"result": result, "holder_name": user.name, "issued_at": at}
    )
    if is_new:
        trail.record("certificate.issue", certificate, by=None, at=at, after={"code": certificate.code})
        outbox.queue("certified", to=user, key=f"certified:{certificate.pk}", at=at, code=certificate.code)
    return certificate


@transaction.atomic
def revoke(certificate_id: int, *, reason: str, by: User, at: datetime) -> Certificate:
    """From now on its code says that it no longer holds. Refused: `no-reason`. A repeat keeps the first reason."""
    certificate = Certificate.objects.select_for_update().get(pk=certificate_id)
    if certificate.is_revoked:
        return certificate
    if not reason.strip():
        message = "Say why. The reason is kept with the certificate and read by staff alone."
        raise Refused("no-reason", message, fields={"reason": message})
    certificate.revoked_at, certificate.revoked_reason = at, reason.strip()
    certificate.save(update_fields=["revoked_at", "revoked_reason"])
    trail.record("certificate.revoke", certificate, by=by, at=at, reason=certificate.revoked_reason)
    return certificate


def verify(typed: str, at: datetime) -> Verification:
    """What stands behind a code at `at`. One issued later is unknown, and so is whatever nobody was given."""
    code = normalised_code(typed)
    certificate = Certificate.objects.issued(at).filter(code=code).select_related("result").first()
    if certificate is None:
        return Verification(code, Answer.UNKNOWN)
    is_revoked = certificate.revoked_at is not None and certificate.revoked_at <= at
    return Verification(code, Answer.REVOKED if is_revoked else Answer.VALID, certificate)


def document(certificate: Certificate) -> bytes:
    """The PDF on US letter, landscape. Of a certificate loaded with its result. Refused: `revoked`."""
    if certificate.is_revoked:
        raise Refused("revoked", "This certificate was revoked, so there is no document of it any more.")
    code = certificate.code
    form = settings.BASE_URL + reverse("scoring:verify-form")
    return pdf.render(
        "certificate.typ",
        {
            "holder": certificate.holder_name,
            "awarded": format_date(localtime(certificate.result.released_at), "F j, Y"),
            "code": f"{code[:4]} {code[4:]}",
            "url": settings.BASE_URL + reverse("scoring:verify", args=[code]),
            "place": form.partition("://")[2].rstrip("/"),
        },
    )
