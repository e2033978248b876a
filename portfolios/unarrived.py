"""What was still on its way when the portal gave it up, though its candidate may believe that it counts."""

from dataclasses import dataclass
from datetime import datetime

from icg_cert.audit.models import Event
from portfolios import completeness
from portfolios.models import Entry, Upload


@dataclass(frozen=True, slots=True)
class Unarrived:
    """An upload that was given up, and what stands in its slot and counts."""

    upload: Upload
    counts: tuple[Upload, ...]


def of(entry: Entry) -> list[Unarrived]:
    """Uploads given up after what stands in their slot had arrived, the oldest first.

    Not by when they began: of two files on their way at once, the first may be the one that never arrives.
    """
    given_up = Upload.objects.filter(entry=entry, state=Upload.State.EXPIRED).select_related("requirement")
    ends = _ends([str(upload.pk) for upload in given_up])
    usable = {slot.requirement.pk: tuple(slot.usable) for slot in completeness.slots(entry)} if ends else {}
    found = [Unarrived(upload, usable[upload.requirement_id]) for upload in given_up if str(upload.pk) in ends]
    return [each for each in found if _arrived_before(each.counts, ends[str(each.upload.pk)])]


def titles(entry: Entry) -> list[str]:
    """Of their requirements, each once."""
    return [*dict.fromkeys(each.upload.requirement.title for each in of(entry))]


def _ends(keys: list[str]) -> dict[str, datetime]:
    events = Event.objects.filter(object_type=Upload._meta.label, object_id__in=keys, verb="upload.expired")
    return dict(events.values_list("object_id", "at"))


def _arrived_before(files: tuple[Upload, ...], end: datetime) -> bool:
    return all(file.stored_at is not None and file.stored_at < end for file in files)
