"""What the tests of certificates share: Ada's certificate, pages as people read them, tokens taken apart by hand."""

import json
from base64 import urlsafe_b64decode
from datetime import datetime
from typing import Any

from bs4 import BeautifulSoup
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from django.http import HttpResponse
from django.test import Client

from candidates.models import User
from icg_cert.lib import clock
from scoring.models import Certificate
from tests.factories import at, make_certificate, make_registration

CODE = "K7PQM3XZ"
DUE = at(2027, 10, 31, 9)
LATER = at(2027, 11, 10, 12)


def certified(user: User, **fields: Any) -> Certificate:
    return make_certificate(make_registration(user), **{"code": CODE, **fields})


def ask(url: str, user: User | None = None, method: str = "get", when: datetime = LATER, **data: str) -> HttpResponse:
    clock.jump_to(when)
    client = Client()
    if user:
        client.force_login(user)
    response: HttpResponse = getattr(client, method)(url, data)
    return response


def words(response: HttpResponse) -> str:
    main = BeautifulSoup(response.content, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def b64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, as they are written in it."""
    header, claims, _ = token.split(".")
    return json.loads(b64(header)), json.loads(b64(claims))


def verify_by_hand(token: str, jwk: dict[str, str]) -> None:
    """By the arithmetic of RFC 7518 and nothing of what signed it; InvalidSignature."""
    signed, _, signature = token.rpartition(".")
    e, n = (int.from_bytes(b64(jwk[name]), "big") for name in ("e", "n"))
    RSAPublicNumbers(e, n).public_key().verify(b64(signature), signed.encode(), PKCS1v15(), SHA256())
