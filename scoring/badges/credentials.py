"""What a badge says: an Open Badges 3.0 AchievementCredential, in the data model of Verifiable Credentials 2.0.

It names its holder by a salted hash alone, and only where the holder lets their name be seen: whoever was told a name
can check it, and who tries out many finds it in the end.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from candidates import announced
from scoring import privacy
from scoring.badges import status
from scoring.models import Certificate
from scoring.sharing import ISSUER, TITLE

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"

Json = dict[str, Any]


def address(name: str, *args: object) -> str:
    """Of this portal, in full: what others' software follows."""
    return settings.BASE_URL + reverse(f"scoring:{name}", args=args)


def moment(at: datetime) -> str:
    """Whole seconds, so that a token's claim and the credential say the same."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def issuer() -> Json:
    programme = announced.programme()
    contact = {"email": programme.contact_email} if programme else {}
    home = settings.BASE_URL + reverse("home")
    return {"id": address("badge-issuer"), "type": ["Profile"], "name": ISSUER, "url": home, **contact}


def achievement() -> Json:
    return {
        "id": address("badge-achievement"),
        "type": ["Achievement"],
        "achievementType": "Certification",
        "name": TITLE,
        "description": "Has shown accomplished practice as an instructional coach in a portfolio of seven entries, one "
        "for each Success Factor.",
        "criteria": {
            "id": settings.BASE_URL + reverse("process-scoring"),
            "narrative": "Seven entries of documents and videos from the coach's own work, scored by trained scorers "
            "against published rubrics. The mean of the seven scores meets the programme's threshold, and none is "
            "below its floor.",
        },
        "image": {"id": f"{settings.BASE_URL}{settings.STATIC_URL}img/badge.svg", "type": "Image", "caption": TITLE},
    }


def credential(certificate: Certificate) -> Json:
    """The whole of it, not signed. Of a certificate loaded with its result and its holder."""
    return {
        "@context": CONTEXT,
        "id": address("badge-public", certificate.code),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": issuer(),
        "validFrom": moment(certificate.issued_at),
        "awardedDate": moment(certificate.awarded_at),
        "name": TITLE,
        "credentialSubject": _subject(certificate),
        "credentialStatus": status.entry(certificate.pk, address("badge-status", status.number(certificate.pk))),
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def _subject(certificate: Certificate) -> Json:
    known = [_identity(kind, value, certificate.code) for kind, value in _known(certificate)]
    return {
        "id": uuid5(NAMESPACE_URL, address("badge-public", certificate.code)).urn,
        "type": ["AchievementSubject"],
        "achievement": achievement(),
        "licenseNumber": certificate.code,
        **({"identifier": known} if known else {}),  # the standard wants no empty lists
    }


def _known(certificate: Certificate) -> list[tuple[str, str]]:
    """By what the holder may be recognised: kind and value."""
    user = certificate.registration.user
    choices = privacy.choices_of(user)
    chosen = [
        (choices.shows_name, "name", certificate.holder_name),
        (choices.names_email, "emailAddress", user.email),
    ]
    return [(kind, value) for is_chosen, kind, value in chosen if is_chosen]


def _identity(kind: str, value: str, code: str) -> Json:
    """Hashed as section B.1.9 of the specification says: the value, then the salt."""
    salt = salted_hmac(f"badge.{kind}", code, algorithm="sha256").hexdigest()[:32]
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityType": kind,
        "identityHash": f"sha256${sha256((value + salt).encode()).hexdigest()}",
        "salt": salt,
    }
