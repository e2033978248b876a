"""Certificates: issued with a certified result, verified by anyone with the code, revoked or replaced with a reason."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from candidates.models import User, normalised_code
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from scoring import privacy
from scoring.models import Certificate, Result


class Answer(StrEnum):
    VALID = "valid"
    REVOKED = "revoked"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """What anyone may know of a code: nothing but this. `name` is empty where it is not to be shown."""

    code: str
    answer: Answer
    certificate: Certificate | None = None
    name: str = ""


def issue(result: Result, *, at: datetime) -> Certificate:
    """The certificate of a certified result, and the mail that goes with it; the first one is kept for good.

    Call it inside the transaction that tells the result. ValueError for a result that certifies nobody.
    """
    if result.status != Result.Status.CERTIFIED:
        raise ValueError(f"Result {result.pk} is not certified")
    user = result.registration.user
    certificate, is_new = Certificate.objects.get_or_create(
        registration=result.registration,
        replaced_at=None,
        defaults={"result": result, "holder_name": user.name, "issued_at": at},
    )
    if is_new:
        trail.record("certificate.issue", certificate, by=None, at=at, after={"code": certificate.code})
        outbox.queue("certified", to=user, key=f"certified:{certificate.pk}", at=at, code=certificate.code)
    return certificate


@transaction.atomic
def revoke(certificate_id: int, *, reason: str, by: User, at: datetime) -> Certificate:
    """From now on its code says that it no longer holds, and its holder is told why. A repeat keeps the first reason.

    Refused: `replaced`, `no-reason`.
    """
    certificate = _locked(certificate_id)
    if certificate.is_revoked:
        return certificate
    _refuse_replaced(certificate)
    certificate.revoked_at, certificate.revoked_reason = at, _given(reason)
    certificate.save(update_fields=["revoked_at", "revoked_reason"])
    trail.record("certificate.revoke", certificate, by=by, at=at, reason=certificate.revoked_reason)
    _tell("certificate_revoked", certificate, at, reason=certificate.revoked_reason)
    return certificate


@transaction.atomic
def reissue(certificate_id: int, *, name: str, reason: str, by: User, at: datetime) -> Certificate:
    """A new certificate in another name, with a code of its own; the old code says that it was replaced. Told by mail.

    A repeat answers with the one that is there. Refused: `revoked`, `replaced`, `no-name`, `same-name`, `no-reason`.
    """
    old, name = _locked(certificate_id), " ".join(name.split())
    if old.is_replaced and old.replaced_by.holder_name == name:
        return old.replaced_by
    _refuse_unless_renamable(old, name)
    reason, old.replaced_at = _given(reason), at
    old.save(update_fields=["replaced_at"])
    new = Certificate.objects.create(
        registration=old.registration, result=old.result, replaces=old, holder_name=name, issued_at=at
    )
    before, after = ({"code": one.code, "holder_name": one.holder_name} for one in (old, new))
    trail.record("certificate.reissue", new, by=by, at=at, reason=reason, before=before, after=after)
    _tell("certificate_reissued", new, at)
    return new


def _locked(certificate_id: int) -> Certificate:
    rows = Certificate.objects.select_for_update(of=("self",)).select_related("result", "registration__user")
    return rows.get(pk=certificate_id)


def _refuse_unless_renamable(old: Certificate, name: str) -> None:
    if old.is_revoked:
        raise Refused("revoked", "This certificate was revoked. A revoked certificate is not issued in another name.")
    _refuse_replaced(old)
    if not name:
        message = "Write the name that shall stand on the new certificate."
        raise Refused("no-name", message, fields={"name": message})
    if name == old.holder_name:
        message = "This is the name on the certificate already. Write the name as it shall be."
        raise Refused("same-name", message, fields={"name": message})


def _refuse_replaced(certificate: Certificate) -> None:
    if certificate.is_replaced:
        raise Refused("replaced", f"This certificate was replaced by {certificate.replaced_by.code}. Open that one.")


def _given(reason: str) -> str:
    if not reason.strip():
        message = "Say why. The reason is kept."
        raise Refused("no-reason", message, fields={"reason": message})
    return reason.strip()


def _tell(event: str, certificate: Certificate, at: datetime, **context: str) -> None:
    """One mail for each certificate and what happened to it."""
    user = certificate.registration.user
    outbox.queue(event, to=user, key=f"{event}:{certificate.pk}", at=at, code=certificate.code, **context)


def verify(typed: str, at: datetime) -> Verification:
    """What stands behind a code at `at`. One issued later is unknown, and so is whatever nobody was given."""
    code = normalised_code(typed)
    rows = Certificate.objects.issued(at).select_related("result", "registration__user__holder_choices")
    certificate = rows.filter(code=code).first()
    if certificate is None:
        return Verification(code, Answer.UNKNOWN)
    answer = _answer(certificate, at)
    shows_name = answer is not Answer.REPLACED and privacy.choices_of(certificate.registration.user).shows_name
    return Verification(code, answer, certificate, certificate.holder_name if shows_name else "")


def _answer(certificate: Certificate, at: datetime) -> Answer:
    if certificate.revoked_at is not None and certificate.revoked_at <= at:
        return Answer.REVOKED
    if certificate.replaced_at is not None and certificate.replaced_at <= at:
        return Answer.REPLACED
    return Answer.VALID


def is_name_of(verification: Verification, told: str) -> bool:
    """Whether a name somebody was told is the one on the certificate: capitals, spaces and accents' coding aside."""
    certificate = verification.certificate
    if certificate is None or verification.answer is Answer.REPLACED:
        return False
    return _plain(certificate.holder_name) == _plain(told)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
