"""Signing: a credential becomes a JSON Web Token (Open Badges 3.0, section 8.2), which anybody can verify."""

from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from scoring.badges import credentials, keys, status
from scoring.models import Certificate


def badge(certificate: Certificate) -> str | None:
    """The signed credential of a certificate; None while there is no key."""
    key = keys.signing_key()
    return _signed(credentials.credential(certificate), key) if key else None


def status_list(number: int, at: datetime) -> str | None:
    """The signed list `number` as it is now; None while there is no key, or where no certificate stands in it."""
    key, first = keys.signing_key(), number * status.SIZE
    rows = Certificate.objects.filter(pk__gte=first, pk__lt=first + status.SIZE)
    if key is None or not rows.issued(at).exists():
        return None
    url = credentials.address("badge-status", number)
    return _signed(
        {
            "@context": credentials.CONTEXT[:1],
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": credentials.address("badge-issuer"),
            "validFrom": credentials.moment(at),
            "credentialSubject": {
                "id": f"{url}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": status.encoded(rows.ended(at).values_list("pk", flat=True)),
            },
        },
        key,
    )


def _signed(credential: dict[str, Any], key: RSAKey) -> str:
    """With the claims that say once more, to readers of tokens, what the credential says."""
    issuer = credential["issuer"]
    claims = {
        **credential,
        "iss": issuer["id"] if isinstance(issuer, dict) else issuer,
        "jti": credential["id"],
        "nbf": int(datetime.fromisoformat(credential["validFrom"]).timestamp()),
        "sub": credential["credentialSubject"]["id"],
    }
    header = {"alg": keys.ALGORITHM, "kid": credentials.address("badge-key", key.kid), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[keys.ALGORITHM])


def key_set() -> dict[str, Any]:
    """Every key that verifies a badge of ours, named as in a token's header."""
    named = [{**keys.public(key), "kid": credentials.address("badge-key", key.kid)} for key in keys.ring()]
    return {"keys": named}
