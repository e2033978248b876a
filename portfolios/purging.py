"""Deleting files that nobody may keep any longer (portfolios/retention.py says which).

The bytes go first, then the row says so: whoever dies in between leaves a file that is due again, and deleting what is
gone is harmless. The store is never called inside a transaction. Rows stay, for receipts and for history.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import transaction

from icg_cert.audit import trail
from portfolios import renditions, retention, storage
from portfolios.models import Purge, Rendition, Upload
from portfolios.retention import Item
from portfolios.uploads import rows

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What went, or would have gone; and what was due and did not go."""

    gone: list[Item]
    held: list[Item]
    failed: list[Item]

    @property
    def reasons(self) -> dict[str, dict[str, int]]:
        found: dict[str, Counter[str]] = {}
        for item in self.gone:
            sums = found.setdefault(item.why, Counter())
            sums.update(uploads=1, files=item.files, bytes=item.bytes)
        return {why: dict(sums) for why, sums in found.items()}

    @property
    def files(self) -> int:
        return sum(item.files for item in self.gone)

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.gone)


def run(*, is_dry: bool, at: datetime, most: int | None = None, always_note: bool = True) -> Report:
    """Delete what is due and not held, at most `most` uploads; what fails is logged and left to the next run.

    Its row for the admin is written when something happened, or in any case.
    """
    items = list(retention.due(at))
    report = Report([], [item for item in items if item.is_held], [])
    for item in islice((item for item in items if not item.is_held), most):
        _take(item, report, is_dry=is_dry, at=at)
    if always_note or report.gone:
        _note(report, is_dry=is_dry, at=at)
    return report


def _take(item: Item, report: Report, *, is_dry: bool, at: datetime) -> None:
    try:
        if is_dry or purge(item.upload.pk, at=at):
            report.gone.append(item)
    except Exception:  # whatever a store can throw at us must keep no other file from its turn
        logger.exception("purge of upload %s failed", item.upload.pk)
        report.failed.append(item)


def _note(report: Report, *, is_dry: bool, at: datetime) -> Purge:
    return Purge.objects.create(
        at=at,
        is_dry=is_dry,
        uploads=len(report.gone),
        files=report.files,
        bytes=report.bytes,
        held=len(report.held),
        failed=len(report.failed),
        reasons=report.reasons,
    )


def purge(upload_id: UUID, *, at: datetime) -> bool:
    """Delete one upload's bytes and all that was made of them, if that is due and nothing holds it. Whether it did.

    A repeat, two at once and a death at any point are harmless.
    """
    item = retention.due_one(upload_id, at)
    if item is None or item.is_held:
        return False
    _forget_bytes(item.upload)
    return _say_so(item, at=at)


def _forget_bytes(upload: Upload) -> None:
    """Every key that can stand for something of it, whether or not a row says so: a worker may have died in between."""
    store = storage.default()
    if upload.stored_at is None:
        store.abort(rows.transfer_of(upload))
    derived = {renditions.key_of(upload, kind) for kind in Rendition.Kind}
    for key in {upload.storage_key, *derived, *(made.storage_key for made in upload.renditions.all())}:
        store.delete(key)


@transaction.atomic
def _say_so(item: Item, *, at: datetime) -> bool:
    """The row has the last word: two that deleted the same bytes note it once."""
    rows.locked_entry(item.upload.entry_id)
    upload = rows.locked(pk=item.upload.pk)
    gone, _ = upload.renditions.filter(pk__in=[made.pk for made in item.upload.renditions.all()]).delete()
    if upload.purged_at and not gone:
        return False
    upload.parts.all().delete()
    upload.consents.exclude(releases="").update(releases="")
    upload.purged_at = upload.purged_at or at
    upload.transcript, upload.remarks = "", []
    upload.save(update_fields=["purged_at", "transcript", "remarks"])
    after = {"why": item.why, "files": item.files, "bytes": item.bytes}
    trail.record("upload.purge", upload, by=None, at=at, after=after)
    return True
