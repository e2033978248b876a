"""What candidates hand in: factors and their requirements, entries, and the files in them."""

from portfolios.models.catalogue import Factor, Requirement
from portfolios.models.entries import Entry, EntryQuerySet
from portfolios.models.renditions import Rendition
from portfolios.models.uploads import Upload, UploadPart, UploadQuerySet

__all__ = [
    "Entry",
    "EntryQuerySet",
    "Factor",
    "Rendition",
    "Requirement",
    "Upload",
    "UploadPart",
    "UploadQuerySet",
]
