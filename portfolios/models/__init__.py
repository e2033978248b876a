"""What candidates hand in: factors and their requirements, entries, and the files in them."""

from portfolios.models.catalogue import Factor, Requirement
from portfolios.models.consents import Consent
from portfolios.models.entries import Entry, EntryQuerySet
from portfolios.models.renditions import Rendition
from portfolios.models.retention import Hold, HoldQuerySet, Purge
from portfolios.models.uploads import Upload, UploadPart, UploadQuerySet

__all__ = [
    "Consent",
    "Entry",
    "EntryQuerySet",
    "Factor",
    "Hold",
    "HoldQuerySet",
    "Purge",
    "Rendition",
    "Requirement",
    "Upload",
    "UploadPart",
    "UploadQuerySet",
]
