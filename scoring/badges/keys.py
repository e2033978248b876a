"""The keys that sign badges: a JSON Web Key Set in a file outside the repository, the oldest first.

The last one with its private half signs. The others only verify, and stay as long as somebody may hold a badge that
they signed. Without a key there are no badges. The algorithm is RS256: what Open Badges 3.0 asks for (section 8.2), and
all that 1EdTech's own validator takes but for ES256.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
BITS = 3072
LEAST_BITS = 2048

Jwk = dict[str, Any]


class UnreadableKeys(ValueError):
    """The file is there and is no set of RSA keys with a name each."""


def ring() -> tuple[RSAKey, ...]:
    """All of them, the oldest first; none without a file. UnreadableKeys."""
    path = settings.BADGE_KEYS_FILE
    try:
        changed = Path(path).stat().st_mtime_ns if path else None
    except OSError:
        changed = None
    return () if changed is None else _read(path, changed)


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> tuple[RSAKey, ...]:
    """Kept in memory until the file changes: reading one key takes longer than signing with it."""
    try:
        found = tuple(RSAKey.import_key(one) for one in json.loads(Path(path).read_text())["keys"])
    except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
        raise UnreadableKeys(f"{path} holds no JSON Web Key Set of RSA keys") from error
    if any(not key.kid or key.raw_value.key_size < LEAST_BITS for key in found):
        raise UnreadableKeys(f"{path} holds a key without kid, or of less than {LEAST_BITS} bits")
    return found


def signing_key() -> RSAKey | None:
    return next((key for key in reversed(ring()) if key.is_private), None)


def public(key: RSAKey) -> Jwk:
    """What everybody may know of a key."""
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}


def public_by_kid(kid: str) -> Jwk | None:
    return next((public(key) for key in ring() if key.kid == kid), None)


def add() -> str:
    """A new key, which signs from now on; its kid. The private halves of the others go: they sign no more."""
    path, key = Path(settings.BADGE_KEYS_FILE), RSAKey.generate_key(BITS, auto_kid=True)
    rows = [one.as_dict(private=False) for one in ring()] + [key.as_dict(private=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps({"keys": rows}, indent=1))
    temporary.replace(path)
    return str(key.kid)
