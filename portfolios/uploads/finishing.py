"""Uploads of which every part is here and whose last request was lost: the portal completes them by itself."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Max

from icg_cert.lib.refusal import Refused
from portfolios import admission
from portfolios.models import Upload
from portfolios.uploads import transfers

QUIET = timedelta(minutes=1)  # whoever sends the last part asks for it at once, and perhaps again


def sent_whole(at: datetime) -> list[UUID]:
    """Open uploads whose every part was heard of, the last of them a little while ago. Where parts go to the store
    itself they were signed, and only the store knows whether they came.
    """
    found = Upload.objects.open().annotate(sent=Count("parts"), heard_at=Max("parts__received_at"))
    whole = found.filter(sent__gte=(F("size") + F("part_size") - 1) / F("part_size"), heard_at__lte=at - QUIET)
    return list(whole.values_list("pk", flat=True))


def finish(upload_id: UUID, *, at: datetime) -> bool:
    """Complete it; False when a part has not arrived. After the grace as of its last part, which was in time."""
    upload = Upload.objects.select_related("entry__registration", "entry__cycle").get(pk=upload_id)
    try:
        transfers.complete(upload_id, by=None, at=_as_of(upload, at))
    except Refused:
        return False
    return True


def _as_of(upload: Upload, at: datetime) -> datetime:
    is_in_time = at < admission.finish_by(upload.entry)
    return at if is_in_time else max((part.received_at for part in upload.parts.all()), default=at)


def finish_or_expire(upload_id: UUID, *, at: datetime) -> None:
    """The end of what is overdue. All of it may be here after all, when the jobs stood still at closing."""
    if not finish(upload_id, at=at):
        transfers.expire(upload_id, at=at)
