"""The receipt as a document of its own: a frozen manifest with the portal's signature, and what one that somebody
brings still says. It proves what was handed in and when, to anybody, without a name.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.signing import BadSignature, Signer

from portfolios import submission
from portfolios.models import Entry, Upload

SALT = "portfolios.receipts"
MOST = 1024 * 1024  # characters of a receipt that somebody brings; ours have a few thousand


class Answer(StrEnum):
    VALID = "valid"
    SUPERSEDED = "superseded"
    REOPENED = "reopened"
    CHANGED = "changed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a receipt says today. `entry` is there when the signature is ours."""

    answer: Answer
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file of a receipt as its page shows it; `part_size` is what its fingerprint was made with."""

    title: str
    name: str
    own_name: str
    size: int
    part_size: int
    sha256_tree: str
    received_at: datetime | None
    consent_version: int | None
    deleted_at: datetime | None

    @property
    def for_script(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("title", "name", "size", "part_size", "sha256_tree")}


def issued(entry: Entry) -> dict[str, Any]:
    """What is downloaded: the manifest as it was frozen, and a signature over its canonical JSON."""
    return {"manifest": entry.manifest, "signature": _signer().signature(submission.canonical(entry.manifest))}


def verify(text: str) -> Verification:
    """What a downloaded receipt says that somebody brings back, whoever they are."""
    manifest, signature = _read(text)
    if not _is_ours(manifest, signature):
        return Verification(Answer.CHANGED if _entries_of(manifest).exists() else Answer.FOREIGN)
    entry = _entries_of(manifest).first()
    if entry is None:
        return Verification(Answer.FOREIGN)
    if entry.manifest is None:
        return Verification(Answer.REOPENED, entry)
    is_current = entry.manifest_sha256 == submission.fingerprint(manifest)
    return Verification(Answer.VALID if is_current else Answer.SUPERSEDED, entry)


def _read(text: str) -> tuple[dict[str, Any], str]:
    """A manifest and its signature; empty ones where the text holds none."""
    try:
        brought = json.loads(text if len(text) <= MOST else "")
        manifest, signature = brought["manifest"], brought["signature"]
        submission.fingerprint(manifest)
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}, ""
    is_whole = isinstance(manifest, dict) and isinstance(signature, str) and signature.isascii()
    return (manifest, signature) if is_whole else ({}, "")


def _is_ours(manifest: dict[str, Any], signature: str) -> bool:
    signer = _signer()
    try:
        signer.unsign(f"{submission.canonical(manifest)}{signer.sep}{signature}")
    except BadSignature:
        return False
    return True


def _signer() -> Signer:
    """With the secret key; what was signed with one of its fallbacks still holds."""
    return Signer(salt=SALT)


def _entries_of(manifest: dict[str, Any]) -> Any:
    """The entry that a manifest names, signed or not: by its key and its candidate's code together."""
    key, code = manifest.get("entry"), manifest.get("candidate")
    if not isinstance(key, int) or not isinstance(code, str) or not 0 < key < 2**63 or "\0" in code:
        return Entry.objects.none()
    return Entry.objects.filter(pk=key, registration__code=code)


def files(entry: Entry, *, is_owner: bool) -> list[File]:
    """Of the frozen manifest; candidates read their own names for them as well."""
    rows = {str(upload.pk): upload for upload in Upload.objects.filter(entry=entry)}
    return [_file(frozen, rows.get(frozen["upload"]), is_owner) for frozen in (entry.manifest or {}).get("files", [])]


def _file(frozen: dict[str, Any], upload: Upload | None, is_owner: bool) -> File:
    received_at = frozen["received_at"]
    return File(
        frozen["title"],
        frozen["name"],
        upload.filename if upload and is_owner else "",
        frozen["size"],
        frozen.get("part_size", submission.PART_OF_VERSION_1),
        frozen["sha256_tree"],
        datetime.fromisoformat(received_at) if received_at else None,
        frozen["consent_version"] if frozen["consented_at"] else None,
        upload.purged_at if upload else None,
    )
